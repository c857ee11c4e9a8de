// Connectors and connections, PowerApps shapes (rest-api.md 3.8), and our verify.

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "api/changed_flows.h"
#include "api/repoint.h"
#include "api/routes.h"
#include "api/views.h"

namespace flowmend::api {

namespace {

#define APIS "providers/Microsoft.PowerApps/apis"

const char* parameter_type(connector::ConnectionParameter::Kind kind) {
  using Kind = connector::ConnectionParameter::Kind;
  switch (kind) {
    case Kind::secure_string: return "securestring";
    case Kind::oauth: return "oauthSetting";
    default: return "string";
  }
}

Value parameters_view(const connector::Connector& connector) {
  json::ObjectBuilder parameters;
  for (const auto& parameter : connector.connection_parameters) {
    parameters.add(
        parameter.name,
        Value::object(
            {{"type", parameter_type(parameter.kind)},
             {"uiDefinition",
              Value::object({{"displayName", parameter.display_name},
                             {"constraints", Value::object({{"required", parameter.required ? "true" : "false"},
                                                            {"hidden", parameter.hidden ? "true" : "false"}})}})}}));
  }
  return parameters.finish();
}

/// The values of a new connection: `connectionParameters`, or the form of one of several kinds of sign-in, in which
/// each value stands in an object of its own: `connectionParametersSet` (Logic Apps calls it `parameterValueSet`).
Result<connector::ConnectionValues> given_values(const Value& properties) {
  const Value* set = properties.find("connectionParametersSet");
  if (set == nullptr) set = properties.find("parameterValueSet");
  if (set == nullptr || set->is_null()) {
    const Value* fields = properties.find("connectionParameters");
    return connector::ConnectionValues(fields == nullptr ? Value::empty_object() : *fields);
  }
  const auto invalid = [](const char* what) {
    return make_error("InvalidConnectionParameters", what, "/properties/connectionParametersSet",
                      "Send {\"name\": ..., \"values\": {\"field\": {\"value\": ...}}}.");
  };
  if (!set->is_object() || set->text_of("name").empty()) return invalid("The set of parameters has no name.");
  json::ObjectBuilder fields;
  if (const Value* values = set->find("values"); values != nullptr && values->is_object()) {
    for (const json::Member& member : values->as_object()) {
      const Value* value = member.value.is_object() ? member.value.find("value") : &member.value;
      if (value == nullptr) return invalid("A value of the set of parameters has no 'value'.");
      fields.set(member.name(), *value);
    }
  } else if (values != nullptr) {
    return invalid("The values of the set of parameters are no object.");
  }
  return connector::ConnectionValues(fields.finish(), std::string(set->text_of("name")));
}

Value connector_view(const connector::Connector& connector, bool whole) {
  json::ObjectBuilder properties;
  properties.add("displayName", Value(connector.title));
  properties.add("description", Value(connector.description));
  if (!connector.icon_color.empty()) properties.add("iconBrandColor", Value(connector.icon_color));
  properties.add("connectionParameters", parameters_view(connector));
  if (!connector.parameter_sets.empty()) {
    json::ArrayBuilder sets;
    for (const connector::ParameterSet& set : connector.parameter_sets) {
      sets.push(Value::object(
          {{"name", set.name},
           {"uiDefinition", Value::object({{"displayName", set.display_name}, {"description", set.description}})},
           {"metadata", Value::object({{"allowSharing", set.may_be_shared}})},
           {"parameters", parameters_view(*set.connector)}}));
    }
    properties.add("connectionParameterSets",
                   Value::object({{"uiDefinition", Value::object({{"displayName", connector.parameter_sets_title}})},
                                  {"values", sets.finish()}}));
  }
  properties.add("runtimeUrls", Value::array({Value(connector.service_url())}));
  properties.add("primaryRuntimeUrl", Value(connector.service_url()));
  properties.add("tier", "Standard");
  properties.add("isCustomApi", Value(true));
  if (whole) properties.add("swagger", connector.swagger);
  json::ArrayBuilder operations;
  for (const auto& operation : connector.operations)
    operations.push(Value::object({{"operationId", operation.id}, {"summary", operation.summary}}));
  properties.add("flowmend", Value::object({{"operations", static_cast<std::int64_t>(connector.operations.size())},
                                            {"usable", static_cast<std::int64_t>(connector.usable_operations())},
                                            {"version", connector.version},
                                            {"builtIn", connector.native != nullptr},
                                            {"operationList", operations.finish()}}));
  return Value::object({{"name", connector.name},
                        {"id", connector.api_id()},
                        {"type", "/providers/Microsoft.PowerApps/apis"},
                        {"properties", properties.finish()}});
}

http::Response list_connectors(const Parts& parts, const Call&) {
  json::ArrayBuilder list;
  for (const auto& connector : parts.registry.list()) list.push(connector_view(*connector, false));
  return list_response(list.finish());
}

http::Response get_connector(const Parts& parts, const Call& call) {
  const auto connector = parts.registry.find(call.parameters[0]);
  if (!connector)
    return error_reply(make_error("ApiNotFound", "The connector '" + call.parameters[0] + "' is not installed."));
  return json_response(200, connector_view(*connector, true));
}

http::Response list_connections(const Parts& parts, const Call& call) {
  std::vector<connector::ConnectionView> views = parts.connections.list();
  if (!call.parameters.empty() && call.request.path.find("/apis/") != std::string::npos) {
    std::erase_if(views, [&](const auto& view) { return !http::same_name(view.key.api, call.parameters[0]); });
  }
  std::erase_if(views, [&](const auto& view) { return call.access->connection(view.key) < Level::use; });
  return list_response(connection_views(parts, call, views));
}

Error no_connection(const std::string& name) {
  return make_error("ConnectionNotFound", "The connection '" + name + "' could not be found.", {},
                    "It may have been deleted; list the connections.");
}

http::Response get_connection(const Parts& parts, const Call& call) {
  const auto view = parts.connections.find({call.parameters[0], call.parameters[1]});
  if (!view) return error_reply(no_connection(call.parameters[1]));
  return json_response(200, connection_view(parts, call, *view));
}

/// Waits on a worker thread for what a probe of the service brings.
template <class Begin>
Result<connector::Verification> wait_for(const Begin& begin) {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<Result<connector::Verification>> result;
  begin([&](Result<connector::Verification> got) {
    std::lock_guard lock(mutex);
    result.emplace(std::move(got));
    ended.notify_one();
  });
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return result.has_value(); });
  return std::move(*result);
}

http::Response put_connection(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const Value* properties = body->find("properties");
  if (properties == nullptr || !properties->is_object())
    return error_reply(make_error("InvalidRequestContent", "The body has no object 'properties'."));
  const auto values = given_values(*properties);
  if (!values) return error_reply(values.error());
  const connector::ConnectionKey key{connector::api_name(call.parameters[0]), call.parameters[1]};
  const bool existed = parts.connections.find(key).has_value();
  const std::string display_name(properties->text_of("displayName", call.parameters[1]));
  const auto verified =
      wait_for([&](auto done) { parts.connections.put(key, display_name, *values, call.caller.user_name, done); });
  if (!verified) return error_reply(verified.error());
  const auto view = parts.connections.find(key);
  if (!view) return error_reply(no_connection(call.parameters[1]));
  return json_response(existed ? 200 : 201, connection_view(parts, call, *view));
}

http::Response delete_connection(const Parts& parts, const Call& call) {
  const auto removed = parts.connections.remove({call.parameters[0], call.parameters[1]});
  if (!removed) return error_reply(removed.error());
  // Another one of that name is another's to share.
  static_cast<void>(parts.store.erase_document(
      share_kind, share_key(connector::ConnectionKey{call.parameters[0], call.parameters[1]})));
  return empty_response(*removed ? 200 : 204);
}

http::Response put_settings(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const connector::ConnectionKey key{call.parameters[0], call.parameters[1]};
  const Value* rate = body->find("requestsPerMinute");
  // What is no whole number is refused with the rule's own words.
  const auto set = parts.connections.set_rate(key, rate != nullptr && rate->is_integer() ? rate->as_integer() : -1);
  if (!set) return error_reply(set.error());
  const auto view = parts.connections.find(key);
  if (!view) return error_reply(no_connection(call.parameters[1]));
  return json_response(200, connection_view(parts, call, *view));
}

http::Response verify(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const connector::ConnectionKey key{call.parameters[0], call.parameters[1]};
  if (!parts.connections.find(key)) return error_reply(no_connection(call.parameters[1]));
  const Value* credentials = body->find("credentials");
  const std::string target = key.api + "/" + key.name;
  std::size_t waiting = 0;  // before: a good answer lets them go by itself
  for (const auto& held : parts.runtime.held()) waiting += held.target == target ? held.runs : 0;
  const auto verified = wait_for(
      [&](auto done) { parts.connections.verify(key, credentials == nullptr ? Value() : *credentials, done); });
  if (!verified) return error_reply(verified.error());
  json::ObjectBuilder answer;
  if (verified->status == connector::ConnectionStatus::connected) {
    // Whoever waits for the connection goes on, the first as a try.
    static_cast<void>(parts.runtime.release_held(target, call.caller.user_name));
    if (waiting > 0) answer.add("releasedRuns", Value(static_cast<std::int64_t>(waiting)));
  }
  answer.add("status", Value(connector::status_name(verified->status)));
  answer.add("stored", Value(verified->stored));
  answer.add("affectedRuns", Value(static_cast<std::int64_t>(verified->affected_runs)));
  if (!verified->tested) answer.add("tested", Value(false));
  if (verified->status == connector::ConnectionStatus::error) {
    answer.add("error", Value::object({{"code", verified->error_code}, {"message", verified->error_message}}));
    if (verified->service_status != 0)
      answer.add("service",
                 Value::object({{"statusCode", verified->service_status}, {"body", verified->service_body}}));
  }
  return json_response(200, answer.finish());
}

/// What depends on a connection: each flow with its runs of the last seven days.
http::Response usage(const Parts& parts, const Call& call) {
  constexpr std::size_t counted_max = 10'000;
  constexpr std::size_t flows_max = 100;
  const auto view = parts.connections.find({call.parameters[0], call.parameters[1]});
  if (!view) return error_reply(no_connection(call.parameters[1]));
  const Value described = connection_view(parts, call, *view);
  const auto& flows = described.find("properties")->find("flowmend")->find("usedBy")->as_array();
  const Timestamp from = now_from_system_clock() - Duration::days(7);
  const auto count = [&](const std::string& flow, std::optional<store::RunStatus> status) {
    store::RunQuery query;
    query.flow = flow;
    query.status = status;
    query.from = from;
    const auto counted = parts.store.count_runs(query, counted_max);
    return static_cast<std::int64_t>(counted ? *counted : 0);
  };
  json::ArrayBuilder list;
  for (const Value& flow : flows) {
    if (list.size() >= flows_max) break;
    const std::string id(flow.text_of("flow"));
    const std::int64_t runs = count(id, std::nullopt);
    json::ObjectBuilder entry(flow);
    entry.add("runs", Value(runs));
    entry.add("failed", Value(count(id, store::RunStatus::failed) + count(id, store::RunStatus::timed_out)));
    if (runs >= static_cast<std::int64_t>(counted_max)) entry.add("more", Value(true));
    list.push(entry.finish());
  }
  json::ObjectBuilder body;
  body.add("from", Value(to_string(from)));
  if (flows.size() > flows_max) body.add("more", Value(true));
  body.add("flows", list.finish());
  return json_response(200, body.finish());
}

/// Saves a flow with another connection in the place of one.
Result<store::FlowRow> replace_in(const Parts& parts, const Call& call, const store::FlowRow& row,
                                  const store::FlowVersionRow& version, const Repointed& changed) {
  if (call.access->flow(row.id) < Level::edit)
    return make_error("AuthorizationFailed", "You may not edit this flow.", {}, "Ask its owner to do it.");
  if (!changed.still_at.empty())
    return make_error("ConnectionNamedInDefinition", "A step names the connection by an address of its own.",
                      changed.still_at, "Edit the flow there.");
  runtime::FlowDraft draft = draft_of(row, &version);
  draft.connection_references = changed.references;
  draft.parameter_values = changed.parameter_values;
  if (const auto may =
          call.access->may_save(draft.definition, draft.connection_references, draft.parameter_values, &version);
      !may)
    return may.error();
  return save_shared(parts, call, row.id, draft);
}

/// Flows use another connection of the same connector from now on: all that use this one, or those that are named.
http::Response replace(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const connector::ConnectionKey from{connector::api_name(call.parameters[0]), call.parameters[1]};
  const std::string with(body->text_of("with"));
  if (!parts.connections.find(from)) return error_reply(no_connection(from.name));
  const auto other = parts.connections.find({from.api, with});
  if (with == from.name || !other || call.access->connection(other->key) < Level::use) {
    return error_reply(make_error("InvalidReplacement",
                                  "There is no other connection '" + with + "' of '" + from.api + "' that you may use.",
                                  "/with", "Give 'with': the name of a connection of the same connector."));
  }
  const Value* chosen = body->find("flows");
  if (chosen != nullptr && !chosen->is_array())
    return error_reply(make_error("InvalidRequestContent", "'flows' is no list.", "/flows", "Send the flows' ids."));
  const auto rows = parts.store.flows();
  if (!rows) return error_reply(rows.error());
  ChangedFlows flows;
  for (const store::FlowRow& row : *rows) {
    const auto is_row = [&](const Value& id) { return id == Value(row.id); };
    if (chosen != nullptr && !std::ranges::any_of(chosen->as_array(), is_row)) continue;
    if (!call.access->sees_flow(row.id)) continue;
    const auto version = parts.store.flow_version(row.id, row.version);
    if (!version) return error_reply(version.error());
    if (!*version) continue;
    const Repointed led =
        repoint((*version)->definition, (*version)->connection_references, (*version)->parameter_values, from, with);
    if (!led.uses) continue;
    flows.add(row, replace_in(parts, call, row, **version, led));
  }
  json::ObjectBuilder out;
  flows.write(out);
  return json_response(200, out.finish());
}

}  // namespace

std::vector<RouteEntry> connection_routes() {
  return {
      {"GET", APIS, "read", list_connectors},
      {"GET", APIS "/{api}", "read", get_connector},
      {"GET", APIS "/{api}/connections", "read", list_connections},
      {"GET", APIS "/{api}/connections/{name}", "read", get_connection},
      {"PUT", APIS "/{api}/connections/{name}", "write", put_connection},
      {"DELETE", APIS "/{api}/connections/{name}", "write", delete_connection, Level::own},
      {"GET", "providers/Microsoft.PowerApps/connections", "read", list_connections},
      {"GET", "providers/Microsoft.PowerApps/environments/{env}/connections", "read", list_connections},
      {"POST", "api/v1/connections/{api}/{name}/verify", "write", verify},
      {"GET", "api/v1/connections/{api}/{name}/usage", "read", usage},
      {"POST", "api/v1/connections/{api}/{name}/replace", "write", replace, Level::use},
      {"PUT", "api/v1/connections/{api}/{name}/settings", "write", put_settings},
  };
}

}  // namespace flowmend::api
