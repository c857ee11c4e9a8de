// Data URIs (RFC 2397; expressions.md section 9).

#include <string>
#include <vector>

#include <unicode/ucnv.h>

#include "expression/functions/base64.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/functions/percent.h"
#include "expression/lenient_json.h"
#include "expression/text.h"
#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

/// A data URI taken apart, its data as written.
struct DataUri {
  std::string_view type;                     ///< before the comma, without `;base64`; may be empty
  std::vector<std::string_view> parameters;  ///< of the type
  bool is_base64 = false;
  std::string_view data;
};

bool is_word(std::string_view text, std::string_view lower) { return to_lower(text) == lower; }

std::optional<DataUri> read(std::string_view text) {
  constexpr std::string_view scheme = "data:";
  if (text.size() < scheme.size() || !is_word(text.substr(0, scheme.size()), scheme)) return std::nullopt;
  text.remove_prefix(scheme.size());
  const auto comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  DataUri uri;
  uri.data = text.substr(comma + 1);
  uri.type = text.substr(0, comma);
  const auto last = uri.type.rfind(';');
  const auto last_word = last == std::string_view::npos ? uri.type : uri.type.substr(last + 1);
  if (is_word(last_word, "base64")) {
    uri.is_base64 = true;
    uri.type = last == std::string_view::npos ? std::string_view() : uri.type.substr(0, last);
  }
  std::string_view rest = uri.type;
  for (auto semicolon = rest.find(';'); semicolon != std::string_view::npos; semicolon = rest.find(';')) {
    rest.remove_prefix(semicolon + 1);
    uri.parameters.push_back(rest.substr(0, rest.find(';')));
    if (trim(uri.parameters.back()).empty()) return std::nullopt;
  }
  return uri;
}

bool is_known_charset(std::string_view name) {
  constexpr std::size_t name_bytes_max = 60;
  if (name.empty() || name.size() > name_bytes_max) return false;
  UErrorCode failure = U_ZERO_ERROR;
  const std::string terminated(name);
  return ucnv_countAliases(terminated.c_str(), &failure) > 0 && U_SUCCESS(failure);
}

/// The charset that a parameter names; nothing for another parameter.
std::optional<std::string_view> charset_in(std::string_view parameter) {
  const auto equals = parameter.find('=');
  if (equals == std::string_view::npos || !is_word(trim(parameter.substr(0, equals)), "charset")) return std::nullopt;
  auto name = trim(parameter.substr(equals + 1));
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
  return name;
}

/// One `/` in the type, at most one `=` in each parameter, and a charset that exists.
bool is_media_type(const DataUri& uri) {
  if (uri.type.empty()) return true;
  const auto main = trim(uri.type.substr(0, uri.type.find(';')));
  const auto slash = main.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == main.size()) return false;
  if (main.find('/', slash + 1) != std::string_view::npos) return false;
  for (const std::string_view parameter : uri.parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos ? !is_word(trim(parameter), "base64")
                                         : equals == 0 || parameter.find('=', equals + 1) != std::string_view::npos) {
      return false;
    }
    if (const auto charset = charset_in(parameter); charset && !is_known_charset(*charset)) return false;
  }
  return true;
}

/// As the service reads it: only the first parameter's charset must be UTF-8, only the last one's must exist.
bool is_readable_as_text(const DataUri& uri) {
  if (uri.parameters.empty()) return true;
  if (const auto first = charset_in(uri.parameters.front()); first && !is_word(*first, "utf-8")) return false;
  if (uri.is_base64) return true;
  const auto last = charset_in(uri.parameters.back());
  return !last || is_known_charset(*last);
}

ExpressionError bad_uri(Call& call, const Value& value) {
  const auto shown = value.as_string().substr(0, 200);
  auto error = fault(call, "expects its parameter to be formatted as a valid data URI. The provided value '" +
                               std::string(shown) + "' was not formatted correctly.");
  blame(error, 0, "a data URI", value);
  return error;
}

/// The argument taken apart, or the error; charges for copies of it.
Outcome<DataUri> argument(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size() * 3, 1 + text.size() / 16)) return call.limit_error();
  auto uri = read(text);
  if (!uri) return bad_uri(call, arguments[0]);
  return std::move(*uri);
}

Value content(std::string_view type, std::string_view base64) {
  return Value::object({{"$content-type", Value(type)}, {"$content", Value(base64)}});
}

Outcome<Value> data_uri(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_null()) return not_convertible(call, 0, value);
  if (const auto held = content_of(value)) {
    if (!call.charge(held->base64.size() + held->type.size(), 1 + held->base64.size() / 64)) return call.limit_error();
    return Value("data:" + std::string(held->type) + ";base64," + std::string(held->base64));
  }
  const std::string text = text_of_value(value);
  if (!call.charge(text.size() * 3, 1 + text.size() / 64)) return call.limit_error();
  const std::string_view type = value.is_string() ? "text/plain" : "application/json";
  return Value("data:" + std::string(type) + ";charset=utf-8;base64," + encode_base64(text));
}

Outcome<Value> to_binary(Call& call, Arguments arguments) {
  const auto uri = argument(call, arguments);
  if (!uri) return uri.error();
  if (!is_media_type(*uri)) return bad_uri(call, arguments[0]);
  const std::string_view type = uri->type.empty() ? "text/plain" : uri->type;
  if (uri->is_base64) return content(type, uri->data);
  return content(type, encode_base64(decode_percent(uri->data)));
}

/// The data's bytes; nothing for broken base64.
std::optional<std::string> bytes_of(const DataUri& uri) {
  return uri.is_base64 ? bytes_of_base64(uri.data) : decode_percent(uri.data);
}

Outcome<Value> to_text(Call& call, Arguments arguments) {
  const auto uri = argument(call, arguments);
  if (!uri) return uri.error();
  const auto bytes = is_readable_as_text(*uri) ? bytes_of(*uri) : std::nullopt;
  if (!bytes) return bad_uri(call, arguments[0]);
  return Value(*text_of_bytes(*bytes, ""));
}

/// A text for text, the parsed value for JSON, content for everything else.
Outcome<Value> decode(Call& call, Arguments arguments) {
  const auto uri = argument(call, arguments);
  if (!uri) return uri.error();
  const auto bytes = is_media_type(*uri) ? bytes_of(*uri) : std::nullopt;
  if (!bytes) return bad_uri(call, arguments[0]);
  const auto type = uri->type.empty() ? std::string_view("text/plain") : uri->type;
  const std::string main = to_lower(trim(type.substr(0, type.find(';'))));
  const auto charset = media_type_parameter(type, "charset");
  if (main.starts_with("text/")) return Value(text_of_bytes(*bytes, charset).value_or(*bytes));
  if (main == "application/json" || main.ends_with("+json")) {
    auto parsed = parse_lenient_json(text_of_bytes(*bytes, charset).value_or(*bytes));
    if (!parsed) return bad_uri(call, arguments[0]);
    return std::move(*parsed);
  }
  const std::string full = charset.empty() ? std::string(type) + ";charset=us-ascii" : std::string(type);
  return content(full, encode_base64(*bytes));
}

constexpr FunctionEntry table[] = {
    {.name = "dataUri",
     .arguments = "value: any",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The value as a data URI.",
     .example = "dataUri('hello')",
     .gives = R"("data:text/plain;charset=utf-8;base64,aGVsbG8=")",
     .call = data_uri},
    {.name = "dataUriToBinary",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "Binary content of what a data URI holds.",
     .example = "dataUriToBinary('data:text/plain;charset=utf-8;base64,aGVsbG8=')",
     .gives = R"({"$content-type":"text/plain;charset=utf-8","$content":"aGVsbG8="})",
     .call = to_binary},
    {.name = "dataUriToString",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text that a data URI holds.",
     .example = "dataUriToString('data:text/plain;charset=utf-8;base64,aGVsbG8=')",
     .gives = R"("hello")",
     .call = to_text},
    {.name = "decodeDataUri",
     .arguments = "uri: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "What a data URI holds: a text, the value of a JSON text, or binary content.",
     .example = "decodeDataUri('data:text/plain;charset=utf-8;base64,aGVsbG8=')",
     .gives = R"("hello")",
     .call = decode},
};

}  // namespace

FunctionTable data_uri_functions() { return table; }

}  // namespace flowmend::expression
