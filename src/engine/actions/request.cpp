// Http, ApiConnection, OpenApiConnection, Workflow: a request, its retries, the asynchronous 202 pattern
// (engine.md 3.2, 3.9, 3.10).

#include <algorithm>

#include "definition/words.h"
#include "engine/actions/list.h"
#include "engine/idempotency.h"
#include "engine/retry.h"

namespace flowmend::engine {

using definition::ActionType;

namespace {

constexpr std::string_view hidden = "*sanitized*";

/// Members of `authentication` that are no secrets.
bool is_public(std::string_view name) {
  constexpr std::string_view open[] = {"type",     "username",  "tenant",   "audience",
                                       "clientId", "authority", "identity", "credentialType"};
  return std::ranges::find(open, name) != std::end(open);
}

Value masked(const Value& authentication) {
  if (!authentication.is_object()) return authentication.is_null() ? authentication : Value(hidden);
  json::ObjectBuilder out;
  for (const json::Member& member : authentication.as_object()) {
    out.add(member.key, is_public(member.name()) ? member.value : Value(hidden));
  }
  return out.finish();
}

std::string_view header_of(const Value& headers, std::string_view name) {
  const Value* found = headers.find_ignoring_case(name);
  return found != nullptr && found->is_string() ? found->as_string() : std::string_view();
}

/// Faults of the request itself: asking again would fail again.
bool is_final_fault(const AttemptFinished& finished) {
  if (finished.status_code != 0) return false;
  const auto kind = finished.fault.details.text_of("kind");
  return kind == "inputs" || kind == "connection" || kind == "content" || finished.fault.code == "InvalidUri" ||
         finished.fault.code == "AddressNotAllowed" || finished.fault.code == "ResponseTooLarge" ||
         finished.fault.code == "InvalidHeader";
}

/// As records show it: the type capitalised (engine.md 3.2).
Value recorded_policy(const Value& policy) {
  json::ObjectBuilder out;
  for (const json::Member& member : policy.as_object()) {
    if (definition::same_word(member.name(), "type") && member.value.is_string()) {
      std::string type = definition::lower_case(member.value.as_string());
      if (!type.empty() && type[0] >= 'a' && type[0] <= 'z') type[0] = static_cast<char>(type[0] - 32);
      out.add("type", Value(type));
    } else {
      out.add(member.key, member.value);
    }
  }
  return out.finish();
}

/// A failure that is the service's, and passes when it works again.
bool is_outage(const AttemptFinished& finished) {
  const auto status = finished.status_code;
  if (status == 0) return !is_final_fault(finished);
  return status == 408 || (status >= 500 && status != 501 && status != 505);
}

/// Whether the flow has a branch of its own for the failure of this step, or of what stands around it: then the failure
/// is part of what its author wrote, and waiting would keep that from happening.
bool handles_failure(const definition::Flow& flow, const definition::Action& action) {
  for (const definition::Action* at = &action;; at = &flow.actions[at->parent]) {
    for (const auto next : at->successors) {
      for (const auto& edge : flow.actions[next].run_after) {
        if (edge.action == at->id && (edge.statuses & (definition::failed_bit | definition::timed_out_bit)) != 0)
          return true;
      }
    }
    if (at->parent == definition::no_action) return false;
  }
}

/// A caller that waits for its answer hears of the failure now: it can do something about it, and can't wait.
bool keeps_caller_waiting(const RunState& state) {
  return state.caller_waits && state.responded == 0 && state.start.trigger.find("parentRun") == nullptr;
}

bool is_held(const Step& step, const AttemptFinished& finished) {
  if (!finished.hold || finished.target.empty()) return false;
  const bool refused = finished.status_code == 401 && finished.hold->authentication;
  return (refused || is_outage(finished)) && !handles_failure(step.flow, step.action) &&
         !keeps_caller_waiting(step.state);
}

Call::Kind kind_of(ActionType type) {
  if (definition::is_sandboxed(type)) return Call::Kind::sandbox;
  switch (type) {
    case ActionType::http:
    case ActionType::http_webhook:
    case ActionType::function:
    case ActionType::api_management: return Call::Kind::http;
    case ActionType::workflow: return Call::Kind::workflow;
    case ActionType::send_to_batch: return Call::Kind::batch;
    default: return Call::Kind::connector;
  }
}

/// The retry policy that was recorded with an action's inputs; of an HttpWebhook it stands in its `subscribe`.
const Value* recorded_policy_of(const definition::Action& action, const Value& inputs) {
  const Value* at = &inputs;
  if (action.type == ActionType::http_webhook) {
    const Value* own = inputs.find_ignoring_case("retryPolicy");
    if (own != nullptr) return own;
    at = inputs.find_ignoring_case("subscribe");
  }
  return at == nullptr ? nullptr : at->find_ignoring_case("retryPolicy");
}

Value reply_outputs(const AttemptFinished& finished, bool is_http) {
  json::ObjectBuilder out;
  out.add("statusCode", Value(finished.status_code));
  if (!finished.headers.is_null() && (is_http || finished.headers.size() > 0)) out.add("headers", finished.headers);
  if (finished.has_body) out.add("body", finished.body);
  return out.finish();
}

}  // namespace

void start_request(Step& step) {
  if (!step.evaluate_inputs()) return;
  if (step.action.type == ActionType::service_provider && !check_service_provider(step)) return;
  Value sealed;
  if (const Value* authentication = step.inputs.find_ignoring_case("authentication");
      authentication != nullptr && step.inputs.is_object()) {
    sealed = *authentication;
    json::ObjectBuilder builder(step.inputs);
    builder.set("authentication", masked(*authentication));
    step.inputs = builder.finish();
  }
  if (step.action.type == ActionType::api_management) {
    // The gateway's key is a secret like any credential.
    const Value* key = step.inputs.find_ignoring_case("subscriptionKey");
    if (key != nullptr && step.inputs.is_object()) {
      sealed = Value::object({{"authentication", sealed}, {"subscriptionKey", *key}});
      json::ObjectBuilder builder(step.inputs);
      builder.set("subscriptionKey", Value(hidden));
      step.inputs = builder.finish();
    }
  }
  auto policy_value = step.action.settings.retry_policy.evaluate(step.context);
  if (!policy_value) return step.fail(policy_value.error());
  const auto policy = read_retry_policy(*policy_value, step.flow.dialect);
  if (!policy) return step.fail("BadRequest", {policy.error().code, policy.error().message, {}});
  if (policy_value->is_object() && step.inputs.is_object()) {
    json::ObjectBuilder builder(step.inputs);
    builder.set("retryPolicy", recorded_policy(*policy_value));
    step.inputs = builder.finish();
  }
  std::optional<Duration> timeout;
  if (!step.evaluate_timeout(timeout)) return;
  step.started(sealed);
  if (timeout) step.out.events.emplace_back(TimerSet{step.place, TimerKind::timeout, step.facts.now + *timeout});
  step.out.commands.emplace_back(make_call(step.state, step.place, 1, step.inputs, sealed));
}

Call make_call(const RunState& state, Place place, std::uint32_t attempt, const Value& inputs, const Value& sealed) {
  const auto& action = state.flow->actions[place.action];
  Call call;
  call.place = place;
  call.attempt = attempt;
  call.kind = kind_of(action.type);
  call.job = sandbox_job(action.type);
  call.inputs = action.type == ActionType::service_provider ? service_provider_inputs(*state.flow, inputs)
                                                            : plain_http_inputs(action, inputs, sealed);
  call.sealed = sealed;
  if (definition::is_webhook(action.type)) {
    // What is recorded hides the address's signature; what is sent does not.
    const Value* whole = sealed.find("inputs");
    call.inputs = webhook_request(action, whole == nullptr ? inputs : *whole, "subscribe");
    const Value* authentication = call.inputs.find_ignoring_case("authentication");
    call.sealed = authentication == nullptr ? Value() : *authentication;
    call.callback_url = sealed.text_of("callback");
  }
  call.idempotency_key = idempotency_key(state, place, inputs);
  call.timeout = state.limits.call_timeout;
  call.workflow_headers = !action.settings.suppress_workflow_headers;
  call.keep_compressed = action.settings.keep_compressed;
  call.chunked = action.settings.chunked;
  call.upload_chunk_bytes = action.settings.upload_chunk_bytes;
  call.download_chunk_bytes = action.settings.download_chunk_bytes;
  call.tracking_id = tracking_id(state, place);
  const Slot* slot = state.find(place);
  if (slot != nullptr && slot->detail && slot->detail->pending && slot->detail->pending->polling) {
    call.get_poll = true;
    call.poll_uri = slot->detail->pending->poll_uri;
  }
  return call;
}

void finish_attempt(Step& step, const AttemptFinished& reply) {
  const Slot* slot = step.state.find(step.place);
  const bool provided = step.action.type == ActionType::service_provider;
  const AttemptFinished& finished = provided ? as_service_provider(reply, slot->inputs) : reply;
  const Pending& pending = *slot->detail->pending;
  const bool is_child = step.action.type == ActionType::workflow;
  const bool is_http = kind_of(step.action.type) == Call::Kind::http || is_child;
  AttemptEnded event;
  event.place = step.place;
  event.attempt = finished.attempt;
  event.started = finished.started;
  event.ended = finished.ended;
  event.status_code = finished.status_code;
  event.fault = finished.fault;
  event.request = finished.request;
  const auto earlier_response = [&] {
    json::ObjectBuilder response;
    response.add_if_set("headers", finished.headers);
    if (finished.has_body) response.add("body", finished.body);
    return response;
  };

  const bool has_fault = !finished.fault.code.empty();
  const bool failed = has_fault || finished.status_code == 0 || finished.status_code >= 400;
  const Value* recorded = recorded_policy_of(step.action, slot->inputs);
  // A child flow is run again only when the action asks for it: what the first run did would be done twice.
  const bool may_retry = !is_child || recorded != nullptr;
  if (failed && may_retry && is_retried(finished.status_code) && !is_final_fault(finished)) {
    const auto policy = read_retry_policy(recorded == nullptr ? Value() : *recorded, step.flow.dialect);
    event.draw = step.random.draw();
    auto wait = policy ? next_wait(*policy, pending.retries + 1, event.draw) : std::nullopt;
    if (wait) {
      if (const auto asked = read_retry_after(header_of(finished.headers, "Retry-After"), step.facts.now))
        wait = *asked;
      event.response = earlier_response().finish();
      event.retry_at = step.facts.now + *wait;
      const Timestamp due = event.retry_at;
      step.out.events.emplace_back(std::move(event));
      step.out.events.emplace_back(TimerSet{step.place, TimerKind::retry, due});
      return;
    }
  }
  if (!failed && definition::is_webhook(step.action.type)) {
    event.response =
        Value::object({{"subscribed", Value(true)}, {"location", Value(header_of(finished.headers, "Location"))}});
    step.out.events.emplace_back(std::move(event));
    return;
  }
  if (!failed && finished.status_code == 202 && !is_child && !step.action.settings.disable_async_pattern) {
    const auto location = header_of(finished.headers, "Location");
    const std::string uri = !location.empty() ? std::string(location)
                            : pending.polling ? pending.poll_uri
                                              : std::string();
    if (!uri.empty()) {
      const auto asked = read_retry_after(header_of(finished.headers, "Retry-After"), step.facts.now);
      auto response = earlier_response();
      response.add("pollUri", Value(uri));
      event.response = response.finish();
      event.retry_at = step.facts.now + asked.value_or(step.state.limits.poll_interval);
      const Timestamp due = event.retry_at;
      step.out.events.emplace_back(std::move(event));
      step.out.events.emplace_back(TimerSet{step.place, TimerKind::poll, due});
      return;
    }
  }
  const bool pages = step.action.settings.pagination_minimum > 0 && !is_child;
  if (!failed && pages) return finish_page(step, finished, std::move(event));
  step.out.events.emplace_back(std::move(event));
  if (failed && !is_child && is_held(step, finished)) {
    ActionHeld held;
    held.place = step.place;
    held.time = step.facts.now;
    held.target = finished.target;
    held.cause = finished.status_code == 401 ? "Unauthorized" : "ServiceUnavailable";
    held.fault = finished.fault;
    if (finished.status_code == 0) {
      if (held.fault.code.empty()) held.fault = {"ConnectionClosed", "No response came.", {}};
      held.code = finished.fault.code.empty() ? "BadRequest" : finished.fault.code;
    } else {
      held.code = finished.fault.code.empty() ? status_code_name(finished.status_code) : finished.fault.code;
      held.outputs = reply_outputs(finished, is_http);
      held.has_outputs = true;
    }
    step.out.events.emplace_back(std::move(held));
    step.out.events.emplace_back(TimerSet{step.place, TimerKind::hold, step.facts.now + finished.hold->limit});
    return;
  }
  if (finished.status_code == 0) {
    const std::string code = finished.fault.code.empty() ? "BadRequest" : finished.fault.code;
    return step.end(Status::failed, code,
                    finished.fault.code.empty() ? Fault{"ConnectionClosed", "No response came.", {}} : finished.fault);
  }
  if (definition::is_sandboxed(step.action.type)) {
    return step.succeed_with(Value::object({{"body", finished.has_body ? finished.body : Value()}}), "OK");
  }
  step.outputs = reply_outputs(finished, is_http);
  step.has_outputs = true;
  if (has_fault) return step.end(Status::failed, finished.fault.code, finished.fault);
  step.end(failed ? Status::failed : Status::succeeded, status_code_name(finished.status_code));
}

void end_hold(Step& step, std::string by, bool send_again) {
  const Slot* slot = step.state.find(step.place);
  const auto held = slot->detail->pending->held;
  step.out.events.emplace_back(HoldEnded{step.place, step.facts.now, std::move(by), send_again});
  if (send_again) {
    step.out.events.emplace_back(TimerEnded{step.place, TimerKind::hold});
    step.out.commands.emplace_back(
        make_call(step.state, step.place, slot->detail->pending->attempt, slot->inputs, slot->detail->pending->sealed));
    return;
  }
  step.outputs = held->outputs;
  step.has_outputs = held->has_outputs;
  step.end(Status::failed, held->code, held->fault);
}

void handle_timer(Step& step, TimerKind kind) {
  const Slot* slot = step.state.find(step.place);
  switch (kind) {
    case TimerKind::wait: step.end(Status::succeeded, "OK"); return;
    case TimerKind::retry:
    case TimerKind::poll:
      step.out.events.emplace_back(TimerEnded{step.place, kind});
      if (slot->detail && slot->detail->pending) {
        step.out.commands.emplace_back(make_call(step.state, step.place, slot->detail->pending->attempt, slot->inputs,
                                                 slot->detail->pending->sealed));
      }
      return;
    case TimerKind::timeout: {
      const auto timer = step.state.timers.find({RunState::key(step.place), kind});
      const Duration limit = (timer == step.state.timers.end() ? step.facts.now : timer->second.due) - slot->started;
      if (auto undo = undo_webhook(step.state, step.place)) step.out.commands.emplace_back(std::move(*undo));
      if (slot->detail && slot->detail->pending && slot->detail->pending->in_flight) {
        step.out.commands.emplace_back(CancelCall{step.place, slot->detail->pending->attempt});
      }
      step.end(Status::timed_out, "ActionTimedOut",
               {"ActionTimedOut",
                "The action '" + step.action.name + "' did not end within its limit of " + to_string(limit) + ".",
                {}});
      return;
    }
    case TimerKind::hold:
      if (slot->detail && slot->detail->pending && slot->detail->pending->held) end_hold(step, "limit", false);
      return;
    case TimerKind::response:
    case TimerKind::run_duration: return;
  }
}

}  // namespace flowmend::engine
