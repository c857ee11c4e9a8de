#include "server/cli/connector_gallery.h"

#include <initializer_list>
#include <optional>
#include <ostream>
#include <utility>

#include "connector/text.h"
#include "http/client.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::server {

namespace {

using json::Value;

struct Answered {
  int exit_code = 0;
  Value body;  ///< null when there is none
};

Answered ask(const ConnectorGalleryOptions& options, const std::string& method, const std::string& path,
             const Value& body, std::ostream& problems) {
  if (options.token.empty()) {
    problems << "flowmend: there is no token.\n    Give --token or set FLOWMEND_TOKEN; 'flowmend token create' makes "
                "one.\n";
    return {2, {}};
  }
  std::string server = options.server;
  while (!server.empty() && server.back() == '/') server.pop_back();
  http::Request request;
  request.method = method;
  request.url = server + path;
  request.headers = {{"Authorization", "Bearer " + options.token}, {"Accept", "application/json"}};
  if (!body.is_null()) {
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = json::write(body);
  }
  http::Client client;
  const http::Reply reply = http::send_and_wait(client, std::move(request));
  const auto answer = reply.body.empty() ? Result<Value>(Value()) : json::parse(reply.body);
  if (reply.status >= 200 && reply.status < 300 && answer) return {0, *answer};
  const Value* error = answer ? answer->find("error") : nullptr;
  problems << "flowmend: ";
  if (error != nullptr) {
    problems << error->text_of("message") << " (" << error->text_of("code") << ")\n";
  } else if (reply.status == 0) {
    problems << reply.error_message << "\n    Start the server, or name it with --server.\n";
  } else {
    problems << "the server answered with status " << reply.status << ".\n";
  }
  return {error != nullptr ? 1 : 2, {}};
}

std::string number(const Value* holder, std::string_view name) {
  const Value* found = holder == nullptr ? nullptr : holder->find(name);
  return found == nullptr ? "0" : json::write(*found);
}

bool truth(const Value* holder, std::string_view name) {
  const Value* found = holder == nullptr ? nullptr : holder->find(name);
  return found != nullptr && found->is_boolean() && found->as_boolean();
}

const Value& rows(const Value& body, std::string_view name) {
  static const Value none = Value::empty_array();
  const Value* found = body.find(name);
  return found == nullptr || !found->is_array() ? none : *found;
}

void print_change(const Value* change, std::ostream& out) {
  if (change == nullptr) return;
  for (const auto& [name, word] : std::initializer_list<std::pair<const char*, const char*>>{
           {"added", "added"}, {"removed", "removed"}, {"changed", "changed"}, {"newlyRequired", "now required"}}) {
    const Value& list = rows(*change, name);
    if (list.size() == 0) continue;
    out << "    " << word << ":";
    const char* mark = " ";
    for (const Value& one : list.as_array()) {
      out << mark << (one.is_string() ? one.as_string() : std::string_view());
      mark = ", ";
    }
    out << '\n';
  }
}

std::string path_of(const ConnectorGalleryOptions& options, const char* what) {
  return "/api/v1/connectors/" + connector::percent_encode(options.api) + "/" + what;
}

}  // namespace

int list_connectors(const ConnectorGalleryOptions& options, std::ostream& out, std::ostream& problems) {
  const Answered answer =
      ask(options, "GET", "/providers/Microsoft.PowerApps/apis?api-version=2016-11-01", {}, problems);
  if (answer.exit_code != 0) return answer.exit_code;
  for (const Value& one : rows(answer.body, "value").as_array()) {
    const Value* properties = one.find("properties");
    const Value* own = properties == nullptr ? nullptr : properties->find("flowmend");
    out << one.text_of("name") << '\t'
        << (properties == nullptr ? std::string_view() : properties->text_of("displayName")) << '\t'
        << number(own, "usable") << " of " << number(own, "operations") << " operations can run"
        << (truth(own, "builtIn") ? "\tbuilt in" : "") << '\n';
  }
  return 0;
}

int show_connector(const ConnectorGalleryOptions& options, std::ostream& out, std::ostream& problems) {
  const Answered uses = ask(options, "GET", path_of(options, "uses"), {}, problems);
  if (uses.exit_code != 0) return uses.exit_code;
  const Answered versions = ask(options, "GET", path_of(options, "versions"), {}, problems);
  if (versions.exit_code != 0) return versions.exit_code;
  for (const Value& flow : rows(uses.body, "flows").as_array())
    out << "used by flow " << flow.text_of("displayName") << " (" << flow.text_of("flow") << ")\n";
  for (const Value& connection : rows(uses.body, "connections").as_array())
    out << "used by connection " << connection.text_of("displayName") << " (" << connection.text_of("name") << ")\n";
  for (const Value& version : rows(versions.body, "value").as_array()) {
    out << "version " << number(&version, "version") << (truth(&version, "current") ? " (in use)" : "");
    for (const std::string_view part : {"time", "by", "from"}) {
      if (const std::string_view text = version.text_of(part); !text.empty()) out << '\t' << text;
    }
    out << '\t' << number(&version, "operations") << " operations\n";
    print_change(version.find("change"), out);
  }
  return 0;
}

int restore_connector(const ConnectorGalleryOptions& options, std::ostream& out, std::ostream& problems) {
  const Answered answer =
      ask(options, "POST", path_of(options, "restore"), Value::object({{"version", Value(options.version)}}), problems);
  if (answer.exit_code != 0) return answer.exit_code;
  out << answer.body.text_of("name") << '\t' << answer.body.text_of("result") << "\tversion "
      << number(&answer.body, "version") << '\n';
  print_change(answer.body.find("change"), out);
  return 0;
}

int remove_connector(const ConnectorGalleryOptions& options, std::ostream& out, std::ostream& problems) {
  const Answered answer =
      ask(options, "DELETE",
          "/providers/Microsoft.PowerApps/apis/" + connector::percent_encode(options.api) + "?api-version=2016-11-01",
          {}, problems);
  if (answer.exit_code != 0) return answer.exit_code;
  out << options.api << "\tremoved\n";
  return 0;
}

}  // namespace flowmend::server
