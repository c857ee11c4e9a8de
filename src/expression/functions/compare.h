#pragma once

#include <cstddef>
#include <optional>

#include "expression/functions/function.h"
#include "json/value.h"

namespace flowmend::expression {

/// Deep equality at the cost of the call's steps. Values may share parts, so that comparing two small ones could take
/// for ever; when the steps are used up, every answer is false and `gave_up` says that it means nothing.
class Equality {
 public:
  explicit Equality(Call& call) : call_(call) {}

  /// equals() of the language: deep; 1 equals 1.0; true equals 1 and false 0, as the function reference prints;
  /// otherwise values of different kinds are never equal.
  bool equal(const Value& a, const Value& b);
  /// As values: the same, but a boolean equals no number.
  bool same(const Value& a, const Value& b);
  /// The hash of a value, at the cost of the same steps.
  std::size_t hash(const Value& value);
  bool gave_up() const { return gave_up_; }

 private:
  bool same_object(const Value& a, const Value& b);

  Call& call_;
  bool gave_up_ = false;
};

/// The order of two numbers, or of two texts without regard to case: below, at or above 0. Nothing for other kinds
/// and for NaN.
std::optional<int> order(const Value& a, const Value& b);

/// Equal values have the same hash. Of a value of more than a few thousand parts only the first ones count; `parts`
/// grows by how many were looked at.
std::size_t hash(const Value& value, std::size_t& parts);

}  // namespace flowmend::expression
