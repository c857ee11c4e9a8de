// The connector gallery: import, who uses a connector, removal.

#include "api/routes.h"
#include "connector/lenient.h"
#include "connector/reference.h"

namespace flowmend::api {

namespace {

/// A document as an object, or as the text of its file, which may have the small sins of real files.
Result<Value> document_in(const Value& body, std::string_view name, Diagnostics& findings) {
  const Value* given = body.find(name);
  if (given == nullptr || given->is_null()) return Value();
  if (given->is_object()) return *given;
  if (!given->is_string())
    return make_error("InvalidRequestContent",
                      "'" + std::string(name) + "' is neither an object nor the text of a file.");
  return connector::parse_lenient(given->as_string(), name == "swagger" ? "" : "properties:", findings);
}

Value findings_view(const Diagnostics& findings) {
  json::ArrayBuilder list;
  for (const Diagnostic& finding : findings) {
    list.push(Value::object({{"pointer", finding.pointer},
                             {"severity", finding.severity == Severity::error ? "error" : "warning"},
                             {"code", finding.code},
                             {"message", finding.message},
                             {"cure", finding.cure}}));
  }
  return list.finish();
}

/// What leaves with a replacement: operations that flows may name.
Value removed_operations(const connector::Connector& before, const connector::Connector& after) {
  json::ArrayBuilder list;
  for (const auto& operation : before.operations) {
    if (after.find_operation(operation.id) == nullptr) list.push(Value(operation.id));
  }
  return list.finish();
}

http::Response import(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  if (!body->is_object()) return error_reply(make_error("InvalidRequestContent", "The body is not an object."));
  Diagnostics findings;
  const auto swagger = document_in(*body, "swagger", findings);
  if (!swagger) return error_reply(swagger.error());
  const auto properties = document_in(*body, "properties", findings);
  if (!properties) return error_reply(properties.error());
  connector::LoadOptions options;
  options.name = body->text_of("name");
  const Value* script = body->find("hasScript");
  options.has_script = script != nullptr && script->is_boolean() && script->as_boolean();
  const auto loaded = connector::load_connector(*swagger, *properties, options);
  const auto before = loaded.connector ? parts.registry.find(loaded.connector->name) : nullptr;
  const auto installed = parts.registry.install(*swagger, *properties, options);
  if (!installed) return error_reply(installed.error());
  findings.insert(findings.end(), installed->begin(), installed->end());
  const auto connector = parts.registry.find(loaded.connector->name);
  if (!connector) return error_reply(make_error("ConnectorJsonInvalid", "The connector can't be read."));
  json::ObjectBuilder answer;
  answer.add("name", Value(connector->name));
  answer.add("id", Value(connector->api_id()));
  answer.add("operations", Value(static_cast<std::int64_t>(connector->operations.size())));
  answer.add("usable", Value(static_cast<std::int64_t>(connector->usable_operations())));
  answer.add("findings", findings_view(findings));
  if (before) answer.add("removedOperations", removed_operations(*before, *connector));
  return json_response(before ? 200 : 201, answer.finish());
}

/// Flows whose connection references name the connector, and its connections.
Result<Value> uses_of(const Parts& parts, const std::string& api) {
  json::ArrayBuilder flows;
  const auto rows = parts.store.flows();
  if (!rows) return rows.error();
  for (const store::FlowRow& row : *rows) {
    const auto version = parts.store.flow_version(row.id, row.version);
    if (!version || !*version || !(*version)->connection_references.is_object()) continue;
    for (const json::Member& member : (*version)->connection_references.as_object()) {
      const auto reference = connector::resolve_reference(Value::object({{"connectionName", member.key}}),
                                                          (*version)->connection_references);
      if (!reference || !http::same_name(reference->api, api)) continue;
      flows.push(Value::object({{"flow", row.id}, {"displayName", row.display_name}}));
      break;
    }
  }
  json::ArrayBuilder connections;
  for (const auto& view : parts.connections.list()) {
    if (http::same_name(view.key.api, api))
      connections.push(Value::object({{"name", view.key.name}, {"displayName", view.display_name}}));
  }
  return Value::object({{"flows", flows.finish()}, {"connections", connections.finish()}});
}

http::Response uses(const Parts& parts, const Call& call) {
  const std::string api = connector::api_name(call.parameters[0]);
  if (!parts.registry.find(api))
    return error_reply(make_error("ApiNotFound", "The connector '" + api + "' is not installed."));
  const auto used = uses_of(parts, api);
  return used ? json_response(200, *used) : error_reply(used.error());
}

http::Response remove(const Parts& parts, const Call& call) {
  const std::string api = connector::api_name(call.parameters[0]);
  const auto used = uses_of(parts, api);
  if (!used) return error_reply(used.error());
  const std::size_t flows = used->find("flows")->size();
  const std::size_t connections = used->find("connections")->size();
  if (flows + connections > 0) {
    return error_reply(make_error("ConnectorInUse",
                                  "The connector '" + api + "' is used by " + std::to_string(flows) + " flows and " +
                                      std::to_string(connections) + " connections.",
                                  {}, "Give the flows another connector and delete the connections first."));
  }
  const auto removed = parts.registry.remove(api);
  if (!removed) return error_reply(removed.error());
  return empty_response(*removed ? 200 : 204);
}

}  // namespace

std::vector<RouteEntry> gallery_routes() {
  return {
      {"POST", "api/v1/connectors", "admin", import},
      {"GET", "api/v1/connectors/{api}/uses", "read", uses},
      {"DELETE", "providers/Microsoft.PowerApps/apis/{api}", "admin", remove},
  };
}

}  // namespace flowmend::api
