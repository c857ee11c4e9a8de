#include "api/secrets.h"

#include <sodium.h>

namespace flowmend::api {

namespace {

constexpr std::size_t password_length_min = 10;
constexpr std::size_t password_length_max = 1000;

}  // namespace

std::string random_text(std::size_t bytes) {
  std::string raw(bytes, '\0');
  randombytes_buf(raw.data(), raw.size());
  std::string out(sodium_base64_ENCODED_LEN(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(raw.data()), raw.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  out.pop_back();
  return out;
}

std::string hash_of(std::string_view secret) {
  unsigned char digest[32];
  crypto_generichash(digest, sizeof digest, reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                     nullptr, 0);
  char text[65];
  sodium_bin2hex(text, sizeof text, digest, sizeof digest);
  return text;
}

std::string random_id() {
  unsigned char raw[16];
  randombytes_buf(raw, sizeof raw);
  char text[33];
  sodium_bin2hex(text, sizeof text, raw, sizeof raw);
  return text;
}

Result<void> check_password(std::string_view password) {
  if (password.size() >= password_length_min && password.size() <= password_length_max) return {};
  return make_error("PasswordTooWeak", "The password must have at least 10 characters.", {},
                    "Choose a longer one; a sentence is good.");
}

Result<std::string> hash_password(std::string_view password) {
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return make_error("InternalServerError", "There is not enough memory to check a password just now.", {},
                      "Try again.");
  }
  return Result<std::string>(boost::system::in_place_value, hash);
}

bool is_password(std::string_view password, std::string_view hash) {
  const std::string text(hash);
  return !text.empty() && crypto_pwhash_str_verify(text.c_str(), password.data(), password.size()) == 0;
}

}  // namespace flowmend::api
