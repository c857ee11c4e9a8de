#include "connector/text.h"

#include <cmath>

#include <sodium.h>

#include "json/write.h"

namespace flowmend::connector {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string percent_encode(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  out.pop_back();  // the terminating zero
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (const char c : text) {
    if (c == '-') {
      plain += '+';
    } else if (c == '_') {
      plain += '/';
    } else if (c != '=' && c != ' ' && c != '\r' && c != '\n' && c != '\t') {
      plain += c;
    }
  }
  std::string out(plain.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), plain.data(), plain.size(), nullptr,
                        &size, nullptr, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0) {
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return lower_case(text).find(lower_case(part)) != std::string::npos;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> text_list(const Value* list) {
  std::vector<std::string> out;
  if (list == nullptr) return out;
  if (list->is_string()) out.emplace_back(list->as_string());
  if (list->is_array()) {
    for (const Value& item : list->as_array()) {
      if (item.is_string() && !trim(item.as_string()).empty()) out.emplace_back(trim(item.as_string()));
    }
  }
  return out;
}

std::string text_of_value(const Value& value) {
  switch (value.type()) {
    case json::Type::null: return {};
    case json::Type::string: return std::string(value.as_string());
    case json::Type::floating: {
      const double number = value.as_floating();
      if (std::isfinite(number) && number == std::floor(number) && std::fabs(number) < 1e15) {
        return std::to_string(static_cast<std::int64_t>(number));
      }
      return json::double_text(number);
    }
    default: return json::write(value);
  }
}

std::string origin_of(std::string_view uri) {
  const std::size_t scheme_end = uri.find("://");
  if (scheme_end == std::string_view::npos) return {};
  std::size_t end = uri.find_first_of("/?#\\", scheme_end + 3);
  if (end == std::string_view::npos) end = uri.size();
  const std::size_t at = uri.substr(0, end).rfind('@');
  const std::size_t host = at == std::string_view::npos || at < scheme_end ? scheme_end + 3 : at + 1;
  return lower_case(uri.substr(0, scheme_end + 3)) + lower_case(uri.substr(host, end - host));
}

std::string host_of(std::string_view uri) {
  const std::string origin = origin_of(uri);
  if (origin.empty()) return {};
  std::string host = origin.substr(origin.find("://") + 3);
  if (host.starts_with('[')) {
    const std::size_t close = host.find(']');
    return close == std::string::npos ? host : host.substr(0, close + 1);
  }
  return host.substr(0, host.find(':'));
}

}  // namespace flowmend::connector
