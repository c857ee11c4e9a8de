#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "http/client.h"
#include "json/value.h"

namespace flowmend::server {

using json::Value;

/// Why a command ends without having done its work: thrown by what follows, told by `ClientCommands::run`.
struct Stopped {
  int exit_code;  ///< 1: the server refused; 2: it can't be asked, or the command is wrong
  std::string message;
};

/// A running server's REST API, with a token.
class ApiClient {
 public:
  /// Throws `Stopped` without a token.
  ApiClient(std::string server, std::string token);
  /// The answer's JSON (null when it has none). Throws `Stopped` with the server's own words when it refuses (each
  /// finding with its place and cure), and when it can't be asked.
  Value ask(const std::string& method, const std::string& path, const Value& body = {});
  /// The same; gives the answer's header `header`, empty when it has none.
  std::string ask_header(const std::string& method, const std::string& path, const Value& body,
                         std::string_view header);

 private:
  http::Reply send(const std::string& method, const std::string& path, const Value& body);

  std::string server_;
  std::string token_;
  http::Client client_;
};

/// For a path or a query.
std::string percent_encoded(std::string_view text);

/// A member of an object; null when there is none, or it is no object.
const Value& member(const Value& value, std::string_view name);
/// A text as it is, null as nothing, anything else as JSON.
std::string text_from(const Value& value);
std::string text_at(const Value& value, std::string_view name);
std::int64_t number_at(const Value& value, std::string_view name);

/// `name`, padded, and the value; nothing for an empty one.
void print_line(std::ostream& out, std::string_view name, const std::string& value);

}  // namespace flowmend::server
