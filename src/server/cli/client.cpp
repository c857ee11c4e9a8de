#include "server/cli/client.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ostream>
#include <thread>

#include "json/parse.h"
#include "json/write.h"
#include "server/cli/api_client.h"
#include "server/cli/connection.h"
#include "server/cli/flow.h"
#include "server/cli/notifications.h"
#include "server/cli/people.h"
#include "server/cli/repair.h"
#include "server/cli/variable.h"

namespace flowmend::server {

namespace {

/// Shows a run; gives its status.
std::string show(ApiClient& server, const std::string& id, std::ostream& out) {
  const Value run = server.ask("GET", "/api/v1/runs/" + percent_encoded(id));
  const Value& properties = member(run, "properties");
  const Value& own = member(properties, "flowmend");
  const std::string status = text_from(member(properties, "status"));
  print_line(out, "Run", text_from(member(run, "name")));
  print_line(out, "Flow", text_from(member(own, "flowDisplayName")));
  print_line(out, "Status", status);
  print_line(out, "Started", text_from(member(properties, "startTime")));
  print_line(out, "Ended", text_from(member(properties, "endTime")));
  if (const Value& by = member(own, "calledBy"); by.is_object())
    print_line(out, "Called by",
               text_from(member(by, "run")) + " of " + text_from(member(by, "flowDisplayName")) + ", step " +
                   text_from(member(by, "action")) + " " + text_from(member(by, "repetition")));
  print_line(out, "Repeats", text_from(member(member(own, "resubmitOf"), "run")));
  if (const Value& repair = member(own, "repair"); repair.is_object()) {
    print_line(out, "Repaired by", text_from(member(repair, "by")));
    print_line(out, "Because", text_from(member(repair, "why")));
  }
  if (const Value& waits = member(own, "waitsFor"); waits.is_array()) {
    for (const Value& one : waits.as_array())
      print_line(out, "Waits for",
                 text_from(member(one, "displayName")) + ", at " + text_from(member(one, "action")) + ": " +
                     text_from(member(one, "message")));
  }
  if (status == "Failed" || status == "TimedOut") {
    const Value explained = server.ask("GET", "/api/v1/runs/" + percent_encoded(id) + "/explanation");
    print_line(out, "Step", text_from(member(member(explained, "failure"), "action")));
    out << "\n"
        << text_from(member(explained, "title")) << "\n"
        << text_from(member(explained, "whatHappened")) << "\n";
    if (const Value& fixes = member(explained, "howToFix"); fixes.is_array()) {
      for (const Value& fix : fixes.as_array()) out << "- " << text_from(member(fix, "text")) << "\n";
    }
  }
  return status;
}

}  // namespace

std::string would_send(const Value& would) {
  if (const Value& error = member(would, "error"); error.is_object())
    return "fails: " + text_from(member(error, "message"));
  if (const std::string why = text_from(member(would, "unknown")); !why.empty()) return why;
  return "would send " + json::write(member(would, "inputs"));
}

Value how_to_repeat(const ClientOptions& options) {
  json::ObjectBuilder body;
  body.add("definition", Value(options.original ? "original" : "latest"));
  if (options.keep_done) body.add("keep", "done");
  if (!options.why.empty()) body.add("why", Value(options.why));
  struct Said {
    const char* option;
    const char* member;
    const std::string& text;
  };
  const Said said[] = {{"--output", "output", options.output},
                       {"--input", "input", options.input},
                       {"--input-expressions", "inputExpressions", options.input_expressions}};
  const auto many =
      std::ranges::count_if(said, [](const Said& one) { return !one.text.empty(); }) + (options.skip ? 1 : 0);
  if (many > 0) {
    if (options.from.empty()) throw Stopped{2, "Name the step with --from."};
    if (many > 1)
      throw Stopped{2, "Only one of --output, --input, --input-expressions and --skip can be said of a step."};
    json::ObjectBuilder step;
    step.add("action", Value(options.from));
    if (!options.repetition.empty()) step.add("repetition", Value(options.repetition));
    if (options.skip) step.add("skip", Value(true));
    for (const Said& one : said) {
      if (one.text.empty()) continue;
      const auto given = json::parse(one.text);
      if (!given)
        throw Stopped{2, std::string("What was given with ") + one.option + " is not JSON: " + given.error().message};
      step.add(one.member, *given);
    }
    body.add("steps", Value::array({step.finish()}));
  } else if (!options.from.empty()) {
    body.add("from", Value(options.from));
    if (!options.repetition.empty()) body.add("fromRepetition", Value(options.repetition));
  }
  return body.finish();
}

namespace {

/// Also of the runs inside it, farther to the right.
void print_plan(const Value& planned, const std::string& margin, std::ostream& out) {
  const Value& steps = member(planned, "steps");
  if (!steps.is_array()) return;
  for (const Value& step : steps.as_array()) {
    const std::string what = text_from(member(step, "plan"));
    const bool twice = member(step, "writes") == Value(true) && member(step, "doneBefore") == Value(true) &&
                       (what == "again" || what == "corrected");
    const std::string repetition = text_from(member(step, "repetition"));
    out << margin << what << std::string(what.size() < 10 ? 10 - what.size() : 1, ' ')
        << text_from(member(step, "action")) << (repetition.empty() ? "" : " " + repetition)
        << (twice ? "  (writes, and had done so once)" : "");
    const Value& child = member(step, "child");
    if (child.is_object()) {
      out << "  in run " << text_from(member(child, "run"));
      const std::string flow = text_from(member(child, "flowDisplayName"));
      if (!flow.empty()) out << " of " << flow;
    }
    out << "\n";
    if (const Value& would = member(step, "wouldSend"); would.is_object())
      out << margin << "  " << would_send(would) << "\n";
    print_plan(child, margin + "  ", out);
  }
}

/// How one run is repeated.
Value how_to_repeat_run(const ClientOptions& options) {
  json::ObjectBuilder body(how_to_repeat(options));
  if (options.with_parent) body.add("withParent", Value(true));
  return body.finish();
}

/// Prints what would be done; gives the plan's version.
std::string plan(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value planned =
      server.ask("POST", "/api/v1/runs/" + percent_encoded(options.id) + "/plan", how_to_repeat_run(options));
  if (options.with_parent)
    out << "Run " << text_from(member(planned, "run")) << " of " << text_from(member(planned, "flowDisplayName"))
        << " goes on:\n";
  print_plan(planned, "  ", out);
  return text_from(member(planned, "version"));
}

int resubmit(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const std::string version = plan(server, options, out);
  if (options.plan_only) return 0;
  json::ObjectBuilder body(how_to_repeat_run(options));
  body.add("version", Value(version));
  const Value started = server.ask("POST", "/api/v1/runs/" + percent_encoded(options.id) + "/resubmit", body.finish());
  const std::string run = text_from(member(started, "run"));
  out << "Started " << run << std::endl;
  if (options.no_wait) return 0;
  return tell_end(server, run, out);
}

int cancel(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value run = server.ask("GET", "/api/v1/runs/" + percent_encoded(options.id));
  const std::string flow = text_from(member(member(member(run, "properties"), "flowmend"), "flow"));
  server.ask("POST", "/providers/Microsoft.ProcessSimple/environments/~default/flows/" + percent_encoded(flow) +
                         "/runs/" + percent_encoded(options.id) + "/cancel?api-version=2016-11-01");
  out << "Cancelled " << options.id << "\n";
  return 0;
}

}  // namespace

std::string wait_for_end(ApiClient& server, const std::string& run) {
  while (true) {
    const Value now = server.ask("GET", "/api/v1/runs/" + percent_encoded(run));
    const std::string status = text_from(member(member(now, "properties"), "status"));
    if (status != "Running") return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
}

int tell_changed_flows(const Value& answer, const char* does, const char* none, std::ostream& out) {
  const Value& changed = member(answer, "changed");
  const Value& left = member(answer, "left");
  for (const Value& flow : changed.as_array()) out << text_at(flow, "displayName") << ": " << does << "\n";
  for (const Value& flow : left.as_array()) {
    const Value& error = member(flow, "error");
    out << text_at(flow, "displayName") << ": left as it is. " << text_at(error, "message") << " "
        << text_at(error, "cure") << "\n";
  }
  if (changed.size() + left.size() == 0) out << none << "\n";
  return left.size() == 0 ? 0 : 1;
}

int tell_end(ApiClient& server, const std::string& run, std::ostream& out) {
  const std::string status = wait_for_end(server, run);
  out << status << "\n";
  return status == "Failed" || status == "TimedOut" || status == "Cancelled" ? 1 : 0;
}

ClientGroup::ClientGroup(CLI::App& app, const char* name, const char* about, ClientOptions& options,
                         std::vector<ClientCommand>& commands)
    : group_(app.add_subcommand(name, about)), options_(options), commands_(commands) {
  group_->require_subcommand(1);
}

CLI::App& ClientGroup::add(const char* name, const char* about, const char* id, ClientWork work) {
  CLI::App* command = group_->add_subcommand(name, about);
  add_server_options(*command, options_);
  if (*id != '\0') command->add_option(id, options_.id, "Which one")->required();
  commands_.emplace_back(command, std::move(work));
  return *command;
}

ClientCommands::ClientCommands(CLI::App& app, CLI::App& run) {
  // Read here: the library would give a variable to the option of every command, also over what was typed.
  if (const char* server = std::getenv("FLOWMEND_SERVER"); server != nullptr && *server != '\0')
    options_.server = server;
  if (const char* token = std::getenv("FLOWMEND_TOKEN"); token != nullptr) options_.token = token;
  const auto add = [&](std::string_view name, std::string_view about,
                       int (*work)(ApiClient&, const ClientOptions&, std::ostream&)) {
    CLI::App* command = run.add_subcommand(std::string(name), std::string(about));
    add_server_options(*command, options_);
    command->add_option("run", options_.id, "Its name")->required();
    commands_.emplace_back(command, work);
    return command;
  };
  add("show", "What a run did, and why it failed",
      [](ApiClient& server, const ClientOptions& options, std::ostream& out) {
        show(server, options.id, out);
        return 0;
      });
  add("cancel", "Stop a run", cancel);
  for (CLI::App* command : {add("resubmit", "Repeat a run", resubmit),
                            add("plan", "Say what repeating a run would do, and do nothing",
                                [](ApiClient&server, const ClientOptions&options, std::ostream&out) {
                                  plan(server, options, out);
                                  return 0;
                                })}) {
    add_repeat_options(*command, options_);
    add_correction_options(*command, options_);
    command->add_flag("--with-parent", options_.with_parent,
                      "The run that had called it goes on with what it brings now");
  }
  add_connection_commands(app, options_, commands_);
  add_variable_commands(app, options_, commands_);
  add_flow_commands(app, options_, commands_);
  add_people_commands(app, options_, commands_);
  add_repair_commands(app, options_, commands_);
  add_notification_commands(app, options_, commands_);
}

bool ClientCommands::chosen() const { return chosen_command() != nullptr; }

const ClientCommand* ClientCommands::chosen_command() const {
  for (const ClientCommand& command : commands_) {
    if (command.first->parsed()) return &command;
  }
  return nullptr;
}

int ClientCommands::run(std::ostream& out, std::ostream& problems) const {
  try {
    ApiClient server(options_.server, options_.token);
    return chosen_command()->second(server, options_, out);
  } catch (const Stopped& stopped) {
    problems << "flowmend: " << stopped.message << std::endl;
    return stopped.exit_code;
  }
}

void add_server_options(CLI::App& command, ClientOptions& options) {
  command.add_option("--server", options.server, "Its address; else FLOWMEND_SERVER")->capture_default_str();
  command.add_option("--token", options.token,
                     "An access token; better in FLOWMEND_TOKEN, where no list of processes shows it");
}

void add_repeat_options(CLI::App& command, ClientOptions& options) {
  command.add_flag("--original", options.original, "With the version that ran, not the latest");
  command.add_flag("--keep-done", options.keep_done, "Keep what had succeeded");
  command.add_flag("--plan", options.plan_only, "Only say what would be done");
  command.add_flag("--no-wait", options.no_wait, "Do not wait for the end");
}

void add_correction_options(CLI::App& command, ClientOptions& options) {
  command.add_option("--from", options.from, "Go on from this step; what had succeeded before it is kept");
  command.add_option("--repetition", options.repetition, "Only this item of the loops around the step: 000002");
  command.add_option("--output", options.output, "JSON: what the step brings; it is not done");
  command.add_option("--input", options.input, "JSON: the inputs that the step is done with");
  command.add_option("--input-expressions", options.input_expressions,
                     "JSON: what is different in its inputs: {\"/parameters/id\": \"@triggerBody()?['id']\"}");
  command.add_flag("--skip", options.skip, "The step is not done and brings nothing");
  command.add_option("--why", options.why, "The reason; shown in the run for ever");
}

}  // namespace flowmend::server
