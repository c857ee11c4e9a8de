#include "connector/sealer.h"

#include <sodium.h>

#include <cstring>
#include <new>
#include <stdexcept>

namespace flowmend::connector {
namespace {

constexpr char format_byte = 0x01;
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(MasterKeySealer::key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

const std::size_t MasterKeySealer::sealed_bytes_min = 1 + nonce_bytes + tag_bytes;

MasterKeySealer::MasterKeySealer(const std::vector<std::string>& keys) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be started");
  if (keys.empty()) throw std::invalid_argument("there is no master key");
  for (const std::string& key : keys) {
    if (key.size() != key_bytes) throw std::invalid_argument("a master key has 32 bytes");
  }
  keys_.reserve(keys.size());
  for (const std::string& key : keys) {
    auto* guarded = static_cast<unsigned char*>(sodium_malloc(key_bytes));
    if (guarded == nullptr) {
      for (unsigned char* made : keys_) sodium_free(made);
      throw std::bad_alloc();
    }
    std::memcpy(guarded, key.data(), key_bytes);
    sodium_mprotect_readonly(guarded);
    keys_.push_back(guarded);
  }
}

MasterKeySealer::~MasterKeySealer() {
  for (unsigned char* key : keys_) sodium_free(key);
}

std::string MasterKeySealer::seal(std::string_view plain) const {
  std::string sealed(1 + nonce_bytes + plain.size() + tag_bytes, '\0');
  sealed[0] = format_byte;
  unsigned char* nonce = bytes(sealed) + 1;
  randombytes_buf(nonce, nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + nonce_bytes, nullptr, bytes(plain), plain.size(), bytes(sealed), 1,
                                             nullptr, nonce, keys_.front());
  return sealed;
}

std::optional<std::size_t> MasterKeySealer::open_with(std::string_view sealed, std::string& plain) const {
  if (sealed.size() < sealed_bytes_min || sealed[0] != format_byte) return std::nullopt;
  plain.assign(sealed.size() - sealed_bytes_min, '\0');
  const unsigned char* nonce = bytes(sealed) + 1;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(plain), nullptr, nullptr, nonce + nonce_bytes,
                                                   sealed.size() - 1 - nonce_bytes, bytes(sealed), 1, nonce,
                                                   keys_[i]) == 0) {
      return i;
    }
  }
  return std::nullopt;
}

Result<std::string> MasterKeySealer::open(std::string_view sealed) const {
  std::string plain;
  if (!open_with(sealed, plain)) {
    return make_error("SecretUnreadable", "A stored secret can't be read with this server's master key.", {},
                      "Put back the key that belongs to this data folder, or enter the secret again.");
  }
  return Result<std::string>(boost::system::in_place_value, std::move(plain));
}

MasterKeySealer::Under MasterKeySealer::sealed_under(std::string_view sealed) const {
  std::string plain;
  const auto key = open_with(sealed, plain);
  sodium_memzero(plain.data(), plain.size());
  if (!key) return Under::none;
  return *key == 0 ? Under::newest : Under::older;
}

}  // namespace flowmend::connector
