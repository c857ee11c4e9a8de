#include "json/write.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace flowmend::json {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

void write_integer(std::int64_t value, std::string& out) {
  std::array<char, 24> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), end.ptr);
}

void write_double(double value, std::string& out) {
  if (std::isnan(value) || std::isinf(value)) {
    out += '"';
    out += double_text(value);
    out += '"';
    return;
  }
  const std::string text = double_text(value);
  out += text;
  if (text.find_first_of(".E") == std::string::npos) out += ".0";
}

void write_decimal(const Decimal& value, std::string& out) {
  out += value.to_string();
  if (value.scale == 0) out += ".0";
}

void write_value(const Value& value, std::string& out, int indent);

void new_line(std::string& out, int indent) {
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * 2, ' ');
}

void write_array(const Value& value, std::string& out, int indent) {
  out += '[';
  bool first = true;
  for (const Value& element : value.as_array()) {
    if (!first) out += ',';
    first = false;
    if (indent >= 0) new_line(out, indent + 1);
    write_value(element, out, indent < 0 ? -1 : indent + 1);
  }
  if (indent >= 0 && !first) new_line(out, indent);
  out += ']';
}

void write_object(const Value& value, std::string& out, int indent) {
  out += '{';
  bool first = true;
  for (const Member& member : value.as_object()) {
    if (!first) out += ',';
    first = false;
    if (indent >= 0) new_line(out, indent + 1);
    write_string(member.name(), out);
    out += indent >= 0 ? ": " : ":";
    write_value(member.value, out, indent < 0 ? -1 : indent + 1);
  }
  if (indent >= 0 && !first) new_line(out, indent);
  out += '}';
}

void write_value(const Value& value, std::string& out, int indent) {
  switch (value.type()) {
    case Type::null: out += "null"; return;
    case Type::boolean: out += value.as_boolean() ? "true" : "false"; return;
    case Type::integer: write_integer(value.as_integer(), out); return;
    case Type::floating: write_double(value.as_floating(), out); return;
    case Type::decimal: write_decimal(value.as_decimal(), out); return;
    case Type::string: write_string(value.as_string(), out); return;
    case Type::array: write_array(value, out, indent); return;
    case Type::object: write_object(value, out, indent); return;
  }
}

bool needs_escape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

}  // namespace

void write_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t clean_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!needs_escape(c)) continue;
    out.append(text, clean_from, i - clean_from);
    clean_from = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        out += "\\u00";
        out += hex_digits[c >> 4];
        out += hex_digits[c & 15];
    }
  }
  out.append(text, clean_from, text.size() - clean_from);
  out += '"';
}

std::string double_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value == 0) return std::signbit(value) ? "-0" : "0";
  // .NET prints plain digits for exponents from -5 to 14 and an exponent of at least two digits outside.
  std::array<char, 64> buffer{};
  const auto scientific =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(scientific.ptr - buffer.data()));
  const auto mark = text.find('e');
  int exponent = 0;
  const auto* exponent_begin = text.data() + mark + 1 + (text[mark + 1] == '+' ? 1 : 0);
  std::from_chars(exponent_begin, text.data() + text.size(), exponent);
  if (exponent >= -5 && exponent < 15) {
    const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
    return {buffer.data(), fixed.ptr};
  }
  std::string out(text.substr(0, mark));
  out += exponent < 0 ? "E-" : "E+";
  const int magnitude = std::abs(exponent);
  if (magnitude < 10) out += '0';
  out += std::to_string(magnitude);
  return out;
}

void write(const Value& value, std::string& out) { write_value(value, out, -1); }

std::string write(const Value& value) {
  std::string out;
  write(value, out);
  return out;
}

std::string write_pretty(const Value& value) {
  std::string out;
  write_value(value, out, 0);
  return out;
}

}  // namespace flowmend::json
