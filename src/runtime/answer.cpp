#include "runtime/answer.h"

#include <algorithm>
#include <array>

#include "base/ids.h"
#include "json/write.h"
#include "trigger/base64.h"

namespace flowmend::runtime {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return result;
}

bool is_token(std::string_view name) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

/// A value with a line break would begin a header of its own.
bool is_field_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 8> reserved{
      "content-length", "transfer-encoding", "connection", "keep-alive",
      "upgrade",        "trailer",           "te",         "proxy-connection"};
  return name.substr(0, 14) == "x-ms-workflow-" || std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

void add_header(Answer& answer, std::string name, std::string value) {
  if (is_token(name) && is_field_value(value)) answer.headers.emplace_back(std::move(name), std::move(value));
}

}  // namespace

void add_run_headers(Answer& answer, const definition::Flow& flow, const store::RunRow& run, std::uint64_t salt) {
  Random random(salt);
  const auto tracking = make_guid(random);
  add_header(answer, "x-ms-workflow-run-id", run.name);
  add_header(answer, "x-ms-correlation-id", tracking);
  add_header(answer, "x-ms-client-tracking-id", run.client_tracking_id);
  add_header(answer, "x-ms-trigger-history-name", run.history_name.empty() ? run.name : run.history_name);
  add_header(answer, "x-ms-workflow-system-id", "/locations/local/scaleunits/local/workflows/" + flow.workflow_id);
  add_header(answer, "x-ms-workflow-id", flow.workflow_id);
  add_header(answer, "x-ms-workflow-version", flow.version);
  add_header(answer, "x-ms-workflow-name", flow.id);
  add_header(answer, "x-ms-tracking-id", tracking);
  add_header(answer, "x-ms-request-id", ":" + tracking);
}

Answer make_answer(const engine::Respond& respond) {
  Answer answer;
  answer.status_code = respond.status_code;
  bool typed = false;
  if (respond.headers.is_object()) {
    for (const auto& member : respond.headers.as_object()) {
      const auto name = lower(member.name());
      if (is_reserved(name)) continue;
      typed = typed || name == "content-type";
      add_header(answer, std::string(member.name()),
                 member.value.is_string() ? std::string(member.value.as_string()) : json::write(member.value));
    }
  }
  if (!respond.has_body) return answer;
  if (respond.body.is_string()) {
    answer.body = respond.body.as_string();
    if (!typed) add_header(answer, "Content-Type", "text/plain; charset=utf-8");
    return answer;
  }
  const auto* content = respond.body.find("$content");
  const auto type = respond.body.text_of("$content-type");
  if (content != nullptr && content->is_string() && !type.empty()) {
    if (auto bytes = trigger::decode_base64(content->as_string())) {
      answer.body = std::move(*bytes);
      if (!typed) add_header(answer, "Content-Type", std::string(type));
      return answer;
    }
  }
  json::write(respond.body, answer.body);
  if (!typed) add_header(answer, "Content-Type", "application/json; charset=utf-8");
  return answer;
}

Answer error_answer(std::int32_t status_code, std::string_view code, std::string_view message) {
  Answer answer;
  answer.status_code = status_code;
  answer.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  json::write(Value::object({{"error", Value::object({{"code", code}, {"message", message}})}}), answer.body);
  return answer;
}

}  // namespace flowmend::runtime
