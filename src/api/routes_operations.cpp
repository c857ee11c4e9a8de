// What of a connector's operations a person who writes a flow sees: names, fields, what they give back.

#include "api/routes.h"
#include "connector/dynamic/source.h"
#include "connector/form.h"
#include "connector/notification.h"

namespace flowmend::api {

namespace {

using connector::Connector;
using connector::Operation;

json::ObjectBuilder about(const Connector& connector, const Operation& operation) {
  json::ObjectBuilder view;
  view.add("operationId", Value(operation.id));
  view.add("summary", Value(operation.summary.empty() ? operation.id : operation.summary));
  if (!operation.description.empty()) view.add("description", Value(operation.description));
  view.add("trigger", Value(operation.trigger));
  view.add("webhook", Value(!connector::callback_places(connector, operation).empty()));
  if (operation.deprecated) view.add("deprecated", Value(true));
  if (!operation.unavailable.code.empty()) view.add("unavailable", Value(operation.unavailable.message));
  return view;
}

Value field_view(const connector::FormField& field) {
  json::ObjectBuilder view;
  view.add("name", Value(field.name));
  view.add("title", Value(field.title));
  if (!field.about.empty()) view.add("description", Value(field.about));
  view.add("type", Value(field.type));
  if (!field.format.empty()) view.add("format", Value(field.format));
  view.add("required", Value(field.required));
  if (field.advanced) view.add("advanced", Value(true));
  if (!field.choices.is_null()) view.add("enum", field.choices);
  if (!field.default_value.is_null()) view.add("default", field.default_value);
  return view.finish();
}

Value reply_view(const std::vector<connector::ReplyField>& fields) {
  json::ArrayBuilder list;
  for (const connector::ReplyField& field : fields) {
    json::ArrayBuilder path;
    for (const std::string& part : field.path) path.push(Value(part));
    json::ObjectBuilder view;
    view.add("path", path.finish());
    view.add("title", Value(field.title));
    if (!field.type.empty()) view.add("type", Value(field.type));
    if (!field.items.empty()) view.add("items", reply_view(field.items));
    list.push(view.finish());
  }
  return list.finish();
}

http::Response operations(const Parts& parts, const Call& call) {
  const auto connector = parts.registry.find(call.parameters[0]);
  if (!connector)
    return error_reply(make_error("ApiNotFound", "The connector '" + call.parameters[0] + "' is not installed."));
  json::ArrayBuilder list;
  for (const Operation& operation : connector->operations) {
    if (!operation.internal) list.push(about(*connector, operation).finish());
  }
  return list_response(list.finish());
}

http::Response operation(const Parts& parts, const Call& call) {
  const auto connector = parts.registry.find(call.parameters[0]);
  if (!connector)
    return error_reply(make_error("ApiNotFound", "The connector '" + call.parameters[0] + "' is not installed."));
  const Operation* found = connector->find_operation(call.parameters[1]);
  if (found == nullptr)
    return error_reply(make_error("ApiOperationNotFound", "The connector '" + connector->name + "' has no operation '" +
                                                              call.parameters[1] + "'."));
  json::ObjectBuilder view = about(*connector, *found);
  json::ArrayBuilder fields;
  for (const auto& field : connector::form_of(*connector, *found)) fields.push(field_view(field));
  view.add("parameters", fields.finish());
  view.add("reply", reply_view(connector::reply_of(*connector, *found)));
  return json_response(200, view.finish());
}

}  // namespace

std::vector<RouteEntry> operation_routes() {
  return {
      {"GET", "api/v1/connectors/{api}/operations", "read", operations},
      {"GET", "api/v1/connectors/{api}/operations/{operation}", "read", operation},
  };
}

}  // namespace flowmend::api
