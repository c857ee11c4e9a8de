#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/functions/number.h"
#include "expression/functions/xml_to_json.h"
#include "expression/lenient_json.h"
#include "expression/text.h"
#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

Outcome<Value> to_int(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_integer()) return value;
  if (value.is_boolean()) return Value(value.as_boolean() ? 1 : 0);
  if (value.is_string()) {
    if (const auto number = int_of_text(value.as_string())) return Value(*number);
  } else if (value.is_number()) {
    const double number = value.to_double();
    if (number == std::trunc(number) && number < 0x1p63 && number >= -0x1p63) {
      return Value(static_cast<std::int64_t>(number));
    }
  }
  return not_convertible(call, 0, value);
}

Outcome<Value> to_float(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  NumberStyle style;
  if (arguments.size() == 2) {
    if (!arguments[1].is_string()) return wrong_type(call, 1, "string", arguments[1]);
    const auto found = number_style(arguments[1].as_string());
    if (!found) return not_convertible(call, 1, arguments[1]);
    style = *found;
  }
  if (value.is_floating()) return value;
  if (value.is_number()) return Value(value.to_double());
  if (value.is_boolean()) return Value(value.as_boolean() ? 1.0 : 0.0);
  if (value.is_string()) {
    if (const auto number = float_of_text(value.as_string(), style)) return Value(*number);
  }
  return not_convertible(call, 0, value);
}

Outcome<Value> to_decimal(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  std::optional<json::Decimal> decimal;
  if (value.is_number()) decimal = decimal_of_number(value);
  if (value.is_boolean()) decimal = json::Decimal::from_integer(value.as_boolean() ? 1 : 0);
  if (value.is_string()) decimal = decimal_of_text(value.as_string());
  if (!decimal) return not_convertible(call, 0, value);
  return Value(*decimal);
}

Outcome<Value> to_bool(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_boolean()) return value;
  if (value.is_number()) return Value(value.to_double() != 0);
  if (value.is_string()) {
    const std::string word = to_lower(trim(value.as_string()));
    if (word == "true" || word == "false") return Value(word == "true");
  }
  return not_convertible(call, 0, value);
}

Outcome<Value> to_string(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_string()) return value;
  if (const auto wrong = content_fault(value); !wrong.empty())
    return fault(call, "was invoked with a parameter that is not valid. " + std::string(wrong));
  TextBuffer text(call.string_bytes_max());
  append_text_of(value, text);
  if (text.overflowed()) return text_too_long(call.string_bytes_max());
  if (!call.charge(0, 1 + text.size() / 64)) return call.limit_error();
  return Value(text.view());
}

ExpressionError not_json(const Call& call, const Value& value, std::string_view shown, std::string_view reason) {
  constexpr std::size_t shown_max = 1'000;
  std::string quoted(shown.substr(0, shown_max));
  while (!quoted.empty() && shown.size() > shown_max && (static_cast<unsigned char>(quoted.back()) & 0x80) != 0)
    quoted.pop_back();
  if (shown.size() > shown_max) quoted += "...";
  ExpressionError error = fault(call, "parameter is not valid. The provided value '" + quoted +
                                          "' cannot be parsed: '" + std::string(reason) + "'.");
  blame(error, 0, "a JSON text", value);
  return error;
}

Outcome<Value> parsed(Call& call, const Value& value, std::string_view text) {
  // A parsed value takes a multiple of its text's bytes; 16 is what an array of one-digit numbers takes per element.
  if (!call.charge(text.size(), 1 + text.size() / 16)) return call.limit_error();
  auto result = parse_lenient_json(text);
  if (result.has_error()) return not_json(call, value, text, result.error().message);
  return std::move(*result);
}

bool is_media_type(std::string_view type, std::string_view wanted) {
  return to_lower(trim(type.substr(0, type.find(';')))) == wanted;
}

Outcome<Value> to_json(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_string()) return parsed(call, value, value.as_string());
  if (const auto content = content_of(value)) {
    if (is_media_type(content->type, "application/xml") || is_media_type(content->type, "text/xml")) {
      return xml_to_json(call, value);
    }
    if (is_media_type(content->type, "application/octet-stream") || is_media_type(content->type, "application/json")) {
      const auto text = text_of_content(*content);
      if (!text) return not_json(call, value, content->base64, "The content is not valid base64.");
      return parsed(call, value, *text);
    }
    return not_json(call, value, content->type, "Content of this type cannot be converted to JSON.");
  }
  if (value.is_array() || value.is_object()) return value;
  return wrong_parameter(call, "a string or an XML", value);
}

constexpr std::array entries = {
    FunctionEntry{.name = "int",
                  .arguments = "value: string, number or boolean",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The value as a whole number; a fraction is an error.",
                  .example = "int(' +1,000 ')",
                  .gives = "1000",
                  .call = to_int},
    FunctionEntry{.name = "float",
                  .arguments = "value: string, number or boolean, locale?: string",
                  .arguments_min = 1,
                  .arguments_max = 2,
                  .about = "The value as a floating-point number, read in the locale's writing.",
                  .example = "float('10.000,333', 'de-DE')",
                  .gives = "10000.333",
                  .call = to_float},
    FunctionEntry{.name = "decimal",
                  .arguments = "value: string or number",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The value as a decimal number that keeps its digits.",
                  .example = "string(decimal('5.0000'))",
                  .gives = R"("5.0000")",
                  .call = to_decimal},
    FunctionEntry{.name = "bool",
                  .arguments = "value: any",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "A number that is not zero, or the text true, is true.",
                  .example = "bool(1)",
                  .gives = "true",
                  .call = to_bool},
    FunctionEntry{.name = "string",
                  .arguments = "value: any",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The text of the value.",
                  .example = "string(10)",
                  .gives = R"("10")",
                  .call = to_string},
    FunctionEntry{.name = "json",
                  .arguments = "value: string or content",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The value that a JSON text, or the JSON form of XML, stands for.",
                  .example = R"(json('{"a":1}'))",
                  .gives = R"({"a":1})",
                  .call = to_json},
};

}  // namespace

FunctionTable conversion_functions() { return entries; }

}  // namespace flowmend::expression
