// Connections as the API shows them.

#include "connector/connection_document.h"
#include "connector/connections.h"
#include "connector/reference.h"
#include "connector/sign_in.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

std::string_view sign_in_state(const ConnectionView& view) {
  if (!view.signed_in) return "None";
  if (view.signed_in->refusal.empty()) return "SignedIn";
  const bool holds = view.status == ConnectionStatus::connected && view.signed_in->expires > now_from_system_clock();
  return holds ? "Expiring" : "Expired";
}

}  // namespace

std::map<ConnectionKey, std::vector<Value>> Connections::flows_by_connection() const {
  std::map<ConnectionKey, std::vector<Value>> out;
  const auto flows = store_.flows();
  if (!flows) return out;
  for (const store::FlowRow& flow : *flows) {
    const auto version = store_.flow_version(flow.id, flow.version);
    if (!version || !version->has_value() || !(*version)->connection_references.is_object()) continue;
    std::set<ConnectionKey> seen;
    for (const json::Member& member : (*version)->connection_references.as_object()) {
      const Value host = Value::object({{"connectionName", member.key}});
      const auto reference = resolve_reference(host, (*version)->connection_references);
      if (!reference || !seen.insert({reference->api, reference->name}).second) continue;
      out[{reference->api, reference->name}].push_back(
          Value::object({{"flow", Value(flow.id)}, {"displayName", Value(flow.display_name)}}));
    }
  }
  return out;
}

Value Connections::describe(const ConnectionView& view) const { return describe_all({view}).front(); }

std::vector<Value> Connections::describe_all(const std::vector<ConnectionView>& views) const {
  const auto flows = flows_by_connection();
  std::vector<Value> out;
  for (const ConnectionView& view : views) {
    const auto found = flows.find(view.key);
    out.push_back(describe(view, found == flows.end() ? std::vector<Value>() : found->second));
  }
  return out;
}

Value Connections::describe(const ConnectionView& view, const std::vector<Value>& used_by) const {
  const std::string api_id = "/providers/Microsoft.PowerApps/apis/" + view.key.api;
  const auto connector = connector_of(view);
  json::ObjectBuilder status;
  status.add("status", Value(status_name(view.status)));
  if (view.status == ConnectionStatus::error) {
    status.add("target",
               connector && kind_of(*connector) == ConnectionKind::bearer ? Value("token") : Value("credentials"));
    status.add("error", Value::object({{"code", Value(view.error_code)}, {"message", Value(view.error_message)}}));
  }

  json::ArrayBuilder fields;
  std::string account;
  if (connector) {
    for (const ConnectionParameter& parameter : connector->connection_parameters) {
      if (parameter.hidden) continue;
      json::ObjectBuilder field;
      field.add("name", Value(parameter.name));
      field.add("displayName", Value(parameter.display_name));
      field.add("secret", Value(is_secret(parameter)));
      field.add("required", Value(parameter.required));
      if (!is_secret(parameter)) {
        if (const Value* value = view.clear_fields.find(parameter.name)) {
          field.add("value", *value);
          if (account.empty() && equals_ignoring_case(parameter.name, "username")) account = text_of_value(*value);
        }
      }
      fields.push(field.finish());
    }
  }
  json::ObjectBuilder own;
  own.add("connectorDisplayName", Value(connector ? connector->title : view.key.api));
  own.add("kind", Value(connector ? kind_name(kind_of(*connector)) : "none"));
  own.add("fields", fields.finish());
  own.add("usedBy", Value::array(std::vector<Value>(used_by)));
  add_time(own, "lastSuccessTime", view.last_success);
  if (view.last_failure) own.add("lastFailure", failure_value(*view.last_failure));
  own.add("affectedRuns", Value(static_cast<std::int64_t>(view.affected_runs)));
  if (view.requests_per_minute > 0) own.add("requestsPerMinute", Value(view.requests_per_minute));
  if (connector && sign_in_field(*connector) != nullptr) {
    json::ObjectBuilder sign_in;
    if (view.signed_in) sign_in = json::ObjectBuilder(signed_in_value(*view.signed_in));
    sign_in.add("state", Value(sign_in_state(view)));
    if (const auto registered = sign_ins_->registration(view.key.api); registered && registered->is_object())
      sign_in.add("missing", *registered->find("missing"));
    own.add("signIn", sign_in.finish());
  }

  json::ObjectBuilder properties;
  properties.add("apiId", Value(api_id));
  properties.add("displayName", Value(view.display_name));
  properties.add("statuses", Value::array({status.finish()}));
  if (!view.created_by.empty())
    properties.add("createdBy",
                   Value::object({{"id", Value(view.created_by)}, {"displayName", Value(view.created_by)}}));
  add_time(properties, "createdTime", view.created);
  add_time(properties, "lastModifiedTime", view.modified);
  if (!account.empty()) properties.add("accountName", Value(account));
  const Value shown = view.clear_fields.is_object() ? view.clear_fields : Value::empty_object();
  properties.add("connectionParameters", shown);
  if (!view.parameter_set.empty()) {
    json::ObjectBuilder values;
    for (const json::Member& member : shown.as_object())
      values.add(member.name(), Value::object({{"value", member.value}}));
    properties.add("connectionParametersSet",
                   Value::object({{"name", Value(view.parameter_set)}, {"values", values.finish()}}));
  }
  properties.add("flowmend", own.finish());

  return Value::object({{"name", Value(view.key.name)},
                        {"id", Value(api_id + "/connections/" + view.key.name)},
                        {"type", Value("Microsoft.PowerApps/apis/connections")},
                        {"properties", properties.finish()}});
}

}  // namespace flowmend::connector
