#include "server/cli/people.h"

#include <CLI/CLI.hpp>
#include <ostream>

namespace flowmend::server {

namespace {

const std::string users = "/api/v1/users";

std::string path_of(ApiClient& server, const std::string& user_name) {
  const Value list = server.ask("GET", users);
  for (const Value& user : member(list, "value").as_array()) {
    if (text_at(user, "userName") == user_name) return users + "/" + percent_encoded(text_at(user, "id"));
  }
  throw Stopped{1, "There is no account '" + user_name + "'.\n    `flowmend user list` shows all."};
}

int list(ApiClient& server, const ClientOptions&, std::ostream& out) {
  const Value all = server.ask("GET", users);
  for (const Value& user : member(all, "value").as_array())
    out << text_at(user, "userName") << "  " << text_at(user, "role") << "  " << text_at(user, "state") << "  "
        << text_at(user, "displayName") << "\n";
  return 0;
}

int print_link(const Value& made, std::ostream& out) {
  out << text_at(made, "link") << "\nGive this link to " << text_at(member(made, "user"), "userName")
      << " alone: whoever opens it chooses the password. It works once, until " << text_at(made, "linkExpiresTime")
      << ".\n";
  return 0;
}

int invite(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  json::ObjectBuilder body;
  body.add("userName", Value(options.id));
  if (!options.role.empty()) body.add("role", Value(options.role));
  if (!options.display_name.empty()) body.add("displayName", Value(options.display_name));
  return print_link(server.ask("POST", users, body.finish()), out);
}

int reset(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  return print_link(server.ask("POST", path_of(server, options.id) + "/link"), out);
}

int change(ApiClient& server, const ClientOptions& options, std::ostream& out, const char* name,
           const std::string& value) {
  const Value user = server.ask("PATCH", path_of(server, options.id), Value::object({{name, Value(value)}}));
  out << text_at(user, "userName") << "  " << text_at(user, "role") << "  " << text_at(user, "state") << "\n";
  return 0;
}

int withdraw(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  server.ask("DELETE", path_of(server, options.id));
  out << "The invitation of " << options.id << " is taken back.\n";
  return 0;
}

}  // namespace

void add_people_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands) {
  ClientGroup user(app, "user", "Who may sign in, and as what (scope admin)", options, commands);
  const auto roles = [] { return CLI::IsMember({"admin", "maker", "viewer"}); };
  user.add("list", "Everybody", "", list);
  CLI::App& invited = user.add("invite", "Make an account; prints the link that sets its password", "user", invite);
  invited.add_option("--role", options.role, "admin, maker (the default) or viewer")->check(roles());
  invited.add_option("--display-name", options.display_name, "For people");
  user.add("role", "Give another role", "user",
           [](ApiClient& server, const ClientOptions& given, std::ostream& out) {
             return change(server, given, out, "role", given.role);
           })
      .add_option("role", options.role, "admin, maker or viewer")
      ->required()
      ->check(roles());
  user.add("disable", "Switch an account off; its sessions and tokens end", "user",
           [](ApiClient& server, const ClientOptions& given, std::ostream& out) {
             return change(server, given, out, "state", "disabled");
           });
  user.add("enable", "Switch it on again", "user",
           [](ApiClient& server, const ClientOptions& given, std::ostream& out) {
             return change(server, given, out, "state", "active");
           });
  user.add("reset", "A new link, for who forgot the password or let the first one lapse", "user", reset);
  user.add("withdraw", "Take an invitation back", "user", withdraw);
}

}  // namespace flowmend::server
