#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flowmend::json {

/// 128 bits, a GCC and Clang extension.
__extension__ using Uint128 = unsigned __int128;

/// .NET's System.Decimal: a 96-bit whole number over a power of ten. Digits written are digits kept: 5.0000 prints so.
/// Arithmetic lives with the expression language; this is the value, its text and its order.
struct Decimal {
  Uint128 units = 0;       ///< below 2^96
  std::uint8_t scale = 0;  ///< digits behind the point, 0..28
  bool negative = false;

  static constexpr Uint128 units_max = (static_cast<Uint128>(1) << 96) - 1;

  /// Reads `-12.50`; at most 29 significant digits fit, further fraction digits are rounded half to even. Nothing for
  /// another text or a number out of range.
  static std::optional<Decimal> parse(std::string_view text);
  static Decimal from_integer(std::int64_t value);
  /// All digits, trailing zeros kept, no exponent.
  std::string to_string() const;
  double to_double() const;
  /// By value: 5.0 equals 5.00.
  static std::strong_ordering compare(const Decimal& a, const Decimal& b);
};

}  // namespace flowmend::json
