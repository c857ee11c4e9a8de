#include "trigger/windows_zones.h"

#include <unicode/ucal.h>
#include <unicode/ustring.h>

namespace flowmend::trigger {

std::optional<std::string> zone_of_windows(std::string_view name) {
  constexpr std::size_t name_max = 64;
  if (name.empty() || name.size() > name_max) return std::nullopt;
  UErrorCode failure = U_ZERO_ERROR;
  UChar windows[2 * name_max];
  std::int32_t length = 0;
  u_strFromUTF8(windows, 2 * name_max, &length, name.data(), static_cast<std::int32_t>(name.size()), &failure);
  UChar iana[128];
  const auto size = ucal_getTimeZoneIDForWindowsID(windows, length, nullptr, iana, 128, &failure);
  if (U_FAILURE(failure) != 0 || size <= 0 || size >= 128) return std::nullopt;
  std::string zone;
  for (std::int32_t i = 0; i < size; ++i) zone.push_back(static_cast<char>(iana[i]));  // zone ids are ASCII
  return zone;
}

}  // namespace flowmend::trigger
