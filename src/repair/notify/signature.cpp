#include "repair/notify/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "connector/text.h"

namespace flowmend::repair::notify {

namespace {
constexpr std::string_view prefix = "whsec_";
}

std::string make_signing_secret() {
  std::string bytes(32, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  return std::string(prefix) + connector::base64_encode(bytes);
}

std::optional<std::string> signing_key(std::string_view secret) {
  if (!secret.starts_with(prefix)) return std::nullopt;
  auto key = connector::base64_decode(secret.substr(prefix.size()));
  if (!key || key->size() < 24 || key->size() > 64) return std::nullopt;
  return key;
}

std::string sign(std::string_view key, std::string_view id, std::int64_t timestamp, std::string_view body) {
  std::string text(id);
  text += '.';
  text += std::to_string(timestamp);
  text += '.';
  text += body;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest, &length);
  return "v1," + connector::base64_encode({reinterpret_cast<const char*>(digest), length});
}

}  // namespace flowmend::repair::notify
