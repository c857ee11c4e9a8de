#include "engine/schema.h"

#include <cmath>
#include <string>
#include <vector>

#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::engine {

namespace {

constexpr std::size_t findings_max = 1000;

bool matches_type(std::string_view type, const Value& value) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer")
    return value.is_integer() || (value.is_floating() && std::floor(value.as_floating()) == value.as_floating());
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return true;
}

std::string title(std::string_view type) {
  if (type == "number") return "Number";
  std::string out(type);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

std::vector<std::string> types_of(const Value& schema) {
  std::vector<std::string> types;
  const Value* type = schema.find("type");
  if (type == nullptr) return types;
  if (type->is_string()) types.emplace_back(type->as_string());
  if (type->is_array()) {
    for (const Value& one : type->as_array()) {
      if (one.is_string()) types.emplace_back(one.as_string());
    }
  }
  return types;
}

class Checker {
 public:
  void check(const Value& schema, const Value& value, const std::string& path, const std::string& id) {
    if (!schema.is_object() || findings_.size() >= findings_max) return;
    if (!check_type(schema, value, path, id)) return;
    check_enum(schema, value, path, id);
    if (value.is_number()) check_range(schema, value, path, id);
    if (value.is_string()) check_length(schema, value, path, id);
    if (value.is_object()) check_object(schema, value, path, id);
    if (value.is_array()) check_array(schema, value, path, id);
    check_combinations(schema, value, path, id);
  }

  Value finish() { return Value::array(std::move(findings_)); }
  bool is_clean() const { return findings_.empty(); }

 private:
  void report(const std::string& message, const std::string& path, const std::string& id, const char* type,
              const Value* value) {
    json::ObjectBuilder finding;
    finding.add("message", Value(message));
    finding.add("lineNumber", Value(0));
    finding.add("linePosition", Value(0));
    finding.add("path", Value(path));
    if (value != nullptr) finding.add("value", *value);
    finding.add("schemaId", Value("#" + id));
    finding.add("errorType", Value(type));
    finding.add("childErrors", Value::empty_array());
    findings_.push_back(finding.finish());
  }

  bool check_type(const Value& schema, const Value& value, const std::string& path, const std::string& id) {
    const auto types = types_of(schema);
    if (types.empty()) return true;
    std::string expected;
    for (const auto& type : types) {
      if (matches_type(type, value)) return true;
      expected += (expected.empty() ? "" : ", ") + title(type);
    }
    std::string found(json::type_name(value.type()));
    if (value.is_floating() || value.is_decimal()) found = "Number";
    report("Invalid type. Expected " + expected + " but got " + found + ".", path, id, "type", &value);
    return false;
  }

  void check_enum(const Value& schema, const Value& value, const std::string& path, const std::string& id) {
    const Value* allowed = schema.find("enum");
    if (allowed == nullptr || !allowed->is_array()) return;
    for (const Value& one : allowed->as_array()) {
      if (one == value) return;
    }
    report("Value " + json::write(value) + " is not defined in enum.", path, id, "enum", &value);
  }

  static std::string kind(const Value& value) { return value.is_integer() ? "Integer" : "Float"; }

  void check_range(const Value& schema, const Value& value, const std::string& path, const std::string& id) {
    const double number = value.to_double();
    const std::string text = kind(value) + " " + json::write(value);
    const Value* maximum = schema.find("maximum");
    if (maximum != nullptr && maximum->is_number() && number > maximum->to_double()) {
      report(text + " exceeds maximum value of " + json::write(*maximum) + ".", path, id, "maximum", &value);
    }
    const Value* minimum = schema.find("minimum");
    if (minimum != nullptr && minimum->is_number() && number < minimum->to_double()) {
      report(text + " is less than minimum value of " + json::write(*minimum) + ".", path, id, "minimum", &value);
    }
  }

  void check_length(const Value& schema, const Value& value, const std::string& path, const std::string& id) {
    std::int64_t length = 0;
    for (char c : value.as_string()) length += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    const Value* maximum = schema.find("maxLength");
    if (maximum != nullptr && maximum->is_integer() && length > maximum->as_integer()) {
      report("String '" + std::string(value.as_string()) + "' exceeds maximum length of " + json::write(*maximum) + ".",
             path, id, "maxLength", &value);
    }
    const Value* minimum = schema.find("minLength");
    if (minimum != nullptr && minimum->is_integer() && length < minimum->as_integer()) {
      report("String '" + std::string(value.as_string()) + "' is less than minimum length of " + json::write(*minimum) +
                 ".",
             path, id, "minLength", &value);
    }
  }

  void check_object(const Value& schema, const Value& value, const std::string& path, const std::string& id) {
    const Value* properties = schema.find("properties");
    const Value* additional = schema.find("additionalProperties");
    for (const json::Member& member : value.as_object()) {
      const std::string name(member.name());
      const std::string inner = path.empty() ? name : path + "." + name;
      const Value* property = properties == nullptr ? nullptr : properties->find(name);
      if (property != nullptr) {
        check(*property, member.value, inner, json::join(id + "/properties", name));
      } else if (additional != nullptr && additional->is_boolean() && !additional->as_boolean()) {
        report("Property '" + name + "' has not been defined and the schema does not allow additional properties.",
               inner, id, "additionalProperties", nullptr);
      } else if (additional != nullptr && additional->is_object()) {
        check(*additional, member.value, inner, id + "/additionalProperties");
      }
    }
    const Value* required = schema.find("required");
    if (required == nullptr || !required->is_array()) return;
    std::string missing;
    json::ArrayBuilder names;
    for (const Value& name : required->as_array()) {
      if (!name.is_string() || value.find(name.as_string()) != nullptr) continue;
      missing += (missing.empty() ? "" : ", ") + std::string(name.as_string());
      names.push(name);
    }
    if (missing.empty()) return;
    const Value list = names.finish();
    report("Required properties are missing from object: " + missing + ".", path, id, "required", &list);
  }

  void check_array(const Value& schema, const Value& value, const std::string& path, const std::string& id) {
    const Value* items = schema.find("items");
    std::size_t index = 0;
    for (const Value& item : value.as_array()) {
      const std::string inner = path + "[" + std::to_string(index) + "]";
      if (items != nullptr && items->is_object()) check(*items, item, inner, id + "/items");
      if (items != nullptr && items->is_array() && index < items->size())
        check(items->as_array()[index], item, inner, json::join(id + "/items", index));
      ++index;
    }
    const auto size = static_cast<std::int64_t>(value.size());
    const Value* maximum = schema.find("maxItems");
    if (maximum != nullptr && maximum->is_integer() && size > maximum->as_integer()) {
      report("Array item count " + std::to_string(size) + " exceeds maximum count of " + json::write(*maximum) + ".",
             path, id, "maximumItems", nullptr);
    }
    const Value* minimum = schema.find("minItems");
    if (minimum != nullptr && minimum->is_integer() && size < minimum->as_integer()) {
      report(
          "Array item count " + std::to_string(size) + " is less than minimum count of " + json::write(*minimum) + ".",
          path, id, "minimumItems", nullptr);
    }
  }

  static std::size_t count_matches(const Value& schemas, const Value& value) {
    std::size_t matching = 0;
    for (const Value& schema : schemas.as_array()) {
      Checker inner;
      inner.check(schema, value, "", "");
      if (inner.is_clean()) ++matching;
    }
    return matching;
  }

  void check_combinations(const Value& schema, const Value& value, const std::string& path, const std::string& id) {
    const Value* all = schema.find("allOf");
    if (all != nullptr && all->is_array() && count_matches(*all, value) < all->size()) {
      report("JSON does not match all schemas from 'allOf'.", path, id, "allOf", &value);
    }
    const Value* any = schema.find("anyOf");
    if (any != nullptr && any->is_array() && count_matches(*any, value) == 0) {
      report("JSON does not match any schemas from 'anyOf'.", path, id, "anyOf", &value);
    }
    const Value* one = schema.find("oneOf");
    if (one != nullptr && one->is_array()) {
      const std::size_t matching = count_matches(*one, value);
      if (matching == 0) report("JSON is valid against no schemas from 'oneOf'.", path, id, "oneOf", &value);
      if (matching > 1) report("JSON is valid against more than one schema from 'oneOf'.", path, id, "oneOf", &value);
    }
    const Value* none = schema.find("not");
    if (none != nullptr && none->is_object()) {
      Checker inner;
      inner.check(*none, value, "", "");
      if (inner.is_clean()) report("JSON is valid against schema from 'not'.", path, id, "not", &value);
    }
  }

  std::vector<Value> findings_;
};

}  // namespace

Value check_json_schema(const Value& schema, const Value& value) {
  Checker checker;
  checker.check(schema, value, "", "");
  return checker.finish();
}

bool has_unsupported_schema_word(const Value& schema) {
  if (schema.is_array()) {
    for (const Value& element : schema.as_array()) {
      if (has_unsupported_schema_word(element)) return true;
    }
  }
  if (!schema.is_object()) return false;
  for (const json::Member& member : schema.as_object()) {
    if (member.name() == "patternProperties" || (member.name() == "pattern" && member.value.is_string())) return true;
    if (member.name() == "properties" && member.value.is_object()) {
      // A property may be named "pattern": only its schema is looked at.
      for (const json::Member& property : member.value.as_object()) {
        if (has_unsupported_schema_word(property.value)) return true;
      }
      continue;
    }
    if (has_unsupported_schema_word(member.value)) return true;
  }
  return false;
}

}  // namespace flowmend::engine
