#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flowmend::expression {

/// RFC 4648 base64 with padding.
std::string encode_base64(std::string_view bytes);
/// Nothing for a wrong length or alphabet; white space between characters is passed over, as .NET does.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace flowmend::expression
