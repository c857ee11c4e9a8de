#include "connector/content.h"

#include <array>
#include <cstdint>

#include <sodium.h>

#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

/// `application/json; charset=utf-8` -> `application/json`, in lower case.
std::string media_type(std::string_view content_type) {
  return lower_case(trim(content_type.substr(0, content_type.find(';'))));
}

std::string charset_of(std::string_view content_type) {
  const std::string lower = lower_case(content_type);
  const std::size_t at = lower.find("charset=");
  if (at == std::string::npos) return {};
  std::string_view rest = std::string_view(lower).substr(at + 8);
  rest = trim(rest.substr(0, rest.find(';')));
  if (rest.size() >= 2 && rest.front() == '"' && rest.back() == '"') rest = rest.substr(1, rest.size() - 2);
  return std::string(rest);
}

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

std::string form_encoded(const Value& object) {
  std::string out;
  for (const json::Member& member : object.as_object()) {
    if (member.value.is_null()) continue;
    if (!out.empty()) out += '&';
    out += percent_encode(member.name()) + "=" + percent_encode(text_of_value(member.value));
  }
  return out;
}

/// `{"$content-type": "multipart/form-data", "$multipart": [{"headers": {...}, "body": ...}]}` as the field writes it.
Result<Encoded> multipart(const Value& value) {
  std::array<unsigned char, 12> random{};
  randombytes_buf(random.data(), random.size());
  std::string boundary = "flowmend-";
  for (const unsigned char byte : random) {
    static constexpr char digits[] = "0123456789abcdef";
    boundary += digits[byte >> 4];
    boundary += digits[byte & 15];
  }
  std::string out;
  for (const Value& part : value.find("$multipart")->as_array()) {
    out += "--" + boundary + "\r\n";
    std::string type;
    if (const Value* headers = part.find("headers"); headers != nullptr && headers->is_object()) {
      for (const json::Member& header : headers->as_object()) {
        const std::string text = text_of_value(header.value);
        if (header.name().find_first_of("\r\n:") != std::string_view::npos ||
            text.find_first_of("\r\n") != std::string::npos) {
          return make_error("ContentConversionFailed",
                            "A header of a multipart body holds a line break or a colon in its name.", {},
                            "Remove it.");
        }
        if (equals_ignoring_case(header.name(), "Content-Type")) type = text;
        out += std::string(header.name()) + ": " + text + "\r\n";
      }
    }
    const Value* body = part.find("body");
    const Result<Encoded> encoded = encode_body(body == nullptr ? Value() : *body, type);
    if (!encoded) return encoded.error();
    if (type.empty() && !encoded->content_type.empty()) out += "Content-Type: " + encoded->content_type + "\r\n";
    out += "\r\n" + encoded->bytes + "\r\n";
  }
  out += "--" + boundary + "--\r\n";
  std::string type(value.text_of("$content-type", "multipart/form-data"));
  type = media_type(type) + "; boundary=" + boundary;
  return Encoded{std::move(type), std::move(out)};
}

}  // namespace

bool is_json_type(std::string_view content_type) {
  const std::string type = media_type(content_type);
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

bool is_text_type(std::string_view content_type) {
  const std::string type = media_type(content_type);
  return type.starts_with("text/") || type == "application/xml" || type.ends_with("+xml") ||
         type == "application/javascript";
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = lead >= 0xF0 && lead <= 0xF4  ? 3
                             : lead >= 0xE0 && lead < 0xF0 ? 2
                             : lead >= 0xC2 && lead < 0xE0 ? 1
                                                           : 0;
    if (more == 0 || i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
        (lead == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}

std::string utf8_of_windows_1252(std::string_view bytes) {
  // 0x80..0x9F of Windows-1252; 0 = undefined there, kept as the control character of Latin-1.
  static constexpr std::array<std::uint16_t, 32> table = {
      0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const std::uint32_t mapped = byte >= 0x80 && byte < 0xA0 && table[byte - 0x80] != 0 ? table[byte - 0x80] : byte;
    append_utf8(mapped, out);
  }
  return out;
}

bool is_content_object(const Value& value) {
  const Value* content = value.find("$content");
  return content != nullptr && content->is_string();
}

std::optional<std::string> content_bytes(const Value& value) {
  if (!is_content_object(value)) return std::nullopt;
  return base64_decode(value.text_of("$content"));
}

Value make_content(std::string_view bytes, std::string_view content_type) {
  return Value::object(
      {{"$content-type", content_type.empty() ? Value("application/octet-stream") : Value(content_type)},
       {"$content", Value(base64_encode(bytes))}});
}

Result<Encoded> encode_body(const Value& value, std::string_view content_type) {
  std::string type(trim(content_type));
  if (value.is_null()) return Encoded{};
  if (const Value* parts = value.find("$multipart"); parts != nullptr && parts->is_array()) return multipart(value);
  if (is_content_object(value)) {
    auto bytes = content_bytes(value);
    if (!bytes) {
      return make_error("ContentConversionFailed", "The body's '$content' is not base64.", {},
                        "Make it with base64ToBinary() or base64().");
    }
    const std::string own(value.text_of("$content-type"));
    if (type.empty() || media_type(type) == "application/octet-stream")
      type = own.empty() ? "application/octet-stream" : own;
    return Encoded{std::move(type), std::move(*bytes)};
  }
  if (value.is_string()) {
    if (type.empty()) type = "text/plain; charset=utf-8";
    return Encoded{std::move(type), std::string(value.as_string())};
  }
  const std::string media = media_type(type);
  if (media == "application/x-www-form-urlencoded" && value.is_object())
    return Encoded{std::move(type), form_encoded(value)};
  const bool container = value.is_object() || value.is_array();
  if (container && (media == "application/xml" || media == "text/xml" || media.ends_with("+xml"))) {
    return make_error(
        "ContentConversionFailed",
        "An " + std::string(value.is_object() ? "object" : "array") + " can't be sent as '" + media + "'.", {},
        "Convert it with xml() first, or send it as application/json.");
  }
  if (type.empty()) type = "application/json; charset=utf-8";
  return Encoded{std::move(type), json::write(value)};
}

Decoded decode_body(std::string_view bytes, std::string_view content_type, Keep keep) {
  Decoded decoded;
  if (bytes.empty()) return decoded;
  decoded.has_body = true;
  const auto as_text = [&]() -> std::string {
    std::string_view text = bytes;
    const std::string charset = charset_of(content_type);
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (is_utf8(text) &&
        (charset.empty() || charset == "utf-8" || charset == "utf8" || charset == "us-ascii" || charset == "ascii")) {
      return std::string(text);
    }
    return utf8_of_windows_1252(text);
  };
  const std::string type = media_type(content_type);
  if (is_json_type(content_type)) {
    std::string_view text = bytes;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (trim(text).empty()) {
      decoded.has_body = false;
      return decoded;
    }
    if (auto parsed = json::parse(text)) {
      decoded.body = *parsed;
    } else {
      decoded.invalid_json = true;
      decoded.body = Value(as_text());
    }
    return decoded;
  }
  if (keep == Keep::bytes) {
    decoded.body = make_content(bytes, content_type);
    return decoded;
  }
  if (type.empty()) {
    const std::string_view start = trim(bytes.substr(0, 64));
    if (start.starts_with('{') || start.starts_with('[')) {
      if (auto parsed = json::parse(bytes)) {
        decoded.body = *parsed;
        return decoded;
      }
    }
    decoded.body = is_utf8(bytes) ? Value(bytes) : make_content(bytes, {});
    return decoded;
  }
  const std::string charset = charset_of(content_type);
  const bool other_charset = charset.starts_with("utf-16") || charset.starts_with("utf-32");
  if (is_text_type(content_type) && !other_charset) {
    decoded.body = Value(as_text());
    return decoded;
  }
  decoded.body = make_content(bytes, content_type);
  if (type == "application/x-www-form-urlencoded") {
    json::ArrayBuilder form;
    std::string_view rest = bytes;
    while (!rest.empty() && form.size() < 1000) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      if (pair.empty()) continue;
      const auto decode = [](std::string_view text) {
        std::string spaced(text);
        for (char& c : spaced) c = c == '+' ? ' ' : c;
        std::string plain = percent_decode(spaced);
        return Value(is_utf8(plain) ? plain : utf8_of_windows_1252(plain));
      };
      const std::size_t equals = pair.find('=');
      form.push(
          Value::object({{"key", decode(pair.substr(0, equals))},
                         {"value", equals == std::string_view::npos ? Value("") : decode(pair.substr(equals + 1))}}));
    }
    json::ObjectBuilder builder(decoded.body);
    builder.add("$formdata", form.finish());
    decoded.body = builder.finish();
  }
  return decoded;
}

}  // namespace flowmend::connector
