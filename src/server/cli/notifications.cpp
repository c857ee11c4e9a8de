#include "server/cli/notifications.h"

#include <ostream>

namespace flowmend::server {

namespace {

int list(ApiClient& server, const ClientOptions&, std::ostream& out) {
  const Value bell = server.ask("GET", "/api/v1/notifications");
  out << number_at(bell, "unread") << " unread\n";
  const Value& all = member(bell, "value");
  if (!all.is_array()) return 0;
  for (const Value& one : all.as_array()) {
    out << (member(one, "read") == Value(true) ? "  " : "* ") << text_at(one, "id") << "  " << text_at(one, "time")
        << "  " << text_at(one, "title");
    if (number_at(one, "count") > 1) out << " (" << number_at(one, "count") << ")";
    out << "\n";
    print_line(out, "    Flow", text_at(one, "flowDisplayName"));
    print_line(out, "    Run", text_at(one, "run"));
  }
  return 0;
}

int read(ApiClient& server, const ClientOptions& options, std::ostream& out) {
  const Value which = options.id.empty() ? Value::object({{"all", Value(true)}})
                                         : Value::object({{"ids", Value::array({Value(options.id)})}});
  out << number_at(server.ask("POST", "/api/v1/notifications/read", which), "unread") << " unread\n";
  return 0;
}

}  // namespace

void add_notification_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands) {
  ClientGroup notification(app, "notification", "What the bell tells", options, commands);
  notification.add("list", "The newest first, the unread with a star", "", list);
  notification.add("read", "Mark one as read", "notification", read);
  notification.add("read-all", "Mark all as read", "", read);
}

}  // namespace flowmend::server
