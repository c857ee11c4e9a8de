#include "runtime/poll_verdict.h"

#include <algorithm>

#include "definition/words.h"
#include "engine/retry.h"
#include "engine/step.h"

namespace flowmend::runtime {

namespace {

/// The shortest wait between two checks (connectors.md 8.1).
constexpr Duration wait_min = Duration::seconds(1);
constexpr std::uint32_t at_once_max = 100;
constexpr std::uint32_t refusals_max = 3;

std::string header_of(const Value& headers, std::string_view name) {
  const Value* found = headers.is_object() ? headers.find_ignoring_case(name) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

/// A list of nothing: `[]`, or `{"value": []}` and nothing else of that kind.
bool is_empty_batch(const Value& body) {
  if (body.is_array()) return body.size() == 0;
  const Value* list = body.is_object() ? body.find("value") : nullptr;
  return list != nullptr && list->is_array() && list->size() == 0;
}

std::string said(const engine::AttemptFinished& reply) {
  if (!reply.fault.message.empty()) return reply.fault.message;
  return "The service answered " + std::to_string(reply.status_code) + " (" +
         engine::status_code_name(reply.status_code) + ").";
}

}  // namespace

bool conditions_read_status(const definition::Flow& flow) {
  return std::ranges::any_of(flow.trigger.conditions, [](const definition::Template& condition) {
    const Value& source = condition.source();
    return source.is_string() && definition::lower_case(source.as_string()).find("statuscode") != std::string::npos;
  });
}

PollVerdict judge_poll(const definition::Flow& flow, const PollState& state, const engine::AttemptFinished& reply,
                       const Value& policy, double draw, bool conditions_judge) {
  PollVerdict verdict;
  verdict.state = state;
  verdict.state.retries = 0;
  const int status = reply.status_code;
  const auto asked = engine::read_retry_after(header_of(reply.headers, "Retry-After"), reply.ended);
  const bool answered = status != 0 && reply.fault.code.empty();
  if ((status == 0 || engine::is_retried(status)) && !(answered && conditions_judge)) {
    const bool final_fault =
        reply.fault.details.text_of("kind") == "inputs" || reply.fault.details.text_of("kind") == "connection";
    const auto read = engine::read_retry_policy(policy, flow.dialect);
    auto wait = read && !final_fault ? engine::next_wait(*read, state.retries + 1, draw) : std::nullopt;
    if (wait) {
      verdict.kind = PollVerdict::Kind::retry;
      verdict.state.retries = state.retries + 1;
      verdict.wait = asked.value_or(*wait);
      return verdict;
    }
  }
  if (!answered || (status >= 400 && !conditions_judge)) {
    verdict.kind = PollVerdict::Kind::failed;
    verdict.code =
        status == 0 ? (reply.fault.code.empty() ? "BadRequest" : reply.fault.code) : engine::status_code_name(status);
    verdict.message = said(reply);
    if (!state.location.empty() && status >= 400 && status < 500 && !engine::is_retried(status) &&
        ++verdict.state.refusals >= refusals_max) {
      verdict.state = {};
      verdict.message += " The address that the service gave for its next news was refused " +
                         std::to_string(refusals_max) + " times; the trigger asks its own address again.";
    }
    return verdict;
  }
  verdict.state.refusals = 0;
  if (const auto location = header_of(reply.headers, "Location"); !location.empty()) verdict.state.location = location;
  const bool empty = flow.trigger.source == definition::TriggerSource::poll && flow.trigger.type_name != "Http" &&
                     !flow.trigger.splits() && is_empty_batch(reply.body);
  const bool only_200 = flow.trigger.type_name == "Http";
  const bool data = conditions_judge || (status != 202 && !empty && (!only_200 || status == 200));
  if (!data) {
    verdict.kind = PollVerdict::Kind::nothing;
    verdict.code = "NoNewData";
    verdict.message = status == 202 || empty ? "The service has nothing new."
                                             : "The service answered " + std::to_string(status) +
                                                   "; without a condition only 200 starts a run.";
    verdict.wait = asked;
    verdict.state.at_once = 0;
    return verdict;
  }
  verdict.kind = PollVerdict::Kind::data;
  verdict.wait = asked;
  // "More is waiting": asked for at once, but not for ever.
  verdict.state.at_once = asked && *asked <= wait_min ? state.at_once + 1 : 0;
  if (verdict.state.at_once > at_once_max) {
    verdict.state.at_once = 0;
    verdict.wait.reset();
  }
  return verdict;
}

}  // namespace flowmend::runtime
