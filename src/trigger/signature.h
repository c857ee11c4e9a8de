#pragma once

#include <string>
#include <string_view>

namespace flowmend::trigger {

/// HMAC-SHA256 in base64url over `workflow id LF sp LF sv LF se`. Never changes: callers keep addresses for years.
std::string signature(std::string_view key, std::string_view workflow_id, std::string_view sp, std::string_view sv,
                      std::string_view se);
/// In constant time; two empty ones are not the same.
bool same_signature(std::string_view a, std::string_view b);

}  // namespace flowmend::trigger
