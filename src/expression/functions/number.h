#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"

namespace flowmend::expression {

/// The signs of a culture that reading numbers needs.
struct NumberStyle {
  std::string decimal_point = ".";
  std::string group = ",";
  bool infinity = false;  ///< `Infinity` is a number
};

/// The style of a locale name in any case; `''` is the invariant culture. Nothing for an unknown name.
std::optional<NumberStyle> number_style(std::string_view locale);

/// Reads with .NET's styles Float and Number together: white space around, a sign before or behind, thousands
/// separators anywhere before the point, an exponent, NaN. An overflow is infinity. Nothing for any other text.
std::optional<double> float_of_text(std::string_view text, const NumberStyle& style = {});

/// int(): through a double, as the host does, so that digits beyond 2^53 are rounded; `nan` and what is too small
/// give the smallest integer. Nothing for a fraction, for what is too large, and for another text.
std::optional<std::int64_t> int_of_text(std::string_view text);

/// isInt(): exactly a 64-bit integer with sign, white space around, thousands separators and an exponent.
std::optional<std::int64_t> integer_of_text(std::string_view text);

/// decimal(): .NET's style Number, without an exponent.
std::optional<json::Decimal> decimal_of_text(std::string_view text);
/// By the shortest digits of the double; nothing when it is out of a decimal's range.
std::optional<json::Decimal> decimal_of_double(double number);
std::optional<json::Decimal> decimal_of_number(const Value& number);

/// Below, at or above 0; nothing when one is NaN. Both must be numbers.
std::optional<int> compare_numbers(const Value& a, const Value& b);

/// The arithmetic of two numbers by the rules of expressions.md section 7: decimal beats float beats integer.
enum class Operation : std::uint8_t { add, subtract, multiply, divide, modulo };
enum class ArithmeticFault : std::uint8_t { none, overflow, zero_divisor };
struct Arithmetic {
  Value value;
  ArithmeticFault fault = ArithmeticFault::none;
};
Arithmetic calculate(Operation operation, const Value& a, const Value& b);

}  // namespace flowmend::expression
