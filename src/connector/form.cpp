#include "connector/form.h"

#include <algorithm>

#include "connector/dynamic/source.h"
#include "connector/notification.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t fields_max = 500;
constexpr std::size_t reply_fields_max = 200;
constexpr int body_depth_max = 8;
constexpr int reply_depth_max = 4;

std::string summary_of(const Value& written, const Value& resolved, std::string_view name) {
  for (const Value* holder : {&written, &resolved}) {
    const Value* summary = extension(*holder, "x-ms-summary");
    if (summary != nullptr && summary->is_string() && !summary->as_string().empty())
      return std::string(summary->as_string());
  }
  for (const Value* holder : {&written, &resolved}) {
    if (!holder->text_of("title").empty()) return std::string(holder->text_of("title"));
  }
  return std::string(name);
}

std::string text_in(const Value& written, const Value& resolved, std::string_view name) {
  const auto own = written.text_of(name);
  return std::string(own.empty() ? resolved.text_of(name) : own);
}

const Value* member_in(const Value& written, const Value& resolved, std::string_view name) {
  const Value* own = written.find(name);
  return own == nullptr ? resolved.find(name) : own;
}

bool is_true(const Value* value) { return value != nullptr && value->is_boolean() && value->as_boolean(); }

bool has_properties(const Value& document, const Value& schema) {
  bool any = false;
  visit_properties(document, schema, [&](std::string_view, const Value&, bool) { any = true; });
  return any;
}

struct Form {
  const Connector& connector;
  std::vector<FormField> fields;

  /// The properties of a body, each a field of its own.
  void add_properties(const Value& schema, const std::string& prefix, bool needed, bool advanced, int depth) {
    const Value& document = connector.swagger;
    visit_properties(document, schema, [&](std::string_view name, const Value& written, bool required) {
      if (fields.size() >= fields_max) return;
      const Value& property = resolve_schema(document, written);
      const Visibility own = visibility_of(written);
      const Visibility visibility = own == Visibility::none ? visibility_of(property) : own;
      if (visibility == Visibility::internal || is_true(member_in(written, property, "readOnly"))) return;
      const std::string path = prefix + "/" + std::string(name);
      const bool hidden = advanced || visibility == Visibility::advanced;
      if (depth < body_depth_max && !shape_at(document, written) && has_properties(document, property)) {
        add_properties(property, path, needed && required, hidden, depth + 1);
        return;
      }
      FormField field;
      field.name = path;
      field.title = summary_of(written, property, name);
      field.about = text_in(written, property, "description");
      field.type = schema_type(document, property);
      if (field.type.empty()) field.type = "string";
      field.format = text_in(written, property, "format");
      field.required = needed && required;
      field.advanced = hidden;
      if (const Value* choices = member_in(written, property, "enum"); choices != nullptr && choices->is_array())
        field.choices = *choices;
      if (const Value* value = member_in(written, property, "default")) field.default_value = *value;
      fields.push_back(std::move(field));
    });
  }
};

struct Reply {
  const Value& document;
  std::size_t count = 0;

  void add(const Value& schema, const std::vector<std::string>& path, int depth, std::vector<ReplyField>& out) {
    visit_properties(document, schema, [&](std::string_view name, const Value& written, bool) {
      if (count >= reply_fields_max) return;
      const Value& property = resolve_schema(document, written);
      if (visibility_of(written) == Visibility::internal || visibility_of(property) == Visibility::internal) return;
      ReplyField field;
      field.path = path;
      field.path.emplace_back(name);
      field.title = summary_of(written, property, name);
      field.type = schema_type(document, property);
      if (field.type == "object" && depth < reply_depth_max && has_properties(document, property)) {
        add(property, field.path, depth + 1, out);
        return;
      }
      ++count;
      if (field.type == "array" && depth < reply_depth_max) add_items(property, depth + 1, field.items);
      out.push_back(std::move(field));
    });
  }

  void add_items(const Value& array, int depth, std::vector<ReplyField>& out) {
    if (const Value* items = array.find("items")) add(resolve_schema(document, *items), {}, depth, out);
  }
};

}  // namespace

std::vector<FormField> form_of(const Connector& connector, const Operation& operation) {
  Form form{connector, {}};
  for (const OperationParameter& parameter : operation.parameters) {
    if (parameter.visibility == Visibility::internal) continue;
    if (form.fields.size() >= fields_max) break;
    const bool advanced = parameter.visibility == Visibility::advanced;
    if (parameter.place == ParameterPlace::body && !shape_at(connector.swagger, parameter.schema) &&
        has_properties(connector.swagger, parameter.schema)) {
      form.add_properties(parameter.schema, parameter.name, parameter.required, advanced, 0);
      continue;
    }
    FormField field;
    field.name = parameter.name;
    field.title = parameter.summary.empty() ? parameter.name : parameter.summary;
    field.about = parameter.written.text_of("description");
    field.type = parameter.type.empty() ? "string" : parameter.type;
    field.format = parameter.format;
    field.required = parameter.required;
    field.advanced = advanced;
    field.choices = parameter.enumeration;
    field.default_value = parameter.default_value;
    form.fields.push_back(std::move(field));
  }
  const std::vector<std::string> called = callback_places(connector, operation);
  std::erase_if(form.fields, [&](const FormField& field) {
    return std::find(called.begin(), called.end(), field.name) != called.end();
  });
  return std::move(form.fields);
}

std::vector<ReplyField> reply_of(const Connector& connector, const Operation& operation) {
  const Value schema = reply_schema(connector, operation);
  std::vector<ReplyField> out;
  if (!schema.is_object()) return out;
  const Value& resolved = resolve_schema(connector.swagger, schema);
  Reply reply{connector.swagger};
  if (schema_type(connector.swagger, resolved) == "array") {
    ReplyField whole;
    whole.title = summary_of(schema, resolved, "body");
    whole.type = "array";
    reply.add_items(resolved, 0, whole.items);
    out.push_back(std::move(whole));
    return out;
  }
  reply.add(resolved, {}, 0, out);
  return out;
}

}  // namespace flowmend::connector
