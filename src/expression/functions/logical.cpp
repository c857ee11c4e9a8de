#include <array>
#include <string>

#include "expression/functions/compare.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/functions/number.h"
#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

Outcome<Value> equals(Call& call, Arguments arguments) {
  Equality equality(call);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (equality.equal(arguments[0], arguments[i])) continue;
    if (equality.gave_up()) return call.limit_error();
    return Value(false);
  }
  return Value(true);
}

ExpressionError not_comparable(const Call& call, Arguments arguments) {
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  const auto comparable = [](const Value& v) { return v.is_number() || v.is_string(); };
  if (comparable(a) && comparable(b)) {
    ExpressionError error =
        fault(call, "expects two parameter of matching types. The function was invoked with values of type '" +
                        std::string(json::type_name(a.type())) + "' and '" + std::string(json::type_name(b.type())) +
                        "' that do not match.");
    blame(error, 1, json::type_name(a.type()), b);
    return error;
  }
  std::string types;
  for (const Value& value : arguments) {
    if (comparable(value)) continue;
    if (!types.empty()) types += ",";
    types += json::type_name(value.type());
  }
  ExpressionError error = fault(call,
                                "expects all of its parameters to be either integer or decimal numbers. Found invalid "
                                "parameter types: '" +
                                    types + "'.");
  const bool first = !comparable(a);
  blame(error, first ? 0 : 1, "number or string", first ? a : b);
  return error;
}

template <class Test>
Outcome<Value> compare(Call& call, Arguments arguments, Test test) {
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (a.is_integer() && b.is_integer()) {
    const std::int64_t x = a.as_integer();
    const std::int64_t y = b.as_integer();
    return Value(test(x < y ? -1 : static_cast<int>(x > y)));
  }
  if (a.is_string() && b.is_string()) {
    if (!call.charge(0, 1 + a.as_string().size() / 64)) return call.limit_error();
  } else if (!a.is_number() || !b.is_number()) {
    return not_comparable(call, arguments);
  }
  const auto result = order(a, b);
  return Value(result.has_value() && test(*result));  // NaN: every answer is false
}

Outcome<Value> greater(Call& call, Arguments arguments) {
  return compare(call, arguments, [](int order) { return order > 0; });
}
Outcome<Value> greater_or_equals(Call& call, Arguments arguments) {
  return compare(call, arguments, [](int order) { return order >= 0; });
}
Outcome<Value> less(Call& call, Arguments arguments) {
  return compare(call, arguments, [](int order) { return order < 0; });
}
Outcome<Value> less_or_equals(Call& call, Arguments arguments) {
  return compare(call, arguments, [](int order) { return order <= 0; });
}

Outcome<Value> logical_not(Call& call, Arguments arguments) {
  if (!arguments[0].is_boolean()) return wrong_parameter(call, "a boolean", arguments[0]);
  return Value(!arguments[0].as_boolean());
}

Outcome<Value> is_int(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_type(call, 0, "string", arguments[0]);
  const auto number = integer_of_text(arguments[0].as_string());
  return Value(number.has_value());
}

Outcome<Value> is_float(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_type(call, 0, "string", arguments[0]);
  // Unlike float(), isFloat() reads Infinity also without a locale.
  NumberStyle style;
  style.infinity = true;
  if (arguments.size() == 2) {
    if (!arguments[1].is_string()) return wrong_type(call, 1, "string", arguments[1]);
    const auto found = number_style(arguments[1].as_string());
    if (!found) return not_valid(call, 1, arguments[1]);
    style = *found;
  }
  return Value(float_of_text(arguments[0].as_string(), style).has_value());
}

constexpr std::array entries = {
    FunctionEntry{
        .name = "equals",
        .arguments = "first: any, second: any, more...: any",
        .arguments_min = 2,
        .about = "Whether all values are equal; arrays and objects are compared deeply, texts by exact characters.",
        .example = "equals(1, 1.0)",
        .gives = "true",
        .call = equals},
    FunctionEntry{.name = "greater",
                  .arguments = "value: number or string, other: number or string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Whether the first value is greater; texts are ordered without regard to case.",
                  .example = "greater(10, 5)",
                  .gives = "true",
                  .call = greater},
    FunctionEntry{.name = "greaterOrEquals",
                  .arguments = "value: number or string, other: number or string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Whether the first value is greater or equal.",
                  .example = "greaterOrEquals(1, 2)",
                  .gives = "false",
                  .call = greater_or_equals},
    FunctionEntry{.name = "less",
                  .arguments = "value: number or string, other: number or string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Whether the first value is less.",
                  .example = "less('a', 'B')",
                  .gives = "true",
                  .call = less},
    FunctionEntry{.name = "lessOrEquals",
                  .arguments = "value: number or string, other: number or string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Whether the first value is less or equal.",
                  .example = "lessOrEquals(2, 2)",
                  .gives = "true",
                  .call = less_or_equals},
    FunctionEntry{.name = "and",
                  .arguments = "expressions...: boolean",
                  .arguments_min = 1,
                  .about = "Whether all are true; stops at the first false one.",
                  .example = "and(true, false, int('x'))",
                  .gives = "false"},
    FunctionEntry{.name = "or",
                  .arguments = "expressions...: boolean",
                  .arguments_min = 1,
                  .about = "Whether any is true; stops at the first true one.",
                  .example = "or(true, int('x'))",
                  .gives = "true"},
    FunctionEntry{.name = "not",
                  .arguments = "expression: boolean",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The opposite.",
                  .example = "not(false)",
                  .gives = "true",
                  .call = logical_not},
    FunctionEntry{.name = "if",
                  .arguments = "condition: boolean, valueIfTrue: any, valueIfFalse: any",
                  .arguments_min = 3,
                  .arguments_max = 3,
                  .about = "One of two values; the other one is never evaluated.",
                  .example = "if(equals(1, 1), 'yes', 'no')",
                  .gives = R"("yes")"},
    FunctionEntry{.name = "isInt",
                  .arguments = "text: string",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "Whether the text is a whole number.",
                  .example = "isInt('10')",
                  .gives = "true",
                  .call = is_int},
    FunctionEntry{.name = "isFloat",
                  .arguments = "text: string, locale?: string",
                  .arguments_min = 1,
                  .arguments_max = 2,
                  .about = "Whether the text is a number in the locale's writing.",
                  .example = "isFloat('1.5')",
                  .gives = "true",
                  .call = is_float},
};

}  // namespace

FunctionTable logical_functions() { return entries; }

}  // namespace flowmend::expression
