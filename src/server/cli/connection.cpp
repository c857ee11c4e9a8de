#include "server/cli/connection.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <ostream>

#include "json/parse.h"

namespace flowmend::server {

namespace {

std::string api_of(const Value& connection) {
  const std::string id = text_at(member(connection, "properties"), "apiId");
  return id.substr(id.rfind('/') + 1);
}

Value all_connections(ApiClient& server) {
  return member(server.ask("GET", "/providers/Microsoft.PowerApps/connections?api-version=2016-11-01"), "value");
}

/// The connection that a person named.
Value connection_named(ApiClient& server, const std::string& name) {
  Value found;
  const Value all = all_connections(server);
  for (const Value& one : all.as_array()) {
    const std::string own = text_at(one, "name");
    if (name != own && name != api_of(one) + "/" + own) continue;
    if (!found.is_null())
      throw Stopped{
          1, "More than one connection is called '" + name + "'.\n    Write it as " + api_of(one) + "/" + own + "."};
    found = one;
  }
  if (found.is_null())
    throw Stopped{1, "No connection is called '" + name + "'.\n    `flowmend connection list` shows all."};
  return found;
}

std::string path_of(const Value& connection, const char* what) {
  return "/api/v1/connections/" + percent_encoded(api_of(connection)) + "/" +
         percent_encoded(text_at(connection, "name")) + "/" + what;
}

const Value& state_of(const Value& connection) {
  static const Value none;
  const Value& states = member(member(connection, "properties"), "statuses");
  return states.is_array() && states.size() > 0 ? states.as_array()[0] : none;
}

int list(ApiClient& server, const ClientOptions&, std::ostream& out) {
  const Value all = all_connections(server);
  if (all.size() == 0) out << "No connections.\n";
  for (const Value& one : all.as_array())
    out << api_of(one) << "/" << text_at(one, "name") << "  " << text_at(state_of(one), "status") << "  "
        << text_at(member(one, "properties"), "displayName") << "\n";
  return 0;
}

int show(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value connection = connection_named(server, options.id);
  const Value& properties = member(connection, "properties");
  const Value& own = member(properties, "flowmend");
  const Value& state = state_of(connection);
  print_line(out, "Connection", api_of(connection) + "/" + text_at(connection, "name"));
  print_line(out, "Name", text_at(properties, "displayName"));
  print_line(out, "State", text_at(state, "status"));
  print_line(out, "Because", text_at(member(state, "error"), "message"));
  print_line(out, "Last success", text_at(own, "lastSuccessTime"));
  const Value& failure = member(own, "lastFailure");
  if (failure.is_object()) {
    print_line(out, "Last failure", text_at(failure, "time") + ": " + text_at(failure, "message"));
    print_line(out, "In run", text_at(failure, "run"));
  }
  const Value& sign_in = member(own, "signIn");
  print_line(out, "Sign-in", text_at(sign_in, "state"));
  print_line(out, "Until", text_at(sign_in, "expiresTime"));
  print_line(out, "A minute", text_at(own, "requestsPerMinute"));
  const Value usage = server.ask("GET", path_of(connection, "usage"));
  for (const Value& flow : member(usage, "flows").as_array())
    out << "  " << text_at(flow, "displayName") << ": " << text_at(flow, "runs") << " runs in 7 days, "
        << text_at(flow, "failed") << " failed\n";
  const Value holds = server.ask("GET", "/api/v1/holds");
  for (const Value& hold : member(holds, "value").as_array()) {
    if (text_at(hold, "target") == api_of(connection) + "/" + text_at(connection, "name"))
      out << "  " << text_at(hold, "runs") << " runs wait for it.\n";
  }
  return 0;
}

/// 0 when the service accepts the credentials.
int verify(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value connection = connection_named(server, options.id);
  json::ObjectBuilder body;
  if (options.from_input) {
    // Not as an argument: every process of the machine could read it there.
    const std::string text((std::istreambuf_iterator<char>(std::cin)), {});
    auto credentials = json::parse(text);
    if (!credentials || !credentials->is_object())
      throw Stopped{2,
                    "Standard input is no JSON object.\n    Write {\"password\": \"...\"}, with the field names of "
                    "the connection."};
    body.add("credentials", *std::move(credentials));
  }
  const Value answer = server.ask("POST", path_of(connection, "verify"), body.finish());
  const std::string status = text_at(answer, "status");
  if (status != "Connected") {
    out << status << ": " << text_at(member(answer, "error"), "message")
        << (options.from_input ? "\nThe former credentials are kept.\n" : "\n");
    return 1;
  }
  out << "Connected";
  if (member(answer, "tested") == Value(false)) out << " (the connector names no way to test it)";
  if (number_at(answer, "affectedRuns") > 0) out << "; " << number_at(answer, "affectedRuns") << " runs had failed";
  if (number_at(answer, "releasedRuns") > 0) out << "; " << number_at(answer, "releasedRuns") << " runs go on";
  out << "\n";
  return 0;
}

int replace(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value connection = connection_named(server, options.id);
  const Value other = connection_named(server, options.with);
  if (api_of(other) != api_of(connection))
    throw Stopped{2,
                  "'" + options.with + "' belongs to another connector.\n    Name one of " + api_of(connection) + "."};
  json::ObjectBuilder body;
  body.add("with", Value(text_at(other, "name")));
  const Value answer = server.ask("POST", path_of(connection, "replace"), body.finish());
  return tell_changed_flows(answer, "uses it from now on", "No flow uses it.", out);
}

}  // namespace

void add_connection_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands) {
  ClientGroup connection(app, "connection", "Connections of a server", options, commands);
  connection.add("list", "All, with their state", "", list);
  connection.add("show", "State and why, last success and failure, what depends on it", "connection", show);
  connection.add("replace", "Let all flows that use it use another one of the same connector", "connection", replace)
      .add_option("--with", options.with, "The other connection")
      ->required();
  connection.add("verify", "Ask the service whether it accepts the credentials", "connection", verify)
      .add_flag("--credentials", options.from_input,
                "New ones, as JSON on standard input: {\"password\": \"...\"}; stored when the service accepts them");
}

}  // namespace flowmend::server
