#include "server/cli/flow.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::server {

namespace {

constexpr const char* version = "api-version=2016-11-01";
constexpr std::streamsize file_bytes_max = 64 << 20;

std::string flows_path(const std::string& flow = {}, const std::string& below = {}) {
  return "/providers/Microsoft.ProcessSimple/environments/~default/flows" +
         (flow.empty() ? "" : "/" + percent_encoded(flow)) + below;
}

Value read_flow(ApiClient& server, const std::string& id) { return server.ask("GET", flows_path(id) + "?" + version); }

/// Calls `each` with every flow of the server, page by page.
template <class Each>
void for_each_flow(ApiClient& server, const Each& each) {
  std::string path = flows_path() + "?" + version;
  while (!path.empty()) {
    const Value page = server.ask("GET", path);
    if (const Value& flows = member(page, "value"); flows.is_array()) {
      for (const Value& flow : flows.as_array()) each(flow);
    }
    const std::string next = text_at(page, "nextLink");
    const auto host = next.find("://");
    const auto slash = host == std::string::npos ? 0 : next.find('/', host + 3);
    path = slash == std::string::npos ? "" : next.substr(slash);
  }
}

/// The id of the flow that a person named.
std::string flow_named(ApiClient& server, const std::string& name) {
  std::string found;
  bool by_id = false;
  for_each_flow(server, [&](const Value& flow) {
    const std::string id = text_at(flow, "name");
    if (id == name) {
      by_id = true;
      found = id;
    }
    if (by_id || text_at(member(flow, "properties"), "displayName") != name) return;
    if (!found.empty())
      throw Stopped{1, "More than one flow is called '" + name + "'.\n    Give its id: " + found + ", " + id + " ..."};
    found = id;
  });
  if (found.empty())
    throw Stopped{1, "No flow is called '" + name + "'.\n    `flowmend flow list` shows ids and names."};
  return found;
}

Value json_in(const std::string& text, const std::string& where) {
  auto value = json::parse(text);
  if (!value) throw Stopped{2, where + " is no JSON: " + value.error().message};
  return *std::move(value);
}

/// A file's definition: bare, or inside of what is exported (`definition`, `properties.definition`). `-` is standard
/// input.
Value definition_in(const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw Stopped{2, "'" + file + "' can't be read."};
    text.resize(static_cast<std::size_t>(file_bytes_max) + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.gcount() > file_bytes_max) throw Stopped{2, "'" + file + "' is larger than 64 MiB: that is no definition."};
    text.resize(static_cast<std::size_t>(in.gcount()));
  }
  Value value = json_in(text, "'" + file + "'");
  for (const Value* inner : {&member(member(value, "properties"), "definition"), &member(value, "definition")}) {
    if (inner->is_object()) return Value(*inner);
  }
  return value;
}

/// The flow's references, with the connections that `--connection KEY=NAME` chose.
Value references_with(const Value& flow, const std::vector<std::string>& choices) {
  json::ObjectBuilder out;
  const Value& now = member(member(flow, "properties"), "connectionReferences");
  const auto chosen = [&](const std::string& key) {
    for (const std::string& choice : choices) {
      const auto at = choice.find('=');
      if (choice.substr(0, at) == key) return choice.substr(at + 1);
    }
    return std::string();
  };
  std::vector<std::string> known;
  if (now.is_object()) {
    for (const json::Member& one : now.as_object()) {
      known.emplace_back(one.name());
      const std::string name = chosen(known.back());
      if (name.empty()) {
        out.add(one.name(), one.value);
        continue;
      }
      json::ObjectBuilder reference;
      for (const json::Member& part : one.value.as_object()) {
        if (part.name() != "connectionName") reference.add(part.name(), part.value);
      }
      reference.add("connectionName", Value(name));
      out.add(one.name(), reference.finish());
    }
  }
  for (const std::string& choice : choices) {
    const auto at = choice.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == choice.size())
      throw Stopped{2, "'" + choice + "' is no choice of a connection.\n    Write KEY=NAME, as shared_orders=orders."};
    const std::string key = choice.substr(0, at);
    if (std::find(known.begin(), known.end(), key) == known.end())
      out.add(key, Value::object({{"connectionName", Value(choice.substr(at + 1))},
                                  {"id", Value("/providers/Microsoft.PowerApps/apis/" + key)},
                                  {"source", "Embedded"}}));
  }
  return out.finish();
}

int list(ApiClient& server, const ClientOptions&, std::ostream& out) {
  bool any = false;
  for_each_flow(server, [&](const Value& flow) {
    any = true;
    const Value& properties = member(flow, "properties");
    const Value& last = member(member(properties, "flowmend"), "lastRun");
    out << text_at(flow, "name") << "  " << text_at(properties, "state") << "  " << text_at(properties, "displayName");
    if (last.is_object()) out << "  (last run " << text_at(last, "status") << ", " << text_at(last, "startTime") << ")";
    out << "\n";
  });
  if (!any) out << "No flows.\n";
  return 0;
}

int show(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value flow = read_flow(server, flow_named(server, options.id));
  const Value& properties = member(flow, "properties");
  const Value& own = member(properties, "flowmend");
  print_line(out, "Flow", text_at(flow, "name"));
  print_line(out, "Name", text_at(properties, "displayName"));
  print_line(out, "State", text_at(properties, "state"));
  print_line(out, "Version", text_at(own, "version"));
  print_line(out, "Changed", text_at(properties, "lastModifiedTime"));
  print_line(out, "On outage", text_at(own, "onOutage"));
  const Value& trigger = member(own, "trigger");
  print_line(out, "Trigger", text_at(trigger, "name") + " (" + text_at(trigger, "type") + ")");
  if (const Value& references = member(properties, "connectionReferences"); references.is_object()) {
    for (const json::Member& one : references.as_object())
      print_line(out, "Connection", std::string(one.name()) + " = " + text_at(one.value, "connectionName"));
  }
  print_line(out, "28 days",
             text_at(own, "succeeded28d") + " runs succeeded, " + text_at(own, "failed28d") + " failed");
  const Value& last = member(own, "lastRun");
  if (last.is_object())
    print_line(out, "Last run",
               text_at(last, "name") + ", " + text_at(last, "status") + ", " + text_at(last, "startTime"));
  return 0;
}

int get(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value flow = read_flow(server, flow_named(server, options.id));
  const std::string text = json::write_pretty(member(member(flow, "properties"), "definition")) + "\n";
  if (options.file.empty()) {
    out << text;
    return 0;
  }
  std::ofstream file(options.file, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw Stopped{2, "'" + options.file + "' can't be written."};
  out << "Written to " << options.file << "\n";
  return 0;
}

int create(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value made = server.ask(
      "POST", flows_path() + "?" + version,
      Value::object(
          {{"properties", Value::object({{"displayName", Value(options.id)},
                                         {"state", "Started"},
                                         {"definition", definition_in(options.file)},
                                         {"connectionReferences", references_with(Value(), options.connections)}})}}));
  out << text_at(made, "name") << "\n";
  return 0;
}

int save(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const std::string id = flow_named(server, options.id);
  json::ObjectBuilder properties;
  properties.add("definition", definition_in(options.file));
  if (!options.connections.empty())
    properties.add("connectionReferences", references_with(read_flow(server, id), options.connections));
  const Value saved =
      server.ask("PATCH", flows_path(id) + "?" + version, Value::object({{"properties", properties.finish()}}));
  out << "Saved as version " << text_at(member(member(saved, "properties"), "flowmend"), "version") << "\n";
  return 0;
}

void print_differences(const Value& run, std::ostream& out) {
  const Value& differences = member(run, "differences");
  if (!differences.is_array()) return;
  for (const Value& one : differences.as_array())
    out << "    " << text_at(one, "action") << " " << text_at(one, "pointer") << ": " << text_at(one, "before")
        << " -> " << text_at(one, "after") << "\n";
}

/// 0 when every failed run would pass and no good one changes.
int try_on_runs(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  json::ObjectBuilder wish;
  wish.add("flow", Value(flow_named(server, options.id)));
  if (!options.file.empty()) wish.add("definition", definition_in(options.file));
  if (!options.incident.empty()) wish.add("incident", Value(options.incident));
  const Value tried = server.ask("POST", "/api/v1/trials", wish.finish());
  out << text_at(tried, "text") << "\n";
  if (const Value& reasons = member(tried, "reasons"); reasons.is_array()) {
    for (const Value& one : reasons.as_array())
      out << "  " << text_at(one, "verdict") << "  " << text_at(one, "count") << " at " << text_at(one, "action")
          << ": " << text_at(one, "message") << "\n";
  }
  if (const Value& runs = member(tried, "runs"); runs.is_array()) {
    for (const Value& run : runs.as_array()) {
      if (const Value& changed = member(run, "differences"); !changed.is_array() || changed.size() == 0) continue;
      out << "  " << text_at(run, "run") << " (" << text_at(run, "was") << "): " << text_at(run, "verdict") << "\n";
      print_differences(run, out);
    }
  }
  const Value& failed = member(tried, "failed");
  const Value& good = member(tried, "good");
  const bool proven =
      number_at(failed, "passes") == number_at(failed, "tried") && number_at(good, "same") == number_at(good, "tried");
  return proven ? 0 : 1;
}

std::string trigger_of(ApiClient& server, const ClientOptions& options, const std::string& flow) {
  if (!options.trigger.empty()) return options.trigger;
  return text_at(member(member(member(read_flow(server, flow), "properties"), "flowmend"), "trigger"), "name");
}

int run(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const std::string flow = flow_named(server, options.id);
  const Value body = options.body.empty() ? Value::empty_object() : json_in(options.body, "--body");
  const std::string started = server.ask_header(
      "POST", flows_path(flow, "/triggers/" + percent_encoded(trigger_of(server, options, flow)) + "/run?") + version,
      body, "x-ms-workflow-run-id");
  if (started.empty()) {
    out << "Asked; the trigger started no run (`flowmend flow checks` says why).\n";
    return 0;
  }
  out << "Started " << started << std::endl;
  return options.no_wait ? 0 : tell_end(server, started, out);
}

int turn(ApiClient& server, const ClientOptions& options, std::ostream& out, bool on) {
  const std::string flow = flow_named(server, options.id);
  server.ask("POST", flows_path(flow, on ? "/start?" : "/stop?") + version);
  out << options.id << " is " << (on ? "on" : "off") << "\n";
  return 0;
}

int remove(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  server.ask("DELETE", flows_path(flow_named(server, options.id)) + "?" + version);
  out << "Deleted " << options.id << "\n";
  return 0;
}

int checks(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const std::string flow = flow_named(server, options.id);
  const Value page = server.ask(
      "GET",
      flows_path(flow, "/triggers/" + percent_encoded(trigger_of(server, options, flow)) + "/histories?") + version);
  const Value& list = member(page, "value");
  if (!list.is_array() || list.size() == 0) {
    out << "The trigger was never checked.\n";
    return 0;
  }
  for (const Value& one : list.as_array()) {
    const Value& properties = member(one, "properties");
    out << text_at(properties, "startTime") << "  " << text_at(properties, "status");
    if (const std::string started = text_at(member(properties, "run"), "name"); !started.empty())
      out << "  started " << started;
    if (const std::string why = text_at(member(properties, "error"), "message"); !why.empty())
      out << "  " << text_at(member(properties, "error"), "code") << ": " << why;
    out << "\n";
  }
  return 0;
}

}  // namespace

void add_flow_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands) {
  ClientGroup flow(app, "flow", "Flows of a server, by id or display name", options, commands);
  flow.add("list", "Every flow, with its state and last run", "", list);
  flow.add("show", "What it is and how its runs went", "flow", show);
  flow.add("get", "Its definition", "flow", get)
      .add_option("--out", options.file, "File to write; standard output when left out");
  const auto definition = [&](CLI::App& command, bool needed) {
    auto* file = command.add_option("file", options.file, "The definition, bare or exported; - is standard input");
    if (needed) file->required();
  };
  const auto connection = [&](CLI::App& command) {
    command.add_option("--connection", options.connections,
                       "KEY=NAME: the connection that the definition's reference KEY uses; several times");
  };
  CLI::App& made = flow.add("create", "Make a flow; prints its id", "name", create);
  definition(made, true);
  connection(made);
  CLI::App& saved = flow.add("save", "Save a definition; a broken one is refused with place and cure", "flow", save);
  definition(saved, true);
  connection(saved);
  CLI::App& tried = flow.add("try", "Try a definition on recorded runs; sends nothing", "flow", try_on_runs);
  definition(tried, false);
  tried.add_option("--incident", options.incident, "On the runs that this incident broke");
  CLI::App& started = flow.add("run", "Start it and wait for the end", "flow", run);
  started.add_option("--trigger", options.trigger, "Which one, when it has several");
  started.add_option("--body", options.body, "JSON: what the trigger gets");
  started.add_flag("--no-wait", options.no_wait, "Do not wait for the end");
  flow.add("on", "Turn it on", "flow", [](ApiClient& server, const ClientOptions& given, std::ostream& out) {
    return turn(server, given, out, true);
  });
  flow.add("off", "Turn it off", "flow", [](ApiClient& server, const ClientOptions& given, std::ostream& out) {
    return turn(server, given, out, false);
  });
  flow.add("delete", "Delete it; its runs that are not over are cancelled", "flow", remove);
  flow.add("checks", "What its trigger's checks found: why nothing started", "flow", checks)
      .add_option("--trigger", options.trigger, "Which one, when it has several");
}

}  // namespace flowmend::server
