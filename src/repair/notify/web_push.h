#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "json/value.h"

namespace flowmend::repair::notify {

// Messages to a browser or an installed portal: Web Push (RFC 8030) with encrypted content (RFC 8291, aes128gcm of RFC
// 8188) and the server's own identity (VAPID, RFC 8292).

/// A device that wants messages, as a browser's PushSubscription has it.
struct PushSubscription {
  std::string endpoint;    ///< https; http only on this machine (tests, a push server of one's own)
  std::string public_key;  ///< `p256dh`: an uncompressed point of P-256, 65 bytes
  std::string secret;      ///< `auth`, 16 bytes
};
/// From `{endpoint, keys: {p256dh, auth}}`; `InvalidPushSubscription`.
Result<PushSubscription> read_subscription(const json::Value& value);
json::Value to_value(const PushSubscription& subscription);

/// A key pair of P-256.
class KeyPair {
 public:
  static std::optional<KeyPair> make();
  /// From what `secret` gave.
  static std::optional<KeyPair> from_secret(std::string_view bytes);
  /// From the raw private scalar, 32 bytes, and its public point (test vectors of the RFCs).
  static std::optional<KeyPair> from_raw(std::string_view scalar, std::string_view point);
  ~KeyPair();
  KeyPair(KeyPair&&) noexcept;
  KeyPair& operator=(KeyPair&&) noexcept;

  std::string secret() const;        ///< DER; to be sealed
  std::string public_point() const;  ///< 65 bytes
  /// ECDH with another's public point; nothing when that is no point of the curve.
  std::optional<std::string> shared_with(std::string_view point) const;
  /// ES256 of `text`: r and s, 64 bytes.
  std::optional<std::string> sign(std::string_view text) const;

 private:
  struct Key;
  explicit KeyPair(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

constexpr std::size_t push_payload_bytes_max = 3900;

/// The body of the request to the push service. `PushKeyInvalid` when the device's key is no point of the curve.
Result<std::string> encrypt(std::string_view payload, const PushSubscription& subscription);
/// With a given key and salt (16 bytes), for test vectors.
Result<std::string> encrypt(std::string_view payload, const PushSubscription& subscription, const KeyPair& sender,
                            std::string_view salt);

/// The value of the Authorization header: `vapid t=..., k=...`. `contact` is `mailto:...` or an https address.
std::string authorization(const KeyPair& server, std::string_view endpoint, std::string_view contact, Timestamp now);

}  // namespace flowmend::repair::notify
