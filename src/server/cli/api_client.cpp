#include "server/cli/api_client.h"

#include <cstdio>
#include <ostream>

#include "http/message.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::server {

ApiClient::ApiClient(std::string server, std::string token) : server_(std::move(server)), token_(std::move(token)) {
  if (token_.empty())
    throw Stopped{2,
                  "No token was given.\n    Make one with `flowmend token create --name me --scopes read,run`, and set "
                  "FLOWMEND_TOKEN to what it prints."};
  while (server_.ends_with('/')) server_.pop_back();
}

namespace {

/// A finding of a refused definition: its place, what is wrong, what to do.
std::string findings_of(const Value& error) {
  std::string out;
  const Value& details = member(error, "details");
  if (!details.is_array()) return out;
  for (const Value& one : details.as_array()) {
    const std::string place = text_at(one, "target");
    out += "\n    " + (place.empty() ? "" : place + ": ") + text_at(one, "message");
    if (const std::string cure = text_at(one, "cure"); !cure.empty()) out += " " + cure;
  }
  return out;
}

}  // namespace

http::Reply ApiClient::send(const std::string& method, const std::string& path, const Value& body) {
  http::Request request;
  request.method = method;
  request.url = server_ + path;
  request.headers = {{"Authorization", "Bearer " + token_}, {"Accept", "application/json"}};
  if (!body.is_null()) {
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = json::write(body);
  }
  http::Reply reply = http::send_and_wait(client_, std::move(request));
  if (!reply.error_code.empty())
    throw Stopped{2, "The server " + server_ + " can't be asked: " + reply.error_message +
                         "\n    Start it with `flowmend serve`, or name it with --server."};
  if (reply.status >= 400) {
    const auto answer = json::parse(reply.body);
    const Value error = answer ? member(*answer, "error") : Value();
    const std::string message = text_at(error, "message");
    throw Stopped{1, message.empty() ? "The server answered " + std::to_string(reply.status) + "."
                                     : message + " (" + text_at(error, "code") + ")" + findings_of(error)};
  }
  return reply;
}

Value ApiClient::ask(const std::string& method, const std::string& path, const Value& body) {
  const http::Reply reply = send(method, path, body);
  if (reply.body.empty()) return {};
  auto answer = json::parse(reply.body);
  if (!answer) throw Stopped{2, server_ + " did not answer with JSON: it is no Flowmend server."};
  return *std::move(answer);
}

std::string ApiClient::ask_header(const std::string& method, const std::string& path, const Value& body,
                                  std::string_view header) {
  const http::Reply reply = send(method, path, body);
  for (const http::Header& one : reply.headers) {
    if (http::same_name(one.name, header)) return one.value;
  }
  return {};
}

std::string percent_encoded(std::string_view text) {
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

const Value& member(const Value& value, std::string_view name) {
  static const Value none;
  const Value* found = value.is_object() ? value.find(name) : nullptr;
  return found == nullptr ? none : *found;
}

std::string text_from(const Value& value) {
  return value.is_null() ? std::string() : value.is_string() ? std::string(value.as_string()) : json::write(value);
}

std::string text_at(const Value& value, std::string_view name) { return text_from(member(value, name)); }

std::int64_t number_at(const Value& value, std::string_view name) {
  const Value& found = member(value, name);
  return found.is_integer() ? found.as_integer() : 0;
}

void print_line(std::ostream& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out << name << std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') << value << "\n";
}

}  // namespace flowmend::server
