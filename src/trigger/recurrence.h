#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "base/time_zone.h"
#include "json/value.h"

namespace flowmend::trigger {

enum class Frequency : std::uint8_t { second, minute, hour, day, week, month, year };

/// A Recurrence trigger's times (engine.md 2.6), read from its definition.
///
/// Times with days in them are reckoned as the wall clock of `time_zone` and then converted: a mark inside a spring gap
/// runs at the same UTC instant as if the gap were not there (one hour later by the wall), a mark inside an autumn
/// overlap runs once, in the first pass. Seconds, minutes and hours without a schedule are elapsed time.
struct Recurrence {
  Frequency frequency = Frequency::day;
  std::int64_t interval = 1;
  std::optional<std::int64_t> start_local;  ///< ticks of the wall clock since 0001-01-01
  bool start_is_utc = false;                ///< written with `Z` or an offset: the zone does not apply to it
  std::optional<std::int64_t> end_local;
  bool end_is_utc = false;
  TimeZone time_zone;               ///< of the wall clock
  std::vector<int> minutes, hours;  ///< sorted; empty = not given
  std::vector<int> week_days;       ///< 0 = Sunday
  std::vector<int> month_days;      ///< 1..31, -1..-31 from the end
  struct Occurrence {
    int week_day = 0;
    int number = 1;  ///< 1..5, or -1 = last
  };
  std::vector<Occurrence> occurrences;

  bool has_schedule() const {
    return !minutes.empty() || !hours.empty() || !week_days.empty() || !month_days.empty() || !occurrences.empty();
  }
};

/// Reads `recurrence` of a definition. `InvalidRecurrence`, with the place.
Result<Recurrence> read_recurrence(const Value& recurrence);

/// When it fires first after it was saved or enabled at `saved`, which is also "now": `saved` itself when it fires at
/// once. Nothing when it never does (endTime passed).
std::optional<Timestamp> first_fire(const Recurrence& recurrence, Timestamp saved);

/// The next time after `last` that is also after `now`: missed times are dropped. `saved` as above.
std::optional<Timestamp> next_fire(const Recurrence& recurrence, Timestamp saved, Timestamp last, Timestamp now);

}  // namespace flowmend::trigger
