#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flowmend::trigger {

/// RFC 4648 base64 with padding.
std::string encode_base64(std::string_view bytes);
/// Nothing for text that is no base64; missing padding and line breaks are accepted.
std::optional<std::string> decode_base64(std::string_view text);
/// The URL alphabet without padding: 43 characters for 32 bytes.
std::string encode_base64_url(std::string_view bytes);

}  // namespace flowmend::trigger
