#include <string>

#include "expression/functions/fault.h"
#include "expression/node.h"
#include "expression/text.h"

namespace flowmend::expression {

namespace {

/// What one step found: the part, null (a guarded step that led nowhere), or why not.
struct Selected {
  const Value* value = nullptr;
  std::string problem;  ///< `property 'p' ...`: the end of the message; empty when there is a value
};

const Value& null_value() {
  static const Value null;
  return null;
}

std::string property(const Value& key) { return "property '" + text_of_value(key) + "' "; }

/// The names that the message lists, cut when there are very many.
std::string available_properties(const Value& object) {
  constexpr std::size_t shown_max = 4'000;
  std::string names;
  for (const json::Member& member : object.as_object()) {
    if (!names.empty()) names += ", ";
    if (names.size() > shown_max) return names + "...";
    names += member.name();
  }
  return names;
}

Selected from_object(const Value& object, const Value& key, bool safe);

/// Power Automate writes `?['a/b']` for the member b of the member a, unless a member `a/b` exists.
Selected walk_slashes(const Value& object, const Value& key, bool safe) {
  std::string_view rest = key.as_string();
  const Value* at = &object;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    const Value* next = at->is_object() ? at->find_ignoring_case(name) : nullptr;
    if (next == nullptr) {
      if (safe) return {&null_value(), {}};
      return {nullptr,
              property(key) + "doesn't exist, available properties are '" + available_properties(object) + "'."};
    }
    at = next;
  }
  return {at, {}};
}

Selected from_object(const Value& object, const Value& key, bool safe) {
  if (!key.is_string()) {
    return {nullptr, property(key) + "cannot be selected. Object properties can only be selected using a text key."};
  }
  const std::string_view name = key.as_string();
  if (const Value* found = object.find_ignoring_case(name)) return {found, {}};
  if (name.find('/') != std::string_view::npos) return walk_slashes(object, key, safe);
  if (safe) return {&null_value(), {}};
  return {nullptr, property(key) + "doesn't exist, available properties are '" + available_properties(object) + "'."};
}

Selected from_array(const Value& array, const Value& key, bool safe) {
  if (!key.is_integer()) {
    return {nullptr, property(key) + "cannot be selected. Array elements can only be selected using an integer index."};
  }
  const std::int64_t index = key.as_integer();
  const auto size = static_cast<std::int64_t>(array.size());
  if (index >= 0 && index < size) return {&array.as_array()[static_cast<std::size_t>(index)], {}};
  if (safe) return {&null_value(), {}};
  return {nullptr, "array index '" + std::to_string(index) + "' is outside bounds (0, " + std::to_string(size - 1) +
                       ") of array."};
}

Selected select(const Value& from, const Value& key, bool safe) {
  switch (from.type()) {
    case json::Type::object: return from_object(from, key, safe);
    case json::Type::array: return from_array(from, key, safe);
    case json::Type::null:
      if (safe) return {&null_value(), {}};
      return {nullptr, property(key) + "cannot be selected."};
    default:
      return {nullptr, property(key) + "cannot be selected. Property selection is not supported on values of type '" +
                           std::string(json::type_name(from.type())) + "'."};
  }
}

}  // namespace

const Value* SelectionNode::compute(Evaluation& evaluation, Value& room) const {
  if (!evaluation.spend(0, 1 + steps_.size())) return evaluation.fail_limit(range());
  const Value* at = base_->evaluate(evaluation, room);
  if (at == nullptr) return nullptr;
  for (const Step& step : steps_) {
    Value own;
    const Value* key = step.constant != nullptr ? step.constant : step.key->evaluate(evaluation, own);
    if (key == nullptr) return nullptr;
    // The usual steps first: a member of an object by its exact name, an element by its index.
    if (key->is_string()) {
      if (const Value* found = at->find_name(*key)) {
        at = found;
        continue;
      }
    } else if (at->is_array() && key->is_integer() && static_cast<std::uint64_t>(key->as_integer()) < at->size()) {
      at = &at->as_array()[static_cast<std::size_t>(key->as_integer())];
      continue;
    }
    Selected selected = select(*at, *key, step.safe);
    if (selected.value == nullptr) {
      ExpressionError error;
      error.message = "The template language expression '" + std::string(evaluation.expression()) +
                      "' cannot be evaluated because " + selected.problem;
      error.found = json::type_name(at->type());
      return evaluation.fail(std::move(error), SourceRange{range().begin, step.range.end});
    }
    at = selected.value;
  }
  return at;
}

}  // namespace flowmend::expression
