#include "runtime/environment_variables.h"

#include <algorithm>

#include "definition/parameters.h"
#include "definition/words.h"
#include "json/write.h"

namespace flowmend::runtime {

namespace {

constexpr std::size_t name_max = 100;  // of a schema name in Dataverse
constexpr std::size_t value_bytes_max = 64 * 1024;

std::string variable_key(std::string_view name) { return definition::lower_case(name); }

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

EnvironmentVariable variable_from(const store::Document& document) {
  EnvironmentVariable out;
  out.name = document.value.text_of("name");
  if (const Value* value = document.value.find("value")) out.value = *value;
  out.description = document.value.text_of("description");
  out.changed_by = document.value.text_of("changedBy");
  if (const auto time = parse_timestamp(document.value.text_of("changed"))) out.changed = *time;
  return out;
}

Error invalid_variable(std::string message, std::string place, std::string cure) {
  return make_error("InvalidEnvironmentVariable", std::move(message), std::move(place), std::move(cure));
}

}  // namespace

Result<Value> with_variables(const Value& definition, const Value& values, const VariableReader& read) {
  const auto bound = definition::bound_parameters(definition);
  if (bound.empty()) return values;
  json::ObjectBuilder out(values.is_object() ? values : Value::empty_object());
  bool any = false;
  for (const definition::BoundParameter& parameter : bound) {
    const auto document = read(variable_key(parameter.variable));
    if (!document) return document.error();
    const Value* value = *document ? (*document)->value.find("value") : nullptr;
    if (value == nullptr) continue;
    // The name as the values spell it: two that differ in case alone would be one parameter given twice.
    std::string name = parameter.name;
    if (values.is_object()) {
      for (const json::Member& member : values.as_object())
        if (variable_key(member.name()) == variable_key(name)) name = std::string(member.name());
    }
    out.set(name, Value::object({{"value", *value}}));
    any = true;
  }
  return any ? out.finish() : values;
}

Result<std::vector<EnvironmentVariable>> EnvironmentVariables::list() const {
  std::vector<EnvironmentVariable> out;
  store::DocumentQuery page;
  page.kind = std::string(environment_variable_kind);
  for (;;) {
    const auto documents = store_.documents(page);
    if (!documents) return documents.error();
    for (const store::Document& document : *documents) out.push_back(variable_from(document));
    if (documents->empty() || documents->size() < page.limit) return out;
    page.after = documents->back().key;
  }
}

Result<std::optional<EnvironmentVariable>> EnvironmentVariables::find(std::string_view name) const {
  const auto document = store_.document(environment_variable_kind, variable_key(name));
  if (!document) return document.error();
  std::optional<EnvironmentVariable> out;
  if (*document) out = variable_from(**document);
  return out;
}

Result<void> EnvironmentVariables::set(const EnvironmentVariable& variable) {
  if (variable.name.empty() || variable.name.size() > name_max ||
      !std::ranges::all_of(variable.name, is_name_character))
    return invalid_variable("'" + variable.name.substr(0, name_max) + "' is no name of an environment variable.",
                            "/name",
                            "Use up to 100 letters, digits, '_', '-' and '.', like the schemaName of the parameter.");
  if (variable.value.is_null())
    return invalid_variable("An environment variable needs a value.", "/value", "Give it one, or remove the variable.");
  if (json::write(variable.value).size() > value_bytes_max)
    return invalid_variable("The value is longer than 64 kB.", "/value",
                            "Keep large data in a table or a file and its address in the variable.");
  const auto put = store_.put_document(environment_variable_kind, variable_key(variable.name),
                                       Value::object({{"name", Value(variable.name)},
                                                      {"value", variable.value},
                                                      {"description", Value(variable.description)},
                                                      {"changedBy", Value(variable.changed_by)},
                                                      {"changed", Value(to_string(variable.changed))}}));
  if (!put) return put.error();
  return {};
}

Result<bool> EnvironmentVariables::erase(std::string_view name) {
  return store_.erase_document(environment_variable_kind, variable_key(name));
}

}  // namespace flowmend::runtime
