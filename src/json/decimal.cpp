#include "json/decimal.h"

#include <algorithm>
#include <cstdlib>

namespace flowmend::json {

namespace {

using Wide = Uint128;

constexpr unsigned scale_max = 28;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  Decimal result;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) result.negative = text[at++] == '-';
  bool any = false;
  bool in_fraction = false;
  bool rounding = false;  // the digits that follow no longer fit
  int first_dropped = -1;
  bool dropped_rest = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.') {
      if (in_fraction) return std::nullopt;
      in_fraction = true;
      continue;
    }
    if (!is_digit(c)) return std::nullopt;
    any = true;
    const auto digit = static_cast<unsigned>(c - '0');
    if (!rounding) {
      const bool fits = result.units <= (units_max - digit) / 10 && (!in_fraction || result.scale < scale_max);
      if (fits) {
        result.units = result.units * 10 + digit;
        if (in_fraction) ++result.scale;
        continue;
      }
      if (!in_fraction) return std::nullopt;
      rounding = true;
    }
    if (first_dropped < 0) {
      first_dropped = static_cast<int>(digit);
    } else {
      dropped_rest = dropped_rest || digit != 0;
    }
  }
  if (!any) return std::nullopt;
  const bool up = first_dropped > 5 || (first_dropped == 5 && (dropped_rest || (result.units & 1) != 0));
  if (up) {
    if (result.units == units_max) {
      if (result.scale == 0) return std::nullopt;
      result.units /= 10;
      --result.scale;
    }
    ++result.units;
  }
  return result;
}

Decimal Decimal::from_integer(std::int64_t value) {
  Decimal result;
  result.negative = value < 0;
  result.units = value < 0 ? static_cast<Wide>(0) - static_cast<Wide>(value) : static_cast<Wide>(value);
  result.units &= units_max;
  return result;
}

std::string Decimal::to_string() const {
  std::string digits;
  Wide rest = units;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  while (digits.size() <= scale) digits.push_back('0');
  std::reverse(digits.begin(), digits.end());
  if (scale > 0) digits.insert(digits.size() - scale, 1, '.');
  if (negative && units != 0) digits.insert(digits.begin(), '-');
  return digits;
}

double Decimal::to_double() const { return std::strtod(to_string().c_str(), nullptr); }

std::strong_ordering Decimal::compare(const Decimal& a, const Decimal& b) {
  const bool a_negative = a.negative && a.units != 0;
  const bool b_negative = b.negative && b.units != 0;
  if (a_negative != b_negative) return a_negative ? std::strong_ordering::less : std::strong_ordering::greater;
  // Compare the whole parts, then the fractions digit by digit, so that no product can overflow.
  Wide a_power = 1;
  Wide b_power = 1;
  for (unsigned i = 0; i < a.scale; ++i) a_power *= 10;
  for (unsigned i = 0; i < b.scale; ++i) b_power *= 10;
  auto order = a.units / a_power <=> b.units / b_power;
  Wide a_rest = a.units % a_power;
  Wide b_rest = b.units % b_power;
  while (order == std::strong_ordering::equal && (a_rest != 0 || b_rest != 0)) {
    // Every power is at most 10^28 and so ten times a rest stays far below 2^128.
    a_rest *= 10;
    b_rest *= 10;
    order = a_rest / a_power <=> b_rest / b_power;
    a_rest %= a_power;
    b_rest %= b_power;
  }
  if (!a_negative) return order;
  if (order == std::strong_ordering::less) return std::strong_ordering::greater;
  if (order == std::strong_ordering::greater) return std::strong_ordering::less;
  return order;
}

}  // namespace flowmend::json
