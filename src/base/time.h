#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flowmend {

/// A length of time in ticks of 100 ns, as .NET counts it: it holds +-29,000 years and loses no digit of a timestamp.
struct Duration {
  std::int64_t ticks = 0;

  static constexpr Duration milliseconds(std::int64_t n) { return {n * 10'000}; }
  static constexpr Duration seconds(std::int64_t n) { return {n * 10'000'000}; }
  static constexpr Duration minutes(std::int64_t n) { return seconds(n * 60); }
  static constexpr Duration hours(std::int64_t n) { return minutes(n * 60); }
  static constexpr Duration days(std::int64_t n) { return hours(n * 24); }
  constexpr std::int64_t to_milliseconds() const { return ticks / 10'000; }
  constexpr auto operator<=>(const Duration&) const = default;
};

/// A moment in UTC: ticks of 100 ns since 0001-01-01T00:00:00Z. 0 means "not set" in records.
struct Timestamp {
  std::int64_t ticks = 0;

  static constexpr std::int64_t unix_epoch_ticks = 621'355'968'000'000'000;
  static constexpr std::int64_t max_ticks = 3'155'378'975'999'999'999;  ///< 9999-12-31T23:59:59.9999999Z

  static constexpr Timestamp from_unix_milliseconds(std::int64_t ms) { return {unix_epoch_ticks + ms * 10'000}; }
  constexpr std::int64_t to_unix_milliseconds() const { return (ticks - unix_epoch_ticks) / 10'000; }
  constexpr bool is_set() const { return ticks != 0; }
  constexpr auto operator<=>(const Timestamp&) const = default;
  friend constexpr Timestamp operator+(Timestamp t, Duration d) { return {t.ticks + d.ticks}; }
  friend constexpr Timestamp operator-(Timestamp t, Duration d) { return {t.ticks - d.ticks}; }
  friend constexpr Duration operator-(Timestamp a, Timestamp b) { return {a.ticks - b.ticks}; }
};

/// The wall clock now. Called at the edges only (runtime, server); everything below is handed its time.
Timestamp now_from_system_clock();

/// `2026-11-23T17:30:00.1234567Z`: seven fractional digits always, as every REST answer and record prints a time.
std::string to_string(Timestamp time);

/// Reads ISO 8601 in UTC or with an offset (`Z`, `+02:00`, or none which is taken as UTC), 0 to 7 fractional digits,
/// a date alone too. Nothing for any other text.
std::optional<Timestamp> parse_timestamp(std::string_view text);

/// Reads an ISO 8601 duration (`PT5S`, `P1DT2H`, `PT0.5S`); months count 30 days and years 365, as .NET's XmlConvert
/// does. Nothing for any other text, for a negative one, or for one over 10,000 years.
std::optional<Duration> parse_duration(std::string_view text);

/// `PT1H30M`, the shortest ISO 8601 form.
std::string to_string(Duration duration);

}  // namespace flowmend
