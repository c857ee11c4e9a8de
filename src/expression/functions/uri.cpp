// Percent-encoding and the parts of URIs (expressions.md section 9).

#include <charconv>
#include <string>

#include "expression/functions/base64.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/functions/percent.h"
#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

Outcome<Value> encode_component(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size() * 3, 1 + text.size() / 64)) return call.limit_error();
  return Value(encode_percent(text));
}

Outcome<Value> decode_component(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size(), 1 + text.size() / 64)) return call.limit_error();
  return Value(decode_percent(text));
}

Outcome<Value> component_to_binary(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size() * 2, 1 + text.size() / 64)) return call.limit_error();
  return Value::object(
      {{"$content-type", "application/octet-stream"}, {"$content", encode_base64(decode_percent(text))}});
}

/// An absolute URI taken apart as System.Uri does: the scheme and the host in lower case, `/` for no path.
struct Uri {
  std::string scheme;
  std::string host;
  std::int64_t port = -1;  ///< the scheme's own when none is written; -1: none
  std::string path;
  std::string query;  ///< with its `?`; empty when absent
};

std::int64_t default_port(std::string_view scheme) {
  struct Known {
    std::string_view scheme;
    std::int64_t port;
  };
  for (const auto& [name, port] : {Known{"http", 80}, Known{"https", 443}, Known{"ftp", 21}, Known{"ftps", 990},
                                   Known{"sftp", 22}, Known{"ws", 80}, Known{"wss", 443}, Known{"ldap", 389},
                                   Known{"telnet", 23}, Known{"nntp", 119}, Known{"gopher", 70}, Known{"ssh", 22}}) {
    if (name == scheme) return port;
  }
  return -1;
}

/// What may not stand in a URI is percent-encoded, as AbsolutePath and Query print it.
std::string escaped(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos) {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<Uri> read_uri(std::string_view text) {
  text = trim(text);
  Uri uri;
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  uri.scheme = to_lower(text.substr(0, colon));
  for (std::size_t i = 0; i < colon; ++i) {
    const char c = uri.scheme[i];
    const bool letter = c >= 'a' && c <= 'z';
    if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.'))) return std::nullopt;
  }
  text.remove_prefix(colon + 1);
  text = text.substr(0, text.find('#'));
  if (const auto mark = text.find('?'); mark != std::string_view::npos) {
    uri.query = escaped(text.substr(mark));
    if (uri.query == "?") uri.query.clear();
    text = text.substr(0, mark);
  }
  uri.port = default_port(uri.scheme);
  if (!text.starts_with("//")) {
    if (uri.port >= 0) return std::nullopt;  // http:path names no host
    uri.path = escaped(text);
    return uri;
  }
  text.remove_prefix(2);
  auto authority = text.substr(0, text.find('/'));
  uri.path = escaped(text.substr(authority.size()));
  if (uri.path.empty()) uri.path = "/";
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const auto bracket = authority.rfind(']');
  const auto port_at = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  uri.host = to_lower(authority.substr(0, port_at));
  if (uri.host.find_first_of(" \"<>\\^`{|}%") != std::string::npos) return std::nullopt;
  if (uri.host.empty() && uri.scheme != "file") return std::nullopt;
  if (port_at != std::string_view::npos && port_at + 1 < authority.size()) {
    const auto digits = authority.substr(port_at + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), uri.port);
    constexpr std::int64_t port_max = 65'535;
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || uri.port < 0 || uri.port > port_max)
      return std::nullopt;
  }
  return uri;
}

template <class Part>
Outcome<Value> part_of(Call& call, Arguments arguments, Part part) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size() * 3, 1 + text.size() / 16)) return call.limit_error();
  const auto uri = read_uri(text);
  if (!uri) {
    auto error = fault(call, "expects its parameter to be a well formed absolute URI. The provided value '" +
                                 std::string(text.substr(0, 200)) + "' is none.");
    blame(error, 0, "an absolute URI", arguments[0]);
    return error;
  }
  return Value(part(*uri));
}

Outcome<Value> uri_host(Call& call, Arguments arguments) {
  return part_of(call, arguments, [](const Uri& uri) { return uri.host; });
}
Outcome<Value> uri_path(Call& call, Arguments arguments) {
  return part_of(call, arguments, [](const Uri& uri) { return uri.path; });
}
Outcome<Value> uri_path_and_query(Call& call, Arguments arguments) {
  return part_of(call, arguments, [](const Uri& uri) { return uri.path + uri.query; });
}
Outcome<Value> uri_port(Call& call, Arguments arguments) {
  return part_of(call, arguments, [](const Uri& uri) { return uri.port; });
}
Outcome<Value> uri_query(Call& call, Arguments arguments) {
  return part_of(call, arguments, [](const Uri& uri) { return uri.query; });
}
Outcome<Value> uri_scheme(Call& call, Arguments arguments) {
  return part_of(call, arguments, [](const Uri& uri) { return uri.scheme; });
}

constexpr FunctionEntry table[] = {
    {.name = "uriComponent",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text with every character that has a meaning in a URI percent-encoded.",
     .example = "uriComponent('a b/c')",
     .gives = R"("a%20b%2Fc")",
     .call = encode_component},
    {.name = "encodeUriComponent",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The same as uriComponent.",
     .example = "encodeUriComponent('a b/c')",
     .gives = R"("a%20b%2Fc")",
     .call = encode_component},
    {.name = "uriComponentToString",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text that a percent-encoded text stands for.",
     .example = "uriComponentToString('a%20b')",
     .gives = R"("a b")",
     .call = decode_component},
    {.name = "decodeUriComponent",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The same as uriComponentToString.",
     .example = "decodeUriComponent('a%20b')",
     .gives = R"("a b")",
     .call = decode_component},
    {.name = "uriComponentToBinary",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "Binary content of the decoded text.",
     .example = "uriComponentToBinary('a%20b')",
     .gives = R"({"$content-type":"application/octet-stream","$content":"YSBi"})",
     .call = component_to_binary},
    {.name = "uriHost",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The host of a URI.",
     .example = "uriHost('https://www.contoso.com:8080/a/b?c=1#d')",
     .gives = R"("www.contoso.com")",
     .call = uri_host},
    {.name = "uriPath",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The path of a URI.",
     .example = "uriPath('https://www.contoso.com:8080/a/b?c=1#d')",
     .gives = R"("/a/b")",
     .call = uri_path},
    {.name = "uriPathAndQuery",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The path and the query of a URI.",
     .example = "uriPathAndQuery('https://www.contoso.com:8080/a/b?c=1#d')",
     .gives = R"("/a/b?c=1")",
     .call = uri_path_and_query},
    {.name = "uriPort",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The port of a URI, its scheme's own when none is written.",
     .example = "uriPort('https://www.contoso.com:8080/a/b?c=1#d')",
     .gives = R"(8080)",
     .call = uri_port},
    {.name = "uriQuery",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The query of a URI, with its question mark.",
     .example = "uriQuery('https://www.contoso.com:8080/a/b?c=1#d')",
     .gives = R"("?c=1")",
     .call = uri_query},
    {.name = "uriScheme",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The scheme of a URI.",
     .example = "uriScheme('https://www.contoso.com:8080/a/b?c=1#d')",
     .gives = R"("https")",
     .call = uri_scheme},
};

}  // namespace

FunctionTable uri_functions() { return table; }

}  // namespace flowmend::expression
