#include "engine/apply.h"

#include <algorithm>
#include <cstdio>

namespace flowmend::engine {

using definition::Action;
using definition::ActionType;
using definition::Branch;
using definition::no_action;

std::string repetition_name(const RunState& state, FrameId frame) {
  std::string name;
  while (frame != 0) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%06u", state.frames[frame].index);
    name = name.empty() ? digits : std::string(digits) + "-" + name;
    frame = state.frames[frame].parent;
  }
  return name;
}

namespace {

/// How many iterations of a Foreach run at once: 1 for a nested or sequential one; else what it says, or the dialect's
/// default (engine.md 4.5).
std::uint32_t concurrency_of(const definition::Flow& flow, const Action& loop) {
  if (loop.settings.sequential) return 1;
  for (auto outer = loop.loop; outer != no_action; outer = flow.actions[outer].loop) {
    if (flow.actions[outer].type == ActionType::foreach_) return 1;
  }
  return loop.settings.concurrency.value_or(flow.dialect == definition::Dialect::la ? 20 : 1);
}

bool is_loop(ActionType type) { return type == ActionType::foreach_ || type == ActionType::until; }

class Applier {
 public:
  explicit Applier(RunState& state) : state_(state), flow_(*state.flow) {}

  void operator()(const RunStarted& event) {
    if (!state_.frames.empty()) {
      state_.broken = "The record has two starts of the run.";
      return;
    }
    state_.start = event;
    state_.status = Status::running;
    state_.caller_waits = event.caller_waits;
    state_.variables.assign(flow_.variables.size(), Variable());
    Frame& root = state_.frames.emplace_back();
    root.loop.action = no_action;
    root.started = event.time;
    make_slots(root, flow_.root_slots);
    state_.root_open = static_cast<std::uint32_t>(flow_.root.actions.size());
    enqueue_roots(flow_.root, 0);
    if (state_.root_open == 0) state_.work.push_back({Work::Kind::run, {}, 0});
  }

  void operator()(const ActionStarted& event) {
    Slot* slot = checked(event.place);
    if (slot == nullptr) return;
    take_work(Work::Kind::action, event.place);
    const Action& action = flow_.actions[event.place.action];
    slot->status = Status::running;
    slot->started = event.time;
    slot->inputs = event.inputs;
    if (is_loop(action.type)) {
      Loop& loop = state_.loops[event.place];
      if (action.type == ActionType::foreach_) loop.items = event.inputs;
      enqueue_loop(loop, event.place);
    } else if (!action.branches.empty()) {
      open_container(action, *slot, event.place.frame);
    } else if (definition::sends_requests(action.type)) {
      Pending& pending = slot->make_detail().pending.emplace();
      pending.sealed = event.sealed;
      pending.in_flight = true;
      ++state_.calls_in_flight;
    }
  }

  void operator()(const AttemptEnded& event) {
    Slot* slot = checked(event.place);
    if (slot == nullptr || !slot->detail || !slot->detail->pending) return;
    Pending& pending = *slot->detail->pending;
    if (pending.in_flight) {
      pending.in_flight = false;
      --state_.calls_in_flight;
    }
    pending.attempt = event.attempt + 1;
    ++pending.retries;
    if (const Value* subscribed = event.response.find("subscribed"); subscribed != nullptr) {
      pending.subscribed = true;
      pending.location = std::string(event.response.text_of("location"));
    }
    const Value* poll = event.response.find("pollUri");
    if (poll != nullptr && poll->is_string()) {
      pending.retries = 0;
      pending.polling = true;
      pending.poll_uri = std::string(poll->as_string());
    }
    const Value* next_page = event.response.find("nextPage");
    if (next_page != nullptr && next_page->is_string()) {
      if (const Value* items = event.response.find("items")) pending.pages.push_back(*items);
      pending.retries = 0;
      pending.polling = true;
      pending.poll_uri = std::string(next_page->as_string());
      pending.in_flight = true;  // the next page is asked for at once
      ++state_.calls_in_flight;
    }
  }

  void operator()(const ActionEnded& event) {
    Slot* slot = checked(event.place);
    if (slot == nullptr) return;
    const bool had_started = slot->status == Status::running;
    take_work(Work::Kind::action, event.place);
    take_work(Work::Kind::container, event.place);
    take_work(Work::Kind::loop, event.place);
    slot->status = event.status;
    slot->started = event.started;
    slot->ended = event.ended;
    if (event.has_inputs) slot->inputs = event.inputs;
    if (event.has_outputs) slot->outputs = event.outputs;
    slot->code = Value(event.code);
    if (slot->detail && slot->detail->pending) {
      if (slot->detail->pending->in_flight) --state_.calls_in_flight;
      slot->detail->pending.reset();
    }
    if (!event.fault.code.empty()) slot->make_detail().fault = event.fault;
    if (!event.tracked_properties.is_null()) slot->make_detail().tracked_properties = event.tracked_properties;
    end_timers(event.place);
    const Action& action = flow_.actions[event.place.action];
    for (definition::ActionId next : action.successors) {
      Slot* successor = state_.find({next, event.place.frame});
      if (successor == nullptr) continue;
      ++successor->ended_before;
      if (successor->ended_before < flow_.actions[next].run_after.size()) continue;
      if (never_opened(action, event.place.frame)) {
        decide_at_once({next, event.place.frame}, *successor);
      } else {
        enqueue_action({next, event.place.frame}, *successor);
      }
    }
    // A container that never opened hands its fate on: what is inside is decided (and skipped) before anything else,
    // so that whoever looks at the container afterwards, or the end of the run, finds it complete.
    if (!had_started && !is_loop(action.type)) {
      for (auto branch = action.branches.rbegin(); branch != action.branches.rend(); ++branch) {
        for (auto id = branch->roots.rbegin(); id != branch->roots.rend(); ++id) {
          if (Slot* root = state_.find({*id, event.place.frame})) decide_at_once({*id, event.place.frame}, *root);
        }
      }
    }
    one_less(action, event.place.frame);
  }

  void operator()(const VariableSet& event) {
    if (event.variable >= state_.variables.size()) return;
    state_.variables[event.variable].set(event.value);
  }

  void operator()(const VariableAppended& event) {
    if (event.variable < state_.variables.size()) state_.variables[event.variable].append(event.value);
  }

  void operator()(const IterationStarted& event) {
    if (checked(event.loop) == nullptr) return;
    const Action& action = flow_.actions[event.loop.action];
    if (!is_loop(action.type)) return;
    Loop& loop = state_.loops[event.loop];
    take_work(Work::Kind::loop, event.loop);
    loop.queued = false;
    const auto id = static_cast<FrameId>(state_.frames.size());
    Frame& frame = state_.frames.emplace_back();
    frame.parent = event.loop.frame;
    frame.loop = event.loop;
    frame.index = event.index;
    frame.started = event.time;
    make_slots(frame, action.frame_slots);
    const Branch& body = action.branches.front();
    frame.open = static_cast<std::uint32_t>(body.actions.size());
    loop.next = event.index + 1;
    ++loop.running;
    loop.frames.push_back(id);
    if (frame.open == 0) {
      state_.work.push_back({Work::Kind::frame, {}, id});
    } else {
      enqueue_roots(body, id);
    }
    if (action.type == ActionType::foreach_) enqueue_loop(loop, event.loop);
  }

  void operator()(const IterationEnded& event) {
    if (event.frame == 0 || event.frame >= state_.frames.size()) return;
    if (!state_.work.empty() && state_.work.front().kind == Work::Kind::frame &&
        state_.work.front().frame == event.frame) {
      state_.work.pop_front();
    }
    Frame& frame = state_.frames[event.frame];
    frame.status = event.status;
    frame.code = Value(event.code);
    frame.ended = event.time;
    Loop& loop = state_.loops[frame.loop];
    if (loop.running > 0) --loop.running;
    loop.any_failed = loop.any_failed || event.status == Status::failed;
    loop.any_timed_out = loop.any_timed_out || event.status == Status::timed_out;
    enqueue_loop(loop, frame.loop);
  }

  void operator()(const TimerSet& event) { state_.timers[{RunState::key(event.place), event.kind}] = event; }

  void operator()(const TimerEnded& event) {
    state_.timers.erase({RunState::key(event.place), event.kind});
    if (event.kind != TimerKind::retry && event.kind != TimerKind::poll) return;
    Slot* slot = state_.find(event.place);
    if (slot == nullptr || slot->status != Status::running || !slot->detail || !slot->detail->pending) return;
    // The wait is over: the next attempt is under way from here on.
    if (!slot->detail->pending->in_flight) {
      slot->detail->pending->in_flight = true;
      ++state_.calls_in_flight;
    }
  }

  void operator()(const Responded& event) { state_.responded = event.status_code; }

  void operator()(const CancelRequested& event) {
    if (state_.ending) return;
    state_.ending = Ending{Status::cancelled,
                           "Cancelled",
                           {"WorkflowRunCancelled",
                            "The run was cancelled by " + (event.by.empty() ? std::string("a person") : event.by) + ".",
                            {}},
                           Ending::Cause::person};
  }

  void operator()(const RunEnded& event) {
    state_.status = event.status;
    state_.ended = event.time;
    state_.work.clear();
    state_.timers.clear();
    state_.calls_in_flight = 0;
    if (!state_.frames.empty()) state_.frames.front().ended = event.time;
  }

  void operator()(const InputIgnored&) {}

  void operator()(const RunQuarantined& event) {
    state_.broken = event.report.empty() ? "unknown" : event.report;
    state_.status = Status::failed;
    state_.ended = event.time;
    state_.work.clear();
    state_.timers.clear();
    state_.calls_in_flight = 0;
  }

 private:
  Slot* checked(Place place) {
    Slot* slot = state_.find(place);
    if (slot == nullptr && state_.broken.empty()) state_.broken = "An event names a step that the flow does not have.";
    return slot;
  }

  static void make_slots(Frame& frame, std::uint32_t count) {
    frame.slots = std::make_unique<Slot[]>(count);
    frame.slot_count = count;
  }

  /// Whether the action stands in a container that ended without opening.
  bool never_opened(const Action& action, FrameId frame) const {
    if (action.parent == no_action || is_loop(flow_.actions[action.parent].type)) return false;
    const Slot* parent = state_.find({action.parent, frame});
    return parent != nullptr && is_terminal(parent->status);
  }

  void take_work(Work::Kind kind, Place place) {
    if (state_.work.empty() || state_.work.front().kind != kind || !(state_.work.front().place == place)) return;
    state_.work.pop_front();
    if (kind == Work::Kind::loop) state_.loops[place].queued = false;
    if (kind == Work::Kind::action) {
      if (Slot* slot = state_.find(place)) slot->queued = false;
    }
  }

  void enqueue_action(Place place, Slot& slot) {
    if (slot.queued || is_terminal(slot.status) || slot.status == Status::running) return;
    slot.queued = true;
    state_.work.push_back({Work::Kind::action, place, 0});
  }

  void decide_at_once(Place place, Slot& slot) {
    if (slot.queued || is_terminal(slot.status) || slot.status == Status::running) return;
    slot.queued = true;
    state_.work.push_front({Work::Kind::action, place, 0});
  }

  void enqueue_roots(const Branch& branch, FrameId frame) {
    for (definition::ActionId id : branch.roots) {
      if (Slot* slot = state_.find({id, frame})) enqueue_action({id, frame}, *slot);
    }
  }

  /// A loop is looked at only when there is something to decide: an iteration may begin, or all have ended.
  void enqueue_loop(Loop& loop, Place place) {
    if (loop.queued) return;
    const Action& action = flow_.actions[place.action];
    if (action.type == ActionType::foreach_) {
      const bool may_begin = loop.next < loop.items.size() && loop.running < concurrency_of(flow_, action);
      const bool all_ended = loop.next >= loop.items.size() && loop.running == 0;
      if (!may_begin && !all_ended) return;
    } else if (loop.running != 0) {
      return;
    }
    loop.queued = true;
    state_.work.push_back({Work::Kind::loop, place, 0});
  }

  void open_container(const Action& action, Slot& slot, FrameId frame) {
    for (const Branch& branch : action.branches) slot.open += static_cast<std::uint32_t>(branch.actions.size());
    slot.branch = taken_branch(action, slot.inputs);
    for (const Branch& branch : action.branches) enqueue_roots(branch, frame);
    if (slot.open == 0) state_.work.push_back({Work::Kind::container, {action.id, frame}, 0});
  }

  static std::int8_t taken_branch(const Action& action, const Value& inputs) {
    const Value* result = inputs.find("expressionResult");
    if (action.type == ActionType::if_)
      return result != nullptr && result->is_boolean() && result->as_boolean() ? 0 : 1;
    if (action.type != ActionType::switch_) return -1;
    for (const Branch& branch : action.branches) {
      // The last branch is `default`, which has no value.
      if (&branch != &action.branches.back() && result != nullptr && branch.case_value.type() != result->type())
        return no_case;
    }
    for (std::size_t i = 0; i + 1 < action.branches.size(); ++i) {
      if (result != nullptr && action.branches[i].case_value == *result) return static_cast<std::int8_t>(i);
    }
    return static_cast<std::int8_t>(action.branches.size() - 1);
  }

  /// One first-level action of what holds it has ended; the last one makes its holder decidable.
  void one_less(const Action& action, FrameId frame) {
    if (action.parent == no_action) {
      if (state_.root_open > 0 && --state_.root_open == 0) state_.work.push_back({Work::Kind::run, {}, 0});
      return;
    }
    if (is_loop(flow_.actions[action.parent].type)) {
      Frame& iteration = state_.frames[frame];
      if (iteration.open > 0 && --iteration.open == 0) state_.work.push_back({Work::Kind::frame, {}, frame});
      return;
    }
    Slot* parent = state_.find({action.parent, frame});
    if (parent == nullptr || parent->status != Status::running) return;
    if (parent->open > 0 && --parent->open == 0)
      state_.work.push_back({Work::Kind::container, {action.parent, frame}, 0});
  }

  void end_timers(Place place) {
    const auto key = RunState::key(place);
    for (auto kind : {TimerKind::wait, TimerKind::retry, TimerKind::timeout, TimerKind::poll})
      state_.timers.erase({key, kind});
  }

  RunState& state_;
  const definition::Flow& flow_;
};

}  // namespace

void apply(RunState& state, const Event& event) {
  if (!state.broken.empty() && !std::holds_alternative<RunQuarantined>(event)) return;
  if (!std::holds_alternative<RunStarted>(event) && state.frames.empty() &&
      !std::holds_alternative<RunQuarantined>(event)) {
    state.broken = "The record does not begin with the start of the run.";
    return;
  }
  std::visit(Applier(state), event);
}

}  // namespace flowmend::engine
