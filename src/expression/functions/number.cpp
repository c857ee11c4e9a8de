#include "expression/functions/number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include <unicode/dcfmtsym.h>

#include "expression/functions/decimal_math.h"
#include "expression/functions/locale.h"

namespace flowmend::expression {

namespace {

using Decimal = json::Decimal;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_white_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view without_white_space_around(std::string_view text) {
  while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
  return text;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

bool is_space_sign(std::string_view sign) { return sign == "\xC2\xA0" || sign == "\xE2\x80\xAF" || sign == " "; }

/// The length of the group separator that `text` begins with, or 0. Cultures that group with a no-break space accept
/// every space there, because people type another one than the data has.
std::size_t group_length(std::string_view text, const NumberStyle& style) {
  if (!style.group.empty() && text.starts_with(style.group)) return style.group.size();
  if (!is_space_sign(style.group)) return 0;
  for (const std::string_view space :
       {std::string_view(" "), std::string_view("\xC2\xA0"), std::string_view("\xE2\x80\xAF")}) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

/// What a text says, as digits that any reader understands.
struct Numeral {
  bool negative = false;
  std::string whole;
  std::string fraction;
  std::string exponent;  ///< with its sign; empty when absent
};

struct Allowed {
  bool trailing_sign = true;
  bool point = true;
  bool exponent = true;
};

std::optional<Numeral> read_numeral(std::string_view text, const NumberStyle& style, const Allowed& allowed) {
  text = without_white_space_around(text);
  Numeral numeral;
  bool has_sign = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    has_sign = true;
    numeral.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  while (!text.empty()) {
    if (is_digit(text.front())) {
      numeral.whole += text.front();
      text.remove_prefix(1);
    } else if (const auto group = group_length(text, style); group != 0 && !numeral.whole.empty()) {
      text.remove_prefix(group);
    } else {
      break;
    }
  }
  if (allowed.point && !style.decimal_point.empty() && text.starts_with(style.decimal_point)) {
    text.remove_prefix(style.decimal_point.size());
    while (!text.empty() && is_digit(text.front())) {
      numeral.fraction += text.front();
      text.remove_prefix(1);
    }
  }
  if (numeral.whole.empty() && numeral.fraction.empty()) return std::nullopt;
  if (allowed.exponent && !text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
      numeral.exponent += text.front();
      text.remove_prefix(1);
    }
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    while (!text.empty() && is_digit(text.front())) {
      numeral.exponent += text.front();
      text.remove_prefix(1);
    }
  }
  text = without_white_space_around(text);
  if (allowed.trailing_sign && !has_sign && (text == "-" || text == "+")) {
    numeral.negative = text == "-";
    text = {};
  }
  if (!text.empty()) return std::nullopt;
  return numeral;
}

double to_double(const Numeral& numeral) {
  std::string text = numeral.negative ? "-" : "";
  text += numeral.whole.empty() ? "0" : numeral.whole;
  text += '.';
  text += numeral.fraction;
  if (!numeral.exponent.empty()) text += "e" + numeral.exponent;
  return std::strtod(text.c_str(), nullptr);
}

std::string utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

}  // namespace

std::optional<NumberStyle> number_style(std::string_view locale) {
  NumberStyle style;
  if (locale.empty()) {
    style.infinity = true;
    return style;
  }
  const auto found = find_locale(locale);
  if (!found) return std::nullopt;
  UErrorCode status = U_ZERO_ERROR;
  const icu::DecimalFormatSymbols symbols(*found, status);
  if (U_FAILURE(status)) return std::nullopt;
  style.decimal_point = utf8(symbols.getConstSymbol(icu::DecimalFormatSymbols::kDecimalSeparatorSymbol));
  style.group = utf8(symbols.getConstSymbol(icu::DecimalFormatSymbols::kGroupingSeparatorSymbol));
  return style;
}

std::optional<double> float_of_text(std::string_view text, const NumberStyle& style) {
  std::string_view word = without_white_space_around(text);
  const bool negative = word.starts_with('-');
  if (negative || word.starts_with('+')) word.remove_prefix(1);
  if (equal_ignoring_case(word, "nan")) return std::numeric_limits<double>::quiet_NaN();
  if (style.infinity && equal_ignoring_case(word, "infinity")) {
    return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  const auto numeral = read_numeral(text, style, {});
  if (!numeral) return std::nullopt;
  return to_double(*numeral);
}

std::optional<std::int64_t> int_of_text(std::string_view text) {
  if (equal_ignoring_case(without_white_space_around(text), "nan")) return std::numeric_limits<std::int64_t>::min();
  const auto numeral = read_numeral(text, {}, {.trailing_sign = false});
  if (!numeral) return std::nullopt;
  const double number = to_double(*numeral);
  if (number >= 0x1p63 || number != std::trunc(number)) return std::nullopt;
  if (number < -0x1p63) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

std::optional<std::int64_t> integer_of_text(std::string_view text) {
  auto numeral = read_numeral(text, {}, {.trailing_sign = false, .point = false});
  if (!numeral) return std::nullopt;
  std::string digits = numeral->negative ? "-" : "";
  digits += numeral->whole;
  if (!numeral->exponent.empty()) {
    const bool negative = numeral->exponent.front() == '-';
    const std::string power = numeral->exponent.substr(numeral->exponent.find_first_of("0123456789"));
    const unsigned long zeros = power.size() > 4 ? 9'999 : std::stoul(power);
    if (negative && zeros > 0) return std::nullopt;
    constexpr unsigned long zeros_max = 19;
    if (zeros > zeros_max)
      return numeral->whole.find_first_not_of('0') == std::string::npos ? std::optional<std::int64_t>(0) : std::nullopt;
    digits.append(zeros, '0');
  }
  std::int64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<Decimal> decimal_of_text(std::string_view text) {
  const auto numeral = read_numeral(text, {}, {.exponent = false});
  if (!numeral) return std::nullopt;
  std::string digits = numeral->negative ? "-" : "";
  digits += numeral->whole.empty() ? "0" : numeral->whole;
  if (!numeral->fraction.empty()) digits += "." + numeral->fraction;
  return Decimal::parse(digits);
}

std::optional<Decimal> decimal_of_double(double number) {
  constexpr double magnitude_max = 8e28;  // above 2^96
  if (!std::isfinite(number) || std::fabs(number) > magnitude_max) return std::nullopt;
  constexpr double magnitude_min = 1e-29;  // below half of the last fraction digit
  if (std::fabs(number) < magnitude_min) return Decimal{};
  std::array<char, 128> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
  if (end.ec != std::errc()) return std::nullopt;
  return Decimal::parse({buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())});
}

std::optional<Decimal> decimal_of_number(const Value& number) {
  if (number.is_decimal()) return number.as_decimal();
  if (number.is_integer()) return Decimal::from_integer(number.as_integer());
  return decimal_of_double(number.as_floating());
}

std::optional<int> compare_numbers(const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) {
    if (a.as_integer() == b.as_integer()) return 0;
    return a.as_integer() < b.as_integer() ? -1 : 1;
  }
  if (a.is_decimal() || b.is_decimal()) {
    const auto x = decimal_of_number(a);
    const auto y = decimal_of_number(b);
    if (x && y) {
      const auto order = Decimal::compare(*x, *y);
      if (order == std::strong_ordering::equal) return 0;
      return order == std::strong_ordering::less ? -1 : 1;
    }
  }
  const double x = a.to_double();
  const double y = b.to_double();
  if (std::isnan(x) || std::isnan(y)) return std::nullopt;
  if (x == y) return 0;
  return x < y ? -1 : 1;
}

namespace {

Arithmetic integers(Operation operation, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (operation) {
    case Operation::add: overflow = __builtin_add_overflow(a, b, &result); break;
    case Operation::subtract: overflow = __builtin_sub_overflow(a, b, &result); break;
    case Operation::multiply: overflow = __builtin_mul_overflow(a, b, &result); break;
    case Operation::divide:
    case Operation::modulo:
      if (b == 0) return {{}, ArithmeticFault::zero_divisor};
      if (b == -1) {  // the smallest integer has no opposite
        if (operation == Operation::modulo) return {Value(std::int64_t{0})};
        overflow = __builtin_sub_overflow(std::int64_t{0}, a, &result);
      } else {
        result = operation == Operation::divide ? a / b : a % b;
      }
  }
  if (overflow) return {{}, ArithmeticFault::overflow};
  return {Value(result)};
}

Arithmetic floats(Operation operation, double a, double b) {
  switch (operation) {
    case Operation::add: return {Value(a + b)};
    case Operation::subtract: return {Value(a - b)};
    case Operation::multiply: return {Value(a * b)};
    case Operation::divide:
    case Operation::modulo:
      if (b == 0) return {{}, ArithmeticFault::zero_divisor};
      return {Value(operation == Operation::divide ? a / b : std::fmod(a, b))};
  }
  return {};
}

Arithmetic decimals(Operation operation, const std::optional<Decimal>& a, const std::optional<Decimal>& b) {
  if (!a || !b) return {{}, ArithmeticFault::overflow};
  std::optional<Decimal> result;
  switch (operation) {
    case Operation::add: result = add(*a, *b); break;
    case Operation::subtract: result = add(*a, negated(*b)); break;
    case Operation::multiply: result = multiply(*a, *b); break;
    case Operation::divide:
    case Operation::modulo:
      if (b->units == 0) return {{}, ArithmeticFault::zero_divisor};
      result = operation == Operation::divide ? divide(*a, *b) : modulo(*a, *b);
  }
  if (!result) return {{}, ArithmeticFault::overflow};
  return {Value(*result)};
}

}  // namespace

Arithmetic calculate(Operation operation, const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) return integers(operation, a.as_integer(), b.as_integer());
  if (a.is_decimal() || b.is_decimal()) return decimals(operation, decimal_of_number(a), decimal_of_number(b));
  return floats(operation, a.to_double(), b.to_double());
}

}  // namespace flowmend::expression
