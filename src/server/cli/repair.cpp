#include "server/cli/repair.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <ostream>
#include <thread>

#include "base/time.h"

namespace flowmend::server {

namespace {

std::string incident_path(const std::string& id) { return "/api/v1/incidents/" + percent_encoded(id); }

/// `, of flows A (12), B (3)`
std::string flows_of(const Value& incident) {
  std::string out;
  const Value& flows = member(incident, "flows");
  if (!flows.is_array()) return out;
  for (const Value& flow : flows.as_array()) {
    out += (out.empty() ? "" : ", ") + text_at(flow, "displayName");
    if (number_at(flow, "count") > 0) out += " (" + text_at(flow, "count") + ")";
  }
  return out;
}

std::string state_of(const Value& incident) {
  const std::string until = text_at(incident, "mutedUntil");
  return text_at(incident, "state") + (until.empty() ? "" : " until " + until);
}

int list_incidents(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  std::string path = "/api/v1/incidents?state=" + percent_encoded(options.state.empty() ? "open" : options.state);
  if (!options.flow.empty()) path += "&flow=" + percent_encoded(options.flow);
  const Value list = server.ask("GET", path);
  const Value& incidents = member(list, "value");
  if (!incidents.is_array() || incidents.size() == 0) {
    out << (options.state.empty() || options.state == "open" ? "No open incidents.\n" : "No incidents.\n");
    return 0;
  }
  for (const Value& incident : incidents.as_array())
    out << text_at(incident, "id") << "  " << state_of(incident) << "  " << text_at(incident, "title") << "\n";
  return 0;
}

void show(const Value& incident, std::ostream& out) {
  print_line(out, "Incident", text_at(incident, "id"));
  print_line(out, "State", state_of(incident));
  print_line(out, "Assigned to", text_at(incident, "assignee"));
  print_line(out, "Failures", text_at(incident, "count"));
  print_line(out, "Repaired", text_at(incident, "repaired"));
  print_line(out, "First seen", text_at(incident, "firstSeen"));
  print_line(out, "Last seen", text_at(incident, "lastSeen"));
  print_line(out, "Flows", flows_of(incident));
  print_line(out, "Connection", text_at(member(incident, "connection"), "displayName"));
  print_line(out, "Last run", text_at(member(incident, "lastRun"), "run"));
  out << "\n" << text_at(incident, "title") << "\n" << text_at(incident, "message") << "\n";
  if (const std::string advice = text_at(incident, "howToFix"); !advice.empty()) out << advice << "\n";
  if (const Value& hours = member(incident, "hours"); hours.is_array() && hours.size() > 0) {
    out << "\nFailures by hour:\n";
    for (const Value& hour : hours.as_array())
      out << "  " << text_at(hour, "time").substr(0, 13) << "h  " << text_at(hour, "count") << "\n";
  }
  out << "\nGrouped by:\n";
  if (const Value& parts = member(incident, "parts"); parts.is_array()) {
    for (const Value& part : parts.as_array())
      out << "  " << text_at(part, "rule") << "  (" << text_at(part, "count") << ")\n    "
          << text_at(part, "fingerprint") << "\n";
  }
  const Value& fixes = member(incident, "fixes");
  if (!fixes.is_array() || fixes.size() == 0) return;
  out << "\nFixed before:\n";
  for (const Value& fix : fixes.as_array()) {
    const std::string by = text_at(fix, "by");
    const std::string version = text_at(fix, "version");
    out << "  " << text_at(fix, "time") << "  "
        << (by.empty() ? "the step went well in run " + text_at(fix, "run") : "said by " + by)
        << (version.empty() ? "" : ", in version " + version) << "\n";
  }
}

int show_incident(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  show(server.ask("GET", incident_path(options.id)), out);
  return 0;
}

int change_incident(ApiClient& server, const ClientOptions& options, std::ostream& out, const Value& change) {
  const Value incident = server.ask("PATCH", incident_path(options.id), change);
  const std::string assignee = text_at(incident, "assignee");
  out << text_at(incident, "id") << "  " << state_of(incident) << (assignee.empty() ? "" : "  " + assignee) << "\n";
  return 0;
}

int assign(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  return change_incident(server, options, out, Value::object({{"assignee", Value(options.other)}}));
}

int mute(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  json::ObjectBuilder change;
  change.add("state", "muted");
  if (!options.until.empty()) change.add("mutedUntil", Value(options.until));
  return change_incident(server, options, out, change.finish());
}

int fix(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  json::ObjectBuilder change;
  change.add("state", "fixed");
  if (!options.version.empty()) change.add("version", Value(options.version));
  if (!options.flow.empty()) change.add("flow", Value(options.flow));
  return change_incident(server, options, out, change.finish());
}

int reopen(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  return change_incident(server, options, out, Value::object({{"state", "new"}}));
}

int merge(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  show(server.ask("POST", incident_path(options.id) + "/merge", Value::object({{"with", Value(options.other)}})), out);
  return 0;
}

int split(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  show(server.ask("POST", incident_path(options.id) + "/split", Value::object({{"fingerprint", Value(options.other)}})),
       out);
  return 0;
}

void show_job(const Value& job, std::ostream& out) {
  out << text_at(job, "state") << ": " << number_at(job, "looked") << " of " << number_at(job, "runs") << " runs, "
      << number_at(job, "succeeded") << " succeeded, " << number_at(job, "failed") << " failed, "
      << number_at(job, "leftOut") << " left out\n";
  print_line(out, "Reason", text_at(job, "reason"));
  if (const Value& refusals = member(job, "refusals"); refusals.is_array()) {
    for (const Value& one : refusals.as_array()) print_line(out, "Left out", text_from(one));
  }
  if (const std::string verdict = text_at(job, "verdict"); !verdict.empty())
    print_line(out, "Verdict", verdict == "fixed" ? "fixed: the step that had failed went well" : "not fixed");
}

/// Follows a job until it stands; 0 when all of it went well.
int follow(ApiClient& server, const std::string& job, std::ostream& out) {
  while (true) {
    const Value now = server.ask("GET", "/api/v1/jobs/" + percent_encoded(job));
    const std::string state = text_at(now, "state");
    if (state != "running") {
      show_job(now, out);
      return state == "done" && number_at(now, "failed") == 0 ? 0 : 1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

/// What a corrected step would be done with in the first of the runs.
void print_preview(const Value& preview, std::ostream& out) {
  out << "The correction fits " << number_at(preview, "evaluated") << " times in the first "
      << number_at(preview, "runs") << " runs, can't be evaluated " << number_at(preview, "failing")
      << " times, and is known only when the step runs " << number_at(preview, "unknown") << " times.\n";
  const Value& samples = member(preview, "samples");
  if (!samples.is_array()) return;
  for (const Value& sample : samples.as_array()) {
    const std::string repetition = text_at(sample, "repetition");
    out << "  " << text_at(sample, "run") << ", " << text_at(sample, "action")
        << (repetition.empty() ? "" : " " + repetition) << ": " << would_send(member(sample, "wouldSend")) << "\n";
  }
}

/// Plans, shows the plan, and carries it out unless only the plan is wanted.
int repeat_many(ApiClient& server, const ClientOptions& options, std::ostream& out, std::string_view of,
                const Value& which) {
  json::ObjectBuilder wish;
  wish.add(of, which);
  const Value how = how_to_repeat(options);
  for (const json::Member& one : how.as_object()) {
    if (one.name() != "keep") wish.add(one.name(), one.value);
  }
  wish.add("keepDone", Value(options.keep_done));
  if (options.with_parent) wish.add("withParents", Value(true));
  wish.add("canary", Value(!options.at_once));
  if (options.rate > 0) wish.add("ratePerSecond", Value(options.rate));
  if (options.stop_percent >= 0) wish.add("stopPercent", Value(options.stop_percent));
  const Value planned = server.ask("POST", "/api/v1/repair-plans", wish.finish());
  out << number_at(planned, "runs") << " runs would be repeated:\n";
  if (const Value& steps = member(planned, "steps"); steps.is_array()) {
    for (const Value& step : steps.as_array()) {
      out << "  " << text_at(step, "flowDisplayName") << ", " << text_at(step, "action") << ": "
          << (member(step, "writes") == Value(true) ? "writes" : "reads") << ", done before in "
          << number_at(step, "doneBefore") << " runs, not in " << number_at(step, "notDoneBefore") << "\n";
    }
  }
  if (const Value& refusals = member(planned, "refusals"); refusals.is_array()) {
    for (const Value& one : refusals.as_array()) print_line(out, "Left out", text_from(one));
  }
  if (const Value& preview = member(planned, "correctionPreview"); preview.is_object()) print_preview(preview, out);
  if (options.plan_only) return 0;
  const std::string job = text_at(planned, "id");
  server.ask("POST", "/api/v1/repair-plans/" + percent_encoded(job) + "/execute",
             Value::object({{"version", member(planned, "version")}}));
  out << "Job " << job << std::endl;
  return options.no_wait ? 0 : follow(server, job, out);
}

int resubmit_incident(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  return repeat_many(server, options, out, "incident", Value(options.id));
}

int start_job(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  json::ObjectBuilder filter;
  if (!options.flow.empty()) filter.add("flow", Value(options.flow));
  if (!options.status.empty()) filter.add("status", Value(options.status));
  if (!options.started_from.empty()) filter.add("startedFrom", Value(options.started_from));
  if (!options.started_until.empty()) filter.add("startedUntil", Value(options.started_until));
  if (!options.code.empty()) filter.add("code", Value(options.code));
  if (!options.connection.empty()) filter.add("connection", Value(options.connection));
  if (!options.value.empty()) filter.add("value", Value(options.value));
  return repeat_many(server, options, out, "filter", filter.finish());
}

int list_jobs(ApiClient& server, const ClientOptions&, std::ostream& out) {
  const Value list = server.ask("GET", "/api/v1/jobs");
  const Value& jobs = member(list, "value");
  if (!jobs.is_array() || jobs.size() == 0) {
    out << "No jobs.\n";
    return 0;
  }
  for (const Value& job : jobs.as_array())
    out << text_at(job, "id") << "  " << text_at(job, "state") << "  " << number_at(job, "looked") << "/"
        << number_at(job, "runs") << "  " << text_at(job, "createdTime") << "  " << text_at(job, "by") << "\n";
  return 0;
}

int change_job(ApiClient& server, const ClientOptions& options, std::ostream& out, const char* what) {
  const std::string path = "/api/v1/jobs/" + percent_encoded(options.id);
  show_job(*what == '\0' ? server.ask("GET", path) : server.ask("POST", path + "/" + what), out);
  return 0;
}

int list_holds(ApiClient& server, const ClientOptions&, std::ostream& out) {
  const Value list = server.ask("GET", "/api/v1/holds");
  const Value& holds = member(list, "value");
  if (!holds.is_array() || holds.size() == 0) {
    out << "No run waits for a service.\n";
    return 0;
  }
  for (const Value& hold : holds.as_array()) {
    const Value& flows = member(hold, "flows");
    out << text_at(hold, "target") << "\n  " << number_at(hold, "runs") << " runs of "
        << (flows.is_array() ? flows.size() : 0) << " flows (" << flows_of(hold) << ") wait for "
        << text_at(hold, "displayName") << " since " << text_at(hold, "since") << "\n  " << text_at(hold, "message")
        << "\n";
    const bool releasing = member(hold, "releasing") == Value(true);
    const std::string next = text_at(hold, "nextTryTime");
    if (releasing) out << "  They are being let go on now.\n";
    if (!releasing && !next.empty()) out << "  One is tried at " << next << ".\n";
  }
  return 0;
}

int end_holds(ApiClient& server, const ClientOptions& options, std::ostream& out, bool release) {
  const Value ended = server.ask("POST", release ? "/api/v1/holds/release" : "/api/v1/holds/fail",
                                 Value::object({{"target", Value(options.id)}}));
  const auto steps = number_at(ended, "steps");
  if (steps == 0) {
    out << "Nothing waits for '" << options.id << "'.\n";
    return 0;
  }
  out << steps
      << (release ? " steps wait: one is tried now, and when it goes well the others follow.\n" : " steps fail now.\n");
  return 0;
}

int hold_choice(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const std::string path = "/api/v1/holds/choice?target=" + percent_encoded(options.id);
  json::ObjectBuilder change;
  if (!options.on_outage.empty()) change.add("onOutage", Value(options.on_outage));
  if (options.limit_minutes > 0) change.add("limitMinutes", Value(options.limit_minutes));
  if (options.runs_max > 0) change.add("runsMax", Value(options.runs_max));
  const Value wanted = change.finish();
  const Value choice = wanted.size() > 0 ? server.ask("PUT", path, wanted) : server.ask("GET", path);
  print_line(out, "On outage", text_at(choice, "onOutage"));
  print_line(out, "Minutes", text_at(choice, "limitMinutes"));
  print_line(out, "Runs at most", text_at(choice, "runsMax"));
  return 0;
}

void add_rate_options(CLI::App& command, ClientOptions& options) {
  command.add_option("--rate", options.rate, "Runs a second at most")->check(CLI::Range(1, 10'000));
  command.add_option("--stop-percent", options.stop_percent, "Stop when more of a stage fail again")
      ->check(CLI::Range(0, 100));
  command.add_flag("--at-once", options.at_once, "Not in stages (one run, 5 %, the rest)");
}

}  // namespace

void add_repair_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands) {
  ClientGroup incident(app, "incident", "What broke runs, by cause", options, commands);
  CLI::App& list = incident.add("list", "Open incidents", "", list_incidents);
  list.add_option("--state", options.state, "open, new, assigned, muted, fixed or back");
  list.add_option("--flow", options.flow, "Of this flow only (its id)");
  incident.add("show", "What it is, what it touched, what fixed it before", "incident", show_incident);
  incident.add("assign", "Give it to somebody; without a name to nobody", "incident", assign)
      .add_option("person", options.other, "User name");
  incident.add("mute", "Say nothing of it", "incident", mute)
      .add_option("--until", options.until, "2026-11-23T18:00:00Z; without it until it is reopened");
  CLI::App& fixed = incident.add("fix", "Say that its cause is gone", "incident", fix);
  fixed.add_option("--version", options.version, "In this version of the flow: latest, or its name");
  fixed.add_option("--flow", options.flow, "Whose version (its id), when it touches several");
  incident.add("reopen", "Make a muted or fixed one new again", "incident", reopen);
  incident.add("merge", "Put another incident's failures under it", "incident", merge)
      .add_option("other", options.other, "Its id")
      ->required();
  incident.add("split", "Take one cause out of a merged one", "incident", split)
      .add_option("fingerprint", options.other, "As `incident show` prints it")
      ->required();
  CLI::App& all = incident.add("resubmit", "Repeat every run that it broke", "incident", resubmit_incident);

  ClientGroup job(app, "job", "Jobs that repeat many runs", options, commands);
  job.add("list", "The latest first", "", list_jobs);
  CLI::App& started = job.add("start", "Repeat the failed runs that match", "", start_job);
  started.add_option("--flow", options.flow, "Of this flow only (its id)");
  started.add_option("--status", options.status, "Failed, TimedOut or Cancelled; without it the first two");
  started.add_option("--started-from", options.started_from, "2026-11-23T18:00:00Z");
  started.add_option("--started-until", options.started_until, "2026-11-23T18:00:00Z");
  started.add_option("--code", options.code, "Whose step failed with it: 401, Unauthorized");
  started.add_option("--connection", options.connection, "Of flows that use the connection with this name");
  started.add_option("--value", options.value, "That recorded it: an order number, a name");
  for (CLI::App* command : {&all, &started}) {
    add_repeat_options(*command, options);
    add_correction_options(*command, options);
    add_rate_options(*command, options);
    command->add_flag("--with-parent", options.with_parent,
                      "Runs that had called one of them go on, with what it brings now");
  }
  for (const auto& [name, about, what] :
       {std::tuple{"show", "How far it is", ""}, std::tuple{"pause", "Start no more for now", "pause"},
        std::tuple{"resume", "Go on", "resume"},
        std::tuple{"cancel", "Start no more; what was started goes on", "cancel"}})
    job.add(name, about, "job", [what = what](ApiClient& server, const ClientOptions& given, std::ostream& out) {
      return change_job(server, given, out, what);
    });

  ClientGroup holds(app, "holds", "Runs that wait for a service", options, commands);
  holds.add("list", "What runs wait for", "", list_holds);
  holds.add("release", "Try one now; when it goes well the others follow", "target",
            [](ApiClient& server, const ClientOptions& given, std::ostream& out) {
              return end_holds(server, given, out, true);
            });
  holds.add("fail", "Let their steps fail", "target",
            [](ApiClient& server, const ClientOptions& given, std::ostream& out) {
              return end_holds(server, given, out, false);
            });
  CLI::App& choice = holds.add("choice", "Whether runs wait for it, how long, how many", "target", hold_choice);
  choice.add_option("--on-outage", options.on_outage, "hold, fail, or flow: as each flow says");
  choice.add_option("--limit-minutes", options.limit_minutes, "Those that wait longer fail");
  choice.add_option("--runs-max", options.runs_max, "Further ones fail");
}

}  // namespace flowmend::server
