#include "server/cli/client.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <thread>

#include "http/client.h"
#include "http/message.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::server {

namespace {

using json::Value;

/// Why a command ends without having done its work.
struct Stopped {
  int exit_code;
  std::string message;
};

std::string encoded(std::string_view text) {
  constexpr std::string_view plain = "-_.~";
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || plain.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      char digits[4];
      std::snprintf(digits, sizeof digits, "%%%02X", static_cast<unsigned char>(c));
      out += digits;
    }
  }
  return out;
}

class Server {
 public:
  explicit Server(const ClientOptions& options) : options_(options) {
    if (options.token.empty())
      throw Stopped{
          2,
          "No token was given.\n    Make one with `flowmend token create --name me --scopes read,run`, and set "
          "FLOWMEND_TOKEN to what it prints."};
    while (options_.server.ends_with('/')) options_.server.pop_back();
  }

  Value ask(const std::string& method, const std::string& path, const Value& body = {}) {
    http::Request request;
    request.method = method;
    request.url = options_.server + path;
    request.headers = {{"Authorization", "Bearer " + options_.token}, {"Accept", "application/json"}};
    if (!body.is_null()) {
      request.headers.push_back({"Content-Type", "application/json"});
      request.body = json::write(body);
    }
    const http::Reply reply = http::send_and_wait(client_, std::move(request));
    if (!reply.error_code.empty())
      throw Stopped{2, "The server " + options_.server + " can't be asked: " + reply.error_message +
                           "\n    Start it with `flowmend serve`, or name it with --server."};
    const auto answer = reply.body.empty() ? Result<Value>(Value()) : json::parse(reply.body);
    if (reply.status >= 400) {
      const Value* error = answer && answer->is_object() ? answer->find("error") : nullptr;
      const std::string code(error == nullptr ? "" : error->text_of("code"));
      const std::string message(error == nullptr ? "" : error->text_of("message"));
      throw Stopped{1, message.empty() ? "The server answered " + std::to_string(reply.status) + "."
                                       : message + " (" + code + ")"};
    }
    if (!answer) throw Stopped{2, options_.server + " did not answer with JSON: it is no Flowmend server."};
    return *answer;
  }

 private:
  ClientOptions options_;
  http::Client client_;
};

const Value& member(const Value& value, std::string_view name) {
  static const Value none;
  const Value* found = value.is_object() ? value.find(name) : nullptr;
  return found == nullptr ? none : *found;
}

std::string text(const Value& value) {
  return value.is_null() ? std::string() : value.is_string() ? std::string(value.as_string()) : json::write(value);
}

std::int64_t number(const Value& value, std::string_view name) {
  const Value& found = member(value, name);
  return found.is_integer() ? found.as_integer() : 0;
}

void line(std::ostream& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out << name << std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') << value << "\n";
}

/// Shows a run; gives its status.
std::string show(Server& server, const std::string& id, std::ostream& out) {
  const Value run = server.ask("GET", "/api/v1/runs/" + encoded(id));
  const Value& properties = member(run, "properties");
  const Value& own = member(properties, "flowmend");
  const std::string status = text(member(properties, "status"));
  line(out, "Run", text(member(run, "name")));
  line(out, "Flow", text(member(own, "flowDisplayName")));
  line(out, "Status", status);
  line(out, "Started", text(member(properties, "startTime")));
  line(out, "Ended", text(member(properties, "endTime")));
  line(out, "Repeats", text(member(member(own, "resubmitOf"), "run")));
  if (const Value& repair = member(own, "repair"); repair.is_object()) {
    line(out, "Repaired by", text(member(repair, "by")));
    line(out, "Because", text(member(repair, "why")));
  }
  if (const Value& waits = member(own, "waitsFor"); waits.is_array()) {
    for (const Value& one : waits.as_array())
      line(out, "Waits for",
           text(member(one, "displayName")) + ", at " + text(member(one, "action")) + ": " +
               text(member(one, "message")));
  }
  if (status == "Failed" || status == "TimedOut") {
    const Value explained = server.ask("GET", "/api/v1/runs/" + encoded(id) + "/explanation");
    line(out, "Step", text(member(member(explained, "failure"), "action")));
    out << "\n" << text(member(explained, "title")) << "\n" << text(member(explained, "whatHappened")) << "\n";
    if (const Value& fixes = member(explained, "howToFix"); fixes.is_array()) {
      for (const Value& fix : fixes.as_array()) out << "- " << text(member(fix, "text")) << "\n";
    }
  }
  return status;
}

Value wish(const ClientOptions& options) {
  json::ObjectBuilder body;
  body.add("definition", Value(options.original ? "original" : "latest"));
  if (options.keep_done) body.add("keep", "done");
  if (!options.why.empty()) body.add("why", Value(options.why));
  if (options.skip || !options.output.empty()) {
    if (options.from.empty()) throw Stopped{2, "Name the step with --from."};
    json::ObjectBuilder step;
    step.add("action", Value(options.from));
    if (!options.repetition.empty()) step.add("repetition", Value(options.repetition));
    if (options.skip) {
      step.add("skip", Value(true));
    } else {
      const auto output = json::parse(options.output);
      if (!output) throw Stopped{2, "The output given with --output is not JSON: " + output.error().message};
      step.add("output", *output);
    }
    body.add("steps", Value::array({step.finish()}));
  } else if (!options.from.empty()) {
    body.add("from", Value(options.from));
    if (!options.repetition.empty()) body.add("fromRepetition", Value(options.repetition));
  }
  return body.finish();
}

/// Prints what would be done; gives the plan's version.
std::string plan(Server& server, const ClientOptions& options, std::ostream& out) {
  const Value planned = server.ask("POST", "/api/v1/runs/" + encoded(options.id) + "/plan", wish(options));
  for (const Value& step : member(planned, "steps").as_array()) {
    const std::string what = text(member(step, "plan"));
    const bool twice = member(step, "writes") == Value(true) && member(step, "doneBefore") == Value(true) &&
                       (what == "again" || what == "corrected");
    const std::string repetition = text(member(step, "repetition"));
    out << "  " << what << std::string(what.size() < 10 ? 10 - what.size() : 1, ' ') << text(member(step, "action"))
        << (repetition.empty() ? "" : " " + repetition) << (twice ? "  (writes, and had done so once)" : "") << "\n";
  }
  return text(member(planned, "version"));
}

/// The status of a run once it is over or waits for its service.
std::string wait_for_end(Server& server, const std::string& run) {
  while (true) {
    const Value now = server.ask("GET", "/api/v1/runs/" + encoded(run));
    const std::string status = text(member(member(now, "properties"), "status"));
    if (status != "Running") return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
}

int resubmit(Server& server, const ClientOptions& options, std::ostream& out) {
  const std::string version = plan(server, options, out);
  if (options.plan_only) return 0;
  json::ObjectBuilder body(wish(options));
  body.add("version", Value(version));
  const Value started = server.ask("POST", "/api/v1/runs/" + encoded(options.id) + "/resubmit", body.finish());
  const std::string run = text(member(started, "run"));
  out << "Started " << run << std::endl;
  if (options.no_wait) return 0;
  const std::string status = wait_for_end(server, run);
  out << status << "\n";
  return status == "Failed" || status == "TimedOut" || status == "Cancelled" ? 1 : 0;
}

int cancel(Server& server, const ClientOptions& options, std::ostream& out) {
  const Value run = server.ask("GET", "/api/v1/runs/" + encoded(options.id));
  const std::string flow = text(member(member(member(run, "properties"), "flowmend"), "flow"));
  server.ask("POST", "/providers/Microsoft.ProcessSimple/environments/~default/flows/" + encoded(flow) + "/runs/" +
                         encoded(options.id) + "/cancel?api-version=2016-11-01");
  out << "Cancelled " << options.id << "\n";
  return 0;
}

int list_incidents(Server& server, std::ostream& out) {
  const Value list = server.ask("GET", "/api/v1/incidents?state=open");
  const Value& incidents = member(list, "value");
  if (!incidents.is_array() || incidents.size() == 0) {
    out << "No open incidents.\n";
    return 0;
  }
  for (const Value& incident : incidents.as_array()) {
    out << text(member(incident, "id")) << "  " << text(member(incident, "state")) << "  "
        << text(member(incident, "title")) << "\n";
  }
  return 0;
}

int resubmit_incident(Server& server, const ClientOptions& options, std::ostream& out) {
  const Value planned = server.ask("POST", "/api/v1/repair-plans",
                                   Value::object({{"incident", Value(options.id)},
                                                  {"definition", options.original ? "original" : "latest"},
                                                  {"keepDone", Value(options.keep_done)}}));
  out << number(planned, "runs") << " runs would be repeated:\n";
  if (const Value& steps = member(planned, "steps"); steps.is_array()) {
    for (const Value& step : steps.as_array()) out << "  " << json::write(step) << "\n";
  }
  if (options.plan_only) return 0;
  const std::string job = text(member(planned, "id"));
  server.ask("POST", "/api/v1/repair-plans/" + encoded(job) + "/execute",
             Value::object({{"version", member(planned, "version")}}));
  out << "Job " << job << std::endl;
  if (options.no_wait) return 0;
  while (true) {
    const Value now = server.ask("GET", "/api/v1/jobs/" + encoded(job));
    const std::string state = text(member(now, "state"));
    if (state != "running") {
      out << state << ": " << number(now, "succeeded") << " succeeded, " << number(now, "failed") << " failed, "
          << number(now, "leftOut") << " left out\n";
      line(out, "Reason", text(member(now, "reason")));
      return state == "done" && number(now, "failed") == 0 ? 0 : 1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

}  // namespace

ClientCommands::ClientCommands(CLI::App& app, CLI::App& run) {
  incident_ = app.add_subcommand("incident", "Incidents of a server that is running");
  // Read here: the library would give a variable to the option of every command, also over what was typed.
  if (const char* server = std::getenv("FLOWMEND_SERVER"); server != nullptr && *server != '\0')
    options_.server = server;
  if (const char* token = std::getenv("FLOWMEND_TOKEN"); token != nullptr) options_.token = token;
  const auto common = [this](CLI::App* command) {
    command->add_option("--server", options_.server, "Its address; else FLOWMEND_SERVER")->capture_default_str();
    command->add_option("--token", options_.token,
                        "An access token; better in FLOWMEND_TOKEN, where no list of processes shows it");
  };
  const auto repeated = [this](CLI::App* command) {
    command->add_flag("--original", options_.original, "With the version that ran, not the latest");
    command->add_flag("--keep-done", options_.keep_done, "Keep what had succeeded");
    command->add_flag("--plan", options_.plan_only, "Only say what would be done");
    command->add_flag("--no-wait", options_.no_wait, "Do not wait for the end");
  };
  incident_->require_subcommand(1);
  show_ = run.add_subcommand("show", "What a run did, and why it failed");
  resubmit_ = run.add_subcommand("resubmit", "Repeat a run");
  cancel_ = run.add_subcommand("cancel", "Stop a run");
  for (CLI::App* command : {show_, resubmit_, cancel_}) {
    common(command);
    command->add_option("run", options_.id, "Its name")->required();
  }
  repeated(resubmit_);
  resubmit_->add_option("--from", options_.from, "Go on from this step; what had succeeded before it is kept");
  resubmit_->add_option("--repetition", options_.repetition, "Only this item of the loops around the step: 000002");
  resubmit_->add_option("--output", options_.output, "JSON: what the step brings; it is not done");
  resubmit_->add_flag("--skip", options_.skip, "The step is not done and brings nothing");
  resubmit_->add_option("--why", options_.why, "The reason; shown in the run for ever");
  auto* listed = incident_->add_subcommand("list", "Open incidents");
  auto* all = incident_->add_subcommand("resubmit", "Repeat every run that an incident broke");
  common(listed);
  common(all);
  all->add_option("incident", options_.id, "Its id")->required();
  repeated(all);
}

bool ClientCommands::chosen() const {
  return show_->parsed() || resubmit_->parsed() || cancel_->parsed() || incident_->parsed();
}

int ClientCommands::run(std::ostream& out, std::ostream& problems) const {
  try {
    Server server(options_);
    if (show_->parsed()) {
      show(server, options_.id, out);
      return 0;
    }
    if (resubmit_->parsed()) return resubmit(server, options_, out);
    if (cancel_->parsed()) return cancel(server, options_, out);
    if (incident_->got_subcommand("list")) return list_incidents(server, out);
    return resubmit_incident(server, options_, out);
  } catch (const Stopped& stopped) {
    problems << "flowmend: " << stopped.message << std::endl;
    return stopped.exit_code;
  }
}

}  // namespace flowmend::server
