// Flows and their triggers, Flow family (rest-api.md 3).

#include <algorithm>

#include "api/routes.h"
#include "api/views.h"
#include "definition/flow.h"

namespace flowmend::api {

namespace {

#define FLOWS "providers/Microsoft.ProcessSimple/environments/{env}/flows"

Value environment_view() {
  return Value::object(
      {{"name", "default"},
       {"id", environment_id()},
       {"type", "Microsoft.ProcessSimple/environments"},
       {"location", "flowmend"},
       {"properties", Value::object({{"displayName", "Default"},
                                     {"provisioningState", "Succeeded"},
                                     {"environmentSku", "Default"},
                                     {"azureRegionHint", "local"},
                                     {"isDefault", true},
                                     {"states", Value::object({{"runtime", Value::object({{"id", "Enabled"}})}})}})}});
}

http::Response environments(const Parts&, const Call&) { return list_response(Value::array({environment_view()})); }
http::Response environment(const Parts&, const Call&) { return json_response(200, environment_view()); }

http::Response list_flows(const Parts& parts, const Call& call) {
  const auto top = top_of(call, 50, 250);
  if (!top) return error_reply(top.error());
  auto rows = parts.store.flows();
  if (!rows) return error_reply(rows.error());
  // Newest change first; the id breaks ties, so that a page begins where the last one ended.
  std::ranges::sort(
      *rows, [](const auto& a, const auto& b) { return a.changed != b.changed ? a.changed > b.changed : a.id < b.id; });
  const std::string after(call.query_value("$skiptoken"));
  auto at = rows->begin();
  if (!after.empty()) {
    at = std::ranges::find_if(*rows, [&](const auto& row) { return row.id == after; });
    if (at == rows->end())
      return error_reply(make_error("InvalidContinuationToken", "The list's $skiptoken is not valid any more.", {},
                                    "Read the list from its first page."));
    ++at;
  }
  // What a person owns, or what others share with the person (rest-api.md 3); neither: all that the person may see.
  const auto filter = call.query_value("$filter");
  const bool personal = filter.find("search('personal')") != std::string_view::npos;
  const bool team = filter.find("search('team')") != std::string_view::npos;
  const auto listed = [&](const std::string& id) {
    if (!call.access->sees_flow(id)) return false;
    if (personal == team) return true;
    const Shares shares = call.access->shares_of_flow(id);
    const auto own = shares.find(call.caller.account);
    if (own == shares.end()) return false;
    return personal == (own->second == Level::own);
  };
  json::ArrayBuilder list;
  std::string last;
  for (; at != rows->end() && list.size() < *top; ++at) {
    if (!listed(at->id)) continue;
    list.push(flow_view(parts, call, *at, false));
    last = at->id;
  }
  return list_response(list.finish(), at == rows->end() ? "" : next_link(call, last));
}

Error refused_save(const Diagnostics& diagnostics) {
  for (const Diagnostic& d : diagnostics) {
    if (d.severity == Severity::error) return make_error(d.code, d.message, d.pointer, d.cure);
  }
  return make_error("InvalidTemplate", "The definition was refused.");
}

http::Response refusal(const Diagnostics& diagnostics) {
  const Error first = refused_save(diagnostics);
  json::ArrayBuilder details;
  for (const Diagnostic& d : diagnostics) {
    if (d.severity != Severity::error) continue;
    details.push(Value::object({{"code", d.code},
                                {"message", d.message},
                                {"target", d.pointer},
                                {"cure", d.cure},
                                {"begin", d.begin},
                                {"end", d.end}}));
  }
  return json_response(
      400,
      Value::object({{"error", Value::object({{"code", first.code},
                                              {"message", first.message + (first.cure.empty() ? "" : " " + first.cure)},
                                              {"details", details.finish()}})}}));
}

/// What a body changes of a flow; `draft` holds what is there now.
Result<void> read_draft(const Value& body, runtime::FlowDraft& draft) {
  if (!body.is_object()) return make_error("InvalidRequestContent", "The body must be an object with 'properties'.");
  const Value* properties = body.find("properties");
  if (properties == nullptr || !properties->is_object())
    return make_error("InvalidRequestContent", "The body has no object 'properties'.", {},
                      "Send {\"properties\": {\"displayName\", \"definition\"}}.");
  if (const Value* name = properties->find("displayName")) {
    if (!name->is_string() || name->as_string().empty())
      return make_error("InvalidRequestContent", "'displayName' must be a text.");
    draft.display_name = std::string(name->as_string());
  }
  if (const Value* definition = properties->find("definition")) draft.definition = *definition;
  if (const Value* references = properties->find("connectionReferences")) draft.connection_references = *references;
  if (const Value* parameters = properties->find("parameters")) draft.parameter_values = *parameters;
  const auto state = properties->text_of("state");
  if (http::same_name(state, "Started")) draft.state = store::FlowState::started;
  if (http::same_name(state, "Stopped")) draft.state = store::FlowState::stopped;
  json::ObjectBuilder kept(draft.properties.is_object() ? draft.properties : Value::empty_object());
  if (const Value* description = properties->find("description")) kept.set("description", *description);
  const Value* own = properties->find("flowmend");
  if (const Value* choice = own == nullptr ? nullptr : own->find("onOutage")) {
    if (*choice != Value("hold") && *choice != Value("fail"))
      return make_error("InvalidRequestContent", "'onOutage' must be hold or fail.", "/properties/flowmend/onOutage");
    kept.set("onOutage", *choice);
  }
  if (Value all = kept.finish(); all.size() > 0) draft.properties = std::move(all);
  return {};
}

http::Response create_flow(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  runtime::FlowDraft draft;
  draft.environment = "default";
  draft.connection_references = Value::empty_object();
  if (const auto read = read_draft(*body, draft); !read) return error_reply(read.error());
  if (draft.display_name.empty())
    return error_reply(make_error("InvalidRequestContent", "A flow needs a 'displayName'."));
  if (const auto may =
          call.access->may_save(draft.definition, draft.connection_references, draft.parameter_values, nullptr);
      !may)
    return error_reply(may.error());
  const auto saved = parts.runtime.flows().create(draft, call.caller.user_name);
  if (!saved) return error_reply(saved.error());
  if (!saved->flow) return refusal(saved->diagnostics);
  return json_response(201, flow_view(parts, call, *saved->flow, true));
}

http::Response get_flow(const Parts& parts, const Call& call) {
  const auto live = parts.runtime.flows().find(call.parameters[1]);
  if (!live) return error_reply(live.error());
  return json_response(200, flow_view(parts, call, (*live)->row, true));
}

http::Response update_flow(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto live = parts.runtime.flows().find(call.parameters[1]);
  if (!live) return error_reply(live.error());
  const store::FlowRow& row = (*live)->row;
  const auto version = parts.store.flow_version(row.id, row.version);
  if (!version) return error_reply(version.error());
  runtime::FlowDraft draft = draft_of(row, *version ? &**version : nullptr);
  if (const auto read = read_draft(*body, draft); !read) return error_reply(read.error());
  if (const auto may = call.access->may_save(draft.definition, draft.connection_references, draft.parameter_values,
                                             *version ? &**version : nullptr);
      !may)
    return error_reply(may.error());
  const auto saved = parts.runtime.flows().update(row.id, draft, call.caller.user_name);
  if (!saved) return error_reply(saved.error());
  if (!saved->flow) return refusal(saved->diagnostics);
  return json_response(200, flow_view(parts, call, *saved->flow, true));
}

http::Response delete_flow(const Parts& parts, const Call& call) {
  const auto live = parts.runtime.flows().find(call.parameters[1]);
  if (!live && live.error().code == "FlowNotFound") return empty_response(204);
  if (!live) return error_reply(live.error());
  const auto erased = parts.runtime.flows().erase((*live)->row.id);
  if (!erased) return error_reply(erased.error());
  static_cast<void>(parts.store.erase_document(share_kind, share_key((*live)->row.id)));
  return empty_response(200);
}

http::Response set_state(const Parts& parts, const Call& call, store::FlowState state) {
  const auto live = parts.runtime.flows().find(call.parameters[1]);
  if (!live) return error_reply(live.error());
  const auto set = parts.runtime.flows().set_state((*live)->row.id, state, call.caller.user_name);
  return set ? empty_response(200) : error_reply(set.error());
}

http::Response list_triggers(const Parts& parts, const Call& call) {
  const auto live = parts.runtime.flows().find(call.parameters[1]);
  if (!live) return error_reply(live.error());
  json::ArrayBuilder list;
  for (const auto& flow : definition::by_trigger((*live)->flow)) list.push(trigger_view(parts, (*live)->row, *flow));
  return list_response(list.finish());
}

http::Response get_trigger(const Parts& parts, const Call& call) {
  const auto live = parts.runtime.flows().find(call.parameters[1]);
  if (!live) return error_reply(live.error());
  const auto flow = definition::with_trigger((*live)->flow, call.parameters[2]);
  if (!flow) return error_reply(make_error("TriggerNotFound", "The flow has no trigger '" + call.parameters[2] + "'."));
  return json_response(200, trigger_view(parts, (*live)->row, *flow));
}

http::Headers headers_of(const Parts& parts, const runtime::StartedRun& started) {
  const auto live = parts.runtime.flows().find(started.flow);
  return run_headers(started.run, live ? (*live)->row.workflow_id : "", started.version);
}

http::Response run_trigger(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto started = parts.runtime.run_trigger(call.parameters[1], call.parameters[2], *body, call.caller.user_name);
  if (!started) return error_reply(started.error());
  return empty_response(202, headers_of(parts, *started));
}

http::Response callback_url(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  Timestamp not_after;
  if (const auto text = body->text_of("notAfter"); !text.empty()) {
    const auto time = parse_timestamp(text);
    if (!time) return error_reply(make_error("InvalidRequestContent", "'notAfter' is not an ISO 8601 time."));
    not_after = *time;
  }
  const auto key =
      http::same_name(body->text_of("keyType"), "Secondary") ? runtime::KeyType::secondary : runtime::KeyType::primary;
  const auto address = parts.runtime.callback_address(call.parameters[1], call.parameters[2], key, not_after);
  if (!address) return error_reply(address.error());
  // The link begins with the origin that the caller used.
  const auto rebase = [&](const std::string& link) {
    const auto path = link.find('/', link.find("://") + 3);
    return call.base + (path == std::string::npos ? "" : link.substr(path));
  };
  json::ObjectBuilder queries;
  queries.add("api-version", Value(address->api_version));
  queries.add("sp", Value(address->sp));
  queries.add("sv", Value(address->sv));
  queries.add("sig", Value(address->sig));
  if (!address->se.empty()) queries.add("se", Value(address->se));
  json::ObjectBuilder answer;
  answer.add("value", Value(rebase(address->value)));
  answer.add("method", Value(address->method));
  answer.add("basePath", Value(rebase(address->base_path)));
  if (!address->relative_path.empty()) answer.add("relativePath", Value(address->relative_path));
  answer.add("queries", queries.finish());
  const Value shape = answer.finish();
  json::ObjectBuilder both;
  both.add("response", shape);
  for (const json::Member& member : shape.as_object()) both.add(member.key, member.value);
  return json_response(200, both.finish());
}

http::Response resubmit(const Parts& parts, const Call& call, const std::string& flow, const std::string& run) {
  const auto row = parts.store.run(run);
  if (!row) return error_reply(row.error());
  if (!*row || !http::same_name((*row)->flow, flow))
    return error_reply(make_error("WorkflowRunNotFound", "The workflow run '" + run + "' could not be found."));
  const auto which = call.query_value("definition");
  if (!which.empty() && which != "latest" && which != "original")
    return error_reply(make_error("InvalidRequestContent", "'definition' must be latest or original."));
  const auto choice = which == "original" ? runtime::DefinitionChoice::original : runtime::DefinitionChoice::latest;
  const auto keep = call.query_value("keep");
  if (!keep.empty() && keep != "done" && keep != "nothing")
    return error_reply(make_error("InvalidRequestContent", "'keep' must be done or nothing."));
  const auto started = parts.runtime.resubmit(run, {choice, keep == "done"}, call.caller.user_name);
  if (!started) return error_reply(started.error());
  return empty_response(202, headers_of(parts, *started));
}

http::Response flow_connections(const Parts& parts, const Call& call) {
  const auto live = parts.runtime.flows().find(call.parameters[1]);
  if (!live) return error_reply(live.error());
  std::vector<connector::ConnectionView> used;
  const auto version = parts.store.flow_version((*live)->row.id, (*live)->row.version);
  if (version && *version && (*version)->connection_references.is_object()) {
    for (const json::Member& reference : (*version)->connection_references.as_object()) {
      const connector::ConnectionKey key{connector::api_name(reference.value.text_of("id")),
                                         std::string(reference.value.text_of("connectionName"))};
      if (call.access->connection(key) < Level::use) continue;
      if (const auto found = parts.connections.find(key)) used.push_back(*found);
    }
  }
  return list_response(connection_views(parts, call, used));
}

Value history_view(const store::TriggerHistoryRow& row) {
  json::ObjectBuilder properties;
  properties.add("startTime", Value(to_string(row.started)));
  properties.add("endTime", Value(to_string(row.ended)));
  if (row.scheduled.is_set()) properties.add("scheduledTime", Value(to_string(row.scheduled)));
  properties.add("status", Value(row.status));
  properties.add("code", Value(row.code));
  if (!row.error_code.empty())
    properties.add("error", Value::object({{"code", row.error_code}, {"message", row.error_message}}));
  properties.add("fired", Value(row.fired));
  if (!row.run.empty())
    properties.add("run", Value::object({{"name", row.run},
                                         {"id", flow_id(row.flow) + "/runs/" + row.run},
                                         {"type", "Microsoft.ProcessSimple/environments/flows/runs"}}));
  return Value::object({{"name", row.name},
                        {"id", flow_id(row.flow) + "/triggers/" + row.trigger + "/histories/" + row.name},
                        {"type", "Microsoft.ProcessSimple/environments/flows/triggers/histories"},
                        {"properties", properties.finish()}});
}

http::Response get_history(const Parts& parts, const Call& call) {
  const std::string& name = call.parameters[3];
  // Names sort behind their own beginning: few others stand between.
  const auto before = name.substr(0, name.empty() ? 0 : name.size() - 1);
  const auto rows = parts.store.trigger_histories(call.parameters[1], call.parameters[2], before, 50);
  if (!rows) return error_reply(rows.error());
  for (const auto& row : *rows) {
    if (row.name == name) return json_response(200, history_view(row));
  }
  return error_reply(make_error("WorkflowTriggerHistoryNotFound",
                                "The trigger '" + call.parameters[2] + "' has no check '" + name + "'.", {},
                                "It may have been removed by retention; list the trigger's histories."));
}

http::Response histories(const Parts& parts, const Call& call) {
  const auto top = top_of(call, 100, 250);
  if (!top) return error_reply(top.error());
  const auto rows =
      parts.store.trigger_histories(call.parameters[1], call.parameters[2], call.query_value("$skiptoken"), *top);
  if (!rows) return error_reply(rows.error());
  json::ArrayBuilder list;
  for (const auto& row : *rows) list.push(history_view(row));
  return list_response(list.finish(), rows->size() < *top ? "" : next_link(call, rows->back().name));
}

}  // namespace

runtime::FlowDraft draft_of(const store::FlowRow& row, const store::FlowVersionRow* version) {
  runtime::FlowDraft draft;
  draft.display_name = row.display_name;
  draft.state = row.state;
  draft.environment = row.environment;
  draft.dialect = row.dialect;
  draft.properties = row.properties;
  if (version != nullptr) {
    draft.definition = version->definition;
    draft.connection_references = version->connection_references;
    draft.parameter_values = version->parameter_values;
  }
  return draft;
}

std::vector<RouteEntry> flow_routes() {
  return {
      {"GET", "providers/Microsoft.ProcessSimple/environments", "read", environments},
      {"GET", "providers/Microsoft.ProcessSimple/environments/{env}", "read", environment},
      {"GET", FLOWS, "read", list_flows},
      {"POST", FLOWS, "write", create_flow},
      {"GET", FLOWS "/{flow}", "read", get_flow},
      {"PATCH", FLOWS "/{flow}", "write", update_flow},
      {"PUT", FLOWS "/{flow}", "write", update_flow},
      {"DELETE", FLOWS "/{flow}", "write", delete_flow, Level::own},
      {"POST", FLOWS "/{flow}/start", "write",
       [](const Parts& p, const Call& c) { return set_state(p, c, store::FlowState::started); }},
      {"POST", FLOWS "/{flow}/stop", "write",
       [](const Parts& p, const Call& c) { return set_state(p, c, store::FlowState::stopped); }},
      {"GET", FLOWS "/{flow}/connections", "read", flow_connections},
      {"GET", FLOWS "/{flow}/triggers", "read", list_triggers},
      {"GET", FLOWS "/{flow}/triggers/{trigger}", "read", get_trigger},
      {"POST", FLOWS "/{flow}/triggers/{trigger}/run", "run", run_trigger, Level::use},
      {"POST", FLOWS "/{flow}/triggers/{trigger}/listCallbackUrl", "run", callback_url},
      {"GET", FLOWS "/{flow}/triggers/{trigger}/histories", "read", histories},
      {"GET", FLOWS "/{flow}/triggers/{trigger}/histories/{history}", "read", get_history},
      {"POST", FLOWS "/{flow}/triggers/{trigger}/histories/{history}/resubmit", "run",
       [](const Parts& p, const Call& c) { return resubmit(p, c, c.parameters[1], c.parameters[3]); }},
      {"POST", FLOWS "/{flow}/runs/{run}/resubmit", "run",
       [](const Parts& p, const Call& c) { return resubmit(p, c, c.parameters[1], c.parameters[2]); }},
  };
}

}  // namespace flowmend::api
