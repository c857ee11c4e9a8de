#include "connector/notification.h"

namespace flowmend::connector {

namespace {

constexpr int depth_max = 8;

bool is_marked(const Value& schema) {
  const Value* mark = extension(schema, "x-ms-notification-url");
  return mark != nullptr &&
         ((mark->is_boolean() && mark->as_boolean()) || (mark->is_string() && mark->as_string() == "true"));
}

void find_in_body(const Value& document, const Value& schema, const std::string& path, int depth,
                  std::vector<std::string>& found) {
  if (depth > depth_max) return;
  visit_properties(document, resolve_schema(document, schema), [&](std::string_view name, const Value& written, bool) {
    const std::string at = path + "/" + std::string(name);
    const Value& property = resolve_schema(document, written);
    if (is_marked(written) || is_marked(property)) {
      found.push_back(at);
    } else if (schema_type(document, property) == "object") {
      find_in_body(document, property, at, depth + 1, found);
    }
  });
}

}  // namespace

std::vector<std::string> callback_places(const Connector& connector, const Operation& operation) {
  std::vector<std::string> names;
  for (const OperationParameter& parameter : operation.parameters) {
    if (parameter.notification_url) names.push_back(parameter.name);
    if (parameter.place == ParameterPlace::body)
      find_in_body(connector.swagger, parameter.schema, parameter.name, 0, names);
  }
  return names;
}

Value with_callback(const Connector& connector, const Operation& operation, const Value& parameters,
                    std::string_view callback_url) {
  json::ObjectBuilder filled(parameters.is_object() ? parameters : Value::empty_object());
  for (const std::string& name : callback_places(connector, operation)) {
    if (parameters.find(name) == nullptr) filled.set(name, Value(callback_url));
  }
  return filled.finish();
}

}  // namespace flowmend::connector
