#include "api/links.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <vector>

#include "http/message.h"
#include "json/write.h"

namespace flowmend::api {

namespace {

std::string base64url(const unsigned char* bytes, std::size_t size) {
  std::string out(sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  out.pop_back();
  return out;
}

std::string sign(const runtime::LiveFlow& flow, std::string_view path, std::string_view se) {
  const std::string text = "content\n" + flow.row.workflow_id + "\n" + std::string(path) + "\n" + std::string(se);
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(flow.primary_key.data()),
                              flow.primary_key.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  unsigned char digest[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_final(&state, digest);
  return base64url(digest, sizeof digest);
}

std::string md5_base64(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr);
  std::string out(sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), digest, size, sodium_base64_VARIANT_ORIGINAL);
  out.pop_back();
  return out;
}

}  // namespace

std::string content_link(const std::string& base, const runtime::LiveFlow& flow, const std::string& path,
                         Timestamp now) {
  // On the hour, so that links to one content are equal for a while and can be cached.
  const std::int64_t hour = Duration::hours(1).ticks;
  const std::string se = to_string(Timestamp{(now.ticks / hour + 4) * hour});
  std::string encoded;
  for (std::string_view rest = std::string_view(path).substr(1); !rest.empty();) {
    const auto end = rest.find('/');
    encoded += "/" + http::percent_encode(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return base + "/workflows/" + flow.row.workflow_id + encoded +
         "?api-version=2016-06-01&se=" + http::percent_encode(se) + "&sp=" + http::percent_encode(path + "/read") +
         "&sv=1.0&sig=" + sign(flow, path, se);
}

Result<void> check_content_link(const runtime::LiveFlow& flow, std::string_view path, std::string_view se,
                                std::string_view sig, Timestamp now) {
  const std::string expected = sign(flow, path, se);
  const auto until = parse_timestamp(se);
  const bool right = sig.size() == expected.size() && sodium_memcmp(sig.data(), expected.data(), expected.size()) == 0;
  if (!right || !until)
    return make_error("AuthorizationFailed", "The provided authorization signature is not valid.", {},
                      "Read the run again: its links are signed anew.");
  if (*until < now)
    return make_error("AuthorizationFailed", "The link has expired.", {},
                      "Read the run again: its links are signed anew.");
  return {};
}

Value content_object(const std::string& uri, const Value& value, bool secured, std::string_view which) {
  if (secured) return Value::object({{"secureData", Value::object({{"properties", Value::array({Value(which)})}})}});
  const std::string text = json::write(value);
  const std::string hash = md5_base64(text);
  return Value::object({{"uri", uri},
                        {"contentVersion", hash},
                        {"contentSize", static_cast<std::int64_t>(text.size())},
                        {"contentHash", Value::object({{"algorithm", "md5"}, {"value", hash}})}});
}

}  // namespace flowmend::api
