#include <array>
#include <limits>
#include <string>

#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/functions/number.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

constexpr std::string_view a_number = "an integer, a float or a decimal number";

ExpressionError overflow(const Call& call) {
  return fault(call, "cannot be evaluated: the result is too large for the type of its parameters.");
}

ExpressionError zero_divisor(const Call& call) {
  ExpressionError error = plain_fault(call, "Attempt to divide an integral or decimal value by zero in function '" +
                                                std::string(call.function_name()) + "'.");
  error.argument = 1;
  return error;
}

Outcome<Value> calculated(Call& call, Operation operation, Arguments arguments) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!arguments[i].is_number()) return wrong_kind(call, i, a_number, arguments[i]);
  }
  Arithmetic result = calculate(operation, arguments[0], arguments[1]);
  if (result.fault == ArithmeticFault::zero_divisor) return zero_divisor(call);
  if (result.fault == ArithmeticFault::overflow) return overflow(call);
  return std::move(result.value);
}

Outcome<Value> add_numbers(Call& call, Arguments arguments) { return calculated(call, Operation::add, arguments); }
Outcome<Value> sub(Call& call, Arguments arguments) { return calculated(call, Operation::subtract, arguments); }
Outcome<Value> mul(Call& call, Arguments arguments) { return calculated(call, Operation::multiply, arguments); }
Outcome<Value> div_numbers(Call& call, Arguments arguments) { return calculated(call, Operation::divide, arguments); }
Outcome<Value> mod(Call& call, Arguments arguments) { return calculated(call, Operation::modulo, arguments); }

/// The result of min and max has the widest type among the arguments.
Value widened(const Value& value, bool any_decimal, bool any_float) {
  if (any_decimal) {
    if (const auto decimal = decimal_of_number(value)) return Value(*decimal);
    return value;
  }
  return any_float ? Value(value.to_double()) : value;
}

Outcome<Value> extreme(Call& call, Arguments arguments, int wanted) {
  const bool list = arguments.size() == 1 && arguments[0].is_array();
  const Arguments values = list ? arguments[0].as_array() : arguments;
  if (values.empty()) return fault(call, "expects its parameter to be an array of at least one number.");
  if (!call.charge(0, values.size())) return call.limit_error();
  const Value* best = &values[0];
  bool any_decimal = false;
  bool any_float = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_number()) {
      ExpressionError error = wrong_kind(call, i, a_number, values[i]);
      if (list) error.argument = 0;
      return error;
    }
    any_decimal = any_decimal || values[i].is_decimal();
    any_float = any_float || values[i].is_floating();
    const auto order = compare_numbers(values[i], *best);
    if (!order) return Value(std::numeric_limits<double>::quiet_NaN());
    if (*order == wanted) best = &values[i];
  }
  return widened(*best, any_decimal, any_float);
}

Outcome<Value> min(Call& call, Arguments arguments) { return extreme(call, arguments, -1); }
Outcome<Value> max(Call& call, Arguments arguments) { return extreme(call, arguments, 1); }

Outcome<Value> rand(Call& call, Arguments arguments) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!arguments[i].is_integer()) return wrong_kind(call, i, "an integer", arguments[i]);
  }
  const std::int64_t low = arguments[0].as_integer();
  const std::int64_t high = arguments[1].as_integer();
  if (low >= high) {
    ExpressionError error = fault(call, "expects its first parameter to be less than its second parameter.");
    blame(error, 1, "integer", arguments[1]);
    return error;
  }
  // The product's upper half is uniform enough: the bias is below the width over 2^64.
  const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const auto offset = static_cast<std::uint64_t>((static_cast<json::Uint128>(call.context().random()) * width) >> 64);
  return Value(static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset));
}

constexpr std::string_view two_numbers = "first: number, second: number";

constexpr std::array entries = {
    FunctionEntry{.name = "add",
                  .arguments = two_numbers,
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The sum of two numbers.",
                  .example = "add(1, 1.5)",
                  .gives = "2.5",
                  .call = add_numbers},
    FunctionEntry{.name = "sub",
                  .arguments = two_numbers,
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The first number less the second.",
                  .example = "sub(10.3, .3)",
                  .gives = "10.0",
                  .call = sub},
    FunctionEntry{.name = "mul",
                  .arguments = two_numbers,
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The product of two numbers.",
                  .example = "mul(1.5, 2)",
                  .gives = "3.0",
                  .call = mul},
    FunctionEntry{.name = "div",
                  .arguments = two_numbers,
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The quotient; of two integers it is cut toward zero.",
                  .example = "div(-7, 2)",
                  .gives = "-3",
                  .call = div_numbers},
    FunctionEntry{.name = "mod",
                  .arguments = two_numbers,
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The remainder, with the sign of the first number.",
                  .example = "mod(4, -3)",
                  .gives = "1",
                  .call = mod},
    FunctionEntry{.name = "min",
                  .arguments = "values...: number, or one array",
                  .arguments_min = 1,
                  .about = "The smallest number.",
                  .example = "min(3, 1, 2)",
                  .gives = "1",
                  .call = min},
    FunctionEntry{.name = "max",
                  .arguments = "values...: number, or one array",
                  .arguments_min = 1,
                  .about = "The largest number.",
                  .example = "max(createArray(1, 2, 3))",
                  .gives = "3",
                  .call = max},
    FunctionEntry{.name = "rand",
                  .arguments = "minimum: integer, maximum: integer",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "A random integer from the minimum, below the maximum.",
                  .example = "rand(1, 2)",
                  .gives = "1",
                  .call = rand,
                  .pure = false},
};

}  // namespace

FunctionTable math_functions() { return entries; }

}  // namespace flowmend::expression
