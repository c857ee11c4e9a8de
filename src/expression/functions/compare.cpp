#include "expression/functions/compare.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>

#include "expression/functions/number.h"
#include "expression/unicode.h"

namespace flowmend::expression {

bool Equality::equal(const Value& a, const Value& b) {
  if (a.is_boolean() && b.is_number()) return b == Value(a.as_boolean() ? 1 : 0);
  if (b.is_boolean() && a.is_number()) return a == Value(b.as_boolean() ? 1 : 0);
  return same(a, b);
}

bool Equality::same(const Value& a, const Value& b) {
  const bool nested = (a.is_array() && b.is_array()) || (a.is_object() && b.is_object());
  const std::size_t bytes = a.is_string() ? a.as_string().size() : 0;
  if (gave_up_ || !call_.charge(0, 1 + bytes / 64)) {
    gave_up_ = true;
    return false;
  }
  if (!nested) return a == b;
  if (a.same_node(b)) return true;
  if (a.size() != b.size()) return false;
  if (a.is_object()) return same_object(a, b);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a.as_array()[i], b.as_array()[i])) return false;
  }
  return true;
}

bool Equality::same_object(const Value& a, const Value& b) {
  for (const json::Member& member : a.as_object()) {
    const Value* other = b.find(member.name());
    if (other == nullptr || !same(member.value, *other)) return false;
  }
  return true;
}

std::optional<int> order(const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) return compare_ignoring_case(a.as_string(), b.as_string());
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  return std::nullopt;
}

namespace {

/// A value of at most so many parts is hashed whole, so that rows which differ far inside fall apart. One of more parts
/// (values may share parts, so that few nodes stand for endless ones) by its first three levels.
constexpr std::size_t whole_parts_max = 4'096;
constexpr unsigned hashed_depth = 3;
constexpr std::size_t hashed_parts = 24;

std::size_t mix(std::size_t seed, std::size_t next) {
  return seed ^ (next + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2));
}

/// Counts parts, up to one more than `most`. The count does not depend on the order of members, so equal values agree.
void count_parts(const Value& value, std::size_t most, std::size_t& count) {
  if (++count > most) return;
  if (value.is_array()) {
    for (const Value& element : value.as_array()) {
      count_parts(element, most, count);
      if (count > most) return;
    }
  } else if (value.is_object()) {
    for (const json::Member& member : value.as_object()) {
      count_parts(member.value, most, count);
      if (count > most) return;
    }
  }
}

struct Reach {
  unsigned depth;
  std::size_t parts;
  Reach inner() const { return {depth - 1, parts}; }
};

std::size_t hash_within(const Value& value, Reach reach) {
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
      std::size_t seed = mix(0x54, value.size());
      if (reach.depth == 0) return seed;
      for (const Value& element : value.as_array().first(std::min(value.size(), reach.parts))) {
        seed = mix(seed, hash_within(element, reach.inner()));
      }
      return seed;
    }
    case json::Type::object: {
      // Without regard to order, so either all members count or none.
      std::size_t sum = mix(0x55, value.size());
      if (reach.depth == 0 || value.size() > reach.parts) return sum;
      for (const json::Member& member : value.as_object()) {
        sum += mix(std::hash<std::string_view>{}(member.name()), hash_within(member.value, reach.inner()));
      }
      return sum;
    }
  }
  return 0;
}

}  // namespace

std::size_t hash(const Value& value, std::size_t& parts) {
  std::size_t count = 0;
  count_parts(value, whole_parts_max, count);
  parts += 2 * count;
  const bool whole = count <= whole_parts_max;
  return hash_within(value, whole ? Reach{json::depth_max + 1, whole_parts_max} : Reach{hashed_depth, hashed_parts});
}

std::size_t Equality::hash(const Value& value) {
  std::size_t parts = 0;
  const std::size_t result = expression::hash(value, parts);
  const std::size_t bytes = value.is_string() ? value.as_string().size() : 0;
  if (gave_up_ || !call_.charge(0, parts / 4 + bytes / 64)) gave_up_ = true;
  return result;
}

}  // namespace flowmend::expression
