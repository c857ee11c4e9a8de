#pragma once

#include <optional>
#include <string_view>

#include "expression/functions/date_culture.h"
#include "expression/functions/moment.h"

namespace flowmend::expression {

/// Reads a timestamp: ISO 8601 first, then the ways of a culture that .NET's DateTime.Parse knows: `3/5/2026 2:07 PM`,
/// `Thu, 05 Mar 2026 14:07:09 GMT`, `martes 20 octubre 2020`. A year must be given; a weekday must be the date's.
/// Nothing for any other text.
std::optional<Moment> read_moment(std::string_view text, const DateCulture& culture);

/// Reads a timestamp that must match a .NET standard or custom format exactly. Parts that the format lacks come from
/// `now`, as .NET does: today for a time alone, this year for a month and day.
std::optional<Moment> read_moment_exactly(std::string_view text, std::string_view format, const DateCulture& culture,
                                          Timestamp now);

}  // namespace flowmend::expression
