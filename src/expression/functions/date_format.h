#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "expression/functions/date_culture.h"
#include "expression/functions/moment.h"

namespace flowmend::expression {

/// A moment in a .NET standard (one letter) or custom format. Nothing for a format that .NET refuses. The zone of `z`
/// is UTC, as the service's hosts run.
std::optional<std::string> format_moment(const Moment& moment, std::string_view format, const DateCulture& culture);

/// A length of time as .NET's TimeSpan prints it: `[-][d.]hh:mm:ss[.fffffff]`.
std::string format_time_span(Duration span);
/// In a standard (`c`, `g`, `G`) or custom format; `decimal_point` is the culture's. Nothing for a format that .NET
/// refuses.
std::optional<std::string> format_time_span(Duration span, std::string_view format, std::string_view decimal_point);
/// Reads `[-][d.]hh:mm[:ss[.fffffff]]` or a number of days; nothing for any other text.
std::optional<Duration> read_time_span(std::string_view text);

}  // namespace flowmend::expression
