#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowmend::trigger {

/// Percent-decodes; nothing for a broken escape or when the result is not UTF-8. `plus_is_space` for queries and forms.
std::optional<std::string> decode_percent(std::string_view text, char plus = '+');
/// Escapes all but RFC 3986's unreserved characters.
std::string encode_percent(std::string_view text);
/// The decoded pairs of a query, in order. Nothing when one is malformed.
std::optional<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query);
bool is_utf8(std::string_view bytes);

}  // namespace flowmend::trigger
