#include "connector/dynamic/check.h"

#include "json/pointer.h"

namespace flowmend::connector {
namespace {

bool lies_at(std::string_view path, std::string_view name) {
  return path == name || (path.size() > name.size() && path.starts_with(name) && path[name.size()] == '/');
}

bool has_place(const Value& document, const Value& schema, std::string_view path) {
  bool found = false;
  visit_properties(document, schema,
                   [&](std::string_view name, const Value&, bool) { found = found || lies_at(path, name); });
  return found;
}

void check_shape(const Value& shape, const Value& fixed, const Connector& connector, const std::string& prefix,
                 const Value& parameters, std::string_view pointer, Diagnostics& diagnostics) {
  std::size_t names = 0;
  visit_properties(shape, shape, [&](std::string_view, const Value&, bool) { ++names; });
  if (names == 0) return;  // an object of any names
  const Value* more = shape.find("additionalProperties");
  const bool open = more != nullptr && !(more->is_boolean() && !more->as_boolean());
  for (const json::Member& member : parameters.as_object()) {
    const std::string_view key = member.name();
    if (open || key.size() <= prefix.size() + 1 || !lies_at(key, prefix)) continue;
    const std::string_view rest = key.substr(prefix.size() + 1);
    if (has_place(shape, shape, rest) || has_place(connector.swagger, fixed, rest)) continue;
    diagnostics.push_back({json::join(pointer, key), Severity::warning, "DynamicPropertyUnknown",
                           "The service knows no '" + std::string(rest) + "' for '" + prefix + "'.",
                           "Correct the name; the service may also have changed since it was asked."});
  }
  if (parameters.find(prefix) != nullptr) return;  // given whole: what is in it shows at the run
  visit_properties(shape, shape, [&](std::string_view name, const Value& written, bool required) {
    const Value& property = resolve_schema(shape, written);
    const Value* read_only = property.find("readOnly");
    const bool fixed_by_service = read_only != nullptr && read_only->is_boolean() && read_only->as_boolean();
    if (!required || fixed_by_service || property.find("default") != nullptr ||
        visibility_of(written) == Visibility::internal) {
      return;
    }
    const std::string wanted = prefix + "/" + std::string(name);
    for (const json::Member& member : parameters.as_object()) {
      if (lies_at(member.name(), wanted)) return;
    }
    diagnostics.push_back({std::string(pointer), Severity::warning, "DynamicPropertyMissing",
                           "The service wants '" + wanted + "', which has no value.",
                           "Add '" + wanted + "'; the service may also have changed since it was asked."});
  });
}

}  // namespace

void check_dynamic(const Connector& connector, const Operation& operation, const Value& parameters,
                   std::string_view pointer, const RememberedShape& remembered, Diagnostics& diagnostics) {
  if (!remembered || !parameters.is_object()) return;
  const OperationParameter* body = operation.body();
  if (body == nullptr) return;
  for (const DynamicParameter& parameter : dynamic_parameters(connector, operation)) {
    if (parameter.source.kind != DynamicSource::Kind::schema) continue;
    const auto shape = remembered(connector, operation, parameter.source, parameters);
    if (!shape) continue;
    const std::string_view below = std::string_view(parameter.name).substr(body->name.size());
    const Value fixed =
        below.empty() ? body->schema : follow_schema(connector.swagger, body->schema, below.substr(1)).schema;
    check_shape(*shape, fixed, connector, parameter.name, parameters, pointer, diagnostics);
  }
}

}  // namespace flowmend::connector
