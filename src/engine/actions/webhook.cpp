// HttpWebhook, ApiConnectionWebhook, OpenApiConnectionWebhook: gives a service an address and waits until it calls that
// (engine.md 3.3).

#include "engine/actions/list.h"
#include "engine/idempotency.h"

namespace flowmend::engine {

using definition::ActionType;

namespace {

constexpr std::string_view hidden = "*sanitized*";

/// The signature in an address: whoever has it may end the step, so records show the address without it.
std::string_view signature_in(std::string_view address) {
  const auto at = address.find("sig=");
  if (at == std::string_view::npos) return {};
  const auto rest = address.substr(at + 4);
  return rest.substr(0, rest.find('&'));
}

Value without(const Value& value, std::string_view secret) {
  if (value.is_string()) {
    std::string text(value.as_string());
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + hidden.size()))
      text.replace(at, secret.size(), hidden);
    return text.size() == value.as_string().size() && text == value.as_string() ? value : Value(text);
  }
  if (value.is_array()) {
    json::ArrayBuilder list;
    for (const Value& element : value.as_array()) list.push(without(element, secret));
    return list.finish();
  }
  if (!value.is_object()) return value;
  json::ObjectBuilder object;
  for (const json::Member& member : value.as_object()) {
    const bool secret_member = member.name() == "authentication" || member.name() == "Authorization";
    object.add(member.key, secret_member ? Value(hidden) : without(member.value, secret));
  }
  return object.finish();
}

}  // namespace

Value webhook_request(const definition::Action& action, const Value& inputs, std::string_view part) {
  if (action.type != ActionType::http_webhook) return inputs;
  const Value* found = inputs.find_ignoring_case(part);
  if (found == nullptr || !found->is_object()) return {};
  const Value* url = found->find_ignoring_case("url");  // some definitions spell it so
  if (url == nullptr || found->find_ignoring_case("uri") != nullptr) return *found;
  json::ObjectBuilder renamed(*found);
  renamed.set("uri", *url);
  return renamed.finish();
}

void start_webhook(Step& step) {
  if (!step.evaluate_inputs()) return;
  const std::string address = step.facts.callbacks == nullptr ? "" : step.facts.callbacks->address(step.place);
  const Value whole = step.inputs;
  if (!webhook_request(step.action, whole, "subscribe").is_object()) {
    return step.fail("BadRequest", {"InvalidWebhookInputs",
                                    "The inputs of workflow run action '" + step.action.name + "' of type '" +
                                        step.action.type_name + "' are not valid: 'subscribe' must be a request.",
                                    {}});
  }
  const auto signature = signature_in(address);
  step.inputs = without(whole, signature.empty() ? std::string_view("\x01") : signature);
  const Value sealed = Value::object({{"inputs", whole}, {"callback", Value(address)}});
  step.started(sealed);
  if (step.action.settings.timeout) {
    step.out.events.emplace_back(
        TimerSet{step.place, TimerKind::timeout, step.facts.now + *step.action.settings.timeout});
  }
  step.out.commands.emplace_back(make_call(step.state, step.place, 1, step.inputs, sealed));
}

void finish_webhook(Step& step, const Notified& notified) {
  if (auto undo = undo_webhook(step.state, step.place)) step.out.commands.emplace_back(std::move(*undo));
  step.outputs = notified.outputs;
  step.has_outputs = true;
  step.succeed("OK");
}

std::optional<Call> undo_webhook(const RunState& state, Place place) {
  const auto& action = state.flow->actions[place.action];
  const Slot* slot = state.find(place);
  if (!definition::is_webhook(action.type) || slot == nullptr || !slot->detail || !slot->detail->pending)
    return std::nullopt;
  const Pending& pending = *slot->detail->pending;
  const Value* whole = pending.sealed.find("inputs");
  if (!pending.subscribed || whole == nullptr) return std::nullopt;
  Call call = make_call(state, place, 0, slot->inputs, pending.sealed);
  if (action.type == ActionType::http_webhook) {
    call.inputs = webhook_request(action, *whole, "unsubscribe");
    if (!call.inputs.is_object() || call.inputs.find_ignoring_case("uri") == nullptr) return std::nullopt;
    const Value* authentication = call.inputs.find_ignoring_case("authentication");
    call.sealed = authentication == nullptr ? Value() : *authentication;
    // Another effect than the subscription: under its key a service would take it for a repetition and do nothing.
    call.idempotency_key = idempotency_key(state, place, Value::object({{"unsubscribe", call.inputs}}));
    return call;
  }
  if (pending.location.empty()) return std::nullopt;
  call.idempotency_key = idempotency_key(state, place, Value::object({{"unsubscribe", Value(pending.location)}}));
  call.get_poll = true;
  call.poll_uri = pending.location;
  call.poll_method = "DELETE";
  return call;
}

}  // namespace flowmend::engine
