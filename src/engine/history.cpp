#include "engine/history.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <unordered_map>

#include "engine/apply.h"
#include "engine/context.h"
#include "engine/idempotency.h"
#include "engine/step.h"

namespace flowmend::engine {

using definition::Action;
using definition::ActionType;
using definition::no_action;

/// What the state forgets and a person wants to see.
struct History::Facts {
  std::unordered_map<Place, std::vector<AttemptEnded>> attempts;
  std::set<std::pair<std::uint64_t, std::size_t>> held;  ///< attempts that ended in a wait: place and index
  RunEnded ended;
  bool has_ended = false;
};

namespace {

/// Records of an Until and of what stands in one say that they can't be repeated by themselves (engine.md 6.4).
bool is_or_in_until(const definition::Flow& flow, const Action& action) {
  return action.type == ActionType::until ||
         (action.loop != no_action && flow.actions[action.loop].type == ActionType::until);
}

Value error_value(const Fault& fault) { return Value::object({{"code", fault.code}, {"message", fault.message}}); }

Value correlation(const RunState& state, Place place) {
  return Value::object(
      {{"actionTrackingId", tracking_id(state, place)}, {"clientTrackingId", state.start.client_tracking_id}});
}

/// A failed action whose record holds no error (its service answered) still gets one: what the reply says
/// (rest-api.md 3.5), or its status alone when the outputs are hidden.
Fault reply_fault(const Slot& slot, bool hidden) {
  const Value* body = hidden ? nullptr : slot.outputs.find("body");
  std::string message;
  if (body != nullptr && body->is_object()) {
    const Value* error = body->find_ignoring_case("error");
    if (error != nullptr && error->is_object()) message = std::string(error->text_of("message"));
    if (message.empty()) message = std::string(body->text_of("message"));
    if (message.empty() && error != nullptr && error->is_string()) message = std::string(error->as_string());
    if (message.empty()) message = std::string(body->text_of("detail"));
    if (message.empty()) message = std::string(body->text_of("title"));
  } else if (body != nullptr && body->is_string() && body->as_string().size() <= 500) {
    message = std::string(body->as_string());
  }
  if (message.empty()) {
    const Value* status = slot.outputs.find("statusCode");
    message = "The service answered with status " +
              (status != nullptr && status->is_integer() ? std::to_string(status->as_integer())
                                                         : std::string(slot.code_text())) +
              ".";
  }
  return {std::string(slot.code_text()), message, {}};
}

}  // namespace

Fault reason_of(const ActionHeld& held, bool hidden) {
  if (!held.fault.code.empty()) return held.fault;
  Slot slot;
  slot.code = Value(held.code);
  slot.outputs = held.outputs;
  return reply_fault(slot, hidden);
}

History::History(std::shared_ptr<const definition::Flow> flow, const Events& events)
    : flow_(std::move(flow)), state_(std::make_unique<RunState>()), facts_(std::make_unique<Facts>()) {
  state_->flow = flow_;
  for (const Event& event : events) {
    apply(*state_, event);
    if (const auto* attempt = std::get_if<AttemptEnded>(&event)) facts_->attempts[attempt->place].push_back(*attempt);
    if (const auto* held = std::get_if<ActionHeld>(&event)) {
      const auto tried = facts_->attempts.find(held->place);
      if (tried != facts_->attempts.end()) facts_->held.emplace(RunState::key(held->place), tried->second.size() - 1);
    }
    if (const auto* ended = std::get_if<RunEnded>(&event)) {
      facts_->ended = *ended;
      facts_->has_ended = true;
    }
  }
}

History::~History() = default;
History::History(History&&) noexcept = default;

Value History::trigger() const { return state_->start.trigger; }

Value History::run() const {
  const RunState& state = *state_;
  json::ObjectBuilder out;
  out.add("waitEndTime", Value(to_string(state.start.time)));
  out.add("startTime", Value(to_string(state.start.time)));
  if (state.is_over()) out.add("endTime", Value(to_string(state.ended)));
  // A run whose step waits for its service waits, whatever else of it still runs.
  const bool waits =
      std::ranges::any_of(state.timers, [](const auto& one) { return one.first.second == TimerKind::hold; });
  out.add("status", Value(status_name(waits ? Status::waiting : state.status)));
  if (facts_->has_ended) {
    if (facts_->ended.status != Status::succeeded && !facts_->ended.code.empty())
      out.add("code", Value(facts_->ended.code));
    if (!facts_->ended.fault.code.empty()) out.add("error", error_value(facts_->ended.fault));
  }
  if (!state.broken.empty()) {
    out.add("code", "RunQuarantined");
    out.add("error", Value::object({{"code", "RunQuarantined"}, {"message", state.broken}}));
  }
  out.add("correlation", Value::object({{"clientTrackingId", state.start.client_tracking_id}}));
  if (facts_->has_ended && facts_->ended.outputs.is_object() && !flow_->secure_outputs)
    out.add("outputs", facts_->ended.outputs);
  return out.finish();
}

ActionRecord History::record(const Action& action, FrameId frame) const {
  const RunState& state = *state_;
  const Place place{action.id, frame};
  const Slot& slot = state.frames[frame].slots[action.slot];
  ActionRecord result;
  result.name = action.name;
  json::ObjectBuilder out;
  if (slot.started.is_set()) out.add("startTime", Value(to_string(slot.started)));
  if (is_terminal(slot.status)) out.add("endTime", Value(to_string(slot.ended)));
  const ActionHeld* held = slot.detail && slot.detail->pending ? slot.detail->pending->held.get() : nullptr;
  out.add("status", Value(status_name(held != nullptr ? Status::waiting : slot.status)));
  if (held != nullptr) out.add("code", Value(held->code));
  out.add_if_set("code", slot.code);
  if (held != nullptr) {
    out.add("error", error_value(reason_of(*held, action.settings.secure_outputs)));
  } else if (slot.detail && !slot.detail->fault.code.empty()) {
    out.add("error", error_value(slot.detail->fault));
  } else if (slot.status == Status::failed) {
    out.add("error", error_value(reply_fault(slot, action.settings.secure_outputs)));
  }
  out.add("correlation", correlation(state, place));
  out.add("trackingId", Value(tracking_id(state, place)));
  out.add("canResubmit", Value(slot.status != Status::skipped && !is_or_in_until(*flow_, action)));
  const bool hidden = action.settings.secure_inputs || action.settings.secure_outputs;
  if (slot.detail && !slot.detail->tracked_properties.is_null() && !hidden) {
    const Value* fault = slot.detail->tracked_properties.find(tracking_fault_member);
    if (fault != nullptr) {
      out.add("trackedPropertiesError", *fault);
    } else {
      out.add("trackedProperties", slot.detail->tracked_properties);
    }
  }
  if (const Loop* loop = state.find_loop(place)) {
    out.add(action.type == ActionType::until ? "iterationCount" : "repetitionCount",
            Value(static_cast<std::int64_t>(loop->frames.size())));
  }
  // A skip by the graph has a reason; one by a static result has none.
  const bool passed_over = slot.status == Status::skipped &&
                           (slot.code_text() == "Terminated" || (slot.detail && !slot.detail->fault.code.empty()));
  if (action.settings.static_result && is_terminal(slot.status) && !passed_over)
    out.add("executionMode", "StaticResults");
  const auto attempts = facts_->attempts.find(place);
  if (attempts != facts_->attempts.end() &&
      (attempts->second.size() > 1 || attempts->second.back().retry_at.is_set())) {
    json::ArrayBuilder retries;
    for (const AttemptEnded& attempt : attempts->second) {
      // One that is neither sent again nor was sent again after a wait for its service is the step's outcome.
      const std::size_t index = static_cast<std::size_t>(&attempt - attempts->second.data());
      const bool was_held = facts_->held.contains({RunState::key(place), index}) && index + 1 < attempts->second.size();
      if ((!attempt.retry_at.is_set() && !was_held) || attempt.response.find("pollUri") != nullptr) continue;
      const std::string code = attempt.status_code == 0 ? attempt.fault.code : std::to_string(attempt.status_code);
      json::ObjectBuilder entry;
      entry.add("startTime", Value(to_string(attempt.started)));
      entry.add("endTime", Value(to_string(attempt.ended)));
      entry.add("code", Value(code));
      entry.add("clientRequestId", Value(tracking_id(state, place)));
      entry.add("serviceRequestId", Value(tracking_id(state, place)));
      const std::string message =
          attempt.fault.message.empty() ? "The service answered with status " + code + "." : attempt.fault.message;
      entry.add("error", Value::object({{"error", Value::object({{"code", code}, {"message", message}})}}));
      retries.push(entry.finish());
    }
    if (retries.size() > 0) out.add("retryHistory", retries.finish());
  }
  result.properties = out.finish();
  result.has_inputs = !slot.inputs.is_null();
  result.has_outputs = !slot.outputs.is_null();
  result.secure_inputs = action.settings.secure_inputs;
  result.secure_outputs = action.settings.secure_outputs;
  return result;
}

/// An action inside loops, all its occurrences in one record.
namespace {

/// Why an action of a loop that ended without an iteration was skipped (engine.md 4.2); an empty code when the loop
/// had nothing to do, or is itself in a loop: then each of that one's iterations says it.
Fault reason_without_iteration(const RunState& state, const Action& action) {
  const auto& actions = state.flow->actions;
  const Action& loop = actions[action.loop];
  const Slot* slot = loop.loop == no_action ? state.find({loop.id, 0}) : nullptr;
  if (slot == nullptr || !is_terminal(slot->status) || slot->status == Status::succeeded) return {};
  const std::string begin = "The execution of template action '" + action.name + "' is skipped: ";
  for (const auto& edge : action.run_after) {
    if ((edge.statuses & definition::skipped_bit) != 0) continue;
    std::string expected;
    for (const auto& status : edge.written_statuses) expected += (expected.empty() ? "" : ", ") + status;
    return {"ActionConditionFailed",
            begin + "the 'runAfter' condition for action '" + actions[edge.action].name +
                "' is not satisfied. Expected status values '" + expected + "' and actual value 'Skipped'.",
            {}};
  }
  const Action& parent = actions[action.parent];
  const bool of_loop = parent.id == loop.id;
  return {"ActionDependencyFailed",
          begin + "dependant action '" + parent.name + "' completed with status '" +
              std::string(of_loop ? status_name(slot->status) : status_name(Status::skipped)) + "' and code '" +
              std::string(of_loop ? slot->code_text() : "ActionSkipped") + "'.",
          {}};
}

}  // namespace

ActionRecord History::summary(const Action& action) const {
  const RunState& state = *state_;
  ActionRecord result;
  result.name = action.name;
  std::int64_t count = 0;
  Timestamp first{};
  Timestamp last{};
  Status worst = Status::none;
  const auto rank = [](Status status) {
    switch (status) {
      case Status::failed: return 7;
      case Status::timed_out: return 6;
      case Status::cancelled: return 5;
      case Status::waiting: return 4;
      case Status::running: return 3;
      case Status::succeeded: return 2;
      case Status::skipped: return 1;
      default: return 0;
    }
  };
  const Slot* failed = nullptr;
  for (const Frame& frame : state.frames) {
    if (frame.loop.action != action.loop) continue;
    const Slot& slot = frame.slots[action.slot];
    if (slot.status == Status::none) continue;
    ++count;
    if (!first.is_set() || slot.started < first) first = slot.started;
    last = std::max(last, slot.ended);
    const bool held = slot.detail && slot.detail->pending && slot.detail->pending->held;
    const Status status = held ? Status::waiting : slot.status;
    if (rank(status) > rank(worst)) worst = status;
    if (failed == nullptr && slot.status == Status::failed) failed = &slot;
  }
  json::ObjectBuilder out;
  if (first.is_set()) out.add("startTime", Value(to_string(first)));
  if (last.is_set() && worst != Status::running && worst != Status::waiting) out.add("endTime", Value(to_string(last)));
  out.add("status", Value(status_name(count == 0 ? Status::skipped : worst)));
  if (failed != nullptr) {
    out.add("code", failed->code);
    out.add("error", error_value(failed->detail && !failed->detail->fault.code.empty()
                                     ? failed->detail->fault
                                     : reply_fault(*failed, action.settings.secure_outputs)));
  } else {
    out.add("code", Value(count == 0 ? "ActionSkipped" : "NotSpecified"));
    const Fault reason = count == 0 ? reason_without_iteration(state, action) : Fault();
    if (!reason.code.empty()) out.add("error", error_value(reason));
  }
  out.add("correlation", correlation(state, {action.id, 0}));
  out.add("canResubmit", Value(count > 0 && worst != Status::skipped && !is_or_in_until(*flow_, action)));
  out.add("repetitionCount", Value(count));
  result.properties = out.finish();
  return result;
}

std::vector<History::Held> History::held() const {
  std::vector<Held> out;
  for (const auto& [key, timer] : state_->timers) {
    if (timer.kind != TimerKind::hold) continue;
    const Slot* slot = state_->find(timer.place);
    if (slot == nullptr || !slot->detail || !slot->detail->pending || !slot->detail->pending->held) continue;
    out.push_back({{flow_->actions[timer.place.action].name, repetition_name(*state_, timer.place.frame)},
                   *slot->detail->pending->held,
                   timer.due});
  }
  std::ranges::sort(out, {}, [](const Held& one) { return one.event.time.ticks; });
  return out;
}

std::vector<ActionRecord> History::actions() const {
  std::vector<ActionRecord> records;
  if (state_->frames.empty()) return records;
  for (const Action& action : flow_->actions) {
    if (action.loop == no_action) {
      if (state_->frames.front().slots[action.slot].status != Status::none) records.push_back(record(action, 0));
      continue;
    }
    // A loop that never had a turn leaves no record of what is inside.
    const Action* outermost = &flow_->actions[action.loop];
    while (outermost->loop != no_action) outermost = &flow_->actions[outermost->loop];
    if (state_->frames.front().slots[outermost->slot].status != Status::none) records.push_back(summary(action));
  }
  std::stable_sort(records.begin(), records.end(), [](const ActionRecord& a, const ActionRecord& b) {
    const auto x = a.properties.text_of("startTime", "~");
    const auto y = b.properties.text_of("startTime", "~");
    return x < y;
  });
  return records;
}

std::optional<ActionRecord> History::action(std::string_view name) const {
  const Action* action = flow_->find_action(name);
  if (action == nullptr || state_->frames.empty()) return std::nullopt;
  if (action->loop != no_action) return summary(*action);
  if (state_->frames.front().slots[action->slot].status == Status::none) return std::nullopt;
  return record(*action, 0);
}

namespace {

/// Which repetition of which loop, outermost first.
Value indexes_of(const RunState& state, FrameId frame) {
  std::vector<Value> outermost_first;
  for (FrameId at = frame; at != 0; at = state.frames[at].parent) {
    outermost_first.insert(outermost_first.begin(),
                           Value::object({{"scopeName", state.flow->actions[state.frames[at].loop.action].name},
                                          {"itemIndex", state.frames[at].index}}));
  }
  return Value::array(std::move(outermost_first));
}

}  // namespace

std::vector<ActionRecord> History::repetitions(std::string_view name) const {
  std::vector<ActionRecord> records;
  const Action* action = flow_->find_action(name);
  if (action == nullptr || action->loop == no_action) return records;
  for (FrameId frame = 0; frame < state_->frames.size(); ++frame) {
    if (state_->frames[frame].loop.action != action->loop ||
        state_->frames[frame].slots[action->slot].status == Status::none)
      continue;
    ActionRecord one = record(*action, frame);
    one.name = repetition_name(*state_, frame);
    json::ObjectBuilder with(one.properties);
    with.add("repetitionIndexes", indexes_of(*state_, frame));
    one.properties = with.finish();
    records.push_back(std::move(one));
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const ActionRecord& a, const ActionRecord& b) { return a.name < b.name; });
  return records;
}

std::vector<ActionRecord> History::scope_repetitions(std::string_view name) const {
  std::vector<ActionRecord> records;
  const Action* loop = flow_->find_action(name);
  if (loop == nullptr) return records;
  for (FrameId id = 1; id < state_->frames.size(); ++id) {
    const Frame& frame = state_->frames[id];
    if (frame.loop.action != loop->id) continue;
    ActionRecord one;
    one.name = repetition_name(*state_, id);
    json::ObjectBuilder out;
    out.add("startTime", Value(to_string(frame.started)));
    if (is_terminal(frame.status)) out.add("endTime", Value(to_string(frame.ended)));
    out.add("status", Value(status_name(frame.status)));
    out.add_if_set("code", frame.code);
    if (frame.status == Status::failed || frame.status == Status::timed_out)
      out.add("error", error_value({"ActionFailed", "An action failed. No dependent actions succeeded.", {}}));
    out.add("correlation", correlation(*state_, {loop->id, id}));
    out.add("repetitionIndexes", indexes_of(*state_, id));
    one.properties = out.finish();
    records.push_back(std::move(one));
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const ActionRecord& a, const ActionRecord& b) { return a.name < b.name; });
  return records;
}

std::optional<Place> History::find(std::string_view name, std::string_view repetition) const {
  const Action* action = flow_->find_action(name);
  if (action == nullptr || state_->frames.empty()) return std::nullopt;
  std::vector<definition::ActionId> loops;  // around the action, outermost first
  for (auto at = action->loop; at != no_action; at = flow_->actions[at].loop) loops.insert(loops.begin(), at);
  FrameId frame = 0;
  for (definition::ActionId id : loops) {
    const auto end = repetition.find('-');
    std::uint32_t index = 0;
    const auto digits = repetition.substr(0, end);
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (digits.empty() || error != std::errc() || rest != digits.data() + digits.size()) return std::nullopt;
    repetition = end == std::string_view::npos ? std::string_view() : repetition.substr(end + 1);
    const Loop* loop = state_->find_loop({id, frame});
    // Iterations begin in the order of their indexes.
    if (loop == nullptr || index >= loop->frames.size()) return std::nullopt;
    frame = loop->frames[index];
  }
  if (!repetition.empty()) return std::nullopt;
  return Place{action->id, frame};
}

Value History::request_histories(std::string_view name, std::string_view repetition) const {
  json::ArrayBuilder list;
  const auto place = find(name, repetition);
  if (!place) return list.finish();
  const auto attempts = facts_->attempts.find(*place);
  if (attempts == facts_->attempts.end()) return list.finish();
  const Slot* slot = state_->find(*place);
  const auto& settings = flow_->actions[place->action].settings;
  for (const AttemptEnded& attempt : attempts->second) {
    json::ObjectBuilder properties;
    properties.add("startTime", Value(to_string(attempt.started)));
    properties.add("endTime", Value(to_string(attempt.ended)));
    if (!settings.secure_inputs) properties.add_if_set("request", attempt.request);
    if (attempt.status_code != 0) {
      json::ObjectBuilder response;
      response.add("statusCode", Value(attempt.status_code));
      const Value* headers = attempt.response.find("headers");
      if (headers == nullptr && slot != nullptr && &attempt == &attempts->second.back())
        headers = slot->outputs.find("headers");
      if (headers != nullptr && !settings.secure_outputs) response.add("headers", *headers);
      properties.add("response", response.finish());
    } else {
      properties.add("error", error_value(attempt.fault));
    }
    if (attempt.retry_at.is_set()) properties.add("retryTime", Value(to_string(attempt.retry_at)));
    list.push(properties.finish());
  }
  return list.finish();
}

Content History::content(std::string_view name, std::string_view repetition, bool outputs) const {
  const auto place = find(name, repetition);
  if (!place) return {};
  const Slot* slot = state_->find(*place);
  const auto& settings = flow_->actions[place->action].settings;
  Content result;
  result.value = outputs ? slot->outputs : slot->inputs;
  result.found = !result.value.is_null();
  result.secured = outputs ? settings.secure_outputs : settings.secure_inputs;
  if (result.secured) result.value = {};
  return result;
}

Content History::trigger_content(bool outputs) const {
  Content result;
  const Value* value = state_->start.trigger.find(outputs ? "outputs" : "inputs");
  result.value = value == nullptr ? Value::empty_object() : *value;
  result.found = outputs || value != nullptr;
  result.secured = outputs ? flow_->trigger.secure_outputs : flow_->trigger.secure_inputs;
  if (result.secured) result.value = {};
  return result;
}

std::optional<History::Culprit> History::culprit() const {
  if (!facts_->has_ended || facts_->ended.culprit.action >= flow_->actions.size()) return std::nullopt;
  const Place place = facts_->ended.culprit;
  return Culprit{flow_->actions[place.action].name,
                 place.frame < state_->frames.size() ? repetition_name(*state_, place.frame) : ""};
}

// --- expression traces -----------------------------------------------------------------------------------------------

namespace {

/// `show`: with the values met; a secured action's are hidden as they are everywhere else.
enum class Values : std::uint8_t { show, hide };

Value trace_value(const expression::Trace& trace, Values values) {
  json::ArrayBuilder inner;
  for (const auto& sub : trace.subexpressions) inner.push(trace_value(sub, values));
  json::ObjectBuilder out;
  if (!trace.path.empty()) out.add("path", Value(trace.path));
  out.add("text", Value(trace.text));
  if (!trace.failed && values == Values::show) out.add("value", trace.value);
  out.add("subexpressions", inner.finish());
  if (trace.failed) out.add("error", Value::object({{"code", "InvalidTemplate"}, {"message", trace.error}}));
  if (trace.culprit) out.add("culprit", Value(true));
  out.add("begin", Value(trace.range.begin));
  out.add("end", Value(trace.range.end));
  return out.finish();
}

Value traces_of(const expression::Template& compiled, RunContext& context, Values values) {
  json::ArrayBuilder list;
  for (const auto& trace : expression::trace(compiled, context)) list.push(trace_value(trace, values));
  return list.finish();
}

}  // namespace

std::optional<Value> expression_traces(std::shared_ptr<const definition::Flow> flow, const Events& events,
                                       std::string_view name, std::string_view repetition) {
  const Action* action = flow->find_action(name);
  if (action == nullptr) return std::nullopt;
  RunState state;
  state.flow = flow;
  // An Until's condition is looked at when its last iteration has ended, everything else when the action begins.
  const bool at_end = action->type == ActionType::until;
  const Values values = action->settings.secure_inputs ? Values::hide : Values::show;
  for (const Event& event : events) {
    Place place;
    Timestamp time;
    if (const auto* started = std::get_if<ActionStarted>(&event); started != nullptr && !at_end) {
      place = started->place;
      time = started->time;
    } else if (const auto* ended = std::get_if<ActionEnded>(&event)) {
      place = ended->place;
      time = at_end ? ended->ended : ended->started;
    }
    if (place.action == action->id && place.frame < state.frames.size() &&
        repetition_name(state, place.frame) == repetition) {
      const Facts facts{time, state.start.seed};
      Random random(facts.seed);
      RunContext context(state, place, facts, random);
      json::ObjectBuilder out;
      if (!action->expression.source().is_null()) out.add("expression", traces_of(action->expression, context, values));
      out.add("inputs", traces_of(action->inputs, context, values));
      return out.finish();
    }
    apply(state, event);
  }
  return std::nullopt;
}

}  // namespace flowmend::engine
