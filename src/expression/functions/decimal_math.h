#pragma once

#include <optional>

#include "json/decimal.h"

namespace flowmend::expression {

// .NET's arithmetic of System.Decimal: exact while 96 bits and 28 fraction digits hold the result, rounded half to even
// behind that. Nothing when the result is too large; the divisor must not be zero.

std::optional<json::Decimal> add(const json::Decimal& a, const json::Decimal& b);
std::optional<json::Decimal> multiply(const json::Decimal& a, const json::Decimal& b);
std::optional<json::Decimal> divide(const json::Decimal& a, const json::Decimal& b);
/// The remainder has the sign of `a`.
std::optional<json::Decimal> modulo(const json::Decimal& a, const json::Decimal& b);
json::Decimal negated(json::Decimal a);

}  // namespace flowmend::expression
