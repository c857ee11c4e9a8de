#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace flowmend {

/// A time zone of the machine's zone data (the tz database), found by the names that flows use. Cheap to copy; valid
/// for the life of the process. Thread-safe.
class TimeZone {
 public:
  static TimeZone utc() { return {}; }
  /// By its Windows name (`Pacific Standard Time`, mapped by CLDR for territory 001) or its IANA name
  /// (`America/Los_Angeles`), in any case. Nothing for another name.
  static std::optional<TimeZone> find(std::string_view name);

  bool is_utc() const { return zone_ == nullptr; }
  /// The IANA name; `Etc/UTC` for UTC.
  std::string name() const;

  /// What the wall clock shows at `time`: ticks since 0001-01-01 of the wall's calendar.
  std::int64_t local_of(Timestamp time) const;

  enum class Reading : std::uint8_t {
    unique,
    nonexistent,  ///< the wall clock was put forward over it
    ambiguous,    ///< the wall clock was put back: it showed it twice
  };
  struct Instants {
    Reading reading = Reading::unique;
    /// By the offset before the change and by the one after it; the same for a unique reading.
    Timestamp before, after;
  };
  /// When the wall clock showed `local_ticks`.
  Instants instants_of(std::int64_t local_ticks) const;

 private:
  const void* zone_ = nullptr;  ///< date::time_zone; nothing: UTC
};

}  // namespace flowmend
