#include "base/time_zone.h"

#include <memory>
#include <unordered_map>

#include <date/tz.h>
#include <unicode/strenum.h>
#include <unicode/timezone.h>

namespace flowmend {

namespace {

using Seconds = std::chrono::seconds;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

const date::time_zone& zone_of(const void* zone) { return *static_cast<const date::time_zone*>(zone); }

/// Whole seconds since 1970, rounded down.
Seconds unix_seconds(std::int64_t ticks) {
  const std::int64_t since = ticks - Timestamp::unix_epoch_ticks;
  return Seconds(since / 10'000'000 - (since % 10'000'000 < 0 ? 1 : 0));
}

std::int64_t ticks_of(Seconds seconds) { return seconds.count() * 10'000'000; }

/// How many ticks to take away so that a moment behind 2036 falls into a year of the same calendar that the zone data
/// covers: its files list the changes up to 2037 only, and today's rules go by weekdays.
std::int64_t ticks_beyond_data(std::int64_t ticks) {
  namespace chrono = std::chrono;
  constexpr int covered_max = 2036;
  constexpr std::int64_t per_day = Duration::days(1).ticks;
  const chrono::sys_days day{chrono::days((ticks - Timestamp::unix_epoch_ticks) / per_day)};
  const chrono::year year = chrono::year_month_day(day).year();
  if (static_cast<int>(year) <= covered_max) return 0;
  const auto first = [](chrono::year y) { return chrono::sys_days(y / 1 / 1); };
  chrono::year like{covered_max};
  while (like.is_leap() != year.is_leap() || chrono::weekday(first(like)) != chrono::weekday(first(year))) --like;
  return (first(year) - first(like)).count() * per_day;
}

using Names = std::unordered_map<std::string, const date::time_zone*>;

const date::time_zone* located(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

/// Every name in lower case. ICU lists the tz database's names, old ones too, and knows the Windows names.
const Names& names() {
  static const Names all = [] {
    Names made;
    UErrorCode failure = U_ZERO_ERROR;
    const std::unique_ptr<icu::StringEnumeration> ids(
        icu::TimeZone::createTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, nullptr, nullptr, failure));
    if (U_FAILURE(failure) || ids == nullptr) return made;
    for (const icu::UnicodeString* id = ids->snext(failure); id != nullptr; id = ids->snext(failure)) {
      std::string name;
      id->toUTF8String(name);
      if (const auto* zone = located(name)) made.emplace(lower(name), zone);
      icu::UnicodeString windows;
      icu::UnicodeString main;
      UErrorCode unknown = U_ZERO_ERROR;
      icu::TimeZone::getWindowsID(*id, windows, unknown);
      if (windows.isEmpty()) continue;
      icu::TimeZone::getIDForWindowsID(windows, nullptr, main, unknown);
      std::string key;
      std::string iana;
      windows.toUTF8String(key);
      main.toUTF8String(iana);
      if (U_SUCCESS(unknown) && !made.contains(lower(key))) {
        if (const auto* zone = located(iana)) made.emplace(lower(key), zone);
      }
    }
    return made;
  }();
  return all;
}

}  // namespace

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  constexpr std::size_t name_bytes_max = 64;
  if (name.empty() || name.size() > name_bytes_max) return std::nullopt;
  const std::string key = lower(name);
  if (key == "utc" || key == "etc/utc" || key == "coordinated universal time") return utc();
  const auto found = names().find(key);
  if (found == names().end()) return std::nullopt;
  TimeZone zone;
  zone.zone_ = found->second;
  return zone;
}

std::string TimeZone::name() const { return is_utc() ? "Etc/UTC" : zone_of(zone_).name(); }

std::int64_t TimeZone::local_of(Timestamp time) const {
  if (is_utc()) return time.ticks;
  const auto info =
      zone_of(zone_).get_info(date::sys_seconds(unix_seconds(time.ticks - ticks_beyond_data(time.ticks))));
  return time.ticks + ticks_of(info.offset);
}

TimeZone::Instants TimeZone::instants_of(std::int64_t local_ticks) const {
  if (is_utc()) return {Reading::unique, {local_ticks}, {local_ticks}};
  const auto info =
      zone_of(zone_).get_info(date::local_seconds(unix_seconds(local_ticks - ticks_beyond_data(local_ticks))));
  const Timestamp before{local_ticks - ticks_of(info.first.offset)};
  if (info.result == date::local_info::unique) return {Reading::unique, before, before};
  const Timestamp after{local_ticks - ticks_of(info.second.offset)};
  return {info.result == date::local_info::ambiguous ? Reading::ambiguous : Reading::nonexistent, before, after};
}

}  // namespace flowmend
