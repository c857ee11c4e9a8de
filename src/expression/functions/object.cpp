#include <array>
#include <optional>
#include <string>
#include <vector>

#include "expression/functions/fault.h"
#include "expression/functions/function.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

std::optional<ExpressionError> wrong_object_or_name(Call& call, Arguments arguments) {
  if (!arguments[0].is_object()) return wrong_type(call, 0, "object", arguments[0]);
  if (!arguments[1].is_string()) return wrong_type(call, 1, "string", arguments[1]);
  return std::nullopt;
}

/// The members without `leave_out`.
json::ObjectBuilder members_without(const Value& object, const Value* leave_out) {
  json::ObjectBuilder builder;
  builder.reserve(object.size() + 1);
  for (const json::Member& member : object.as_object()) {
    if (&member.value != leave_out) builder.add(member.key, member.value);
  }
  return builder;
}

/// The name as the object spells it, of the member that `value` points to.
const Value& name_of(const Value& object, const Value* value) {
  for (const json::Member& member : object.as_object()) {
    if (&member.value == value) return member.key;
  }
  return object;
}

Outcome<Value> add_property(Call& call, Arguments arguments) {
  if (auto error = wrong_object_or_name(call, arguments)) return std::move(*error);
  if (arguments[0].find_ignoring_case(arguments[1].as_string()) != nullptr) {
    ExpressionError error = fault(call, "expects the '" + std::string(arguments[1].as_string()) +
                                            "' property to not exist in the object. Use setProperty to replace it.");
    blame(error, 1, "a new property", arguments[1]);
    return error;
  }
  if (!call.charge(0, 1 + arguments[0].size())) return call.limit_error();
  json::ObjectBuilder builder = members_without(arguments[0], nullptr);
  builder.add(arguments[1], arguments[2]);
  return builder.finish();
}

Outcome<Value> set_property(Call& call, Arguments arguments) {
  if (auto error = wrong_object_or_name(call, arguments)) return std::move(*error);
  if (!call.charge(0, 1 + arguments[0].size())) return call.limit_error();
  const Value* present = arguments[0].find_ignoring_case(arguments[1].as_string());
  json::ObjectBuilder builder = members_without(arguments[0], present);
  // A key that is there keeps its spelling and moves to the end.
  builder.add(present == nullptr ? arguments[1] : name_of(arguments[0], present), arguments[2]);
  return builder.finish();
}

Outcome<Value> remove_property(Call& call, Arguments arguments) {
  if (auto error = wrong_object_or_name(call, arguments)) return std::move(*error);
  const Value* present = arguments[0].find_ignoring_case(arguments[1].as_string());
  if (present == nullptr) return arguments[0];
  if (!call.charge(0, 1 + arguments[0].size())) return call.limit_error();
  return members_without(arguments[0], present).finish();
}

Outcome<Value> merge_objects(Call& call, Arguments arguments) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!arguments[i].is_object()) return wrong_type(call, i, "object", arguments[i]);
  }
  if (!call.charge(0, 1 + arguments[0].size() + arguments[1].size())) return call.limit_error();
  json::ObjectBuilder builder;
  builder.reserve(arguments[0].size() + arguments[1].size());
  for (const json::Member& member : arguments[0].as_object()) {
    const Value* later = arguments[1].find(member.name());
    builder.add(member.key, later == nullptr ? member.value : *later);
  }
  for (const json::Member& member : arguments[1].as_object()) {
    if (arguments[0].find(member.name()) == nullptr) builder.add(member.key, member.value);
  }
  return builder.finish();
}

constexpr std::array entries = {
    FunctionEntry{.name = "addProperty",
                  .arguments = "object: object, property: string, value: any",
                  .arguments_min = 3,
                  .arguments_max = 3,
                  .about = "The object with one more property, which must be new.",
                  .example = R"(addProperty(json('{"a":1}'), 'b', 2))",
                  .gives = R"({"a":1,"b":2})",
                  .call = add_property},
    FunctionEntry{.name = "setProperty",
                  .arguments = "object: object, property: string, value: any",
                  .arguments_min = 3,
                  .arguments_max = 3,
                  .about = "The object with a property set, new or not.",
                  .example = R"(setProperty(json('{"a":1}'), 'a', 2))",
                  .gives = R"({"a":2})",
                  .call = set_property},
    FunctionEntry{.name = "removeProperty",
                  .arguments = "object: object, property: string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The object without that property.",
                  .example = R"(removeProperty(json('{"a":1,"b":2}'), 'b'))",
                  .gives = R"({"a":1})",
                  .call = remove_property},
    FunctionEntry{.name = "mergeObjects",
                  .arguments = "object: object, other: object",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The properties of both; the second object's values win.",
                  .example = R"(mergeObjects(json('{"a":1}'), json('{"b":2}')))",
                  .gives = R"({"a":1,"b":2})",
                  .call = merge_objects},
};

}  // namespace

FunctionTable object_functions() { return entries; }

}  // namespace flowmend::expression
