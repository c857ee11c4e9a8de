#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace flowmend::expression {

/// How many characters must be added, dropped, changed or swapped to turn one name into the other, without regard to
/// ASCII case; `limit + 1` when it is more than `limit`. Names longer than 80 bytes count as far apart.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit);

/// The name that a person most likely meant, or empty when none is near.
std::string_view nearest(std::string_view name, std::span<const std::string_view> names);

}  // namespace flowmend::expression
