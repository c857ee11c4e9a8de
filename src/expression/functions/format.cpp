// formatNumber (expressions.md section 8).

#include <string>

#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/functions/number_format.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

Outcome<Value> format_a_number(Call& call, Arguments arguments) {
  if (!arguments[0].is_number()) return wrong_kind(call, 0, "an integer, a float or a decimal number", arguments[0]);
  if (!arguments[1].is_string()) return wrong_type(call, 1, "string", arguments[1]);
  const auto format = arguments[1].as_string();
  std::shared_ptr<const NumberCulture> culture = number_culture("en-US");
  if (arguments.size() > 2 && !arguments[2].is_null()) {
    if (!arguments[2].is_string()) return wrong_type(call, 2, "string", arguments[2]);
    culture = number_culture(arguments[2].as_string());
    if (culture == nullptr) {
      auto error = fault(call, "was invoked with a locale that is not valid: '" +
                                   std::string(arguments[2].as_string().substr(0, 40)) + "'.");
      blame(error, 2, "a locale such as 'en-US'", arguments[2]);
      return error;
    }
  }
  // A float's largest text has 309 digits, a precision is at most 999.
  constexpr std::size_t number_bytes_max = 1'400;
  if (!call.charge(format.size() * 4 + number_bytes_max, 8 + format.size() / 4)) return call.limit_error();
  const auto text = format_number(arguments[0], format, *culture);
  if (text) return Value(*text);
  auto error = fault(call, "was invoked with a format string that is not valid for this number: '" +
                               std::string(format.substr(0, 100)) + "'.");
  blame(error, 1, "a .NET number format", arguments[1]);
  return error;
}

constexpr FunctionEntry table[] = {
    {.name = "formatNumber",
     .arguments = "number: number, format: string, locale?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "The number in a .NET format.",
     .example = "formatNumber(1234.5, 'N2')",
     .gives = R"("1,234.50")",
     .call = format_a_number},
};

}  // namespace

FunctionTable format_functions() { return table; }

}  // namespace flowmend::expression
