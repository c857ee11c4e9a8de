#include "repair/notify/web_push.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/owned.h"
#include "connector/text.h"
#include "json/write.h"
#include "trigger/base64.h"

namespace flowmend::repair::notify {
namespace {

constexpr std::size_t point_bytes = 65;
constexpr std::size_t auth_bytes = 16;
constexpr std::uint32_t record_bytes = 4096;

using Context = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string hmac(std::string_view key, std::string_view text) {
  std::string out(32, '\0');
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), bytes_of(out), &length);
  return out;
}

/// A C string with the zero byte at its end, as the info texts of RFC 8188 have it.
template <std::size_t N>
std::string with_zero(const char (&text)[N]) {
  return {text, N};
}

std::optional<std::string> seal_record(const std::string& key, const std::string& nonce, std::string_view payload) {
  const Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> cipher(EVP_CIPHER_CTX_new());
  std::string plain(payload);
  plain += '\x02';  // the last record
  std::string out(plain.size() + 16, '\0');
  int length = 0;
  int rest = 0;
  const bool done = cipher &&
                    EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, bytes_of(std::string_view(key)),
                                       bytes_of(std::string_view(nonce))) == 1 &&
                    EVP_EncryptUpdate(cipher.get(), bytes_of(out), &length, bytes_of(std::string_view(plain)),
                                      static_cast<int>(plain.size())) == 1 &&
                    EVP_EncryptFinal_ex(cipher.get(), bytes_of(out) + length, &rest) == 1 &&
                    EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, 16, out.data() + plain.size()) == 1;
  if (!done) return std::nullopt;
  return out;
}

Error bad_key() {
  return make_error("PushKeyInvalid", "The device's key is no point of the curve P-256.", {},
                    "Subscribe the device again.");
}

}  // namespace

struct KeyPair::Key {
  Owned<EVP_PKEY, EVP_PKEY_free> pkey;
};

KeyPair::KeyPair(std::unique_ptr<Key> key) : key_(std::move(key)) {}
KeyPair::~KeyPair() = default;
KeyPair::KeyPair(KeyPair&&) noexcept = default;
KeyPair& KeyPair::operator=(KeyPair&&) noexcept = default;

std::optional<KeyPair> KeyPair::make() {
  auto key = std::make_unique<Key>();
  key->pkey.reset(EVP_EC_gen("P-256"));
  if (!key->pkey) return std::nullopt;
  return KeyPair(std::move(key));
}

std::optional<KeyPair> KeyPair::from_secret(std::string_view bytes) {
  const unsigned char* at = bytes_of(bytes);
  auto key = std::make_unique<Key>();
  key->pkey.reset(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(bytes.size())));
  if (!key->pkey) return std::nullopt;
  return KeyPair(std::move(key));
}

std::optional<KeyPair> KeyPair::from_raw(std::string_view scalar, std::string_view point) {
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  const Owned<BIGNUM, BN_free> number(
      BN_bin2bn(bytes_of(scalar), static_cast<int>(scalar.size()), nullptr));
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get());
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters.get()) != 1)
    return std::nullopt;
  auto key = std::make_unique<Key>();
  key->pkey.reset(made);
  return KeyPair(std::move(key));
}

std::string KeyPair::secret() const {
  unsigned char* der = nullptr;
  const int length = i2d_PrivateKey(key_->pkey.get(), &der);
  if (length <= 0) return {};
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
  OPENSSL_clear_free(der, static_cast<std::size_t>(length));
  return out;
}

std::string KeyPair::public_point() const {
  std::string out(point_bytes, '\0');
  std::size_t length = 0;
  EVP_PKEY_get_octet_string_param(key_->pkey.get(), OSSL_PKEY_PARAM_PUB_KEY, bytes_of(out), out.size(), &length);
  out.resize(length);
  return out;
}

std::optional<std::string> KeyPair::shared_with(std::string_view point) const {
  // A key of the same curve with the other's point; OpenSSL refuses one that is not on it.
  Owned<EVP_PKEY, EVP_PKEY_free> peer(EVP_PKEY_new());
  if (!peer || EVP_PKEY_copy_parameters(peer.get(), key_->pkey.get()) != 1 ||
      EVP_PKEY_set1_encoded_public_key(peer.get(), bytes_of(point), point.size()) != 1)
    return std::nullopt;
  const Context context(EVP_PKEY_CTX_new(key_->pkey.get(), nullptr));
  std::string out(32, '\0');
  std::size_t length = out.size();
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), bytes_of(out), &length) != 1 || length != out.size())
    return std::nullopt;
  return out;
}

std::optional<std::string> KeyPair::sign(std::string_view text) const {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> digest(EVP_MD_CTX_new());
  std::size_t length = 0;
  if (!digest || EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_->pkey.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &length, bytes_of(text), text.size()) != 1)
    return std::nullopt;
  std::string der(length, '\0');
  if (EVP_DigestSign(digest.get(), bytes_of(der), &length, bytes_of(text), text.size()) != 1) return std::nullopt;
  const unsigned char* at = bytes_of(std::string_view(der));
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)));
  if (!signature) return std::nullopt;
  std::string out(64, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes_of(out), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes_of(out) + 32, 32);
  return out;
}

Result<PushSubscription> read_subscription(const json::Value& value) {
  const auto invalid = [](std::string message) {
    return make_error("InvalidPushSubscription", std::move(message), {},
                      "Send what the browser's PushSubscription.toJSON() gives.");
  };
  PushSubscription out;
  out.endpoint = value.text_of("endpoint");
  const std::string host = connector::host_of(out.endpoint);
  const bool local = host == "127.0.0.1" || host == "localhost" || host == "::1" || host == "[::1]";
  if (host.empty() || out.endpoint.size() > 2000 ||
      !(out.endpoint.starts_with("https://") || (local && out.endpoint.starts_with("http://"))))
    return invalid("'endpoint' is no https address.");
  for (const char c : out.endpoint) {
    if (static_cast<unsigned char>(c) <= 0x20) return invalid("'endpoint' is no https address.");
  }
  const json::Value* keys = value.find("keys");
  if (keys == nullptr) return invalid("'keys' is missing.");
  const auto point = connector::base64_decode(keys->text_of("p256dh"));
  const auto auth = connector::base64_decode(keys->text_of("auth"));
  if (!point || point->size() != point_bytes || (*point)[0] != '\x04')
    return invalid("'keys.p256dh' is no key of P-256.");
  if (!auth || auth->size() != auth_bytes) return invalid("'keys.auth' is not 16 bytes.");
  out.public_key = *point;
  out.secret = *auth;
  const auto probe = KeyPair::make();
  if (!probe || !probe->shared_with(out.public_key)) return invalid("'keys.p256dh' is no key of P-256.");
  return out;
}

json::Value to_value(const PushSubscription& subscription) {
  return json::Value::object(
      {{"endpoint", json::Value(subscription.endpoint)},
       {"keys", json::Value::object({{"p256dh", json::Value(trigger::encode_base64_url(subscription.public_key))},
                                     {"auth", json::Value(trigger::encode_base64_url(subscription.secret))}})}});
}

Result<std::string> encrypt(std::string_view payload, const PushSubscription& subscription) {
  const auto sender = KeyPair::make();
  std::string salt(16, '\0');
  if (!sender || RAND_bytes(bytes_of(salt), static_cast<int>(salt.size())) != 1)
    return make_error("InternalServerError", "OpenSSL could not make a key.");
  return encrypt(payload, subscription, *sender, salt);
}

Result<std::string> encrypt(std::string_view payload, const PushSubscription& subscription, const KeyPair& sender,
                            std::string_view salt) {
  const auto shared = sender.shared_with(subscription.public_key);
  if (!shared) return bad_key();
  const std::string point = sender.public_point();
  const std::string info = with_zero("WebPush: info") + subscription.public_key + point + '\x01';
  const std::string material = hmac(hmac(subscription.secret, *shared), info);
  const std::string root = hmac(salt, material);
  const std::string key = hmac(root, with_zero("Content-Encoding: aes128gcm") + '\x01').substr(0, 16);
  const std::string nonce = hmac(root, with_zero("Content-Encoding: nonce") + '\x01').substr(0, 12);
  const auto record = seal_record(key, nonce, payload.substr(0, push_payload_bytes_max));
  if (!record) return make_error("InternalServerError", "OpenSSL could not encrypt a message.");
  std::string out(salt);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(record_bytes >> shift & 0xff);
  out += static_cast<char>(point.size());
  return Result<std::string>(boost::system::in_place_value, out + point + *record);
}

std::string authorization(const KeyPair& server, std::string_view endpoint, std::string_view contact, Timestamp now) {
  const std::int64_t expires = now.to_unix_milliseconds() / 1000 + 12 * 3600;
  const auto part = [](const json::Value& value) { return trigger::encode_base64_url(json::write(value)); };
  const std::string text = part(json::Value::object({{"typ", json::Value("JWT")}, {"alg", json::Value("ES256")}})) +
                           "." +
                           part(json::Value::object({{"aud", json::Value(connector::origin_of(endpoint))},
                                                     {"exp", json::Value(expires)},
                                                     {"sub", json::Value(contact)}}));
  const auto signature = server.sign(text);
  return "vapid t=" + text + "." + trigger::encode_base64_url(signature.value_or("")) +
         ", k=" + trigger::encode_base64_url(server.public_point());
}

}  // namespace flowmend::repair::notify
