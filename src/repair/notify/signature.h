#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace flowmend::repair::notify {

// Signed webhooks as the Standard Webhooks specification 1.0 has them, so that receivers can check them with its
// libraries: headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`.

/// A new secret: `whsec_` and the base64 of 32 random bytes.
std::string make_signing_secret();
/// The key in a secret; nothing unless it is `whsec_` and the base64 of 24 to 64 bytes.
std::optional<std::string> signing_key(std::string_view secret);
/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
std::string sign(std::string_view key, std::string_view id, std::int64_t timestamp, std::string_view body);

}  // namespace flowmend::repair::notify
