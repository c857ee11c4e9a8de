// Flowmend's own routes below /api/v1 (docs/reference/portal-api.md).

#include <algorithm>
#include <charconv>

#include "api/called_run.h"
#include "api/routes.h"
#include "api/views.h"
#include "definition/action_types.h"
#include "definition/flow.h"
#include "definition/trigger_types.h"
#include "expression/functions/function.h"
#include "json/parse.h"
#include "repair/changes/last_good.h"
#include "repair/explanation.h"
#include "repair/failed_runs.h"
#include "repair/report.h"

namespace flowmend::api {

namespace {

http::Response set_up_state(const Parts& parts, const Call&) {
  return json_response(200, Value::object({{"needsFirstAdmin", parts.identities.needs_first_admin()},
                                           {"demo", parts.demo},
                                           {"version", parts.version}}));
}

http::Response set_up(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto session = parts.identities.set_up(*body);
  return session ? session_response(201, *session) : error_reply(session.error());
}

http::Response sign_in(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto session = parts.identities.sign_in(*body);
  if (session) return session_response(200, *session);
  auto response = error_reply(session.error());
  if (response.status == 429) response.headers.push_back({"Retry-After", "60"});
  return response;
}

http::Response sign_out(const Parts& parts, const Call& call) {
  const auto cookies = call.request.header("cookie");
  const auto at = cookies.find("flowmend_session=");
  if (at != std::string_view::npos) {
    const auto ended = parts.identities.sign_out(cookies.substr(at + 17, cookies.find(';', at) - at - 17));
    if (!ended) return error_reply(ended.error());
  }
  return empty_response(204, {{"Set-Cookie", "flowmend_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"}});
}

http::Response me(const Parts&, const Call& call) {
  json::ObjectBuilder answer;
  answer.add("user", call.caller.user());
  if (call.caller.by_cookie) answer.add("csrfToken", Value(call.caller.csrf_token));
  return json_response(200, answer.finish());
}

http::Response tokens(const Parts& parts, const Call& call) {
  auto list = parts.identities.tokens(call.caller);
  return list ? list_response(*list) : error_reply(list.error());
}

http::Response create_token(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto token = parts.identities.create_token(*body, call.caller);
  return token ? json_response(201, *token) : error_reply(token.error());
}

http::Response delete_token(const Parts& parts, const Call& call) {
  const auto erased = parts.identities.erase_token(call.parameters[0], call.caller);
  return erased ? empty_response(204) : error_reply(erased.error());
}

http::Response about(const Parts& parts, const Call& call) {
  return json_response(200, Value::object({{"version", parts.version},
                                           {"dataFolder", parts.data_folder},
                                           {"store", "SQLite"},
                                           {"publicUrl", call.base},
                                           {"startedTime", to_string(parts.started)},
                                           {"demo", parts.demo}}));
}

/// What the bell tells of what the caller may see.
Value own_notifications(const Parts& parts, const Call& call) {
  const Value all = parts.incidents.notifications();
  if (call.access->has_everything()) return all;
  json::ArrayBuilder list;
  std::int64_t unread = 0;
  for (const Value& one : all.find("value")->as_array()) {
    const auto incident = parts.incidents.find(one.text_of("incident"));
    if (!incident || call.access->incident(*incident) < Level::use) continue;
    if (!call.access->sees_flow(incident->face().last_flow) && !incident->face().last_flow.empty()) continue;
    if (one.find("read") == nullptr || *one.find("read") != Value(true)) ++unread;
    list.push(one);
  }
  return Value::object({{"unread", Value(unread)}, {"value", list.finish()}});
}

http::Response overview(const Parts& parts, const Call& call) {
  const auto day_ago = now_from_system_clock() - Duration::days(1);
  // Of all flows at once, or of each that the caller may see.
  std::vector<std::string> flows(call.access->has_everything() ? 1 : 0);
  if (flows.empty()) {
    const auto rows = parts.store.flows();
    if (!rows) return error_reply(rows.error());
    for (const auto& row : *rows) {
      if (call.access->sees_flow(row.id)) flows.push_back(row.id);
    }
  }
  const auto count = [&](store::RunStatus status, Timestamp from) {
    std::int64_t sum = 0;
    for (const std::string& flow : flows) {
      store::RunQuery query;
      query.flow = flow;
      query.status = status;
      query.from = from;
      const auto counted = parts.store.count_runs(query, 100'000);
      sum += static_cast<std::int64_t>(counted ? *counted : 0);
    }
    return Value(sum);
  };
  const auto latest = [&](std::optional<store::RunStatus> status) {
    constexpr std::size_t shown = 10;
    std::vector<store::RunRow> found;
    for (const std::string& flow : flows) {
      store::RunQuery query;
      query.flow = flow;
      query.status = status;
      query.limit = shown;
      const auto rows = parts.store.runs(query);
      if (rows) found.insert(found.end(), rows->begin(), rows->end());
    }
    std::ranges::sort(found, [](const store::RunRow& a, const store::RunRow& b) { return a.number > b.number; });
    if (found.size() > shown) found.resize(shown);
    json::ArrayBuilder list;
    for (const auto& row : found) list.push(run_view(parts, call, row));
    return list.finish();
  };
  json::ArrayBuilder broken;
  for (const auto& view : parts.connections.list()) {
    if (view.status != connector::ConnectionStatus::error || broken.size() >= 10) continue;
    if (call.access->connection(view.key) < Level::use) continue;
    broken.push(
        Value::object({{"api", view.key.api},
                       {"name", view.key.name},
                       {"displayName", view.display_name},
                       {"error", Value::object({{"code", view.error_code}, {"message", view.error_message}})}}));
  }
  return json_response(200, Value::object({{"unread", *own_notifications(parts, call).find("unread")},
                                           {"running", count(store::RunStatus::running, {})},
                                           {"failedLast24h", count(store::RunStatus::failed, day_ago)},
                                           {"succeededLast24h", count(store::RunStatus::succeeded, day_ago)},
                                           {"brokenConnections", broken.finish()},
                                           {"failures", latest(store::RunStatus::failed)},
                                           {"recent", latest(std::nullopt)}}));
}

/// An incident has few fingerprints: their runs are read in turn, each newest first.
http::Response runs_of_incident(const Parts& parts, const Call& call, std::string_view id, store::RunQuery query,
                                std::size_t top) {
  const auto incident = parts.incidents.find(id);
  if (!incident || call.access->incident(*incident) < Level::use)
    return error_reply(make_error("IncidentNotFound", "There is no incident '" + std::string(id) + "'.", {},
                                  "List the incidents: it may have been merged into another one."));
  std::vector<store::RunRow> found;
  query.limit = top;
  const std::string flow = std::exchange(query.flow, {});
  const auto status = std::exchange(query.status, std::nullopt);
  bool more = false;
  for (const repair::IncidentPart& part : incident->parts) {
    query.fingerprint = part.fingerprint;
    const auto rows = parts.store.runs(query);
    if (!rows) return error_reply(rows.error());
    more = more || rows->size() == top;
    found.insert(found.end(), rows->begin(), rows->end());
  }
  std::ranges::sort(found, [](const store::RunRow& a, const store::RunRow& b) { return a.number > b.number; });
  if (found.size() > top) {
    found.resize(top);
    more = true;
  }
  json::ArrayBuilder list;
  for (const auto& row : found) {
    if (!call.access->sees_flow(row.flow)) continue;
    if ((flow.empty() || row.flow == flow) && (!status || row.status == *status)) list.push(run_view(parts, call, row));
  }
  return list_response(list.finish(), more ? next_link(call, found.back().name) : std::string());
}

/// Runs that recorded a value, newest first. `$skiptoken` is a run's number: older ones follow.
http::Response runs_with_value(const Parts& parts, const Call& call, store::RunQuery query, std::size_t top) {
  repair::search::RunSearch::Request wanted;
  wanted.value = std::string(call.query_value("value"));
  wanted.flow = std::move(query.flow);
  wanted.status = query.status;
  wanted.limit = top;
  if (!query.after.empty()) {
    const auto [end, failure] =
        std::from_chars(query.after.data(), query.after.data() + query.after.size(), wanted.below);
    if (failure != std::errc{} || end != query.after.data() + query.after.size() || wanted.below <= 0)
      return error_reply(make_error("InvalidRequestContent", "'$skiptoken' is none that a search gave.", {},
                                    "Follow the nextLink of the page before."));
  }
  const std::string connection(call.query_value("connection"));
  const auto page = parts.search.find(wanted);
  if (!page) return error_reply(page.error());
  json::ArrayBuilder list;
  for (const auto& hit : page->hits) {
    if (!call.access->sees_flow(hit.run.flow)) continue;
    if (!connection.empty() && !repair::uses_connection(parts.store, hit.run.flow, connection)) continue;
    if (!query.failed_code.empty() && !repair::has_code(hit.run, query.failed_code)) continue;
    json::ObjectBuilder found;
    if (!hit.action.empty()) found.add("action", Value(hit.action));
    found.add("in", Value(hit.side));
    json::ObjectBuilder run(run_view(parts, call, hit.run));
    run.add("found", found.finish());
    list.push(run.finish());
  }
  return list_response(list.finish(), page->next > 0 ? next_link(call, std::to_string(page->next)) : std::string());
}

http::Response all_runs(const Parts& parts, const Call& call) {
  const auto top = top_of(call, 50, 250);
  if (!top) return error_reply(top.error());
  store::RunQuery query;
  query.flow = std::string(call.query_value("flow"));
  query.after = std::string(call.query_value("$skiptoken"));
  query.failed_code = std::string(call.query_value("code"));
  if (const auto status = call.query_value("status"); !status.empty()) {
    query.status = store::parse_run_status(status);
    if (!query.status)
      return error_reply(
          make_error("InvalidFilterExpression", "'" + std::string(status) + "' is not a status of a run."));
  }
  if (const auto id = call.query_value("incident"); !id.empty()) return runs_of_incident(parts, call, id, query, *top);
  if (!call.query_value("value").empty()) return runs_with_value(parts, call, std::move(query), *top);
  const std::string connection(call.query_value("connection"));
  json::ArrayBuilder list;
  std::string last;
  // A filter by connection is applied to rows read page by page, for as many pages as it takes to fill one.
  for (int pages = 0; pages < 40; ++pages) {
    query.limit = *top;
    const auto rows = parts.store.runs(query);
    if (!rows) return error_reply(rows.error());
    for (const auto& row : *rows) {
      last = row.name;
      if (!call.access->sees_flow(row.flow)) continue;
      if (connection.empty() || repair::uses_connection(parts.store, row.flow, connection))
        list.push(run_view(parts, call, row));
      if (list.size() >= *top) return list_response(list.finish(), next_link(call, last));
    }
    if (rows->size() < query.limit) return list_response(list.finish());
    query.after = last;
  }
  return list_response(list.finish(), next_link(call, last));
}

http::Response one_run(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, "", call.parameters[0]);
  if (!run) return error_reply(run.error());
  return json_response(200, run_view(parts, call, *run, false, false));
}

Result<Value> explain(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, "", call.parameters[0]);
  if (!run) return run.error();
  auto explained = repair::explain_run(*run->flow, run->events, &parts.connections);
  if (!explained) return explained;
  const auto failure = repair::find_failure(*run->flow, run->events);
  if (!failure) return explained;
  *explained = with_called_run(parts, call, *explained, *failure);
  const auto facts = repair::gather_facts(*run->flow, *failure, &parts.connections);
  const auto changes =
      repair::changes_since_last_good({parts.store, parts.sealer, parts.runtime.flows(), &parts.connections},
                                      *run->flow, *failure, facts.origin ? &*facts.origin : nullptr);
  if (!changes) return changes.error();
  if (changes->is_null()) return explained;
  json::ObjectBuilder whole(*explained);
  whole.set("sinceLastGood", *changes);
  return whole.finish();
}

http::Response explanation(const Parts& parts, const Call& call) {
  const auto explained = explain(parts, call);
  return explained ? json_response(200, *explained) : error_reply(explained.error());
}

http::Response report(const Parts& parts, const Call& call) {
  const auto explained = explain(parts, call);
  return explained ? json_response(200, repair::make_report(*explained, parts.version))
                   : error_reply(explained.error());
}

http::Response notifications(const Parts& parts, const Call& call) {
  return json_response(200, own_notifications(parts, call));
}

http::Response mark_read(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  std::vector<std::string> ids;
  const Value* given = body->find("ids");
  const bool all = body->find("all") != nullptr && *body->find("all") == Value(true);
  if (!all && (given == nullptr || !given->is_array()))
    return error_reply(make_error("InvalidRequestContent", "Send {\"ids\": [...]} or {\"all\": true}."));
  if (given != nullptr && given->is_array()) {
    for (const Value& id : given->as_array()) {
      if (id.is_string()) ids.emplace_back(id.as_string());
    }
  }
  const bool everything = call.access->has_everything();
  if (!everything) {
    // Only what the caller is shown can be read by the caller.
    std::vector<std::string> seen;
    for (const Value& one : own_notifications(parts, call).find("value")->as_array()) {
      const std::string id(one.text_of("id"));
      if (all || std::ranges::find(ids, id) != ids.end()) seen.push_back(id);
    }
    ids = std::move(seen);
  }
  const auto unread = parts.incidents.mark_read(all && everything ? nullptr : &ids);
  if (!unread) return error_reply(unread.error());
  return json_response(200, Value::object({{"unread", *own_notifications(parts, call).find("unread")}}));
}

http::Response check(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const Value* definition = body->find("definition");
  if (definition == nullptr) return error_reply(make_error("InvalidRequestContent", "The body has no 'definition'."));
  definition::CompileOptions options;
  if (const Value* references = body->find("connectionReferences")) options.connection_references = *references;
  options.limits = parts.runtime.flows().limits();
  Diagnostics findings = definition::compile(*definition, options).diagnostics;
  const Diagnostics more = parts.registry.check_definition(*definition);
  findings.insert(findings.end(), more.begin(), more.end());
  json::ArrayBuilder list;
  for (const Diagnostic& d : findings) {
    list.push(Value::object({{"pointer", d.pointer},
                             {"severity", d.severity == Severity::error ? "error" : "warning"},
                             {"code", d.code},
                             {"message", d.message},
                             {"cure", d.cure},
                             {"begin", d.begin},
                             {"end", d.end}}));
  }
  return list_response(list.finish());
}

http::Response functions(const Parts&, const Call&) {
  json::ArrayBuilder list;
  for (const auto& table : expression::all_functions()) {
    for (const auto& entry : table) {
      json::ObjectBuilder out;
      out.add("name", Value(entry.name));
      out.add("arguments", Value(entry.arguments));
      out.add("about", Value(entry.about));
      out.add("example", Value(entry.example));
      if (!entry.gives.empty()) {
        const auto gives = json::parse(entry.gives);
        if (gives) out.add("gives", *gives);
      }
      list.push(out.finish());
    }
  }
  return list_response(list.finish());
}

/// Enough for an editor to complete names and to mark a wrong kind; the checker knows the rest. The types are those of
/// the checker's own tables.
http::Response definition_schema(const Parts&, const Call&) {
  static const Value schema = [] {
    std::string triggers;
    for (const auto& type : definition::trigger_types()) {
      if (type.runs) triggers += (triggers.empty() ? "\"" : ",\"") + std::string(type.name) + "\"";
    }
    std::string actions;
    for (const auto& type : definition::action_types()) {
      if (type.runs) actions += (actions.empty() ? "\"" : ",\"") + std::string(type.name) + "\"";
    }
    return *json::parse(
        R"({
    "$schema":"http://json-schema.org/draft-07/schema#","title":"Workflow definition","type":"object","required":["triggers","actions"],
    "properties":{
      "$schema":{"type":"string"},"contentVersion":{"type":"string"},"description":{"type":"string"},
      "parameters":{"type":"object","additionalProperties":{"type":"object","properties":{"type":{"enum":["String","SecureString","Int","Float","Bool","Array","Object","SecureObject"]},"defaultValue":{},"allowedValues":{"type":"array"}}}},
      "triggers":{"type":"object","additionalProperties":{"type":"object","required":["type"],"properties":{"type":{"enum":[)" +
        triggers +
        R"(]},"kind":{"type":"string"},"inputs":{},"recurrence":{"type":"object","properties":{"frequency":{"enum":["Second","Minute","Hour","Day","Week","Month"]},"interval":{},"startTime":{"type":"string"},"endTime":{"type":"string"},"timeZone":{"type":"string"},"schedule":{"type":"object"}}},"conditions":{"type":"array"},"splitOn":{"type":"string"}}}},
      "actions":{"$ref":"#/definitions/actions"},"outputs":{"type":"object"},"staticResults":{"type":"object"}},
    "definitions":{
      "actions":{"type":"object","additionalProperties":{"$ref":"#/definitions/action"}},
      "action":{"type":"object","required":["type"],"properties":{
        "type":{"enum":[)" +
        actions +
        R"(]},
        "kind":{"type":"string"},"inputs":{},"runAfter":{"type":"object","additionalProperties":{"type":"array","items":{"enum":["Succeeded","Failed","Skipped","TimedOut","SUCCEEDED","FAILED","SKIPPED","TIMEDOUT"]}}},
        "actions":{"$ref":"#/definitions/actions"},"expression":{},"foreach":{},"else":{"type":"object","properties":{"actions":{"$ref":"#/definitions/actions"}}},
        "cases":{"type":"object"},"default":{"type":"object","properties":{"actions":{"$ref":"#/definitions/actions"}}},
        "limit":{"type":"object","properties":{"count":{},"timeout":{"type":"string"}}},"runtimeConfiguration":{"type":"object"},"operationOptions":{"type":"string"},"trackedProperties":{"type":"object"},"description":{"type":"string"},"metadata":{}}}}})");
  }();
  return json_response(200, schema);
}

}  // namespace

std::vector<RouteEntry> own_routes() {
  return {
      {"GET", "api/v1/setup", "", set_up_state},
      {"POST", "api/v1/setup", "", set_up},
      {"POST", "api/v1/session", "", sign_in},
      {"DELETE", "api/v1/session", "", sign_out},
      {"GET", "api/v1/me", "read", me},
      {"GET", "api/v1/tokens", "write", tokens},
      {"POST", "api/v1/tokens", "write", create_token},
      {"DELETE", "api/v1/tokens/{id}", "write", delete_token},
      {"GET", "api/v1/about", "read", about},
      {"GET", "api/v1/overview", "read", overview},
      {"GET", "api/v1/runs", "read", all_runs},
      {"GET", "api/v1/runs/{run}", "read", one_run},
      {"GET", "api/v1/runs/{run}/explanation", "read", explanation},
      {"GET", "api/v1/runs/{run}/report", "read", report},
      {"GET", "api/v1/notifications", "read", notifications},
      {"POST", "api/v1/notifications/read", "read", mark_read},
      {"POST", "api/v1/check", "read", check},
      {"GET", "api/v1/functions", "read", functions},
      {"GET", "api/v1/definition-schema", "read", definition_schema},
  };
}

}  // namespace flowmend::api
