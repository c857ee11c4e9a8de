#include "connector/native/aws_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <map>
#include <vector>

#include "connector/text.h"

namespace flowmend::connector {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string sha256(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return hex({reinterpret_cast<const char*>(digest), sizeof digest});
}

std::string hmac(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest, &length);
  return {reinterpret_cast<const char*>(digest), length};
}

}  // namespace

void sign_aws(http::Request& request, const AwsCredential& credential, Timestamp now) {
  const std::string written = to_string(now);  // 2026-11-24T09:30:00.0000000Z
  const std::string day = written.substr(0, 4) + written.substr(5, 2) + written.substr(8, 2);
  const std::string time = day + "T" + written.substr(11, 2) + written.substr(14, 2) + written.substr(17, 2) + "Z";
  const std::size_t authority = request.url.find("://") + 3;
  const std::size_t path_at = std::min(request.url.size(), request.url.find_first_of("/?", authority));
  const std::size_t query_at = std::min(request.url.size(), request.url.find('?', path_at));
  std::string path = request.url.substr(path_at, query_at - path_at);
  if (path.empty()) path = "/";

  std::vector<std::string> query;
  std::string_view rest = std::string_view(request.url).substr(query_at);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view one = rest.substr(0, rest.find('&'));
    if (!one.empty()) query.push_back(std::string(one) + (one.find('=') == std::string_view::npos ? "=" : ""));
    rest.remove_prefix(one.size());
  }
  std::sort(query.begin(), query.end());
  std::string joined;
  for (const std::string& one : query) joined += (joined.empty() ? "" : "&") + one;

  const std::string content = sha256(request.body);
  request.headers.push_back({"x-amz-date", time});
  request.headers.push_back({"x-amz-content-sha256", content});
  std::map<std::string, std::string> headers{{"host", lower_case(request.url.substr(authority, path_at - authority))}};
  for (const http::Header& header : request.headers) {
    const std::string name = lower_case(header.name);
    if (name.starts_with("x-amz-") || name == "content-type") headers[name] = trim(header.value);
  }
  std::string lines, names;
  for (const auto& [name, value] : headers) {
    lines += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical =
      request.method + "\n" + path + "\n" + joined + "\n" + lines + "\n" + names + "\n" + content;
  const std::string scope = day + "/" + credential.region + "/" + credential.service + "/aws4_request";
  const std::string key = hmac(
      hmac(hmac(hmac("AWS4" + credential.secret_key, day), credential.region), credential.service), "aws4_request");
  const std::string signature = hex(hmac(key, "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + sha256(canonical)));
  request.headers.push_back({"Authorization", "AWS4-HMAC-SHA256 Credential=" + credential.access_key + "/" + scope +
                                                  ", SignedHeaders=" + names + ", Signature=" + signature});
}

}  // namespace flowmend::connector
