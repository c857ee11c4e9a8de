// Incidents: failures by cause (docs/reference/portal-api.md).

#include <algorithm>

#include "api/guard.h"
#include "api/routes.h"

namespace flowmend::api {
namespace {

http::Response list(const Parts& parts, const Call& call) {
  repair::Incidents::Filter filter;
  if (const auto state = call.query_value("state"); !state.empty()) {
    if (state == "open") {
      filter.open_only = true;
    } else if (!(filter.state = repair::parse_state(state))) {
      return error_reply(make_error("InvalidFilterExpression", "'" + std::string(state) +
                                                                   "' is no state of an incident: use open, new, "
                                                                   "assigned, muted, fixed or back."));
    }
  }
  filter.flow = std::string(call.query_value("flow"));
  const auto top = top_of(call, 100, 1000);
  if (!top) return error_reply(top.error());
  json::ArrayBuilder out;
  const std::string after(call.query_value("$skiptoken"));
  bool reached = after.empty();
  std::string last;
  for (const repair::Incident& incident : parts.incidents.list(filter)) {
    if (!reached) {
      reached = incident.id == after;
      continue;
    }
    if (out.size() >= *top) return list_response(out.finish(), next_link(call, last));
    if (call.access->incident(incident) < Level::use) continue;
    out.push(call.access->view(incident));
    last = incident.id;
  }
  return list_response(out.finish());
}

http::Response one(const Parts& parts, const Call& call) {
  const auto incident = parts.incidents.find(call.parameters[0]);
  if (!incident)
    return error_reply(make_error("IncidentNotFound", "There is no incident '" + call.parameters[0] + "'.", {},
                                  "List the incidents: it may have been merged into another one."));
  return json_response(200, call.access->view(*incident));
}

http::Response answer(const Call& call, const Result<repair::Incident>& incident) {
  return incident ? json_response(200, call.access->view(*incident)) : error_reply(incident.error());
}

http::Response change(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto invalid = [](std::string message) {
    return error_reply(make_error("InvalidRequestContent", std::move(message)));
  };
  if (!body->is_object()) return invalid("Send an object with 'state', 'assignee', 'mutedUntil' or 'version'.");
  repair::Incidents::Change wanted;
  for (const json::Member& member : body->as_object()) {
    if (!member.value.is_string()) return invalid("'" + std::string(member.name()) + "' must be a text.");
    const auto text = member.value.as_string();
    if (member.name() == "state") {
      wanted.state = repair::parse_state(text);
      if (!wanted.state) return invalid("'" + std::string(text) + "' is no state: use new, assigned, muted or fixed.");
    } else if (member.name() == "assignee") {
      if (text.size() > 200) return invalid("'assignee' is longer than 200 bytes.");
      wanted.assignee = std::string(text);
    } else if (member.name() == "mutedUntil") {
      const auto until = parse_timestamp(text);
      if (!until) return invalid("'mutedUntil' is no time: write it as 2026-11-23T18:00:00Z.");
      wanted.muted_until = *until;
    } else if (member.name() == "version") {
      wanted.fixed_in_version = std::string(text);
    } else if (member.name() == "flow") {
      wanted.fixed_in_flow = std::string(text);
    } else {
      return invalid("'" + std::string(member.name()) + "' can't be changed.");
    }
  }
  return answer(call, parts.incidents.change(call.parameters[0], wanted, call.caller.user_name));
}

/// The text of the one member that a body must have.
Result<std::string> text_in(const Call& call, std::string_view name) {
  const auto body = body_of(call);
  if (!body) return body.error();
  const Value* value = body->find(name);
  if (value == nullptr || !value->is_string() || value->as_string().empty())
    return make_error("InvalidRequestContent", "The body has no '" + std::string(name) + "'.");
  return {boost::system::in_place_value, value->as_string()};
}

http::Response merge(const Parts& parts, const Call& call) {
  const auto other = text_in(call, "with");
  if (!other) return error_reply(other.error());
  const auto into = parts.incidents.find(*other);
  if (into && call.access->incident(*into) < Level::edit)
    return error_reply(*lacks(Level::none, Level::edit, "incident"));
  return answer(call, parts.incidents.merge(call.parameters[0], *other));
}

http::Response split(const Parts& parts, const Call& call) {
  const auto fingerprint = text_in(call, "fingerprint");
  if (!fingerprint) return error_reply(fingerprint.error());
  return answer(call, parts.incidents.split(call.parameters[0], *fingerprint));
}

http::Response job_answer(const Result<Value>& job, int status = 200) {
  return job ? json_response(status, *job) : error_reply(job.error());
}

/// `{flow?, status?, startedFrom?, startedUntil?, code?, connection?, value?}`
Result<repair::Bulk::Filter> filter_of(const Value& value) {
  const auto invalid = [](std::string message, std::string where) {
    return make_error("InvalidRequestContent", std::move(message), "/filter" + std::move(where));
  };
  if (!value.is_object()) return invalid("'filter' must be an object.", "");
  repair::Bulk::Filter filter;
  for (const json::Member& member : value.as_object()) {
    const std::string name(member.name());
    if (!member.value.is_string()) return invalid("'" + name + "' of the filter must be a text.", "/" + name);
    const std::string text(member.value.as_string());
    if (name == "flow") {
      filter.flow = text;
    } else if (name == "status") {
      const auto status = store::parse_run_status(text);
      if (!status || (*status != store::RunStatus::failed && *status != store::RunStatus::timed_out &&
                      *status != store::RunStatus::cancelled))
        return invalid("'status' of the filter must be Failed, TimedOut or Cancelled.", "/status");
      filter.statuses = {*status};
    } else if (name == "startedFrom" || name == "startedUntil") {
      const auto time = parse_timestamp(text);
      if (!time) return invalid("'" + name + "' is no time: write it as 2026-11-23T18:00:00Z.", "/" + name);
      (name == "startedFrom" ? filter.from : filter.until) = *time;
    } else if (name == "code") {
      filter.code = text;
    } else if (name == "connection") {
      filter.connection = text;
    } else if (name == "value") {
      filter.value = text;
    } else {
      return invalid(
          "A filter has no '" + name + "': use flow, status, startedFrom, startedUntil, code, connection and value.",
          "/" + name);
    }
  }
  return filter;
}

/// Narrows what is to be repaired to flows that the caller may change.
Result<void> only_own(const Parts& parts, const Call& call, repair::Bulk::Selection& selection) {
  if (call.access->has_everything()) return {};
  const auto may = [&](const std::string& flow) { return call.access->flow(flow) >= Level::edit; };
  if (!selection.incident.empty() && selection.runs.empty() && !selection.filter) {
    const auto incident = parts.incidents.find(selection.incident);
    if (!incident) return {};
    if (call.access->incident(*incident) >= Level::edit) {
      // By the connection it may be changed without every flow being the caller's: the runs decide.
      std::vector<std::string> own;
      const auto rows = parts.incidents.broken_runs(*incident, repair::Bulk::runs_max);
      if (!rows) return rows.error();
      for (const auto& row : *rows) {
        if (may(row.flow)) own.push_back(row.name);
      }
      if (own.size() == rows->size()) return {};
      selection.incident.clear();
      selection.runs = std::move(own);
    } else {
      return *lacks(call.access->incident(*incident), Level::edit, "incident");
    }
    if (selection.runs.empty()) return *lacks(Level::none, Level::edit, "incident");
    return {};
  }
  for (const std::string& run : selection.runs) {
    const auto row = parts.store.run(run);
    if (!row) return row.error();
    if (*row && !may((*row)->flow)) return *lacks(Level::none, Level::edit, "run");
  }
  if (selection.filter && !may(selection.filter->flow))
    return make_error("AuthorizationFailed",
                      selection.filter->flow.empty() ? "You may not repair the runs of all flows."
                                                     : "You may not repair runs of this flow.",
                      "/filter/flow", "Name a flow that you may change.");
  return {};
}

http::Response plan(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto invalid = [](std::string message) {
    return error_reply(make_error("InvalidRequestContent", std::move(message)));
  };
  repair::Bulk::Selection selection;
  selection.incident = body->text_of("incident");
  if (const Value* runs = body->find("runs")) {
    if (!runs->is_array()) return invalid("'runs' must be a list of run names.");
    for (const Value& run : runs->as_array()) {
      if (!run.is_string()) return invalid("'runs' must be a list of run names.");
      selection.runs.emplace_back(run.as_string());
    }
  }
  if (const Value* filter = body->find("filter")) {
    auto read = filter_of(*filter);
    if (!read) return error_reply(read.error());
    selection.filter = std::move(*read);
  }
  if (const auto chosen = only_own(parts, call, selection); !chosen) return error_reply(chosen.error());
  repair::Bulk::Options options;
  auto correction = runtime::read_correction(*body);
  if (!correction) return error_reply(correction.error());
  options.correction = std::move(*correction);
  const auto whole = [&](std::string_view name, int& into) {
    const Value* value = body->find(name);
    if (value == nullptr) return true;
    if (!value->is_integer() || value->as_integer() < 0 || value->as_integer() > 1'000'000) return false;
    into = static_cast<int>(value->as_integer());
    return true;
  };
  if (!whole("ratePerSecond", options.rate_per_second)) return invalid("'ratePerSecond' must be a whole number.");
  if (!whole("stopPercent", options.stop_percent)) return invalid("'stopPercent' must be a whole number.");
  if (const Value* canary = body->find("canary")) {
    if (!canary->is_boolean()) return invalid("'canary' must be true or false.");
    options.canary = canary->as_boolean();
  }
  if (const Value* keep = body->find("keepDone")) {
    if (!keep->is_boolean()) return invalid("'keepDone' must be true or false.");
    options.keep_done = keep->as_boolean();
  }
  if (const Value* parents = body->find("withParents")) {
    if (!parents->is_boolean()) return invalid("'withParents' must be true or false.");
    options.with_parents = parents->as_boolean();
  }
  const auto definition = body->text_of("definition", "latest");
  if (definition != "latest" && definition != "original") return invalid("'definition' must be latest or original.");
  if (definition == "original") options.definition = runtime::DefinitionChoice::original;
  const auto planned = parts.bulk.plan(selection, options, call.caller.user_name);
  if (planned && options.with_parents && !call.access->has_everything()) {
    // Runs that called those that were chosen may be of flows of others. Nobody else sees the plan, and it is not done.
    for (const Value& flow : planned->find("flowIds")->as_array()) {
      if (call.access->flow(flow.as_string()) < Level::edit)
        return error_reply(
            make_error("AuthorizationFailed", "A run that called one of these is of a flow that you may not change.",
                       "/withParents", "Leave 'withParents' away, or ask an owner of that flow to repeat them."));
    }
  }
  return job_answer(planned, 201);
}

http::Response trial(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  repair::Trials::Request request;
  request.flow = body->text_of("flow");
  request.incident = body->text_of("incident");
  if (const Value* definition = body->find("definition")) request.definition = *definition;
  if (const Value* references = body->find("connectionReferences")) request.connection_references = *references;
  if (const Value* runs = body->find("runs"); runs != nullptr && runs->is_array()) {
    for (const Value& run : runs->as_array()) {
      if (run.is_string()) request.runs.emplace_back(run.as_string());
    }
  }
  if (call.access->flow(request.flow) < Level::use && !request.flow.empty())
    return error_reply(make_error("FlowNotFound", "There is no flow '" + request.flow + "'.", {},
                                  "It may have been deleted, or is not shared with you; list the flows."));
  for (const std::string& run : request.runs) {
    const auto row = parts.store.run(run);
    if (row && *row && !call.access->sees_flow((*row)->flow))
      return error_reply(make_error("WorkflowRunNotFound", "The workflow run '" + run + "' could not be found."));
  }
  const auto count = [&](std::string_view name, std::size_t& into) {
    const Value* value = body->find(name);
    if (value == nullptr) return true;
    if (!value->is_integer() || value->as_integer() < 0 ||
        value->as_integer() > static_cast<std::int64_t>(repair::Trials::runs_max))
      return false;
    into = static_cast<std::size_t>(value->as_integer());
    return true;
  };
  if (!count("failedMax", request.failed_max) || !count("goodMax", request.good_max))
    return error_reply(
        make_error("InvalidRequestContent", "'failedMax' and 'goodMax' must be whole numbers from 0 to 1000."));
  const auto tried = parts.trials.run(request);
  return tried ? json_response(200, *tried) : error_reply(tried.error());
}

http::Response execute(const Parts& parts, const Call& call) {
  const auto version = text_in(call, "version");
  if (!version) return error_reply(version.error());
  return job_answer(parts.bulk.execute(call.parameters[0], *version, call.caller.user_name), 202);
}

http::Response jobs(const Parts& parts, const Call& call) {
  const Value all = parts.bulk.list(call.query_value("incident"));
  if (call.access->has_everything()) return list_response(all);
  json::ArrayBuilder own;
  for (const Value& job : all.as_array()) {
    if (job.text_of("by") == call.caller.user_name) own.push(job);
  }
  return list_response(own.finish());
}

}  // namespace

std::vector<RouteEntry> incident_routes() {
  return {
      {"GET", "api/v1/incidents", "read", list},
      {"GET", "api/v1/incidents/{incident}", "read", one},
      {"PATCH", "api/v1/incidents/{incident}", "write", change},
      {"POST", "api/v1/incidents/{incident}/merge", "write", merge},
      {"POST", "api/v1/incidents/{incident}/split", "write", split},
      {"POST", "api/v1/repair-plans", "run", plan},
      {"POST", "api/v1/repair-plans/{job}/execute", "run", execute},
      {"POST", "api/v1/trials", "read", trial},
      {"GET", "api/v1/jobs", "read", jobs},
      {"GET", "api/v1/jobs/{job}", "read",
       [](const Parts& p, const Call& c) { return job_answer(p.bulk.find(c.parameters[0])); }},
      {"POST", "api/v1/jobs/{job}/pause", "run",
       [](const Parts& p, const Call& c) { return job_answer(p.bulk.pause(c.parameters[0])); }},
      {"POST", "api/v1/jobs/{job}/resume", "run",
       [](const Parts& p, const Call& c) { return job_answer(p.bulk.resume(c.parameters[0])); }},
      {"POST", "api/v1/jobs/{job}/cancel", "run",
       [](const Parts& p, const Call& c) { return job_answer(p.bulk.cancel(c.parameters[0])); }},
  };
}

}  // namespace flowmend::api
