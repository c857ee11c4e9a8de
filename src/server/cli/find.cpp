#include "server/cli/find.h"

#include <algorithm>
#include <ostream>

#include "connector/text.h"
#include "http/client.h"
#include "json/parse.h"

namespace flowmend::server {
namespace {

/// The path and query of a link of the server, to be asked at the address that the user gave.
std::string path_of(std::string_view link) {
  const auto scheme = link.find("://");
  const auto slash = scheme == std::string_view::npos ? 0 : link.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string("/") : std::string(link.substr(slash));
}

void print(const Value& run, std::ostream& out) {
  const Value* properties = run.find("properties");
  const Value* own = properties == nullptr ? nullptr : properties->find("flowmend");
  const Value* found = run.find("found");
  out << run.text_of("name");
  if (properties != nullptr) out << '\t' << properties->text_of("status") << '\t' << properties->text_of("startTime");
  if (own != nullptr) out << '\t' << own->text_of("flowDisplayName");
  if (found != nullptr) out << '\t' << found->text_of("action", "trigger") << ' ' << found->text_of("in");
  if (found == nullptr && own != nullptr) out << '\t' << own->text_of("errorSummary");
  out << '\n';
}

}  // namespace

int run_find(const FindOptions& options, std::ostream& out, std::ostream& errors) {
  if (options.token.empty()) {
    errors
        << "flowmend: there is no token.\n    Give --token or set FLOWMEND_TOKEN; 'flowmend token create' makes one.\n";
    return 2;
  }
  std::string server = options.server;
  while (!server.empty() && server.back() == '/') server.pop_back();
  std::string path = "/api/v1/runs?$top=" + std::to_string(std::min(options.most, 250));
  for (const auto& [name, text] : {std::pair<const char*, const std::string&>{"value", options.value},
                                   {"flow", options.flow},
                                   {"status", options.status},
                                   {"code", options.code},
                                   {"connection", options.connection}}) {
    if (!text.empty()) path += std::string("&") + name + "=" + connector::percent_encode(text);
  }
  http::Client client;
  int printed = 0;
  while (printed < options.most) {
    http::Request request;
    request.url = server + path;
    request.headers = {{"Authorization", "Bearer " + options.token}};
    const http::Reply reply = http::send_and_wait(client, std::move(request));
    const auto body = json::parse(reply.body);
    if (reply.status != 200 || !body) {
      const Value* error = body ? body->find("error") : nullptr;
      errors << "flowmend: "
             << (error != nullptr    ? std::string(error->text_of("message"))
                 : reply.status == 0 ? reply.error_message
                                     : "the server answered with status " + std::to_string(reply.status))
             << "\n    Check --server and --token.\n";
      return 2;
    }
    const Value* runs = body->find("value");
    if (runs != nullptr && runs->is_array()) {
      for (const Value& run : runs->as_array()) {
        if (printed >= options.most) break;
        print(run, out);
        ++printed;
      }
    }
    const auto next = body->text_of("nextLink");
    if (next.empty()) break;
    path = path_of(next);
  }
  out.flush();
  return printed > 0 ? 0 : 1;
}

}  // namespace flowmend::server
