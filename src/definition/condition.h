#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "expression/template.h"
#include "json/value.h"

namespace flowmend::definition {

/// The condition of an If or an Until: one expression, or the designer's tree `{and: [{equals: [a, b]}, {not:
/// {...}}]}`. Immutable, shared by all runs.
struct Condition {
  enum class Kind : std::uint8_t { expression, all, any, negation, call };
  Kind kind = Kind::expression;
  expression::Template value;       ///< expression: the text; call: the array of operands
  expression::Template function;    ///< call: the function over item(), the array of evaluated operands
  std::vector<Condition> children;  ///< all, any: its parts, left to right; negation: one
};

/// Reads a condition. Findings get pointers that begin with `pointer`. Never fails: a broken part answers its error
/// when it is evaluated.
Condition compile_condition(const Value& written, const expression::Names& names, std::string_view pointer,
                            Diagnostics& diagnostics);

/// The condition now: a boolean for a tree, whatever the text gives for an expression (the caller requires a boolean).
/// `and` and `or` stop at the first part that decides.
expression::Outcome<Value> evaluate_condition(const Condition& condition, expression::Context& context,
                                              const expression::Limits& limits = {});

/// The literal names that all its expressions mention.
void append_mentions(const Condition& condition, std::vector<expression::Template::Mention>& mentions);

}  // namespace flowmend::definition
