#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flowmend::trigger {

/// The IANA zone of a Windows zone's name ("Pacific Standard Time" -> "America/Los_Angeles"), from CLDR as ICU carries
/// it. Nothing for another name.
std::optional<std::string> zone_of_windows(std::string_view name);

}  // namespace flowmend::trigger
