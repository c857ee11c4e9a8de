#include "engine/step.h"

#include <algorithm>
#include <set>

namespace flowmend::engine {

using definition::Action;
using definition::Branch;

Value details_of(const expression::ExpressionError& error) {
  json::ObjectBuilder details;
  details.add("source", Value(error.source));
  details.add("begin", Value(error.range.begin));
  details.add("end", Value(error.range.end));
  details.add("pointer", Value(error.pointer));
  details.add("message", Value(error.message));
  if (error.range.end > error.range.begin && error.range.end <= error.source.size()) {
    details.add("subexpression",
                Value(std::string_view(error.source).substr(error.range.begin, error.range.end - error.range.begin)));
  }
  if (!error.function.empty()) details.add("function", Value(error.function));
  if (error.argument >= 0) details.add("argument", Value(error.argument));
  if (!error.expected.empty()) details.add("expected", Value(error.expected));
  if (!error.found.empty()) details.add("found", Value(error.found));
  return details.finish();
}

std::string status_code_name(std::int32_t status_code) {
  switch (status_code) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "NonAuthoritativeInformation";
    case 204: return "NoContent";
    case 205: return "ResetContent";
    case 206: return "PartialContent";
    case 300: return "Ambiguous";
    case 301: return "Moved";
    case 302: return "Redirect";
    case 303: return "RedirectMethod";
    case 304: return "NotModified";
    case 305: return "UseProxy";
    case 307: return "TemporaryRedirect";
    case 400: return "BadRequest";
    case 401: return "Unauthorized";
    case 402: return "PaymentRequired";
    case 403: return "Forbidden";
    case 404: return "NotFound";
    case 405: return "MethodNotAllowed";
    case 406: return "NotAcceptable";
    case 407: return "ProxyAuthenticationRequired";
    case 408: return "RequestTimeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "LengthRequired";
    case 412: return "PreconditionFailed";
    case 413: return "RequestEntityTooLarge";
    case 414: return "RequestUriTooLong";
    case 415: return "UnsupportedMediaType";
    case 416: return "RequestedRangeNotSatisfiable";
    case 417: return "ExpectationFailed";
    case 426: return "UpgradeRequired";
    case 500: return "InternalServerError";
    case 501: return "NotImplemented";
    case 502: return "BadGateway";
    case 503: return "ServiceUnavailable";
    case 504: return "GatewayTimeout";
    case 505: return "HttpVersionNotSupported";
    default: return std::to_string(status_code);
  }
}

bool Step::evaluate(const expression::Template& compiled, Value& result) {
  auto evaluated = compiled.evaluate(context);
  if (!evaluated) {
    fail(evaluated.error());
    return false;
  }
  result = std::move(*evaluated);
  return true;
}

bool Step::evaluate_inputs() {
  if (!evaluate(action.inputs, inputs)) return false;
  has_inputs = true;
  return true;
}

void Step::started(const Value& sealed) {
  out.events.emplace_back(ActionStarted{place, facts.now, inputs, has_inputs, sealed});
}

Value Step::record_of(const ActionEnded& event, const Value& recorded_inputs) const {
  Slot slot;
  slot.status = event.status;
  slot.code = Value(event.code);
  slot.started = event.started;
  slot.ended = event.ended;
  slot.inputs = recorded_inputs;
  slot.outputs = event.outputs;
  if (!event.fault.code.empty()) slot.make_detail().fault = event.fault;
  return slot_record(state, place, slot);
}

void Step::end(Status status, std::string code, Fault fault) {
  const Slot* slot = state.find(place);
  const bool was_running = slot != nullptr && slot->status == Status::running;
  ActionEnded event;
  event.place = place;
  event.status = status;
  event.code = std::move(code);
  event.fault = std::move(fault);
  event.started = was_running ? slot->started : facts.now;
  event.ended = facts.now;
  if (has_inputs && !was_running) {
    event.inputs = inputs;
    event.has_inputs = true;
  }
  event.outputs = outputs;
  event.has_outputs = has_outputs;
  if (!action.tracked_properties.source().is_null() && status != Status::skipped) {
    // action() is the record as it will be. Tracked properties may not break the action: they are left out when they
    // can't be evaluated.
    const Value record = record_of(event, was_running ? slot->inputs : inputs);
    context.set_current(&record);
    if (auto tracked = action.tracked_properties.evaluate(context)) event.tracked_properties = *tracked;
    context.set_current(nullptr);
  }
  // What the action still waited for is no longer wanted.
  for (auto kind : {TimerKind::wait, TimerKind::retry, TimerKind::timeout, TimerKind::poll}) {
    if (was_running && state.wants_timer(place, kind)) out.events.emplace_back(TimerEnded{place, kind});
  }
  out.events.emplace_back(std::move(event));
}

void Step::succeed_with(Value result, std::string code) {
  // Parts are shared: what costs little to hold may be endless to record.
  if (const auto most = state.limits.outputs_bytes_max; result.text_bytes() > static_cast<double>(most)) {
    return fail("BadRequest",
                {"ActionResultsSizeLimitExceeded",
                 "The outputs of action '" + action.name + "' would be larger than " + std::to_string(most) + " bytes.",
                 {}});
  }
  outputs = std::move(result);
  has_outputs = true;
  end(Status::succeeded, std::move(code));
}

void Step::fail(std::string code, Fault fault, const Value& failed_outputs) {
  if (!failed_outputs.is_null()) {
    outputs = failed_outputs;
    has_outputs = true;
  }
  end(Status::failed, std::move(code), std::move(fault));
}

void Step::fail(const expression::ExpressionError& error, bool for_condition) {
  has_inputs = false;
  end(Status::failed, "BadRequest",
      {error.code, expression::framed_message(error, action.name, for_condition), details_of(error)});
}

Status result_of(const RunState& state, const Branch& branch, FrameId frame) {
  Status worst = Status::succeeded;
  // Skipped leaves give way to what they would have run after, until none is skipped. Most branches have no such leaf.
  std::vector<definition::ActionId> open;
  const auto look = [&](definition::ActionId id) {
    const Slot* slot = state.find({id, frame});
    if (slot == nullptr) return;
    if (slot->status == Status::skipped) {
      open.push_back(id);
    } else if (slot->status == Status::failed || (slot->status == Status::timed_out && worst != Status::failed)) {
      worst = slot->status;
    }
  };
  for (definition::ActionId leaf : branch.leaves) look(leaf);
  std::set<definition::ActionId> seen;
  while (!open.empty()) {
    const Action& skipped = state.flow->actions[open.back()];
    open.pop_back();
    for (const auto& edge : skipped.run_after) {
      if (seen.insert(edge.action).second) look(edge.action);
    }
  }
  return worst;
}

}  // namespace flowmend::engine
