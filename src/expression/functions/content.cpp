// base64 and binary content (expressions.md section 9).

#include <string>

#include "expression/functions/base64.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

bool is_content(const Value& value) {
  return value.is_object() && value.find("$content") != nullptr && value.find("$content-type") != nullptr &&
         value.find("$content")->is_string();
}

Value content_of(std::string_view type, std::string_view base64) {
  return Value::object({{"$content-type", Value(type)}, {"$content", Value(base64)}});
}

/// The bytes of a value: content's own, else its text.
std::string bytes_of(const Value& value) {
  if (is_content(value)) return decode_base64(value.find("$content")->as_string()).value_or("");
  return text_of_value(value);
}

ExpressionError bad_base64(Call& call) {
  return fault(
      call, "was invoked with a parameter that is not valid. The value cannot be decoded from base64 representation.");
}

Outcome<Value> base64(Call& call, Arguments arguments) {
  const std::string bytes = bytes_of(arguments[0]);
  if (!call.charge(bytes.size() * 2, 1 + bytes.size() / 64)) return call.limit_error();
  return Value(encode_base64(bytes));
}

Outcome<Value> base64_to_string(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  if (!call.charge(arguments[0].as_string().size(), 1)) return call.limit_error();
  const auto bytes = decode_base64(arguments[0].as_string());
  if (!bytes) return bad_base64(call);
  // As text: bad bytes become U+FFFD.
  return Value(text_of_value(content_of("application/octet-stream", encode_base64(*bytes))));
}

Outcome<Value> base64_to_binary(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  if (!call.charge(arguments[0].as_string().size(), 1)) return call.limit_error();
  if (!decode_base64(arguments[0].as_string())) return bad_base64(call);
  return content_of("application/octet-stream", arguments[0].as_string());
}

Outcome<Value> binary(Call& call, Arguments arguments) {
  if (arguments[0].is_null()) return not_convertible(call, 0, arguments[0]);
  const std::string bytes = bytes_of(arguments[0]);
  if (!call.charge(bytes.size() * 2, 1 + bytes.size() / 64)) return call.limit_error();
  return content_of("application/octet-stream", encode_base64(bytes));
}

constexpr FunctionEntry table[] = {
    {.name = "base64",
     .arguments = "value: any",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The base64 text of a text or of binary content.",
     .example = "base64('hello')",
     .gives = R"("aGVsbG8=")",
     .call = base64},
    {.name = "base64ToString",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text that a base64 text holds.",
     .example = "base64ToString('aGVsbG8=')",
     .gives = R"("hello")",
     .call = base64_to_string},
    {.name = "decodeBase64",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text that a base64 text holds.",
     .example = "decodeBase64('aGVsbG8=')",
     .gives = R"("hello")",
     .call = base64_to_string},
    {.name = "base64ToBinary",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "Binary content out of a base64 text.",
     .example = "base64ToBinary('aGVsbG8=')",
     .gives = R"({"$content-type":"application/octet-stream","$content":"aGVsbG8="})",
     .call = base64_to_binary},
    {.name = "binary",
     .arguments = "value: any",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "Binary content of a value's text.",
     .example = "binary('hello')",
     .gives = R"({"$content-type":"application/octet-stream","$content":"aGVsbG8="})",
     .call = binary},
};

}  // namespace

FunctionTable content_functions() { return table; }

}  // namespace flowmend::expression
