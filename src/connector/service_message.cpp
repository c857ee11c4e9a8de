#include "connector/service_message.h"

#include "connector/content.h"
#include "connector/text.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t message_bytes_max = 2000;

std::string shortened(std::string_view text) {
  text = trim(text);
  if (text.size() <= message_bytes_max) return std::string(text);
  std::size_t end = message_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return std::string(text.substr(0, end)) + " ...";
}

std::string text_of(const Value* value) {
  if (value == nullptr || value->is_null() || value->is_object() || value->is_array()) return {};
  return shortened(text_of_value(*value));
}

/// The text of a page without its tags; scripts and styles are left out, blanks are folded.
std::string text_of_html(std::string_view html) {
  std::string out;
  std::size_t at = 0;
  while (at < html.size() && out.size() < message_bytes_max) {
    if (html[at] != '<') {
      const bool blank = html[at] == ' ' || html[at] == '\n' || html[at] == '\r' || html[at] == '\t';
      if (!blank) {
        out += html[at];
      } else if (!out.empty() && out.back() != ' ') {
        out += ' ';
      }
      ++at;
      continue;
    }
    bool skipped = false;
    for (const std::string_view element : {"script", "style", "head"}) {
      if (!equals_ignoring_case(html.substr(at + 1, element.size()), element)) continue;
      const std::string close = "</" + std::string(element);
      const std::size_t end = lower_case(html.substr(at)).find(close);
      if (end == std::string::npos) continue;
      at += end + close.size();
      skipped = true;
    }
    const std::size_t end = html.find('>', at);
    at = end == std::string_view::npos ? html.size() : end + 1;
    if (!skipped && !out.empty() && out.back() != ' ') out += ' ';
  }
  return shortened(out);
}

std::string between(std::string_view text, std::string_view open, std::string_view close) {
  const std::string lower = lower_case(text);
  std::size_t begin = lower.find(open);
  if (begin == std::string::npos) return {};
  begin = lower.find('>', begin);
  if (begin == std::string::npos) return {};
  const std::size_t end = lower.find(close, begin);
  return end == std::string::npos ? std::string() : shortened(text.substr(begin + 1, end - begin - 1));
}

ServiceMessage of_text(std::string_view text) {
  text = trim(text);
  const std::string start = lower_case(text.substr(0, 200));
  if (start.find("<html") != std::string::npos || start.starts_with("<!doctype")) {
    std::string words = text_of_html(text);
    if (words.empty()) words = between(text, "<title", "</title");
    return {{}, std::move(words)};
  }
  if (start.starts_with('<')) {
    for (const auto& [open, close] : {std::pair{"faultstring", "</"}, std::pair{"<message", "</"},
                                      std::pair{":text", "</"}, std::pair{"<error", "</"}}) {
      std::string found = between(text, open, close);
      if (!found.empty()) return {between(text, "<code", "</"), std::move(found)};
    }
  }
  return {{}, shortened(text)};
}

ServiceMessage of_object(const Value& body, int depth);

ServiceMessage of_value(const Value& body, int depth) {
  if (depth > 4) return {};
  if (body.is_string()) return of_text(body.as_string());
  if (body.is_array()) return body.size() == 0 ? ServiceMessage() : of_value(body.as_array()[0], depth + 1);
  if (body.is_object()) return of_object(body, depth);
  return {};
}

ServiceMessage of_object(const Value& body, int depth) {
  if (is_content_object(body)) {
    const auto bytes = content_bytes(body);
    return bytes && is_utf8(*bytes) ? of_text(*bytes) : ServiceMessage();
  }
  // OData, Microsoft, Google: everything inside `error`.
  if (const Value* error = body.find_ignoring_case("error"); error != nullptr && !error->is_null()) {
    if (error->is_object()) {
      ServiceMessage found = of_object(*error, depth + 1);
      if (!found.message.empty()) return found;
    } else if (error->is_string()) {
      const std::string description = text_of(body.find("error_description"));
      const std::string message = text_of(body.find_ignoring_case("message"));
      if (!description.empty()) return {text_of(error), description};
      if (!message.empty()) return {text_of(error), message};
      return {{}, text_of(error)};
    }
  }
  ServiceMessage found;
  found.code = text_of(body.find_ignoring_case("code"));
  if (found.code.empty()) found.code = text_of(body.find_ignoring_case("errorCode"));
  if (const Value* message = body.find_ignoring_case("message")) {
    found.message = message->is_object() ? text_of(message->find("value")) : text_of(message);
  }
  if (found.message.empty()) {
    const std::string title = text_of(body.find_ignoring_case("title"));
    const std::string detail = text_of(body.find_ignoring_case("detail"));
    found.message = title.empty() || detail.empty() ? title + detail : title + ": " + detail;
  }
  for (const std::string_view name : {"error_description", "errorMessage", "error_message", "description", "reason",
                                      "msg", "Fault", "fault", "errors"}) {
    if (!found.message.empty()) break;
    if (const Value* value = body.find_ignoring_case(name)) {
      ServiceMessage inner = of_value(*value, depth + 1);
      if (found.code.empty()) found.code = inner.code;
      found.message = inner.message;
    }
  }
  return found;
}

}  // namespace

ServiceMessage read_service_message(const json::Value& body) { return of_value(body, 0); }

std::string_view reason_phrase(int status_code) {
  switch (status_code) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 423: return "Locked";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return {};
  }
}

}  // namespace flowmend::connector
