#include "server/cli/variable.h"

#include <CLI/CLI.hpp>
#include <ostream>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::server {

namespace {

std::string path_of(const std::string& name) { return "/api/v1/environmentVariables/" + percent_encoded(name); }

int list(ApiClient& server, const ClientOptions&, std::ostream& out) {
  const Value all = member(server.ask("GET", "/api/v1/environmentVariables"), "value");
  if (all.size() == 0) out << "No environment variables.\n";
  for (const Value& one : all.as_array()) {
    out << text_at(one, "name") << "  ";
    if (member(one, "isSet") == Value(true)) {
      out << json::write(member(one, "value"));
    } else {
      out << "(not set: the flows' defaults hold)";
    }
    out << "  flows: " << number_at(one, "flowsCount") << "\n";
  }
  return 0;
}

int set(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  json::ObjectBuilder body;
  if (options.value_is_json) {
    auto value = json::parse(options.value);
    if (!value)
      throw Stopped{2, "The value is no JSON: " + value.error().message + "\n    Leave --json out for a text."};
    body.add("value", *std::move(value));
  } else {
    body.add("value", Value(options.value));
  }
  if (!options.description.empty()) body.add("description", Value(options.description));
  const Value answer = server.ask("PUT", path_of(options.id), body.finish());
  return tell_changed_flows(answer, "takes it from now on", "Set; no flow takes it yet.", out);
}

int remove(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  server.ask("DELETE", path_of(options.id));
  out << "Removed.\n";
  return 0;
}

}  // namespace

void add_variable_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands) {
  ClientGroup variable(app, "variable", "Environment variables: values that flows share", options, commands);
  variable.add("list", "All that are set, and those that flows name and nobody has set", "", list);
  CLI::App& setting =
      variable.add("set", "Give it a value; every flow that takes it gets a new version with it", "variable", set);
  setting.add_option("value", options.value, "Its value: a text, or JSON with --json")->required();
  setting.add_flag("--json", options.value_is_json, "The value is JSON: a number, true or false, an object, an array");
  setting.add_option("--description", options.description, "What it is for");
  variable.add("remove", "Remove one that no flow takes", "variable", remove);
}

}  // namespace flowmend::server
