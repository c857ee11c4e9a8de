#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace flowmend::expression {

/// A timestamp of the language: a text in flows, this while a function works on it.
struct Moment {
  /// What the text said about its zone; what is printed says the same (expressions.md section 8).
  enum class Kind : std::uint8_t {
    utc,          ///< `Z`
    offset,       ///< `+02:00`: turned into UTC, prints `+00:00`
    unspecified,  ///< nothing
  };
  Timestamp time;  ///< in UTC; of an unspecified kind the wall clock as it stands
  Kind kind = Kind::utc;
};

struct MomentParts {
  int year, month, day, hour, minute, second, weekday;  ///< Sunday is 0
  std::int64_t fraction;                                ///< ticks of the second, 0 to 9,999,999
};

inline MomentParts parts_of(Timestamp time) {
  constexpr std::int64_t per_day = Duration::days(1).ticks;
  const std::int64_t since = time.ticks - Timestamp::unix_epoch_ticks;
  std::int64_t days = since / per_day;
  std::int64_t rest = since % per_day;
  if (rest < 0) {
    rest += per_day;
    --days;
  }
  const std::chrono::sys_days date{std::chrono::days{days}};
  const std::chrono::year_month_day ymd{date};
  const std::int64_t seconds = rest / 10'000'000;
  return {static_cast<int>(ymd.year()),
          static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day())),
          static_cast<int>(seconds / 3600),
          static_cast<int>(seconds / 60 % 60),
          static_cast<int>(seconds % 60),
          static_cast<int>(std::chrono::weekday(date).c_encoding()),
          rest % 10'000'000};
}

/// Ticks of a date at midnight; nothing when there is no such day between the years 1 and 9999.
inline std::optional<std::int64_t> ticks_of_date(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return Timestamp::unix_epoch_ticks + std::chrono::sys_days(date).time_since_epoch().count() * Duration::days(1).ticks;
}

}  // namespace flowmend::expression
