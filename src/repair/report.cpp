#include "repair/report.h"

#include <array>

#include "connector/mask.h"
#include "connector/text.h"
#include "json/write.h"

namespace flowmend::repair {
namespace {

using json::Value;

constexpr std::size_t text_bytes_max = 4000;

bool is_secret_name(std::string_view name) {
  static constexpr std::array<std::string_view, 9> parts = {
      "password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "authorization", "credential"};
  const std::string lower = connector::lower_case(name);
  for (const std::string_view part : parts) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return false;
}

std::string cut(std::string_view text) {
  if (text.size() <= text_bytes_max) return std::string(text);
  std::size_t end = text_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + " ...";
}

Value for_others(const Value& value) {
  if (value.is_string()) return Value(cut(value.as_string()));
  if (value.is_array()) {
    json::ArrayBuilder builder;
    for (const Value& item : value.as_array()) builder.push(for_others(item));
    return builder.finish();
  }
  if (value.is_object()) {
    json::ObjectBuilder builder;
    for (const json::Member& member : value.as_object()) {
      const bool hide = is_secret_name(member.name()) && !member.value.is_object() && !member.value.is_array() &&
                        !member.value.is_null();
      builder.add(member.name(), hide ? Value(connector::masked_text) : for_others(member.value));
    }
    return builder.finish();
  }
  return value;
}

std::string text(const Value& value, std::string_view name) {
  const Value* found = value.find(name);
  return found == nullptr || found->is_null() ? std::string() : connector::text_of_value(*found);
}

/// Without what the definition said before and after: it may hold what its names do not give away.
Value without_values(const Value& explanation) {
  const Value* since = explanation.find("sinceLastGood");
  const Value* changes = since == nullptr ? nullptr : since->find("changes");
  if (changes == nullptr || !changes->is_array()) return explanation;
  json::ArrayBuilder kept;
  for (const Value& change : changes->as_array())
    kept.push(Value::object({{"kind", Value(change.text_of("kind"))}, {"text", Value(change.text_of("text"))}}));
  json::ObjectBuilder shown(*since);
  shown.set("changes", kept.finish());
  json::ObjectBuilder out(explanation);
  out.set("sinceLastGood", shown.finish());
  return out.finish();
}

/// One line of a list; nothing when there is no value. Line breaks would end the list.
void line(std::string& out, const std::string& name, std::string value) {
  if (value.empty()) return;
  for (char& c : value) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  out += "- " + name + ": " + value + "\n";
}

/// A fenced block, with a fence longer than any inside.
void block(std::string& out, const std::string& heading, const std::string& content, const char* language) {
  if (content.empty()) return;
  std::string fence = "```";
  while (content.find(fence) != std::string::npos) fence += '`';
  out += "\n## " + heading + "\n\n" + fence + language + "\n" + content + (content.ends_with('\n') ? "" : "\n") +
         fence + "\n";
}

}  // namespace

Value make_report(const Value& explanation, const std::string& version) {
  const Value shown = for_others(without_values(explanation));
  static const Value nothing = Value::empty_object();
  const auto part = [&](std::string_view name) -> const Value& {
    const Value* found = shown.find(name);
    return found == nullptr ? nothing : *found;
  };
  const Value& failure = part("failure");
  const Value& where = part("where");
  const std::string title = text(shown, "title");

  std::string out = "# " + title + "\n\n" + text(shown, "whatHappened") + "\n\n";
  line(out, "Flow", text(shown, "flowDisplayName"));
  line(out, "Run", text(shown, "run") + " (" + text(shown, "status") + ")");
  line(out, "Kind", text(shown, "family"));
  std::string path;
  if (const Value* names = failure.find("path"); names != nullptr && names->is_array()) {
    for (const Value& name : names->as_array()) path += (path.empty() ? "" : " > ") + connector::text_of_value(name);
  }
  line(out, "Step", path);
  line(out, "Type", text(failure, "actionType"));
  line(out, "Repetition", text(failure, "repetition"));
  line(out, "Code", text(failure, "code"));
  line(out, "Status", text(failure, "statusCode"));
  line(out, "Message", text(failure, "message"));
  line(out, "Started", text(failure, "startTime"));
  line(out, "Ended", text(failure, "endTime"));
  line(out, "Attempts", text(failure, "attempts"));
  line(out, "Place", text(where, "pointer"));
  if (!text(where, "field").empty()) line(out, "Field", text(where, "field") + " = " + text(where, "value"));
  const Value& connection = part("connection");
  if (connection.size() > 0)
    line(out, "Connection",
         text(connection, "displayName") + " (" + text(connection, "api") + "), " + text(connection, "status"));
  line(out, "Flowmend", version);

  if (const Value* expression = where.find("expression")) {
    std::string content = text(*expression, "source") + "\n";
    if (const Value* values = expression->find("values"); values != nullptr && values->is_array()) {
      for (const Value& value : values->as_array()) {
        const Value* known = value.find("value");
        const Value* culprit = value.find("culprit");
        content += std::string(culprit != nullptr && *culprit == Value(true) ? "> " : "  ") + text(value, "text") +
                   " = " + (known != nullptr ? cut(json::write(*known)) : "error: " + text(value, "error")) + "\n";
      }
    }
    block(out, "Expression", content, "");
  }
  if (const Value* since = shown.find("sinceLastGood")) {
    out += "\n## Since the last good run (" + text(*since, "run") + ")\n\n";
    const Value* changes = since->find("changes");
    if (changes == nullptr || changes->size() == 0)
      out += "Nothing that is recorded changed.\n";
    else
      for (const Value& change : changes->as_array()) out += "- " + text(change, "text") + "\n";
  }
  if (const Value* request = shown.find("request")) block(out, "Request", json::write_pretty(*request), "json");
  if (const Value* response = shown.find("response")) block(out, "Response", json::write_pretty(*response), "json");
  if (const Value* retries = shown.find("retries"); retries != nullptr && retries->size() > 1)
    block(out, "Attempts", json::write_pretty(*retries), "json");
  if (const Value* skipped = shown.find("skipped"); skipped != nullptr && skipped->size() > 0) {
    out += "\n## Steps that did not run\n\n";
    for (const Value& name : skipped->as_array()) out += "- " + connector::text_of_value(name) + "\n";
  }
  json::ObjectBuilder report(shown);
  report.set("flowmendVersion", Value(version));
  return Value::object({{"title", Value(title)}, {"markdown", Value(out)}, {"report", report.finish()}});
}

}  // namespace flowmend::repair
