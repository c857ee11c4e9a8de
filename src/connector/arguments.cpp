#include "connector/arguments.h"

#include <charconv>
#include <vector>

#include "connector/text.h"
#include "json/parse.h"
#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr int body_depth_max = 16;

Error missing_value(std::string_view name) {
  return make_error(
      "WorkflowOperationParametersRuntimeMissingValue",
      "The resolved string values for the following parameters are invalid, they may not be null or empty: '" +
          std::string(name) + "'",
      json::join("", name), "Give '" + std::string(name) + "' a value; check where its value comes from.");
}

/// Splits `rest` along the schema: at each object the longest property name that fits, since names may contain `/`.
std::vector<std::string> split_along(const Value& document, const Value& schema, std::string_view rest) {
  std::vector<std::string> path;
  const Value* level = &schema;
  static const Value anything;
  while (!rest.empty()) {
    std::string best;
    const Value* below = &anything;
    visit_properties(document, *level, [&](std::string_view name, const Value& property, bool) {
      const bool fits =
          rest == name || (rest.starts_with(name) && rest.size() > name.size() && rest[name.size()] == '/');
      if (fits && name.size() > best.size()) {
        best = name;
        below = &property;
      }
    });
    if (best.empty()) best = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), best.size() + 1));
    if (best.empty()) continue;
    path.push_back(std::move(best));
    level = below;
  }
  return path;
}

Value with(const Value& base, const std::vector<std::string>& path, std::size_t at, const Value& value) {
  if (at == path.size()) return value;
  json::ObjectBuilder builder(base.is_object() ? base : Value::empty_object());
  const Value* below = base.find(path[at]);
  builder.set(path[at], with(below == nullptr ? Value() : *below, path, at + 1, value));
  return builder.finish();
}

std::optional<Value> only_value(const Value& schema) {
  if (const Value* value = schema.find("default"); value != nullptr && !value->is_null()) return *value;
  if (const Value* list = schema.find("enum"); list != nullptr && list->is_array() && list->size() == 1)
    return list->as_array()[0];
  return std::nullopt;
}

/// Adds what the body needs and the flow does not see: internal properties with a fixed value, required ones with a
/// default.
Value with_defaults(const Value& document, const Value& schema, const Value& value, int depth) {
  if (!value.is_object() || depth > body_depth_max) return value;
  json::ObjectBuilder builder(value);
  visit_properties(document, schema, [&](std::string_view name, const Value& written, bool required) {
    const Value& property = resolve_schema(document, written);
    const bool internal =
        visibility_of(written) == Visibility::internal || visibility_of(property) == Visibility::internal;
    const Value* present = value.find(name);
    if (present != nullptr) {
      Value filled = with_defaults(document, property, *present, depth + 1);
      if (!filled.same_node(*present)) builder.set(name, std::move(filled));
      return;
    }
    if (!internal && !required) return;
    if (auto fixed = only_value(property)) {
      builder.set(name, *fixed);
    } else if (required && schema_type(document, property) == "object") {
      Value made = with_defaults(document, property, Value::empty_object(), depth + 1);
      if (made.size() > 0) builder.set(name, std::move(made));
    }
  });
  return builder.finish();
}

/// The first required property that is absent or null, as a flat name (`customer/name`); empty when all are there.
std::string missing_property(const Value& document, const Value& schema, const Value& value, int depth) {
  std::string missing;
  if (depth > body_depth_max || !value.is_object()) return missing;
  visit_properties(document, schema, [&](std::string_view name, const Value& written, bool required) {
    if (!missing.empty()) return;
    const Value& property = resolve_schema(document, written);
    const Value* present = value.find(name);
    const bool nullable = property.find("x-nullable") != nullptr;
    const Value* read_only = property.find("readOnly");
    if (read_only != nullptr && read_only->is_boolean() && read_only->as_boolean()) return;
    if (present == nullptr || present->is_null()) {
      if (required && !nullable) missing = name;
      return;
    }
    const std::string below = missing_property(document, property, *present, depth + 1);
    if (!below.empty()) missing = std::string(name) + "/" + below;
  });
  return missing;
}

std::string_view wanted_type_name(std::string_view type) {
  if (type == "integer") return "Integer";
  if (type == "number") return "Number";
  if (type == "boolean") return "Boolean";
  if (type == "array") return "Array";
  if (type == "object") return "Object";
  return "String";
}

std::optional<Value> as_number(std::string_view text, bool whole) {
  text = trim(text);
  std::int64_t integer = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size() && !text.empty()) return Value(integer);
  double number = 0;
  const auto read_double = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read_double.ec != std::errc() || read_double.ptr != text.data() + text.size() || text.empty())
    return std::nullopt;
  if (whole && number != static_cast<double>(static_cast<std::int64_t>(number))) return std::nullopt;
  return Value(number);
}

/// The value as the parameter's type; nothing when something would be lost.
std::optional<Value> converted(const OperationParameter& parameter, const Value& value) {
  const std::string& type = parameter.type;
  if (value.is_null()) return value;
  if (type == "integer" || type == "number") {
    if (value.is_string()) return as_number(value.as_string(), type == "integer");
    if (!value.is_number()) return std::nullopt;
    if (type == "integer" && value.is_floating() &&
        value.as_floating() != static_cast<double>(static_cast<std::int64_t>(value.as_floating()))) {
      return std::nullopt;
    }
    return value;
  }
  if (type == "boolean") {
    if (value.is_boolean()) return value;
    if (value.is_string() && equals_ignoring_case(trim(value.as_string()), "true")) return Value(true);
    if (value.is_string() && equals_ignoring_case(trim(value.as_string()), "false")) return Value(false);
    return std::nullopt;
  }
  if (type == "array") {
    if (value.is_array()) return value;
    if (value.is_string() && trim(value.as_string()).starts_with('[')) {
      if (auto parsed = json::parse(value.as_string()); parsed && parsed->is_array()) return *parsed;
    }
    return Value::array({value});
  }
  return value;
}

bool in_enumeration(const OperationParameter& parameter, const Value& value) {
  if (!parameter.enumeration.is_array() || parameter.enumeration.size() == 0) return true;
  const auto one_of = [&](const Value& item) {
    for (const Value& allowed : parameter.enumeration.as_array()) {
      if (allowed == item || text_of_value(allowed) == text_of_value(item)) return true;
    }
    return false;
  };
  if (!value.is_array()) return one_of(value);
  for (const Value& item : value.as_array()) {
    if (!one_of(item)) return false;
  }
  return true;
}

std::string enumeration_text(const OperationParameter& parameter) {
  std::string text;
  for (const Value& allowed : parameter.enumeration.as_array()) {
    if (text.size() > 200) return text + " ...";
    text += (text.empty() ? "'" : ", '") + text_of_value(allowed) + "'";
  }
  return text;
}

/// What a key of the flat map is about.
struct Target {
  const OperationParameter* parameter = nullptr;
  std::string_view rest;  ///< below the body
  bool is_body = false;
};

Target target_of(const Operation& operation, std::string_view key) {
  if (const OperationParameter* parameter = operation.find(key)) return {parameter, {}, false};
  const OperationParameter* body = operation.body();
  if (body != nullptr && key == body->name) return {body, {}, true};
  if (body != nullptr && key.size() > body->name.size() + 1 && key.starts_with(body->name) &&
      key[body->name.size()] == '/') {
    return {body, key.substr(body->name.size() + 1), true};
  }
  // Case and the pieces of a file parameter (`file/$content`) are forgiven.
  for (const OperationParameter& parameter : operation.parameters) {
    if (parameter.place != ParameterPlace::body && equals_ignoring_case(parameter.name, key))
      return {&parameter, {}, false};
    if (parameter.place == ParameterPlace::form_data && key.size() > parameter.name.size() &&
        key.starts_with(parameter.name) && key[parameter.name.size()] == '/') {
      return {&parameter, key.substr(parameter.name.size() + 1), false};
    }
  }
  return {};
}

}  // namespace

bool holds_expression(const Value& value) {
  if (value.is_string()) {
    const std::string_view text = value.as_string();
    return (text.starts_with('@') && !text.starts_with("@@")) || text.find("@{") != std::string_view::npos;
  }
  if (value.is_array()) {
    for (const Value& item : value.as_array()) {
      if (holds_expression(item)) return true;
    }
  }
  if (value.is_object()) {
    for (const json::Member& member : value.as_object()) {
      if (holds_expression(member.key) || holds_expression(member.value)) return true;
    }
  }
  return false;
}

Result<Arguments> bind_arguments(const Connector& connector, const Operation& operation, const Value& parameters) {
  Arguments arguments;
  const OperationParameter* body = operation.body();
  if (parameters.is_object()) {
    for (const json::Member& member : parameters.as_object()) {
      const Target target = target_of(operation, member.name());
      if (target.parameter == nullptr) {
        return make_error("WorkflowOperationParametersExtraParameter",
                          "The API operation '" + operation.id + "' does not contain a definition for parameter '" +
                              std::string(member.name()) + "'",
                          json::join("", member.name()), "Remove it, or correct its name.");
      }
      if (!target.is_body) {
        Value& slot = arguments.values[target.parameter->name];
        slot = target.rest.empty() ? member.value : with(slot, {std::string(target.rest)}, 0, member.value);
        continue;
      }
      arguments.has_body = true;
      if (target.rest.empty()) {
        arguments.body = member.value;
      } else {
        arguments.body =
            with(arguments.body, split_along(connector.swagger, body->schema, target.rest), 0, member.value);
      }
    }
  } else if (!parameters.is_null()) {
    return make_error("InvalidWorkflowOperationParametersRuntimeValue",
                      "The parameters of operation '" + operation.id + "' are not an object.");
  }

  for (const OperationParameter& parameter : operation.parameters) {
    if (parameter.place == ParameterPlace::body) continue;
    auto given = arguments.values.find(parameter.name);
    const bool absent = given == arguments.values.end() || given->second.is_null();
    if (absent && (parameter.required || parameter.visibility == Visibility::internal)) {
      Value fixed = parameter.default_value;
      if (fixed.is_null() && parameter.enumeration.size() == 1) fixed = parameter.enumeration.as_array()[0];
      if (!fixed.is_null()) {
        arguments.values[parameter.name] = fixed;
        continue;
      }
      if (!parameter.required) continue;
      if (parameter.visibility == Visibility::internal) {
        return make_error(
            "InternalValueMissing",
            "The connector's own parameter '" + parameter.name + "' of operation '" + operation.id + "' has no value.",
            {}, "Correct the connector's file: give the parameter a default.");
      }
      return missing_value(parameter.name);
    }
    if (absent) continue;
    const bool empty = given->second.is_string() && given->second.as_string().empty();
    if (empty && (parameter.place == ParameterPlace::path || (parameter.required && !parameter.allow_empty)))
      return missing_value(parameter.name);
    if (empty && parameter.type != "string") continue;
    auto value = converted(parameter, given->second);
    if (!value) {
      return make_error(
          "OpenApiOperationParameterTypeConversionFailed",
          "The API operation '" + operation.id + "' requires the property '" + parameter.name + "' to be of type '" +
              std::string(wanted_type_name(parameter.type)) + "' but is of type '" +
              std::string(json::type_name(given->second.type())) + "'.",
          json::join("", parameter.name),
          "Give '" + parameter.name + "' a value of that type, or convert it with int(), float() or bool().");
    }
    if (!empty && !in_enumeration(parameter, *value)) {
      return make_error("InvalidWorkflowOperationParametersRuntimeValue",
                        "The value '" + text_of_value(*value) + "' of parameter '" + parameter.name +
                            "' is not one of " + enumeration_text(parameter) + ".",
                        json::join("", parameter.name), "Use one of these values.");
    }
    given->second = std::move(*value);
  }

  if (body != nullptr) {
    const bool object_body = body->type == "object" || (body->type.empty() && body->schema.is_null());
    if (arguments.body.is_string() && body->type != "string" && !body->type.empty()) {
      if (auto parsed = json::parse(arguments.body.as_string())) arguments.body = *parsed;
    }
    if (!arguments.has_body && body->type == "object") {
      Value made = with_defaults(connector.swagger, body->schema, Value::empty_object(), 0);
      if (made.size() > 0 || body->required) {
        arguments.body = std::move(made);
        arguments.has_body = true;
      }
    } else if (arguments.has_body && arguments.body.is_object()) {
      arguments.body = with_defaults(connector.swagger, body->schema, arguments.body, 0);
    }
    if (!arguments.has_body && body->required && !object_body) return missing_value(body->name);
    if (arguments.has_body && arguments.body.is_null() && body->required) return missing_value(body->name);
    if (arguments.has_body) {
      const std::string missing = missing_property(connector.swagger, body->schema, arguments.body, 0);
      if (!missing.empty()) return missing_value(body->name + "/" + missing);
    }
  }
  return arguments;
}

void check_arguments(const Connector& connector, const Operation& operation, const Value& parameters,
                     std::string_view pointer, Diagnostics& diagnostics) {
  const auto say = [&](std::string_view name, Severity severity, const char* code, std::string message,
                       std::string cure) {
    diagnostics.push_back({name.empty() ? std::string(pointer) : json::join(pointer, name), severity, code,
                           std::move(message), std::move(cure)});
  };
  Value body;
  bool whole_body = false;
  bool body_known = true;
  std::unordered_map<std::string, bool> given;
  if (parameters.is_object()) {
    for (const json::Member& member : parameters.as_object()) {
      const std::string name(member.name());
      if (holds_expression(member.key)) {
        body_known = false;
        continue;
      }
      const Target target = target_of(operation, name);
      if (target.parameter == nullptr) {
        say(name, Severity::error, "WorkflowOperationParametersExtraParameter",
            "The API operation '" + operation.id + "' does not contain a definition for parameter '" + name + "'",
            "Remove it, or correct its name.");
        continue;
      }
      const OperationParameter& parameter = *target.parameter;
      if (target.is_body) {
        if (target.rest.empty()) {
          body = member.value;
          whole_body = true;
          body_known = body_known && !holds_expression(member.value);
        } else {
          // An expression fills its place; only what is missing altogether is of interest.
          body = with(body, split_along(connector.swagger, parameter.schema, target.rest), 0, member.value);
        }
        continue;
      }
      given[parameter.name] = true;
      if (parameter.visibility == Visibility::internal && !holds_expression(member.value)) {
        say(name, Severity::warning, "WorkflowOperationParametersInternalValueProvided",
            "The parameter '" + name + "' of operation '" + operation.id +
                "' is the connector's own; it has a fixed value.",
            "Remove it.");
      }
      if (holds_expression(member.value) || member.value.is_null()) continue;
      const auto value = converted(parameter, member.value);
      if (!value) {
        say(name, Severity::error, "WorkflowOperationParametersIncorrectParameterType",
            "The API operation '" + operation.id + "' requires the property '" + name + "' to be of type '" +
                std::string(wanted_type_name(parameter.type)) + "' but is of type '" +
                std::string(json::type_name(member.value.type())) + "'.",
            "Give it a value of that type.");
      } else if (!in_enumeration(parameter, *value)) {
        say(name, Severity::error, "WorkflowOperationParametersIncorrectEnum",
            "The value '" + text_of_value(*value) + "' of parameter '" + name + "' is not one of " +
                enumeration_text(parameter) + ".",
            "Use one of these values.");
      }
    }
  }
  for (const OperationParameter& parameter : operation.parameters) {
    const bool fixed = !parameter.default_value.is_null() || parameter.enumeration.size() == 1;
    if (parameter.place == ParameterPlace::body) {
      if (parameter.required && body.is_null() && !whole_body && body_known && parameter.type != "object" &&
          !parameter.type.empty()) {
        say("", Severity::error, "WorkflowOperationParametersMissingRequiredParameter",
            "The API operation '" + operation.id + "' is missing required property '" + parameter.name + "'.",
            "Give it a value.");
      }
      if (!body_known || (body.is_null() && !parameter.required)) continue;
      const Value filled =
          with_defaults(connector.swagger, parameter.schema, body.is_null() ? Value::empty_object() : body, 0);
      const std::string missing = missing_property(connector.swagger, parameter.schema, filled, 0);
      if (!missing.empty()) {
        say("", Severity::error, "WorkflowOperationParametersMissingRequiredParameter",
            "The API operation '" + operation.id + "' is missing required property '" + parameter.name + "/" + missing +
                "'.",
            "Add '" + parameter.name + "/" + missing + "' with a value.");
      }
      continue;
    }
    if (parameter.required && !fixed && parameter.visibility != Visibility::internal && !given[parameter.name]) {
      say("", Severity::error, "WorkflowOperationParametersMissingRequiredParameter",
          "The API operation '" + operation.id + "' is missing required property '" + parameter.name + "'.",
          "Add '" + parameter.name + "' with a value.");
    }
  }
}

}  // namespace flowmend::connector
