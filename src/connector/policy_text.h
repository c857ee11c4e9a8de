#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "connector/text.h"

namespace flowmend::connector {

/// What the texts of policies may refer to (connectors.md 3.3). `query` values are percent-encoded. References, not
/// copies: it lives no longer than what it was made of.
struct PolicyContext {
  const Value& fields;  ///< of the connection
  const Pairs& headers;
  const Pairs& query;
  const Value* body = nullptr;  ///< nothing: there is none, or none that is JSON
  const Value* item = nullptr;  ///< the object that a body policy works on just now
};

/// `.a.b[0]['odd name']`: names of members and places in arrays.
using PolicySteps = std::vector<std::variant<std::string, std::size_t>>;

struct PolicyPath {
  bool of_item = false;  ///< below `@item()`, not `@body()`
  PolicySteps steps;
};

/// `@body().a`, `@item()['b']`, with or without `@` and braces. Nothing for any other text.
std::optional<PolicyPath> read_policy_path(std::string_view text);
/// What stands behind a path's beginning: `a.b`, `['a']`; empty and the word `null` are no steps.
std::optional<PolicySteps> read_policy_steps(std::string_view text);

/// The value there; nothing when there is none. Names are compared exactly.
const Value* value_at(const Value& root, const PolicySteps& steps);

/// The policy language: text with `@headers('n')`, `@queryParameters('n')`, `@connectionParameters('n')` (a second
/// argument is the value when it is missing), `@body()` and `@item()` with a path, each with or without braces. What is
/// put in is not expanded again. `missing` names the first one without a value.
std::string expand_policy_text(std::string_view text, const PolicyContext& context, std::string& missing);

/// The same for a property's value: one lone reference gives the value itself; a text that begins like a JSON array or
/// object and is one, once the references are put in, gives that; anything else a string, without the single quotes
/// around the whole. Nothing when a body path leads nowhere.
std::optional<Value> expand_policy_value(std::string_view text, const PolicyContext& context);

}  // namespace flowmend::connector
