// What can stand in a connector step's parameters, asked live: values, trees and shapes (connector/dynamic/).

#include "api/routes.h"
#include "connector/dynamic/dynamic.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::api {

namespace {

using connector::DynamicArgument;
using connector::DynamicSource;

Result<connector::DynamicQuestion> question_of(const Call& call) {
  const auto body = body_of(call);
  if (!body) return body.error();
  connector::DynamicQuestion question;
  question.connection = {connector::api_name(call.parameters[0]), call.parameters[1]};
  question.operation = body->text_of("operationId");
  question.parameter = body->text_of("parameter");
  if (question.operation.empty())
    return make_error("InvalidRequestContent", "The body has no 'operationId'.", {}, "Name the step's operation.");
  if (const Value* parameters = body->find("parameters"); parameters != nullptr && !parameters->is_null()) {
    if (!parameters->is_object())
      return make_error("InvalidRequestContent", "'parameters' is not an object.", {}, "Send the step's parameters.");
    question.parameters = *parameters;
  }
  if (const Value* selected = body->find("selected"); selected != nullptr && !selected->is_null()) {
    auto item = selected->is_string() ? json::parse(selected->as_string()) : Result<Value>(Value());
    if (!item || item->is_null())
      return make_error("InvalidRequestContent", "'selected' is not the 'item' of a node.", {},
                        "Send it back as it came.");
    question.selected = std::move(*item);
  }
  const Value* refresh = body->find("refresh");
  question.refresh = refresh != nullptr && refresh->is_boolean() && refresh->as_boolean();
  return question;
}

const char* kind_of(const DynamicSource& source) {
  switch (source.kind) {
    case DynamicSource::Kind::tree: return "tree";
    case DynamicSource::Kind::schema: return "schema";
    default: return "values";
  }
}

Value view_of(const connector::DynamicParameter& parameter) {
  json::ObjectBuilder view;
  view.add("name", Value(parameter.name));
  view.add("title", Value(parameter.title));
  view.add("required", Value(parameter.required));
  view.add("kind", Value(kind_of(parameter.source)));
  json::ArrayBuilder needs;
  for (const DynamicArgument& argument : parameter.source.open.arguments) {
    if (argument.from == DynamicArgument::From::parameter) needs.push(Value(argument.path));
  }
  view.add("needs", needs.finish());
  if (!parameter.source.unsupported.code.empty()) view.add("unsupported", Value(parameter.source.unsupported.message));
  return view.finish();
}

template <class T, class View>
http::Response list_reply(const Result<connector::DynamicList<T>>& list, const View& view) {
  if (!list) return error_reply(list.error());
  json::ArrayBuilder items;
  for (const T& item : list->items) items.push(view(item));
  json::ObjectBuilder body;
  body.add("value", items.finish());
  body.add("time", Value(to_string(list->asked)));
  if (list->more) body.add("more", Value(true));
  return json_response(200, body.finish());
}

http::Response parameters(const Parts& parts, const Call& call) {
  const auto question = question_of(call);
  if (!question) return error_reply(question.error());
  const auto found = parts.dynamic.parameters(*question);
  if (!found) return error_reply(found.error());
  json::ArrayBuilder list;
  for (const auto& parameter : *found) list.push(view_of(parameter));
  return list_response(list.finish());
}

http::Response values(const Parts& parts, const Call& call) {
  const auto question = question_of(call);
  if (!question) return error_reply(question.error());
  return list_reply(parts.dynamic.values(*question), [](const connector::Choice& choice) {
    return Value::object({{"value", choice.value}, {"literal", json::write(choice.value)}, {"title", choice.title}});
  });
}

http::Response tree(const Parts& parts, const Call& call) {
  const auto question = question_of(call);
  if (!question) return error_reply(question.error());
  return list_reply(parts.dynamic.tree(*question), [](const connector::TreeNode& node) {
    return Value::object({{"value", node.value},
                          {"literal", json::write(node.value)},
                          {"title", node.title},
                          {"fullTitle", node.full_title},
                          {"parent", node.parent},
                          {"selectable", node.selectable},
                          {"item", json::write(node.item)}});
  });
}

http::Response shape(const Parts& parts, const Call& call) {
  const auto question = question_of(call);
  if (!question) return error_reply(question.error());
  const auto found = parts.dynamic.shape(*question);
  if (!found) return error_reply(found.error());
  return json_response(200, Value::object({{"schema", found->schema}, {"time", to_string(found->asked)}}));
}

}  // namespace

std::vector<RouteEntry> dynamic_routes() {
  // They use a connection's credentials: whoever may write flows may ask, nobody else.
  return {
      {"POST", "api/v1/connections/{api}/{name}/dynamic-parameters", "write", parameters, Level::use},
      {"POST", "api/v1/connections/{api}/{name}/dynamic-values", "write", values, Level::use},
      {"POST", "api/v1/connections/{api}/{name}/dynamic-tree", "write", tree, Level::use},
      {"POST", "api/v1/connections/{api}/{name}/dynamic-schema", "write", shape, Level::use},
  };
}

}  // namespace flowmend::api
