// Runs, actions, repetitions, requests, traces and recorded contents.

#include <algorithm>

#include "api/links.h"
#include "api/routes.h"
#include "api/views.h"
#include "json/write.h"

namespace flowmend::api {

namespace {

#define RUNS "providers/Microsoft.ProcessSimple/environments/{env}/flows/{flow}/runs"

struct Filter {
  std::optional<store::RunStatus> status;
  std::string word;     ///< the status of a record, which may also be one that runs do not have
  bool is_not = false;  ///< `ne`; of records alone
  Timestamp from;
  Timestamp until;
};

/// `status eq 'Failed' and startTime ge 2026-...`: the subset that clients send (rest-api.md 2.8). `of_records`: of
/// actions, repetitions or iterations, which may be skipped, and whose status may be asked for with `ne`.
Result<Filter> read_filter(std::string_view text, bool of_records = false) {
  Filter filter;
  const auto refuse = [&] {
    return make_error("InvalidFilterExpression", "The filter '" + std::string(text) + "' can't be read.", {},
                      "Use status eq 'Failed', startTime ge 2026-01-31T00:00:00Z, joined by 'and'.");
  };
  std::string_view rest = text;
  const auto word = [&]() -> std::string {
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (rest.empty()) return "";
    if (rest.front() == '\'') {
      std::string out;
      rest.remove_prefix(1);
      while (!rest.empty()) {
        if (rest.front() == '\'') {
          rest.remove_prefix(1);
          if (rest.empty() || rest.front() != '\'') break;
        }
        out += rest.front();
        rest.remove_prefix(1);
      }
      return out;
    }
    const auto end = rest.find(' ');
    std::string out(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    return out;
  };
  while (rest.find_first_not_of(' ') != std::string_view::npos) {
    const std::string name = word();
    const std::string op = word();
    const std::string value = word();
    if (http::same_name(name, "status") && http::same_name(op, "eq")) {
      filter.status = store::parse_run_status(value);
      filter.word = value;
      if (!filter.status && !(of_records && http::same_name(value, "Skipped"))) return refuse();
    } else if (of_records && http::same_name(name, "status") && http::same_name(op, "ne")) {
      filter.word = value;
      filter.is_not = true;
      if (!store::parse_run_status(value) && !http::same_name(value, "Skipped")) return refuse();
    } else if (http::same_name(name, "startTime")) {
      const auto time = parse_timestamp(value);
      if (!time) return refuse();
      if (http::same_name(op, "ge")) {
        filter.from = *time;
      } else if (http::same_name(op, "gt")) {
        filter.from = {time->ticks + 1};
      } else if (http::same_name(op, "lt")) {
        filter.until = *time;
      } else if (http::same_name(op, "le")) {
        filter.until = {time->ticks + 1};
      } else {
        return refuse();
      }
    } else {
      return refuse();
    }
    if (rest.find_first_not_of(' ') != std::string_view::npos && !http::same_name(word(), "and")) return refuse();
  }
  return filter;
}

http::Response list(const Parts& parts, const Call& call, store::RunQuery query) {
  const auto top = top_of(call, 100, 250);
  if (!top) return error_reply(top.error());
  query.limit = *top;
  query.after = std::string(call.query_value("$skiptoken"));
  const auto rows = parts.store.runs(query);
  if (!rows) return error_reply(rows.error());
  json::ArrayBuilder items;
  for (const auto& row : *rows) items.push(run_view(parts, call, row));
  return list_response(items.finish(), rows->size() < *top ? "" : next_link(call, rows->back().name));
}

http::Response list_runs(const Parts& parts, const Call& call) {
  const auto live = parts.runtime.flows().find(call.parameters[1]);
  if (!live) return error_reply(live.error());
  const auto filter = read_filter(call.query_value("$filter"));
  if (!filter) return error_reply(filter.error());
  store::RunQuery query;
  query.flow = (*live)->row.id;
  query.status = filter->status;
  query.from = filter->from;
  query.until = filter->until;
  return list(parts, call, query);
}

http::Response get_run(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  const auto expand = call.query_value("$expand");
  const auto wants = [&](std::string_view what) { return expand.find(what) != std::string_view::npos; };
  return json_response(200, run_view(parts, call, *run, wants("properties/actions"), wants("workflow/properties")));
}

http::Response cancel(const Parts& parts, const Call& call) {
  const auto row = parts.store.run(call.parameters[2]);
  if (!row) return error_reply(row.error());
  if (!*row || !http::same_name((*row)->flow, call.parameters[1]))
    return error_reply(
        make_error("WorkflowRunNotFound", "The workflow run '" + call.parameters[2] + "' could not be found."));
  if ((*row)->status == store::RunStatus::cancelled) return empty_response(200);
  const auto cancelled = parts.runtime.cancel(call.parameters[2], call.caller.user_name);
  return cancelled ? empty_response(200) : error_reply(cancelled.error());
}

/// Whether a record of an action, a repetition or an iteration is one that `$filter` asks for.
bool fits(const Filter& filter, const Value& properties) {
  if (!filter.word.empty() && http::same_name(properties.text_of("status"), filter.word) == filter.is_not) return false;
  if (!filter.from.is_set() && !filter.until.is_set()) return true;
  const auto started = parse_timestamp(properties.text_of("startTime"));
  if (!started) return false;
  return !(filter.from.is_set() && *started < filter.from) && !(filter.until.is_set() && *started >= filter.until);
}

Value iteration_view(const LoadedRun& run, const std::string& action, const engine::ActionRecord& record) {
  return Value::object({{"name", record.name},
                        {"id", flow_id(run.row.flow) + "/runs/" + run.row.name + "/actions/" + action +
                                   "/scopeRepetitions/" + record.name},
                        {"type", "Microsoft.ProcessSimple/environments/flows/runs/actions/scopeRepetitions"},
                        {"properties", record.properties}});
}

http::Response records(const Call& call, const LoadedRun& run, const std::vector<engine::ActionRecord>& all,
                       const std::string& action, bool repetitions, bool with_links) {
  const auto filter = read_filter(call.query_value("$filter"), true);
  if (!filter) return error_reply(filter.error());
  const auto top = top_of(call, 5000, 5000);
  if (!top) return error_reply(top.error());
  const std::string after(call.query_value("$skiptoken"));
  json::ArrayBuilder items;
  std::string last;
  bool more = false;
  bool begun = after.empty();
  for (const auto& record : all) {
    if (!begun) {
      begun = record.name == after;
      continue;
    }
    if (!fits(*filter, record.properties)) continue;
    if (items.size() == *top) {
      more = true;
      break;
    }
    if (with_links) {
      items.push(action_view(call, run, repetitions ? action : record.name, repetitions ? record.name : "", record));
    } else {
      items.push(iteration_view(run, action, record));
    }
    last = record.name;
  }
  return list_response(items.finish(), more ? next_link(call, last) : "");
}

http::Response list_actions(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  return records(call, *run, run->history->actions(), "", false, true);
}

Error no_action(const std::string& name) {
  return make_error("WorkflowRunActionNotFound", "The run has no record of an action '" + name + "'.");
}

http::Response get_action(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  const auto record = run->history->action(call.parameters[3]);
  if (!record) return error_reply(no_action(call.parameters[3]));
  return json_response(200, action_view(call, *run, record->name, "", *record));
}

http::Response list_repetitions(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  if (run->flow->find_action(call.parameters[3]) == nullptr) return error_reply(no_action(call.parameters[3]));
  return records(call, *run, run->history->repetitions(call.parameters[3]),
                 run->flow->find_action(call.parameters[3])->name, true, true);
}

http::Response get_repetition(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  for (const auto& record : run->history->repetitions(call.parameters[3])) {
    if (record.name == call.parameters[4])
      return json_response(
          200, action_view(call, *run, run->flow->find_action(call.parameters[3])->name, record.name, record));
  }
  return error_reply(
      make_error("WorkflowRunActionRepetitionNotFound",
                 "The action '" + call.parameters[3] + "' has no repetition '" + call.parameters[4] + "'."));
}

http::Response list_scope_repetitions(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  if (run->flow->find_action(call.parameters[3]) == nullptr) return error_reply(no_action(call.parameters[3]));
  return records(call, *run, run->history->scope_repetitions(call.parameters[3]),
                 run->flow->find_action(call.parameters[3])->name, true, false);
}

http::Response get_scope_repetition(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  const auto* loop = run->flow->find_action(call.parameters[3]);
  if (loop == nullptr) return error_reply(no_action(call.parameters[3]));
  for (const auto& record : run->history->scope_repetitions(loop->name)) {
    if (record.name == call.parameters[4]) return json_response(200, iteration_view(*run, loop->name, record));
  }
  return error_reply(make_error("ScopeRepetitionNotFound",
                                "The action '" + loop->name + "' has no iteration '" + call.parameters[4] + "'."));
}

http::Response request_histories(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  const std::string repetition = call.parameters.size() > 4 ? call.parameters[4] : "";
  const auto* action = run->flow->find_action(call.parameters[3]);
  if (action == nullptr) return error_reply(no_action(call.parameters[3]));
  const Value list = run->history->request_histories(call.parameters[3], repetition);
  json::ArrayBuilder items;
  std::int64_t number = 0;
  for (const Value& properties : list.as_array()) {
    const std::string name = std::to_string(++number);
    items.push(Value::object({{"name", name},
                              {"id", flow_id(run->row.flow) + "/runs/" + run->row.name + "/actions/" + action->name +
                                         "/requestHistories/" + name},
                              {"type", "Microsoft.ProcessSimple/environments/flows/runs/actions/requestHistories"},
                              {"properties", properties}}));
  }
  return list_response(items.finish());
}

http::Response traces(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, call.parameters[1], call.parameters[2]);
  if (!run) return error_reply(run.error());
  const std::string repetition = call.parameters.size() > 4 ? call.parameters[4] : "";
  const auto* action = run->flow->find_action(call.parameters[3]);
  if (action == nullptr) return error_reply(no_action(call.parameters[3]));
  // Secured inputs stay hidden in every view.
  if (action->settings.secure_inputs)
    return json_response(
        200, Value::object({{"inputs", Value::empty_array()},
                            {"secureData", Value::object({{"properties", Value::array({Value("inputs")})}})}}));
  const auto found = engine::expression_traces(run->flow, run->events, call.parameters[3], repetition);
  if (!found) return error_reply(no_action(call.parameters[3]));
  return json_response(200, *found);
}

/// Recorded contents by signed link: no token, the signature is the right (rest-api.md 5.3).
http::Response content(const Parts& parts, const Call& call) {
  const auto live = parts.runtime.flows().find_by_workflow_id(call.parameters[0]);
  if (!live) return error_reply(live.error());
  // What is signed is the decoded path behind the workflow's id.
  std::string path;
  std::string_view rest = call.request.path;
  std::size_t number = 0;
  std::vector<std::string> segments;
  while (!rest.empty()) {
    if (rest.front() == '/') {
      rest.remove_prefix(1);
      continue;
    }
    const auto end = rest.find('/');
    segments.push_back(http::percent_decode(rest.substr(0, end)));
    if (number++ >= 2) path += "/" + segments.back();
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  }
  const auto allowed =
      check_content_link(**live, path, call.query_value("se"), call.query_value("sig"), now_from_system_clock());
  if (!allowed) {
    auto response = error_reply(allowed.error());
    return response;
  }
  const auto run = load_run(parts, (*live)->row.id, call.parameters[1]);
  if (!run) return error_reply(run.error());
  const std::string& which = segments.back();
  engine::Content found;
  if (call.parameters.size() == 3) {
    found = run->history->trigger_content(which == "TriggerOutputs");
  } else {
    found = run->history->content(call.parameters[2], call.parameters.size() > 4 ? call.parameters[3] : "",
                                  which == "ActionOutputs");
  }
  if (found.secured || !found.found)
    return error_reply(make_error("ContentNotFound", "There is no such content, or it is hidden."));
  const Value link = content_object("", found.value, false, "");
  return json_response(200, found.value,
                       {{"ETag", "\"" + std::string(link.text_of("contentVersion")) + "\""},
                        {"Cache-Control", "private, max-age=3600"}});
}

}  // namespace

std::vector<RouteEntry> run_routes() {
  return {
      {"GET", RUNS, "read", list_runs},
      {"GET", RUNS "/{run}", "read", get_run},
      {"POST", RUNS "/{run}/cancel", "run", cancel},
      {"GET", RUNS "/{run}/actions", "read", list_actions},
      {"GET", RUNS "/{run}/actions/{action}", "read", get_action},
      {"GET", RUNS "/{run}/actions/{action}/repetitions", "read", list_repetitions},
      {"GET", RUNS "/{run}/actions/{action}/repetitions/{repetition}", "read", get_repetition},
      {"GET", RUNS "/{run}/actions/{action}/scopeRepetitions", "read", list_scope_repetitions},
      {"GET", RUNS "/{run}/actions/{action}/scopeRepetitions/{repetition}", "read", get_scope_repetition},
      {"GET", RUNS "/{run}/actions/{action}/requestHistories", "read", request_histories},
      {"GET", RUNS "/{run}/actions/{action}/repetitions/{repetition}/requestHistories", "read", request_histories},
      {"POST", RUNS "/{run}/actions/{action}/listExpressionTraces", "read", traces},
      {"POST", RUNS "/{run}/actions/{action}/repetitions/{repetition}/listExpressionTraces", "read", traces},
      {"GET", "workflows/{id}/runs/{run}/contents/{which}", "", content},
      {"GET", "workflows/{id}/runs/{run}/actions/{action}/contents/{which}", "", content},
      {"GET", "workflows/{id}/runs/{run}/actions/{action}/repetitions/{repetition}/contents/{which}", "", content},
  };
}

}  // namespace flowmend::api
