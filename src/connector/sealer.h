#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/journal.h"

namespace flowmend::connector {

/// Secrets at rest: XChaCha20-Poly1305 (libsodium) under one master key.
///
/// A sealed text is `0x01`, a random nonce of 24 bytes and the ciphertext with its tag. Sealing the same text twice
/// gives two different results; a changed byte anywhere is found when it is opened. The key lives in guarded memory
/// that is neither swapped nor dumped. Any thread.
class MasterKeySealer final : public engine::Sealer {
 public:
  static constexpr std::size_t key_bytes = 32;

  /// `key` is 32 bytes; copied. The caller wipes its own copy.
  explicit MasterKeySealer(std::string_view key);
  ~MasterKeySealer() override;
  MasterKeySealer(const MasterKeySealer&) = delete;
  MasterKeySealer& operator=(const MasterKeySealer&) = delete;

  std::string seal(std::string_view plain) const override;
  /// `SecretUnreadable` when the text was sealed under another key or was damaged.
  Result<std::string> open(std::string_view sealed) const override;

 private:
  unsigned char* key_;  // sodium_malloc
};

enum class IfKeyIsMissing { create, refuse };

/// The sealer under the key in the file `path`: one line, `flowmend-key-1 ` and 43 characters of base64url.
///
/// A missing file is made with a fresh key and mode 0600, durable when this returns, unless `refuse` is asked for (a
/// data folder that already holds secrets: a new key would make them unreadable in silence). Two processes that start
/// at once agree on one key.
///
/// Errors, each with its cure: `MasterKeyExposed` (group or others may read it), `MasterKeyInvalid`,
/// `MasterKeyMissing`, `MasterKeyUnavailable` (the system's reason is in the message).
Result<std::unique_ptr<MasterKeySealer>> open_master_key(const std::string& path,
                                                         IfKeyIsMissing if_missing = IfKeyIsMissing::create);

}  // namespace flowmend::connector
