// The variable actions. Variables are shared by the whole run; each action is one atomic change (engine.md 3.6).

#include "engine/actions/list.h"
#include "expression/functions/function.h"

namespace flowmend::engine {

using definition::VariableType;

namespace {

const char* type_text(VariableType type) {
  switch (type) {
    case VariableType::string: return "String";
    case VariableType::integer: return "Integer";
    case VariableType::floating: return "Float";
    case VariableType::boolean: return "Boolean";
    case VariableType::object: return "Object";
    case VariableType::array: return "Array";
  }
  return "Object";
}

Value empty_value(VariableType type) {
  switch (type) {
    case VariableType::string: return Value("");
    case VariableType::integer: return Value(0);
    case VariableType::floating: return Value(0.0);
    case VariableType::boolean: return Value(false);
    case VariableType::object: return {};
    case VariableType::array: return Value::empty_array();
  }
  return {};
}

bool fits(VariableType type, const Value& value) {
  switch (type) {
    case VariableType::string: return value.is_string() || value.is_null();
    case VariableType::integer: return value.is_integer();
    case VariableType::floating: return value.is_number();
    case VariableType::boolean: return value.is_boolean();
    case VariableType::object: return value.is_object() || value.is_null();
    case VariableType::array: return value.is_array() || value.is_null();
  }
  return false;
}

std::optional<VariableType> read_type(std::string_view name) {
  for (auto type : {VariableType::string, VariableType::integer, VariableType::floating, VariableType::boolean,
                    VariableType::object, VariableType::array}) {
    const std::string_view known = type_text(type);
    if (known.size() != name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size(); ++i)
      same = same &&
             std::tolower(static_cast<unsigned char>(known[i])) == std::tolower(static_cast<unsigned char>(name[i]));
    if (same) return type;
  }
  return std::nullopt;
}

void fail_inputs(Step& step, const std::string& reason) {
  step.fail("BadRequest", {"InvalidTemplate",
                           "The inputs of workflow run action '" + step.action.name + "' of type '" +
                               step.action.type_name + "' are not valid. " + reason,
                           {}});
}

void fail_type(Step& step, std::string_view variable, VariableType type, const Value& value) {
  fail_inputs(step, "The variable '" + std::string(variable) + "' of type '" + type_text(type) +
                        "' cannot be initialized or updated with value of type '" +
                        std::string(json::type_name(value.type())) + "'. The variable '" + std::string(variable) +
                        "' only supports values of types '" +
                        (type == VariableType::floating ? "Float, Integer" : type_text(type)) + "'.");
}

const Value& input(const Step& step, const char* name) {
  static const Value null_value;
  const Value* found = step.inputs.find_ignoring_case(name);
  return found == nullptr ? null_value : *found;
}

void set(Step& step, std::uint32_t variable, Value value) {
  step.out.events.emplace_back(VariableSet{variable, std::move(value)});
}

void append(Step& step, std::uint32_t variable, Value part) {
  step.out.events.emplace_back(VariableAppended{variable, std::move(part)});
}

Value named(std::string_view name, Value value) {
  return Value::object({{"body", Value::object({{"name", Value(name)}, {"value", std::move(value)}})}});
}

/// The variable's slot when it has been initialized; otherwise the action has been ended.
std::optional<std::uint32_t> target(Step& step) {
  const auto slot = step.action.variable;
  if (slot >= 0 && step.state.variables[static_cast<std::size_t>(slot)].is_initialized())
    return static_cast<std::uint32_t>(slot);
  fail_inputs(step, "The variable '" + expression::text_of_value(input(step, "name")) +
                        "' must be initialized before it can be used inside action '" + step.action.name + "'.");
  return std::nullopt;
}

/// Ends the action when the variable can't take so much more.
bool is_full(Step& step, std::uint32_t slot, double bytes) {
  const std::size_t most = step.state.limits.variable_bytes_max;
  if (step.state.variables[slot].text_bytes() + bytes <= static_cast<double>(most)) return false;
  step.fail("BadRequest", {"VariableSizeLimitExceeded",
                           "The variable '" + step.flow.variables[slot].name + "' would be larger than " +
                               std::to_string(most) + " bytes.",
                           {}});
  return true;
}

}  // namespace

void start_initialize_variable(Step& step) {
  if (!step.evaluate_inputs()) return;
  const Value& list = input(step, "variables");
  if (!list.is_array()) return fail_inputs(step, "'variables' must be a list.");
  std::vector<std::pair<std::uint32_t, Value>> changes;
  for (const Value& entry : list.as_array()) {
    const auto name = entry.text_of("name");
    const auto slot = step.flow.find_variable(name);
    const auto type = read_type(entry.text_of("type"));
    if (slot < 0 || !type)
      return fail_inputs(step, "The variable '" + std::string(name) + "' has no valid name or type.");
    const Value* given = entry.find_ignoring_case("value");
    Value value = given == nullptr || given->is_null() ? empty_value(*type) : *given;
    if (!fits(*type, value) && !(value.is_null() && *type == VariableType::object))
      return fail_type(step, name, *type, value);
    changes.emplace_back(static_cast<std::uint32_t>(slot), std::move(value));
  }
  for (auto& [slot, value] : changes) set(step, slot, std::move(value));
  step.succeed();
}

void start_set_variable(Step& step) {
  if (!step.evaluate_inputs()) return;
  const auto slot = target(step);
  if (!slot) return;
  const auto& variable = step.flow.variables[*slot];
  Value value = input(step, "value");
  if (!fits(variable.type, value)) return fail_type(step, variable.name, variable.type, value);
  set(step, *slot, value);
  step.succeed_with(named(input(step, "name").is_string() ? input(step, "name").as_string() : variable.name, value));
}

void start_add_to_variable(Step& step) {
  if (!step.evaluate_inputs()) return;
  const auto slot = target(step);
  if (!slot) return;
  const auto& variable = step.flow.variables[*slot];
  if (variable.type != VariableType::integer && variable.type != VariableType::floating) {
    return fail_inputs(step, "The variable '" + variable.name + "' is of type '" + type_text(variable.type) +
                                 "'; only Integer and Float can be incremented or decremented.");
  }
  const bool minus = step.action.type == definition::ActionType::decrement_variable;
  const Value& given = input(step, "value");
  const Value by = given.is_null() ? Value(1) : given;
  const Value& now = step.state.variables[*slot].value();
  Value result;
  if (now.is_integer() && by.is_integer()) {
    std::int64_t sum = 0;
    const bool overflow = minus ? __builtin_sub_overflow(now.as_integer(), by.as_integer(), &sum)
                                : __builtin_add_overflow(now.as_integer(), by.as_integer(), &sum);
    if (overflow)
      return fail_inputs(step, "The new value of variable '" + variable.name + "' does not fit an Integer.");
    result = Value(sum);
  } else if (by.is_number() && variable.type == VariableType::floating) {
    result = Value(minus ? now.to_double() - by.to_double() : now.to_double() + by.to_double());
  } else {
    return fail_type(step, variable.name, variable.type, by);
  }
  set(step, *slot, result);
  step.succeed_with(named(input(step, "name").is_string() ? input(step, "name").as_string() : variable.name, result));
}

void start_append_to_array(Step& step) {
  if (!step.evaluate_inputs()) return;
  const auto slot = target(step);
  if (!slot) return;
  const auto& variable = step.flow.variables[*slot];
  const Value& value = input(step, "value");
  if (variable.type != VariableType::array)
    return fail_inputs(step, "The variable '" + variable.name + "' is not of type 'Array'.");
  if (value.is_null() || value.is_array()) {
    return fail_inputs(step, std::string("The value cannot be ") + (value.is_null() ? "null" : "an array") +
                                 ". The action type 'AppendToArrayVariable' only supports values of types 'Float, "
                                 "Integer, String, Boolean, Object'.");
  }
  if (is_full(step, *slot, value.text_bytes())) return;
  append(step, *slot, value);
  step.succeed();
}

void start_append_to_string(Step& step) {
  if (!step.evaluate_inputs()) return;
  const auto slot = target(step);
  if (!slot) return;
  const auto& variable = step.flow.variables[*slot];
  if (variable.type != VariableType::string)
    return fail_inputs(step, "The variable '" + variable.name + "' is not of type 'String'.");
  const std::string text = expression::text_of_value(input(step, "value"));
  if (is_full(step, *slot, static_cast<double>(text.size()))) return;
  if (step.state.variables[*slot].value_is_text()) {
    append(step, *slot, Value(text));
  } else {
    set(step, *slot, Value(text));  // it was null
  }
  step.succeed();
}

}  // namespace flowmend::engine
