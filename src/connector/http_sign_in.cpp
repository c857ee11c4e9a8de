#include "connector/http_sign_in.h"

#include <algorithm>
#include <charconv>

#include <sodium.h>

#include "connector/content.h"
#include "connector/pkcs12.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

std::string text_in(const Value& authentication, std::string_view name) {
  const Value* value = authentication.find_ignoring_case(name);
  return value == nullptr ? std::string() : std::string(trim(text_of_value(*value)));
}

Error missing(const std::string& name) {
  return make_error("InvalidHttpInputs", "The authentication ActiveDirectoryOAuth needs '" + name + "'.",
                    "/inputs/authentication/" + name, "Fill in '" + name + "'.");
}

Result<std::string> client_assertion(const Value& authentication, const std::string& client, const std::string& url,
                                     Timestamp now) {
  const auto certificate = open_pkcs12(text_in(authentication, "pfx"), text_in(authentication, "password"));
  if (!certificate) return certificate.error();
  const std::int64_t seconds = now.to_unix_milliseconds() / 1000;
  constexpr std::int64_t held_for = 600;
  unsigned char random[16];
  randombytes_buf(random, sizeof random);
  const Value claims =
      Value::object({{"aud", Value(url)},
                     {"iss", Value(client)},
                     {"sub", Value(client)},
                     {"jti", Value(base64_encode({reinterpret_cast<const char*>(random), sizeof random}))},
                     {"nbf", Value(seconds - 60)},
                     {"exp", Value(seconds + held_for)}});
  return signed_token(*certificate, json::write(claims));
}

}  // namespace

std::string token_key(const Value& authentication) {
  const std::string text = json::write(authentication);
  unsigned char hash[crypto_generichash_BYTES];
  crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  return {reinterpret_cast<const char*>(hash), sizeof hash};
}

Result<OutgoingRequest> token_request(const Value& authentication, Timestamp now) {
  std::string authority = text_in(authentication, "authority");
  if (authority.empty()) authority = "https://login.microsoftonline.com";
  while (authority.ends_with('/')) authority.pop_back();
  if (!authority.starts_with("https://") && !authority.starts_with("http://")) {
    return make_error("InvalidHttpInputs", "The authority of the sign-in is not an absolute address.",
                      "/inputs/authentication/authority", "Begin it with https://.");
  }
  const std::string tenant = text_in(authentication, "tenant");
  const std::string audience = text_in(authentication, "audience");
  const std::string client = text_in(authentication, "clientId");
  for (const auto& [name, value] : {std::pair("tenant", &tenant), {"audience", &audience}, {"clientId", &client}})
    if (value->empty()) return missing(name);
  OutgoingRequest request;
  request.method = "POST";
  request.url = authority + "/" + percent_encode(tenant) + "/oauth2/token";
  request.body =
      "grant_type=client_credentials&client_id=" + percent_encode(client) + "&resource=" + percent_encode(audience);
  const std::string secret = text_in(authentication, "secret");
  if (equals_ignoring_case(text_in(authentication, "credentialType"), "Certificate") || secret.empty()) {
    if (text_in(authentication, "pfx").empty()) return missing("secret");
    const auto assertion = client_assertion(authentication, client, request.url, now);
    if (!assertion) return assertion.error();
    request.body += "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    request.body += "&client_assertion=" + *assertion;
    request.secrets.push_back(*assertion);
  } else {
    request.body += "&client_secret=" + percent_encode(secret);
    request.secrets = {secret, percent_encode(secret)};
  }
  request.has_body = true;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.question.emplace();
  request.question->answer = {std::string("access_token")};
  request.question->signs_in = true;
  request.question->kept_as = token_key(authentication);
  return request;
}

Duration token_lifetime(std::string_view body) {
  const auto answer = json::parse(body);
  const Value* lifetime = answer ? answer->find("expires_in") : nullptr;
  if (lifetime == nullptr) return {};
  // The v1 address writes the number as a text.
  const std::string text = text_of_value(*lifetime);
  std::int64_t seconds = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec != std::errc()) return {};
  constexpr std::int64_t day = 86'400;
  return Duration::seconds(std::clamp<std::int64_t>(seconds - 60, 0, day));
}

std::string token_refusal(std::string_view body) {
  constexpr std::size_t words_max = 500;
  const auto answer = json::parse(body);
  std::string words;
  if (answer && answer->is_object()) {
    words = answer->text_of("error");
    const std::string_view description = answer->text_of("error_description");
    if (!description.empty()) words += (words.empty() ? "" : ": ") + std::string(description);
  }
  if (words.empty()) words = is_utf8(body) ? std::string(body) : std::string();
  if (words.size() > words_max) {
    words.resize(words_max);
    while (!words.empty() && !is_utf8(words)) words.pop_back();
  }
  return words;
}

}  // namespace flowmend::connector
