// The connector gallery: import of documents and packages, versions, who uses a connector, removal.

#include "api/routes.h"
#include "connector/gallery/gallery.h"
#include "connector/gallery/package.h"
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

Value names_view(const std::vector<std::string>& names) {
  json::ArrayBuilder list;
  for (const std::string& name : names) list.push(Value(name));
  return list.finish();
}

Value change_view(const connector::ConnectorChange& change) {
  return Value::object({{"added", names_view(change.added)},
                        {"removed", names_view(change.removed)},
                        {"changed", names_view(change.changed)},
                        {"newlyRequired", names_view(change.newly_required)}});
}

Value imported_view(const connector::Imported& imported, const Diagnostics& findings) {
  const connector::Connector& connector = *imported.connector;
  json::ObjectBuilder answer;
  answer.add("name", Value(connector.name));
  answer.add("id", Value(connector.api_id()));
  answer.add("displayName", Value(connector.title));
  answer.add("operations", Value(static_cast<std::int64_t>(connector.operations.size())));
  answer.add("usable", Value(static_cast<std::int64_t>(connector.usable_operations())));
  answer.add("version", Value(imported.version));
  answer.add("result", Value(imported.made ? "made" : imported.changed ? "changed" : "unchanged"));
  answer.add("findings", findings_view(findings));
  if (!imported.made) {
    answer.add("change", change_view(imported.change));
    answer.add("removedOperations", names_view(imported.change.removed));
  }
  return answer.finish();
}

/// Documents as objects or as text; adds what had to be mended in the text.
Result<Value> import_one(const Parts& parts, const Call& call, const Value& body, bool& made) {
  Diagnostics findings;
  const auto swagger = document_in(body, "swagger", findings);
  if (!swagger) return swagger.error();
  // As for a folder: properties that can't be read never block the definition.
  auto properties = document_in(body, "properties", findings);
  if (!properties) {
    findings.push_back({"properties:", Severity::warning, "ConnectorPropertiesInvalid",
                        "apiProperties.json is left out: " + properties.error().message, "Correct the file."});
    properties = Value();
  }
  connector::LoadOptions options;
  options.name = body.text_of("name");
  const Value* script = body.find("hasScript");
  options.has_script = script != nullptr && script->is_boolean() && script->as_boolean();
  connector::Gallery gallery(parts.store, parts.registry);
  const auto imported = gallery.import(*swagger, *properties, options, call.caller.user_name,
                                       std::string(body.text_of("from").substr(0, 200)));
  if (!imported) return imported.error();
  made = imported->made;
  findings.insert(findings.end(), imported->findings.begin(), imported->findings.end());
  return imported_view(*imported, findings);
}

http::Response import(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  if (!body->is_object()) return error_reply(make_error("InvalidRequestContent", "The body is not an object."));
  bool made = false;
  const auto imported = import_one(parts, call, *body, made);
  return imported ? json_response(made ? 201 : 200, *imported) : error_reply(imported.error());
}

/// A zip package: each connector in it by itself, so that one that is refused does not keep the others out.
http::Response import_package(const Parts& parts, const Call& call) {
  const auto found = connector::read_package(call.request.body);
  if (!found) return error_reply(found.error());
  json::ArrayBuilder list;
  for (const connector::ConnectorFiles& files : *found) {
    json::ObjectBuilder body;
    body.add("swagger", Value(files.swagger));
    if (!files.properties.empty()) body.add("properties", Value(files.properties));
    if (!files.name.empty()) body.add("name", Value(files.name));
    body.add("hasScript", Value(files.has_script));
    body.add("from", Value(files.place));
    bool made = false;
    const auto imported = import_one(parts, call, body.finish(), made);
    json::ObjectBuilder row(imported ? *imported : Value::empty_object());
    row.add("file", Value(files.place));
    if (!imported) {
      row.add("result", Value("refused"));
      row.add("error", Value::object({{"code", imported.error().code},
                                      {"message", imported.error().message},
                                      {"cure", imported.error().cure}}));
    }
    list.push(row.finish());
  }
  return list_response(list.finish());
}

http::Response versions(const Parts& parts, const Call& call) {
  const auto found = connector::Gallery(parts.store, parts.registry).versions(call.parameters[0]);
  if (!found) return error_reply(found.error());
  json::ArrayBuilder list;
  for (const connector::ConnectorVersion& version : *found) {
    json::ObjectBuilder row;
    row.add("version", Value(version.number));
    row.add("current", Value(version.current));
    if (version.time.is_set()) row.add("time", Value(to_string(version.time)));
    if (!version.by.empty()) row.add("by", Value(version.by));
    if (!version.from.empty()) row.add("from", Value(version.from));
    row.add("operations", Value(static_cast<std::int64_t>(version.operations)));
    row.add("change", change_view(version.change));
    list.push(row.finish());
  }
  return list_response(list.finish());
}

http::Response restore(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const Value* number = body->find("version");
  if (number == nullptr || !number->is_integer())
    return error_reply(make_error("InvalidRequestContent", "The body has no number 'version'."));
  connector::Gallery gallery(parts.store, parts.registry);
  const auto restored = gallery.restore(call.parameters[0], number->as_integer(), call.caller.user_name);
  if (!restored) return error_reply(restored.error());
  return json_response(200, imported_view(*restored, restored->findings));
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
  const auto all = uses_of(parts, api);
  if (!all) return error_reply(all.error());
  json::ArrayBuilder flows;
  for (const Value& flow : all->find("flows")->as_array()) {
    if (call.access->sees_flow(flow.text_of("flow"))) flows.push(flow);
  }
  json::ArrayBuilder connections;
  for (const Value& one : all->find("connections")->as_array()) {
    if (call.access->connection({api, std::string(one.text_of("name"))}) >= Level::use) connections.push(one);
  }
  const Result<Value> used = Value::object({{"flows", flows.finish()}, {"connections", connections.finish()}});
  return used ? json_response(200, *used) : error_reply(used.error());
}

/// `the flows 'A', 'B' and 3 more`; empty for none.
std::string names_of(const Value& users, const std::string& what) {
  constexpr std::size_t named_max = 5;
  if (users.size() == 0) return {};
  std::string text = users.size() == 1 ? "the " + what + " " : "the " + what + "s ";
  for (std::size_t i = 0; i < users.size() && i < named_max; ++i)
    text += (i == 0 ? "'" : ", '") + std::string(users.as_array()[i].text_of("displayName")) + "'";
  if (users.size() > named_max) text += " and " + std::to_string(users.size() - named_max) + " more";
  return text;
}

http::Response remove(const Parts& parts, const Call& call) {
  const std::string api = connector::api_name(call.parameters[0]);
  const auto used = uses_of(parts, api);
  if (!used) return error_reply(used.error());
  const std::size_t flows = used->find("flows")->size();
  const std::size_t connections = used->find("connections")->size();
  if (flows + connections > 0) {
    return error_reply(make_error("ConnectorInUse",
                                  "The connector '" + api + "' is used by " + names_of(*used->find("flows"), "flow") +
                                      (flows > 0 && connections > 0 ? " and " : "") +
                                      names_of(*used->find("connections"), "connection") + ".",
                                  {}, "Give the flows another connector and delete the connections first."));
  }
  const auto removed = connector::Gallery(parts.store, parts.registry).remove(api);
  if (!removed) return error_reply(removed.error());
  return empty_response(*removed ? 200 : 204);
}

}  // namespace

std::vector<RouteEntry> gallery_routes() {
  return {
      {"POST", "api/v1/connectors", "admin", import},
      {"POST", "api/v1/connectors/package", "admin", import_package},
      {"GET", "api/v1/connectors/{api}/versions", "read", versions},
      {"POST", "api/v1/connectors/{api}/restore", "admin", restore},
      {"GET", "api/v1/connectors/{api}/uses", "read", uses},
      {"DELETE", "providers/Microsoft.PowerApps/apis/{api}", "admin", remove},
  };
}

}  // namespace flowmend::api
