#include "connector/mask.h"

#include <algorithm>
#include <array>

#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t secret_bytes_min = 4;

constexpr std::array<std::string_view, 12> secret_headers = {"authorization",    "proxy-authorization",
                                                             "cookie",           "set-cookie",
                                                             "x-api-key",        "api-key",
                                                             "apikey",           "ocp-apim-subscription-key",
                                                             "x-functions-key",  "x-auth-token",
                                                             "x-ms-apim-tokens", "x-access-token"};
constexpr std::array<std::string_view, 12> secret_queries = {
    "sig",   "code",         "api_key",          "apikey", "api-key",  "key",
    "token", "access_token", "subscription-key", "secret", "password", "client_secret"};

void replace_all(std::string& text, std::string_view from) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + masked_text.size())) {
    text.replace(at, from.size(), masked_text);
  }
}

bool contains(const auto& list, std::string_view name) {
  const std::string lower = lower_case(name);
  return std::find(list.begin(), list.end(), lower) != list.end();
}

}  // namespace

bool is_secret_header(std::string_view name) { return contains(secret_headers, name); }
bool is_secret_query(std::string_view name) { return contains(secret_queries, name); }

std::string mask_secrets(std::string_view text, const std::vector<std::string>& secrets) {
  std::string out(text);
  // Longest first, so that a secret inside another one does not leave the rest of the longer one behind.
  std::vector<std::string> sorted(secrets);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const std::string& secret : sorted) {
    if (secret.size() < secret_bytes_min) continue;
    replace_all(out, secret);
    const std::string encoded = percent_encode(secret);
    if (encoded != secret) replace_all(out, encoded);
  }
  return out;
}

std::string mask_url(std::string_view url, const std::vector<std::string>& secrets) {
  std::string out = mask_secrets(url, secrets);
  if (const std::size_t scheme = out.find("://"); scheme != std::string::npos) {
    const std::size_t end = std::min(out.find_first_of("/?#", scheme + 3), out.size());
    const std::size_t at = out.rfind('@', end);
    if (at != std::string::npos && at > scheme && at < end) out.erase(scheme + 3, at - scheme - 2);
  }
  const std::size_t query = out.find('?');
  if (query == std::string::npos) return out;
  std::string rest = out.substr(query + 1);
  out.resize(query + 1);
  std::string_view view = rest;
  bool first = true;
  while (!view.empty()) {
    const std::string_view pair = view.substr(0, view.find('&'));
    view.remove_prefix(std::min(view.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (!first) out += '&';
    first = false;
    if (equals != std::string_view::npos && is_secret_query(percent_decode(pair.substr(0, equals)))) {
      out += std::string(pair.substr(0, equals + 1)) + std::string(masked_text);
    } else {
      out += pair;
    }
  }
  return out;
}

Value mask_value(const Value& value, const std::vector<std::string>& secrets) {
  if (value.is_string()) {
    const std::string masked = mask_secrets(value.as_string(), secrets);
    return masked == value.as_string() ? value : Value(masked);
  }
  if (value.is_array()) {
    json::ArrayBuilder builder;
    for (const Value& item : value.as_array()) builder.push(mask_value(item, secrets));
    return builder.finish();
  }
  if (value.is_object()) {
    json::ObjectBuilder builder;
    for (const json::Member& member : value.as_object()) {
      builder.add(mask_secrets(member.name(), secrets), mask_value(member.value, secrets));
    }
    return builder.finish();
  }
  return value;
}

Value request_record(std::string_view method, std::string_view url, const Pairs& headers,
                     const std::vector<std::string>& secrets) {
  json::ObjectBuilder shown;
  for (const auto& [name, value] : headers) {
    shown.set(name, is_secret_header(name) ? Value(masked_text) : Value(mask_secrets(value, secrets)));
  }
  return Value::object(
      {{"method", Value(method)}, {"uri", Value(mask_url(url, secrets))}, {"headers", shown.finish()}});
}

}  // namespace flowmend::connector
