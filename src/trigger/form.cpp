#include "trigger/form.h"

#include <algorithm>

#include "trigger/base64.h"
#include "trigger/percent.h"

namespace flowmend::trigger {

using json::ArrayBuilder;
using json::ObjectBuilder;

namespace {

constexpr std::size_t parts_max = 1000;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return result;
}

std::string boundary_of(std::string_view content_type) {
  auto at = content_type.find(';');
  while (at != std::string_view::npos) {
    content_type.remove_prefix(at + 1);
    at = content_type.find(';');
    const auto parameter = trimmed(content_type.substr(0, at));
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || lower(trimmed(parameter.substr(0, equals))) != "boundary") continue;
    auto value = trimmed(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return {};
}

/// One part: headers, an empty line, a body.
Value read_part(std::string_view part) {
  ObjectBuilder headers;
  std::string type = "text/plain";
  while (true) {
    const auto end = part.find("\r\n");
    const auto line = part.substr(0, end);
    part = end == std::string_view::npos ? std::string_view() : part.substr(end + 2);
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = trimmed(line.substr(0, colon));
    const auto value = trimmed(line.substr(colon + 1));
    if (!is_utf8(name) || !is_utf8(value)) continue;
    headers.set(name, value);
    if (lower(name) == "content-type") type = value;
  }
  const auto media = media_type(type);
  const bool text = (media.starts_with("text/") || media == "application/json" || media.ends_with("+json") ||
                     media.ends_with("xml")) &&
                    is_utf8(part);
  Value body =
      text ? Value(part) : Value::object({{"$content-type", Value(type)}, {"$content", Value(encode_base64(part))}});
  return Value::object({{"headers", headers.finish()}, {"body", std::move(body)}});
}

}  // namespace

std::string media_type(std::string_view content_type) {
  return lower(trimmed(content_type.substr(0, content_type.find(';'))));
}

Value read_form(std::string_view body) {
  ArrayBuilder pairs;
  while (true) {
    const auto end = body.find('&');
    const auto part = body.substr(0, end);
    const auto equals = part.find('=');
    const auto text = [](std::string_view encoded) {
      const auto decoded = decode_percent(encoded, ' ');
      if (decoded) return Value(*decoded);
      return is_utf8(encoded) ? Value(encoded) : Value("");
    };
    pairs.push(
        Value::object({{"key", text(part.substr(0, equals))},
                       {"value", equals == std::string_view::npos ? Value("") : text(part.substr(equals + 1))}}));
    if (end == std::string_view::npos) return pairs.finish();
    body.remove_prefix(end + 1);
  }
}

Result<Value> read_multipart(std::string_view content_type, std::string_view body) {
  const auto boundary = boundary_of(content_type);
  const auto refused = [](std::string why) {
    return make_error("InvalidMultipartContent", "The multipart body can't be read: " + why + ".", {},
                      "Send parts divided by the boundary that the Content-Type names (RFC 2046).");
  };
  if (boundary.empty() || boundary.size() > 70) return refused("its Content-Type names no usable boundary");
  const auto delimiter = "--" + boundary;
  auto at = body.find(delimiter);
  if (at == std::string_view::npos) return refused("the boundary does not occur in it");
  ArrayBuilder parts;
  while (true) {
    auto rest = body.substr(at + delimiter.size());
    if (rest.starts_with("--")) return parts.finish();
    const auto line_end = rest.find("\r\n");
    if (line_end == std::string_view::npos) return refused("a boundary is not followed by a line break");
    rest.remove_prefix(line_end + 2);
    const auto end = rest.find("\r\n" + delimiter);
    if (end == std::string_view::npos) return refused("its closing boundary is missing");
    if (parts.size() >= parts_max) return refused("it has more than 1,000 parts");
    parts.push(read_part(rest.substr(0, end)));
    body = rest;
    at = end + 2;
  }
}

}  // namespace flowmend::trigger
