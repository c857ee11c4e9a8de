#include "expression/functions/decimal_math.h"

#include <algorithm>

#include <boost/multiprecision/cpp_int.hpp>

namespace flowmend::expression {

namespace {

using Decimal = json::Decimal;
using Wide = boost::multiprecision::uint512_t;

constexpr unsigned scale_max = 28;

Wide power_of_ten(unsigned exponent) {
  Wide power = 1;
  for (unsigned i = 0; i < exponent; ++i) power *= 10;
  return power;
}

Wide wide(json::Uint128 units) {
  Wide result = static_cast<std::uint64_t>(units >> 64);
  result <<= 64;
  return result + static_cast<std::uint64_t>(units);
}

json::Uint128 narrow(const Wide& units) {
  const auto low = static_cast<std::uint64_t>(units & 0xFFFFFFFFFFFFFFFFULL);
  const auto high = static_cast<std::uint64_t>(units >> 64);
  return (static_cast<json::Uint128>(high) << 64) | low;
}

/// units / 10^digits, half to even; `inexact` says that digits were already cut off behind `units`.
Wide drop_digits(const Wide& units, unsigned digits, bool inexact) {
  if (digits == 0) return units;
  const Wide power = power_of_ten(digits);
  Wide quotient = units / power;
  const Wide rest = (units % power) * 2;
  const bool above = rest > power || (rest == power && inexact);
  const bool half = rest == power && !inexact;
  if (above || (half && (quotient & 1) != 0)) ++quotient;
  return quotient;
}

/// The decimal nearest to units / 10^scale.
std::optional<Decimal> rounded(const Wide& units, unsigned scale, bool negative, bool inexact = false) {
  const Wide most = wide(Decimal::units_max);
  unsigned dropped = scale > scale_max ? scale - scale_max : 0;
  Wide result = drop_digits(units, dropped, inexact);
  while (result > most) {
    if (dropped == scale) return std::nullopt;
    result = drop_digits(units, ++dropped, inexact);
  }
  Decimal decimal;
  decimal.units = narrow(result);
  decimal.scale = static_cast<std::uint8_t>(scale - dropped);
  decimal.negative = negative && decimal.units != 0;
  return decimal;
}

struct Aligned {
  Wide a;
  Wide b;
  unsigned scale;
};

Aligned aligned(const Decimal& a, const Decimal& b) {
  const unsigned scale = std::max(a.scale, b.scale);
  return {wide(a.units) * power_of_ten(scale - a.scale), wide(b.units) * power_of_ten(scale - b.scale), scale};
}

}  // namespace

Decimal negated(Decimal a) {
  a.negative = !a.negative && a.units != 0;
  return a;
}

std::optional<Decimal> add(const Decimal& a, const Decimal& b) {
  const Aligned both = aligned(a, b);
  if (a.negative == b.negative) return rounded(both.a + both.b, both.scale, a.negative);
  if (both.a >= both.b) return rounded(both.a - both.b, both.scale, a.negative);
  return rounded(both.b - both.a, both.scale, b.negative);
}

std::optional<Decimal> multiply(const Decimal& a, const Decimal& b) {
  return rounded(wide(a.units) * wide(b.units), static_cast<unsigned>(a.scale) + b.scale, a.negative != b.negative);
}

std::optional<Decimal> divide(const Decimal& a, const Decimal& b) {
  // 30 digits more than fit, so that rounding sees all it needs; then zeros that the operands did not have go.
  constexpr unsigned more = scale_max + 30;
  const Wide numerator = wide(a.units) * power_of_ten(more + b.scale);
  const Wide denominator = wide(b.units);
  const unsigned scale = more + a.scale;
  auto result = rounded(numerator / denominator, scale, a.negative != b.negative, numerator % denominator != 0);
  if (!result) return result;
  const unsigned least = a.scale > b.scale ? static_cast<unsigned>(a.scale - b.scale) : 0;
  while (result->scale > least && result->units % 10 == 0) {
    result->units /= 10;
    --result->scale;
  }
  return result;
}

std::optional<Decimal> modulo(const Decimal& a, const Decimal& b) {
  const Aligned both = aligned(a, b);
  return rounded(both.a % both.b, both.scale, a.negative);
}

}  // namespace flowmend::expression
