#include "expression/functions/compare.h"

#include <cmath>
#include <functional>
#include <string_view>

#include "expression/functions/number.h"
#include "expression/unicode.h"

namespace flowmend::expression {

bool equal(const Value& a, const Value& b) {
  if (a.is_boolean() && b.is_number()) return b == Value(a.as_boolean() ? 1 : 0);
  if (b.is_boolean() && a.is_number()) return a == Value(b.as_boolean() ? 1 : 0);
  return a == b;
}

std::optional<int> order(const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) return compare_ignoring_case(a.as_string(), b.as_string());
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  return std::nullopt;
}

std::size_t hash(const Value& value) {
  const auto mix = [](std::size_t seed, std::size_t next) {
    return seed ^ (next + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2));
  };
  switch (value.type()) {
    case json::Type::null: return 0x51;
    case json::Type::boolean: return value.as_boolean() ? 0x52 : 0x53;
    // Numbers are equal by value whatever their kind: equal ones have the same double.
    case json::Type::integer:
    case json::Type::floating:
    case json::Type::decimal: {
      const double number = value.to_double();
      return std::hash<double>{}(number == 0 ? 0.0 : number);
    }
    case json::Type::string: return std::hash<std::string_view>{}(value.as_string());
    case json::Type::array: {
      std::size_t seed = 0x54;
      for (const Value& element : value.as_array()) seed = mix(seed, hash(element));
      return seed;
    }
    case json::Type::object: {
      std::size_t sum = 0x55;  // without regard to order
      for (const json::Member& member : value.as_object()) {
        sum += mix(std::hash<std::string_view>{}(member.name()), hash(member.value));
      }
      return sum;
    }
  }
  return 0;
}

}  // namespace flowmend::expression
