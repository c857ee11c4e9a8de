#pragma once

#include <cstddef>
#include <optional>

#include "json/value.h"

namespace flowmend::expression {

/// equals() of the language: deep; 1 equals 1.0; true equals 1 and false 0, as the function reference prints; otherwise
/// values of different kinds are never equal.
bool equal(const Value& a, const Value& b);

/// The order of two numbers, or of two texts without regard to case: below, at or above 0. Nothing for other kinds
/// and for NaN.
std::optional<int> order(const Value& a, const Value& b);

/// Equal values (by ==) have the same hash.
std::size_t hash(const Value& value);

}  // namespace flowmend::expression
