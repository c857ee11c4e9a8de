// Percent-encoding (expressions.md section 9).

#include <string>

#include "expression/functions/base64.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string encode(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

Outcome<Value> encode_component(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size() * 3, 1 + text.size() / 64)) return call.limit_error();
  return Value(encode(text));
}

Outcome<Value> decode_component(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size(), 1 + text.size() / 64)) return call.limit_error();
  return Value(decode(text));
}

Outcome<Value> component_to_binary(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size() * 2, 1 + text.size() / 64)) return call.limit_error();
  return Value::object({{"$content-type", "application/octet-stream"}, {"$content", encode_base64(decode(text))}});
}

constexpr FunctionEntry table[] = {
    {.name = "uriComponent",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text with every character that has a meaning in a URI percent-encoded.",
     .example = "uriComponent('a b/c')",
     .gives = R"("a%20b%2Fc")",
     .call = encode_component},
    {.name = "encodeUriComponent",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The same as uriComponent.",
     .example = "encodeUriComponent('a b/c')",
     .gives = R"("a%20b%2Fc")",
     .call = encode_component},
    {.name = "uriComponentToString",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text that a percent-encoded text stands for.",
     .example = "uriComponentToString('a%20b')",
     .gives = R"("a b")",
     .call = decode_component},
    {.name = "decodeUriComponent",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The same as uriComponentToString.",
     .example = "decodeUriComponent('a%20b')",
     .gives = R"("a b")",
     .call = decode_component},
    {.name = "uriComponentToBinary",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "Binary content of the decoded text.",
     .example = "uriComponentToBinary('a%20b')",
     .gives = R"({"$content-type":"application/octet-stream","$content":"YSBi"})",
     .call = component_to_binary},
};

}  // namespace

FunctionTable uri_functions() { return table; }

}  // namespace flowmend::expression
