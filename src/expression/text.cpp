#include "expression/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include "expression/functions/function.h"
#include "json/write.h"

namespace flowmend::expression {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<unsigned char>(a[i]);
    const auto y = static_cast<unsigned char>(b[i]);
    if (std::tolower(x) != std::tolower(y)) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// A look at the bytes that begin at one place: how many belong together, and whether they are a whole character.
struct Sequence {
  std::size_t length = 1;
  bool whole = false;
};

/// A character, or the longest beginning of one, which .NET replaces by a single U+FFFD.
Sequence sequence_at(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {1, true};
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i >= bytes.size() || byte(at + i) < low || byte(at + i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

std::string repaired_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const Sequence sequence = sequence_at(bytes, at);
    if (sequence.whole) {
      out.append(bytes, at, sequence.length);
    } else {
      out += replacement;
    }
    at += sequence.length;
  }
  return out;
}

/// Takes from `bytes_left` what the JSON text of the value needs at least; false as soon as it does not fit. Values may
/// share parts, so that few nodes print as endless text: this stops where the text would.
bool fits(const Value& value, std::size_t& bytes_left) {
  const auto take = [&](std::size_t bytes) {
    if (bytes > bytes_left) return false;
    bytes_left -= bytes;
    return true;
  };
  if (value.is_string()) return take(value.as_string().size() + 2);
  if (!take(1)) return false;
  if (value.is_array()) {
    return take(value.size()) &&
           std::ranges::all_of(value.as_array(), [&](const Value& element) { return fits(element, bytes_left); });
  }
  if (!value.is_object()) return true;
  return std::ranges::all_of(value.as_object(), [&](const json::Member& member) {
    return take(member.name().size() + 3) && fits(member.value, bytes_left);
  });
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

std::optional<ContentView> content_of(const Value& value) {
  if (!value.is_object() || value.size() < 2) return std::nullopt;
  const Value* type = value.find("$content-type");
  if (type == nullptr || !type->is_string()) return std::nullopt;
  const Value* content = value.find("$content");
  if (content == nullptr || !content->is_string()) return std::nullopt;
  return ContentView{type->as_string(), content->as_string()};
}

std::optional<std::string> bytes_of_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  unsigned padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int digit = base64_digit(c);
    if (digit < 0 || padding != 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    if (++held == 4) {
      out += static_cast<char>(bits >> 16);
      out += static_cast<char>(bits >> 8);
      out += static_cast<char>(bits);
      bits = 0;
      held = 0;
    }
  }
  if (held == 0) return padding == 0 ? std::optional(std::move(out)) : std::nullopt;
  if (held == 1 || held + padding != 4) return std::nullopt;
  bits <<= 6 * (4 - held);
  out += static_cast<char>(bits >> 16);
  if (held == 3) out += static_cast<char>(bits >> 8);
  return out;
}

std::string_view media_type_parameter(std::string_view type, std::string_view parameter) {
  for (auto at = type.find(';'); at != std::string_view::npos; at = type.find(';', at + 1)) {
    std::string_view part = type.substr(at + 1);
    part = part.substr(0, part.find(';'));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    if (!equal_ignoring_case(trimmed(part.substr(0, equals)), parameter)) continue;
    std::string_view value = trimmed(part.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

std::optional<std::string> text_of_bytes(std::string_view bytes, std::string_view charset) {
  if (charset.empty() || equal_ignoring_case(charset, "utf-8") || equal_ignoring_case(charset, "utf8")) {
    return repaired_utf8(bytes);
  }
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() / 4)) return std::nullopt;
  const std::string name(charset);
  UErrorCode status = U_ZERO_ERROR;
  UConverter* converter = ucnv_open(name.c_str(), &status);
  if (U_FAILURE(status) || converter == nullptr) return std::nullopt;
  const icu::UnicodeString text(bytes.data(), static_cast<std::int32_t>(bytes.size()), converter, status);
  ucnv_close(converter);
  if (U_FAILURE(status)) return std::nullopt;
  std::string out;
  text.toUTF8String(out);
  return out;
}

std::optional<std::string> text_of_content(const ContentView& content) {
  auto bytes = bytes_of_base64(content.base64);
  if (!bytes) return std::nullopt;
  auto text = text_of_bytes(*bytes, media_type_parameter(content.type, "charset"));
  return text ? std::move(text) : text_of_bytes(*bytes, {});
}

std::string_view content_fault(const Value& value) {
  const auto content = content_of(value);
  if (!content) return {};
  for (auto at = content->type.find(';'); at != std::string_view::npos; at = content->type.find(';', at + 1)) {
    auto part = content->type.substr(at + 1);
    part = trimmed(part.substr(0, part.find(';')));
    if (!part.empty() && part.find('=') == std::string_view::npos)
      return "The content's '$content-type' is not a valid media type.";
  }
  if (!bytes_of_base64(content->base64)) return "The value cannot be decoded from base64 representation.";
  return {};
}

void append_text_of(const Value& value, TextBuffer& out) {
  switch (value.type()) {
    case json::Type::null: return;
    case json::Type::boolean: out.append(value.as_boolean() ? "True" : "False"); return;
    case json::Type::integer: out.append_integer(value.as_integer()); return;
    case json::Type::floating: out.append(json::double_text(value.as_floating())); return;
    case json::Type::decimal: out.append(value.as_decimal().to_string()); return;
    case json::Type::string: out.append(value.as_string()); return;
    case json::Type::object:
      if (const auto content = content_of(value)) {
        if (const auto text = text_of_content(*content)) {
          out.append(*text);
          return;
        }
      }
      [[fallthrough]];
    case json::Type::array: {
      std::size_t bytes_left = out.room_left();
      if (fits(value, bytes_left)) {
        out.append(json::write(value));
      } else {
        out.overflow();
      }
      return;
    }
  }
}

std::string text_of_value(const Value& value) {
  if (value.is_string()) return std::string(value.as_string());
  TextBuffer buffer(text_bytes_max);
  append_text_of(value, buffer);
  if (buffer.overflowed()) throw std::length_error("the text of a value is too long");
  return std::string(buffer.view());
}

}  // namespace flowmend::expression
