#pragma once

#include <string>
#include <string_view>

namespace flowmend::expression {

/// RFC 3986 percent-encoding: all but letters, digits and `-_.~`, in upper-case hex.
std::string encode_percent(std::string_view text);
/// The bytes that a percent-encoded text stands for; `+` is a space, a `%` without two hex digits stays.
std::string decode_percent(std::string_view text);

}  // namespace flowmend::expression
