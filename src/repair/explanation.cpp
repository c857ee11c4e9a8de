#include "repair/explanation.h"

#include "connector/mask.h"
#include "json/write.h"

namespace flowmend::repair {
namespace {

constexpr std::size_t shown_value_bytes_max = 4000;
constexpr std::size_t shown_body_bytes_max = 64 * 1024;

/// Large values are cut to a text: an explanation is read by people.
Value shown(const Value& value, std::size_t bytes_max = shown_value_bytes_max) {
  if (value.is_string() && value.as_string().size() <= bytes_max) return value;
  if (!value.is_string() && !value.is_array() && !value.is_object()) return value;
  std::string text = value.is_string() ? std::string(value.as_string()) : json::write(value);
  if (text.size() <= bytes_max) return value;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return Value(text.substr(0, end) + " ...");
}

std::string_view button_kind(Button::Kind kind) {
  switch (kind) {
    case Button::Kind::verify_connection: return "verifyConnection";
    case Button::Kind::open_connections: return "openConnections";
    case Button::Kind::edit_action: return "editAction";
    case Button::Kind::resubmit: return "resubmit";
    case Button::Kind::ask_for_help: return "askForHelp";
    case Button::Kind::none: break;
  }
  return "";
}

Value headers_shown(const Value& headers) {
  if (!headers.is_object()) return Value::empty_object();
  json::ObjectBuilder builder;
  for (const json::Member& member : headers.as_object()) {
    builder.add(member.name(),
                connector::is_secret_header(member.name()) ? Value(connector::masked_text) : member.value);
  }
  return builder.finish();
}

Value failure_value(const Facts& facts, const Story& story) {
  const Failure& failure = *facts.failure;
  json::ObjectBuilder out;
  out.add("action", facts.action == nullptr ? Value("") : Value(facts.action->name));
  if (const std::string repetition = failure.repetition(); !repetition.empty())
    out.add("repetition", Value(repetition));
  json::ArrayBuilder path;
  for (const std::string& name : failure.path) path.push(Value(name));
  out.add("path", path.finish());
  out.add("actionType", facts.action == nullptr ? Value("") : Value(facts.action->type_name));
  std::string code = failure.fault_code.empty() ? failure.code : failure.fault_code;
  if (!failure.has_step) code = failure.run_code;
  out.add("code", Value(code));
  if (facts.status != 0) out.add("statusCode", Value(facts.status));
  std::string message = failure.fault_message.empty() ? facts.said.message : failure.fault_message;
  if (!failure.has_step) message = failure.run_message;
  if (message.empty()) message = story.what_happened;
  out.add("message", shown(Value(message)));
  const Timestamp started = failure.has_step ? failure.started : failure.run_started;
  const Timestamp ended = failure.has_step ? failure.ended : failure.run_ended;
  out.add("startTime", Value(to_string(started)));
  out.add("endTime", Value(to_string(ended)));
  out.add("attempts", Value(static_cast<std::int64_t>(failure.attempts.empty() ? 1 : failure.attempts.size())));
  return out.finish();
}

Value origin_value(const Origin& origin) {
  json::ObjectBuilder out;
  out.add("text", Value(origin.text));
  out.add("message", Value(origin.sentence));
  if (!origin.step.empty()) out.add("action", Value(origin.step));
  if (origin.item != 0) out.add("item", Value(static_cast<std::int64_t>(origin.item)));
  if (!origin.property.empty()) out.add("property", Value(origin.property));
  json::ArrayBuilder through;
  for (const std::string& step : origin.through) through.push(Value(step));
  out.add("through", through.finish());
  return out.finish();
}

Value where_value(const Facts& facts, const Story& story) {
  json::ObjectBuilder out;
  std::string pointer = facts.action == nullptr ? std::string() : facts.action->pointer;
  if (facts.blamed) pointer = facts.blamed->pointer;
  if (facts.expression) pointer = facts.expression->pointer;
  if (!story.pointer.empty()) pointer = story.pointer;
  out.add("pointer", Value(pointer));
  if (facts.blamed) {
    out.add("field", Value(facts.blamed->field));
    out.add_if_set("value", shown(facts.blamed->value));
  }
  if (facts.expression) {
    const ExpressionFinding& found = *facts.expression;
    json::ArrayBuilder values;
    for (const ExpressionFinding::Part& part : found.values) {
      json::ObjectBuilder value;
      value.add("text", Value(part.text));
      if (part.value) value.add("value", shown(*part.value));
      if (!part.error.empty()) value.add("error", Value(part.error));
      value.add("culprit", Value(part.culprit));
      values.push(value.finish());
    }
    out.add("expression", Value::object({{"source", Value(found.source)},
                                         {"begin", Value(static_cast<std::int64_t>(found.begin))},
                                         {"end", Value(static_cast<std::int64_t>(found.end))},
                                         {"subexpression", Value(found.subexpression)},
                                         {"message", Value(found.message)},
                                         {"values", values.finish()}}));
  }
  if (facts.origin) out.add("origin", origin_value(*facts.origin));
  return out.finish();
}

Value advice_value(const Facts& facts, const Story& story) {
  json::ArrayBuilder out;
  for (const Advice& advice : story.how_to_fix) {
    json::ObjectBuilder entry;
    entry.add("text", Value(advice.text));
    if (advice.button.kind != Button::Kind::none) {
      json::ObjectBuilder button;
      button.add("kind", Value(button_kind(advice.button.kind)));
      button.add("label", Value(advice.button.label));
      if (advice.button.kind == Button::Kind::verify_connection && facts.connection_key) {
        button.add("connection", Value::object({{"api", Value(facts.connection_key->api)},
                                                {"name", Value(facts.connection_key->name)}}));
      }
      if (!advice.button.pointer.empty()) button.add("pointer", Value(advice.button.pointer));
      entry.add("button", button.finish());
    }
    out.push(entry.finish());
  }
  return out.finish();
}

Value retries_value(const Failure& failure, bool secured) {
  json::ArrayBuilder out;
  for (const Attempt& attempt : failure.attempts) {
    json::ObjectBuilder entry;
    entry.add("attempt", Value(attempt.number));
    entry.add("startTime", Value(to_string(attempt.started)));
    entry.add("endTime", Value(to_string(attempt.ended)));
    if (attempt.status_code != 0) entry.add("statusCode", Value(attempt.status_code));
    std::string code = attempt.code;
    if (code.empty()) code = std::to_string(attempt.status_code);
    entry.add("code", Value(code));
    std::string message = attempt.message;
    if (message.empty() && !secured) {
      const Value* body = attempt.response.find("body");
      if (body != nullptr) message = connector::read_service_message(*body).message;
    }
    if (message.empty()) message = std::string(connector::reason_phrase(attempt.status_code));
    if (!message.empty()) entry.add("message", shown(Value(message)));
    if (attempt.retry_at.is_set()) entry.add("waitMs", Value((attempt.retry_at - attempt.ended).to_milliseconds()));
    out.push(entry.finish());
  }
  return out.finish();
}

}  // namespace

Value explain(const Facts& facts) {
  const Failure& failure = *facts.failure;
  Story story;
  for (const Rule& rule : rules()) {
    if (!rule.applies(facts)) continue;
    story = rule.tell(facts);
    break;
  }
  if (facts.origin) {
    if (!facts.origin_field.empty())
      story.what_happened += " The step sent '" + facts.origin_field + "' without a value that the flow puts there.";
    story.what_happened += " " + facts.origin->sentence;
  }
  const bool secure_inputs = facts.action != nullptr && facts.action->settings.secure_inputs;
  const bool secure_outputs = facts.action != nullptr && facts.action->settings.secure_outputs;

  json::ObjectBuilder out;
  out.add("run", Value(failure.run));
  out.add("flow", Value(facts.flow->id));
  out.add("flowDisplayName", Value(facts.flow->display_name));
  out.add("status", Value(failure.run_status));
  out.add("temporary", Value(story.temporary));
  out.add("family", Value(family_name(facts.family)));
  out.add("title", Value(story.title));
  out.add("whatHappened", Value(story.what_happened));
  out.add("failure", failure_value(facts, story));
  out.add("where", where_value(facts, story));
  if (facts.connection_key) {
    json::ObjectBuilder connection;
    connection.add("api", Value(facts.connection_key->api));
    connection.add("name", Value(facts.connection_key->name));
    connection.add("displayName", Value(facts.connection_name()));
    const bool connected = facts.connection && facts.connection->status == connector::ConnectionStatus::connected;
    connection.add("status", Value(connected ? "Connected" : "Error"));
    if (!facts.connection) {
      connection.add(
          "error", Value::object({{"code", "ApiConnectionNotFound"}, {"message", "This connection does not exist."}}));
    } else if (!connected) {
      connection.add("error", Value::object({{"code", Value(facts.connection->error_code)},
                                             {"message", Value(facts.connection->error_message)}}));
    }
    out.add("connection", connection.finish());
  }
  out.add("howToFix", advice_value(facts, story));
  if (!failure.attempts.empty()) {
    const Attempt& last = failure.attempts.back();
    if (!secure_inputs && last.request.is_object()) {
      json::ObjectBuilder request;
      request.add("method", Value(last.request.text_of("method")));
      request.add("uri", Value(connector::mask_url(last.request.text_of("uri"), {})));
      const Value* headers = last.request.find("headers");
      request.add("headers", headers_shown(headers == nullptr ? Value() : *headers));
      out.add("request", request.finish());
    }
  }
  if (!secure_outputs && facts.status != 0) {
    json::ObjectBuilder response;
    response.add("statusCode", Value(facts.status));
    const Value* headers = failure.outputs.find("headers");
    response.add("headers", headers_shown(headers == nullptr ? Value() : *headers));
    if (const Value* body = failure.outputs.find("body")) response.add("body", shown(*body, shown_body_bytes_max));
    out.add("response", response.finish());
  }
  out.add("retries", retries_value(failure, secure_outputs));
  json::ArrayBuilder skipped;
  for (const std::string& name : failure.skipped) skipped.push(Value(name));
  out.add("skipped", skipped.finish());
  return out.finish();
}

Result<Value> explain_run(const definition::Flow& flow, const engine::Events& events,
                          const connector::Connections* connections) {
  const auto failure = find_failure(flow, events);
  if (!failure) return make_error("RunHasNotFailed", "This run has not failed: there is nothing to explain.");
  return explain(gather_facts(flow, *failure, connections));
}

}  // namespace flowmend::repair
