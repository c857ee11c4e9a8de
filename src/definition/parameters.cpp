#include "definition/parameters.h"

#include <algorithm>
#include <string>

#include "definition/words.h"
#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::definition {

namespace {

using json::Value;

constexpr std::size_t shown_max = 60;

bool is_implied(std::string_view name) { return same_word(name, "$connections") || same_word(name, "$authentication"); }

bool is_replaced_later(const Value& value) {
  if (!value.is_string()) return false;
  const std::string_view text = value.as_string();
  return text.starts_with('@') || (text.starts_with('[') && text.ends_with(']'));
}

bool fits(std::string_view type, const Value& value) {
  if (same_word(type, "String") || same_word(type, "SecureString")) return value.is_string();
  if (same_word(type, "Int")) return value.is_integer();
  if (same_word(type, "Float")) return value.is_number();
  if (same_word(type, "Bool")) return value.is_boolean();
  if (same_word(type, "Array")) return value.is_array();
  if (same_word(type, "Object") || same_word(type, "SecureObject")) return value.is_object();
  return true;  // an unknown type is another finding
}

/// For a message: never of a secure parameter.
std::string shown(const Value& value) {
  std::string text = json::write(value);
  if (text.size() > shown_max) text = text.substr(0, shown_max) + "...";
  return text;
}

class Check {
 public:
  Check(const Value& values, Diagnostics& diagnostics) : values_(values), diagnostics_(diagnostics) {}

  void parameter(std::string_view name, const Value& declared) {
    const Value& deployed = deployed_value(values_, name);
    const Value* value = deployed.is_null() ? declared.find("defaultValue") : &deployed;
    const std::string pointer = json::join("/parameters", name);
    const std::string who = "The parameter '" + std::string(name) + "'";
    if (value == nullptr) {
      if (!is_implied(name))
        error(pointer, who + " has no value.",
              "Give it a 'defaultValue', or save the flow with a value for it in 'properties.parameters'.");
      return;
    }
    if (is_replaced_later(*value)) return;
    const std::string_view type = declared.text_of("type");
    const bool secure = same_word(type, "SecureString") || same_word(type, "SecureObject");
    const std::string where = value == &deployed ? pointer : pointer + "/defaultValue";
    // The field's own tools write null for "nothing yet".
    if (!value->is_null() && !fits(type, *value))
      error(where,
            who + " is of type " + std::string(type) + ", but its value is " +
                (secure ? std::string("not") : shown(*value)) + ".",
            "Give it a value of that type, or declare another type.");
    const Value* allowed = declared.find("allowedValues");
    if (allowed == nullptr || !allowed->is_array()) return;
    const auto& list = allowed->as_array();
    if (std::ranges::find(list, *value) == list.end())
      error(where, who + " does not allow the value" + (secure ? std::string() : " " + shown(*value)) + ".",
            secure ? "Use one of its 'allowedValues'." : "Use one of " + shown(*allowed) + ".");
  }

  void undeclared(const Value& declared) {
    if (!values_.is_object()) return;
    for (const json::Member& member : values_.as_object()) {
      const bool known =
          declared.is_object() && std::ranges::any_of(declared.as_object(), [&](const json::Member& one) {
            return same_word(one.name(), member.name());
          });
      if (!known && !is_implied(member.name()))
        error(json::join("/parameters", member.name()),
              "A value is given for the parameter '" + std::string(member.name()) +
                  "', which the definition does not declare.",
              "Declare it in the definition's 'parameters', or leave the value out.");
    }
  }

 private:
  void error(std::string pointer, std::string message, std::string cure) {
    diagnostics_.push_back(Diagnostic{.pointer = std::move(pointer),
                                      .severity = Severity::error,
                                      .code = "InvalidTemplate",
                                      .message = std::move(message),
                                      .cure = std::move(cure)});
  }

  const Value& values_;
  Diagnostics& diagnostics_;
};

}  // namespace

const Value& deployed_value(const Value& values, std::string_view name) {
  static const Value none;
  if (!values.is_object()) return none;
  for (const json::Member& member : values.as_object()) {
    if (!same_word(member.name(), name)) continue;
    const Value* value = member.value.find("value");
    return value == nullptr ? none : *value;
  }
  return none;
}

void check_parameters(const Value& definition, const Value& values, Diagnostics& diagnostics) {
  if (!definition.is_object()) return;
  const Value* found = definition.find("parameters");
  const Value declared = found == nullptr ? Value() : *found;
  Check check(values, diagnostics);
  if (declared.is_object()) {
    for (const json::Member& member : declared.as_object()) check.parameter(member.name(), member.value);
  }
  check.undeclared(declared);
}

std::vector<BoundParameter> bound_parameters(const json::Value& definition) {
  std::vector<BoundParameter> out;
  const json::Value* parameters = definition.is_object() ? definition.find("parameters") : nullptr;
  if (parameters == nullptr || !parameters->is_object()) return out;
  for (const json::Member& member : parameters->as_object()) {
    const json::Value* metadata = member.value.is_object() ? member.value.find("metadata") : nullptr;
    if (metadata == nullptr || !metadata->is_object()) continue;
    const std::string_view variable = metadata->text_of("schemaName");
    // $connections and $authentication are checked against what the saving person may use, before variables come in.
    if (variable.empty() || member.name().starts_with('$')) continue;
    const std::string_view type = member.value.text_of("type");
    if (same_word(type, "SecureString") || same_word(type, "SecureObject")) continue;
    out.push_back({std::string(member.name()), std::string(variable)});
  }
  return out;
}

}  // namespace flowmend::definition
