#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/journal.h"

namespace flowmend::connector {

/// Secrets at rest: XChaCha20-Poly1305 (libsodium) under the newest of the master keys; older ones still open what was
/// sealed under them, until it is sealed anew (key_rotation.h).
///
/// A sealed text is `0x01`, a random nonce of 24 bytes and the ciphertext with its tag. Sealing the same text twice
/// gives two different results; a changed byte anywhere is found when it is opened. The keys live in guarded memory
/// that is neither swapped nor dumped. Any thread.
class MasterKeySealer final : public engine::Sealer {
 public:
  static constexpr std::size_t key_bytes = 32;

  /// `keys`, newest first, at least one, 32 bytes each; copied. The caller wipes its own copies.
  explicit MasterKeySealer(const std::vector<std::string>& keys);
  ~MasterKeySealer() override;
  MasterKeySealer(const MasterKeySealer&) = delete;
  MasterKeySealer& operator=(const MasterKeySealer&) = delete;

  std::string seal(std::string_view plain) const override;
  /// `SecretUnreadable` when the text was sealed under another key or was damaged.
  Result<std::string> open(std::string_view sealed) const override;

  std::size_t key_count() const { return keys_.size(); }
  enum class Under { newest, older, none };
  /// Under which key a text was sealed; `none` also for one that is no sealed text.
  Under sealed_under(std::string_view sealed) const;
  /// What `seal` makes of nothing has as many bytes: no sealed text has fewer.
  static const std::size_t sealed_bytes_min;

 private:
  /// The number of the key that opens it; `plain` is then what it holds.
  std::optional<std::size_t> open_with(std::string_view sealed, std::string& plain) const;
  std::vector<unsigned char*> keys_;  // sodium_malloc
};

}  // namespace flowmend::connector
