#include "engine/decide.h"

#include <algorithm>

#include "definition/words.h"
#include "engine/actions/list.h"

namespace flowmend::engine {

using definition::Action;
using definition::ActionType;
using definition::no_action;

namespace {

std::string quoted(const std::string& text) { return "'" + text + "'"; }

bool allows(std::uint8_t statuses, Status status) {
  switch (status) {
    case Status::succeeded: return (statuses & definition::succeeded_bit) != 0;
    case Status::failed: return (statuses & definition::failed_bit) != 0;
    case Status::skipped: return (statuses & definition::skipped_bit) != 0;
    case Status::timed_out: return (statuses & definition::timed_out_bit) != 0;
    default: return false;  // nothing runs after a cancelled action
  }
}

/// Why an action whose turn has come is skipped (engine.md 4.2), or an empty code.
Fault skip_reason(const RunState& state, Place place) {
  const Action& action = state.flow->actions[place.action];
  for (const auto& edge : action.run_after) {
    const Slot* before = state.find({edge.action, place.frame});
    if (allows(edge.statuses, before->status)) continue;
    std::string expected;
    for (const auto& status : edge.written_statuses) expected += (expected.empty() ? "" : ", ") + status;
    return {"ActionConditionFailed",
            "The execution of template action " + quoted(action.name) +
                " is skipped: the 'runAfter' condition for action " + quoted(state.flow->actions[edge.action].name) +
                " is not satisfied. Expected status values " + quoted(expected) + " and actual value " +
                quoted(status_name(before->status)) + ".",
            {}};
  }
  if (action.parent == no_action) return {};
  const Action& parent = state.flow->actions[action.parent];
  if (parent.type == ActionType::foreach_ || parent.type == ActionType::until) return {};
  const Slot* holder = state.find({parent.id, place.frame});
  if (holder->status != Status::running) {
    return {"ActionDependencyFailed",
            "The execution of template action " + quoted(action.name) + " is skipped: dependant action " +
                quoted(parent.name) + " completed with status " + quoted(status_name(holder->status)) + " and code " +
                quoted(std::string(holder->code_text())) + ".",
            {}};
  }
  if (holder->branch >= 0 && static_cast<std::uint32_t>(holder->branch) != action.branch) {
    return {"ActionBranchingConditionNotSatisfied",
            "The execution of template action " + quoted(action.name) +
                " skipped: the branching condition for this action is not satisfied.",
            {}};
  }
  return {};
}

/// The innermost failed action that ended first (engine.md 5.5).
Place find_culprit(const RunState& state) {
  Place culprit;
  Timestamp earliest{Timestamp::max_ticks};
  for (FrameId frame = 0; frame < state.frames.size(); ++frame) {
    const auto loop = state.frames[frame].loop.action;
    for (const Action& action : state.flow->actions) {
      if (action.loop != loop) continue;
      const Slot& slot = state.frames[frame].slots[action.slot];
      if (slot.status != Status::failed && slot.status != Status::timed_out) continue;
      const bool generic = !action.branches.empty() && slot.detail && slot.detail->fault.code == "ActionFailed";
      if (generic || slot.ended >= earliest) continue;
      earliest = slot.ended;
      culprit = {action.id, frame};
    }
  }
  return culprit;
}

}  // namespace

void answer_unanswered(const RunState& state, Decision& out) {
  if (!state.caller_waits || state.responded != 0) return;
  Respond respond;
  respond.status_code = 502;
  respond.headers = Value::object({{"Content-Type", "application/json"}});
  respond.body = Value::object(
      {{"error",
        Value::object(
            {{"code", "NoResponse"},
             {"message", "The server did not receive a response from an upstream server. Request tracking id '" +
                             state.start.run + "'."}})}});
  respond.has_body = true;
  out.events.emplace_back(Responded{502});
  out.commands.emplace_back(std::move(respond));
}

namespace {

void end_run(const RunState& state, const Facts& facts, Random& random, Decision& out) {
  RunEnded event;
  event.time = facts.now;
  event.status = result_of(state, state.flow->root, 0);
  event.code = event.status == Status::succeeded ? "OK" : "ActionFailed";
  if (event.status != Status::succeeded) {
    event.culprit = find_culprit(state);
    event.fault.code = "ActionFailed";
    event.fault.message = "An action failed. No dependent actions succeeded.";
    if (event.culprit.action != no_action) {
      const Slot* slot = state.find(event.culprit);
      const std::string& name = state.flow->actions[event.culprit.action].name;
      const bool has_text = slot->detail && !slot->detail->fault.message.empty();
      event.fault.message = "Action " + quoted(name) + " failed" +
                            (has_text ? ": " + slot->detail->fault.message
                                      : " with code " + quoted(std::string(slot->code_text())) + ".");
    }
  }
  if (!state.flow->outputs.source().is_null()) {
    RunContext context(state, {0, 0}, facts, random);
    auto outputs = state.flow->outputs.evaluate(context);
    if (outputs) {
      event.outputs = std::move(*outputs);
    } else if (event.status == Status::succeeded) {
      event.status = Status::failed;
      event.code = "OutputParameterEvaluationFailed";
      event.fault = {"OutputParameterEvaluationFailed", outputs.error().message, details_of(outputs.error())};
    }
  }
  answer_unanswered(state, out);
  out.events.emplace_back(std::move(event));
}

/// Ends everything at once: what runs is cancelled (or has timed out), the rest is skipped, containers around end
/// alike.
void end_all(const RunState& state, const Ending& ending, const Facts& facts, Decision& out) {
  const Status cut = ending.status == Status::timed_out ? Status::timed_out : Status::cancelled;
  const std::string code = ending.cause == Ending::Cause::terminate ? "Terminated" : ending.fault.code;
  for (FrameId frame = 0; frame < state.frames.size(); ++frame) {
    if (is_terminal(state.frames[frame].status)) continue;
    const auto loop = state.frames[frame].loop.action;
    for (const Action& action : state.flow->actions) {
      if (action.loop != loop) continue;
      const Place place{action.id, frame};
      const Slot& slot = state.frames[frame].slots[action.slot];
      if (is_terminal(slot.status)) continue;
      ActionEnded event;
      event.place = place;
      event.ended = facts.now;
      event.started = slot.status == Status::running ? slot.started : facts.now;
      event.code = code;
      event.status = slot.status == Status::running ? cut : Status::skipped;
      if (slot.status == Status::running) {
        if (ending.cause != Ending::Cause::terminate) event.fault = ending.fault;
        if (slot.detail && slot.detail->pending && slot.detail->pending->in_flight)
          out.commands.emplace_back(CancelCall{place, slot.detail->pending->attempt});
        if (auto undo = undo_webhook(state, place)) out.commands.emplace_back(std::move(*undo));
      }
      out.events.emplace_back(std::move(event));
    }
    if (frame != 0) out.events.emplace_back(IterationEnded{frame, cut, code, {}, facts.now});
  }
  for (const auto& [key, timer] : state.timers) out.events.emplace_back(TimerEnded{timer.place, timer.kind});
  answer_unanswered(state, out);
  RunEnded ended;
  ended.status = ending.status;
  ended.code = ending.code;
  ended.fault = ending.fault;
  ended.time = facts.now;
  out.events.emplace_back(std::move(ended));
}

void end_late(const RunState& state, const Facts& facts, Decision& out) {
  Ending ending;
  ending.status = Status::timed_out;
  ending.code = "WorkflowRunTimedOut";
  ending.cause = Ending::Cause::duration;
  ending.fault = {
      "WorkflowRunTimedOut",
      "The run took longer than its limit of " + to_string(state.limits.run_duration_of(state.flow->dialect)) + ".",
      {}};
  end_all(state, ending, facts, out);
}

/// What a Terminate that has just run asks for.
Ending ending_of(const Value& inputs) {
  const auto status = inputs.text_of("runStatus");
  Ending ending;
  ending.cause = Ending::Cause::terminate;
  ending.status = status == "Failed" ? Status::failed : status == "Succeeded" ? Status::succeeded : Status::cancelled;
  ending.code = status_name(ending.status);
  const Value* error = inputs.find_ignoring_case("runError");
  if (error != nullptr && ending.status == Status::failed) {
    ending.code = std::string(error->text_of("code", "Terminated"));
    ending.fault = {ending.code, std::string(error->text_of("message")), {}};
  } else if (ending.status == Status::failed) {
    ending.fault = {"Terminated", "The run was ended as Failed by a Terminate action.", {}};
  }
  return ending;
}

/// A Switch whose cases are of another type than its subject fails each branch's first actions (engine.md 3.7).
void fail_without_case(Step& step) {
  step.fail("InternalServerError",
            {"ActionConditionFailed",
             "The execution of template action " + quoted(step.action.name) + " failed: the case of switch " +
                 quoted(step.flow.actions[step.action.parent].name) +
                 " can't be compared: The template language function 'strongEquals' expects its parameters to be of "
                 "the same type. Give every case the type of the switch's expression.",
             {}});
}

/// Takes the outcome that `staticResults` holds instead of running the action (engine.md 3.8). False when it has none.
bool end_with_static_result(Step& step) {
  const Value* fixed = step.flow.static_results.find_ignoring_case(*step.action.settings.static_result);
  if (fixed == nullptr) return false;
  if (const Value* outputs = fixed->find_ignoring_case("outputs")) {
    step.outputs = *outputs;
    step.has_outputs = true;
  }
  const auto word = definition::lower_case(fixed->text_of("status"));
  const Status status = word == "failed"     ? Status::failed
                        : word == "timedout" ? Status::timed_out
                        : word == "skipped"  ? Status::skipped
                                             : Status::succeeded;
  Fault fault;
  if (const Value* error = fixed->find_ignoring_case("error"))
    fault = {std::string(error->text_of("code")), std::string(error->text_of("message")), {}};
  const char* usual = status == Status::succeeded   ? "OK"
                      : status == Status::failed    ? "BadRequest"
                      : status == Status::timed_out ? "ActionTimedOut"
                                                    : "ActionSkipped";
  step.end(status, std::string(fixed->text_of("code", usual)), std::move(fault));
  return true;
}

void decide_action(Step& step) {
  Fault reason = skip_reason(step.state, step.place);
  if (!reason.code.empty()) return step.end(Status::skipped, "ActionSkipped", std::move(reason));
  if (step.action.run_after.empty() && step.action.parent != no_action) {
    const Slot* holder = step.state.find({step.action.parent, step.place.frame});
    if (holder != nullptr && holder->branch == no_case) return fail_without_case(step);
  }
  if (step.action.settings.static_result && end_with_static_result(step)) return;
  find_start(step.action.type)(step);
}

void decide_container(Step& step) {
  const Slot* slot = step.state.find(step.place);
  Status worst = Status::succeeded;
  for (std::size_t i = 0; i < step.action.branches.size(); ++i) {
    if (slot->branch >= 0 && static_cast<std::size_t>(slot->branch) != i) continue;
    const Status status = result_of(step.state, step.action.branches[i], step.place.frame);
    if (status == Status::failed || (status == Status::timed_out && worst != Status::failed)) worst = status;
  }
  if (worst == Status::succeeded) return step.end(Status::succeeded, "NotSpecified");
  step.end(worst, "ActionFailed", {"ActionFailed", "An action failed. No dependent actions succeeded.", {}});
}

void decide_frame(const RunState& state, FrameId id, const Facts& facts, Decision& out) {
  const Frame& frame = state.frames[id];
  const auto& body = state.flow->actions[frame.loop.action].branches.front();
  IterationEnded event;
  event.frame = id;
  event.time = facts.now;
  event.status = result_of(state, body, id);
  event.code = "NotSpecified";
  if (event.status != Status::succeeded) {
    event.code = "ActionFailed";
    event.fault = {"ActionFailed", "An action failed. No dependent actions succeeded.", {}};
  }
  out.events.emplace_back(std::move(event));
}

Decision ignore(std::string what, const Facts& facts) {
  Decision out;
  out.events.emplace_back(InputIgnored{std::move(what), facts.now});
  return out;
}

}  // namespace

Decision decide_next(const RunState& state, const Facts& facts, Random& random) {
  Decision out;
  const Work& work = state.work.front();
  switch (work.kind) {
    case Work::Kind::action: {
      Step step(state, work.place, facts, random, out);
      decide_action(step);
      break;
    }
    case Work::Kind::container: {
      Step step(state, work.place, facts, random, out);
      decide_container(step);
      break;
    }
    case Work::Kind::loop: {
      Step step(state, work.place, facts, random, out);
      advance_loop(step);
      break;
    }
    case Work::Kind::frame: decide_frame(state, work.frame, facts, out); break;
    case Work::Kind::run: end_run(state, facts, random, out); break;
  }
  return out;
}

Decision decide(const RunState& state, const Input& input, const Facts& facts, Random& random) {
  Decision out;
  if (const auto* start = std::get_if<RunStarted>(&input)) {
    if (!state.frames.empty()) return ignore("The run has started already.", facts);
    out.events.emplace_back(*start);
    return out;
  }
  if (state.is_over()) {
    if (std::holds_alternative<Continue>(input)) return out;
    return ignore("The run is over.", facts);
  }
  if (state.frames.empty()) return ignore("The run has not started.", facts);
  if (facts.now >= state.deadline()) {
    end_late(state, facts, out);
    return out;
  }
  if (const auto* finished = std::get_if<AttemptFinished>(&input)) {
    if (finished->attempt == 0) return out;  // what came of taking a subscription back
    const Slot* slot = state.find(finished->place);
    const bool fits = slot != nullptr && slot->status == Status::running && slot->detail && slot->detail->pending &&
                      slot->detail->pending->in_flight && slot->detail->pending->attempt == finished->attempt;
    if (!fits) return ignore("A reply came for an attempt that is not under way.", facts);
    Step step(state, finished->place, facts, random, out);
    finish_attempt(step, *finished);
    return out;
  }
  if (const auto* notified = std::get_if<Notified>(&input)) {
    const Slot* slot = state.find(notified->place);
    const bool waits = slot != nullptr && slot->status == Status::running && slot->detail && slot->detail->pending &&
                       definition::is_webhook(state.flow->actions[notified->place.action].type);
    if (!waits) return ignore("A notification came for an action that does not wait for one.", facts);
    Step step(state, notified->place, facts, random, out);
    finish_webhook(step, *notified);
    return out;
  }
  if (const auto* fired = std::get_if<TimerFired>(&input)) {
    // A run's own timer before its time: the clock was set back. It is still wanted.
    if (fired->kind == TimerKind::run_duration) {
      out.events.emplace_back(TimerSet{fired->place, fired->kind, state.deadline()});
      return out;
    }
    if (!state.wants_timer(fired->place, fired->kind) || state.find(fired->place) == nullptr)
      return ignore("A timer fired that was ended.", facts);
    Step step(state, fired->place, facts, random, out);
    handle_timer(step, fired->kind);
    return out;
  }
  if (const auto* cancel = std::get_if<CancelRun>(&input)) {
    out.events.emplace_back(CancelRequested{cancel->by, facts.now});
    return out;
  }
  if (std::holds_alternative<CallerGone>(input)) {
    if (!state.caller_waits || state.responded != 0) return ignore("The caller had its answer.", facts);
    out.events.emplace_back(Responded{504});
    return out;
  }
  return out;  // Continue: what is ready is taken up by the caller
}

std::optional<Event> decide_duration_timer(const RunState& state) {
  const Place run{no_action, 0};
  if (state.wants_timer(run, TimerKind::run_duration)) return std::nullopt;
  const Timestamp deadline = state.deadline();
  for (const auto& [key, timer] : state.timers) {
    if (timer.due > deadline) return TimerSet{run, TimerKind::run_duration, deadline};
  }
  return std::nullopt;
}

/// Whether the last events ask for the end of the run, and how it then ends.
std::optional<Decision> decide_ending(const RunState& state, const Events& last, const Facts& facts) {
  if (state.is_over()) return std::nullopt;
  std::optional<Ending> ending = state.ending;
  for (const Event& event : last) {
    const auto* ended = std::get_if<ActionEnded>(&event);
    if (ended == nullptr || ended->status != Status::succeeded) continue;
    if (state.flow->actions[ended->place.action].type == ActionType::terminate)
      ending = ending_of(state.find(ended->place)->inputs);
  }
  if (!ending) return std::nullopt;
  Decision out;
  end_all(state, *ending, facts, out);
  return out;
}

}  // namespace flowmend::engine
