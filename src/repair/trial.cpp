#include "repair/trial.h"

#include <algorithm>
#include <deque>
#include <map>

#include "connector/arguments.h"
#include "connector/reference.h"
#include "definition/words.h"
#include "engine/recorded.h"
#include "engine/run.h"
#include "engine/state.h"
#include "json/pointer.h"

namespace flowmend::repair {

namespace {

using engine::Place;
using engine::Status;

using engine::RecordedKey;
using engine::RecordedStep;

void compare(const Value& before, const Value& after, const std::string& pointer, const RecordedStep& step,
             std::vector<Difference>& out) {
  if (before == after || out.size() >= TrialRun::differences_max) return;
  if (before.is_object() && after.is_object()) {
    for (const json::Member& member : before.as_object()) {
      const Value* now = after.find(member.name());
      compare(member.value, now == nullptr ? Value() : *now, json::join(pointer, member.name()), step, out);
    }
    for (const json::Member& member : after.as_object()) {
      if (before.find(member.name()) == nullptr)
        compare(Value(), member.value, json::join(pointer, member.name()), step, out);
    }
    return;
  }
  if (before.is_array() && after.is_array() && before.size() == after.size()) {
    for (std::size_t i = 0; i < before.size(); ++i)
      compare(before.as_array()[i], after.as_array()[i], json::join(pointer, i), step, out);
    return;
  }
  out.push_back({step.action, step.repetition, pointer, before, after});
}

/// What the connector's document says against the parameters of a step; empty when nothing is wrong or known.
std::string parameter_fault(const definition::Flow& flow, const Value& inputs, const connector::Registry* registry) {
  const Value* host = inputs.find("host");
  const Value* operation_id = host == nullptr ? nullptr : host->find("operationId");
  if (registry == nullptr || operation_id == nullptr || !operation_id->is_string()) return {};
  const auto reference = connector::resolve_reference(*host, flow.connection_references);
  const auto known = reference ? registry->find(reference->api) : nullptr;
  const auto* operation = known == nullptr ? nullptr : known->find_operation(operation_id->as_string());
  if (operation == nullptr) return {};
  const Value* parameters = inputs.find("parameters");
  const auto bound = connector::bind_arguments(*known, *operation, parameters == nullptr ? Value() : *parameters);
  return bound ? std::string() : bound.error().message;
}

class Trial {
 public:
  Trial(const definition::Flow& original, std::shared_ptr<const definition::Flow> edited,
        const connector::Registry* registry)
      : original_(original), edited_(std::move(edited)), registry_(registry), run_(edited_), recorder_(run_.state()) {}

  TrialRun run(const engine::Events& events) {
    TrialRun result;
    const auto* start = events.empty() ? nullptr : std::get_if<engine::RunStarted>(&events.front());
    if (start == nullptr) {
      result.verdict = TrialRun::Verdict::unknown;
      result.message = "The run's record does not begin with its trigger.";
      return result;
    }
    result.run = start->run;
    replay(events);
    now_ = start->time;
    take(run_.advance(*start, facts()));
    while (!run_.ended() && unknown_.empty()) {
      if (++steps_ > steps_max) {
        unknown_ = "The run does not end.";
        break;
      }
      if (more_) {
        more_ = false;
        take(run_.advance(engine::Continue{}, facts()));
      } else if (!calls_.empty()) {
        const engine::Call call = std::move(calls_.front());
        calls_.pop_front();
        answer(call);
      } else if (!fire_next_timer()) {
        unknown_ = "The run waits for something that was not recorded.";
      }
    }
    judge(result);
    return result;
  }

 private:
  static constexpr std::size_t steps_max = 1'000'000;

  engine::Facts facts() { return {now_, ++seed_, nullptr}; }

  void replay(const engine::Events& events) {
    engine::Run before(std::shared_ptr<const definition::Flow>(std::shared_ptr<void>(), &original_));
    engine::StepRecorder recorder(before.state());
    for (const engine::Event& event : events) {
      before.replay({event});
      recorder.note(event);
      if (const auto* ended = std::get_if<engine::RunEnded>(&event)) {
        before_status_ = ended->status;
        if (ended->culprit.action < original_.actions.size())
          culprit_ = engine::recorded_key(before.state(), ended->culprit);
      }
    }
    record_ = recorder.steps();
  }

  void take(engine::Decision decision) {
    for (const engine::Event& event : decision.events) {
      recorder_.note(event);
      if (const auto* set = std::get_if<engine::TimerSet>(&event)) {
        timers_[{engine::RunState::key(set->place), set->kind}] = *set;
      } else if (const auto* ended = std::get_if<engine::TimerEnded>(&event)) {
        timers_.erase({engine::RunState::key(ended->place), ended->kind});
      } else if (const auto* run_ended = std::get_if<engine::RunEnded>(&event)) {
        status_ = run_ended->status;
        message_ = run_ended->fault.message;
        if (run_ended->culprit.action < edited_->actions.size())
          failed_ = engine::recorded_key(run_.state(), run_ended->culprit);
      }
    }
    for (auto& command : decision.commands) {
      if (auto* call = std::get_if<engine::Call>(&command)) calls_.push_back(std::move(*call));
    }
    more_ = more_ || decision.more;
  }

  void answer(const engine::Call& call) {
    if (call.attempt == 0) return;  // a subscription that is taken back
    const definition::Action& action = edited_->actions[call.place.action];
    const RecordedKey key = engine::recorded_key(run_.state(), call.place);
    const auto known = record_.find(key);
    const auto now_inputs = recorder_.steps().find(key);
    const bool was_made = known != record_.end() && known->second.status >= Status::succeeded &&
                          known->second.status != Status::skipped && !known->second.inputs.is_null();
    const auto give_up = [&](std::string why) {
      unknown_ = std::move(why);
      unknown_at_ = key;
      if (now_inputs == recorder_.steps().end()) return;
      if (auto fault = parameter_fault(*edited_, now_inputs->second.inputs, registry_); !fault.empty()) {
        unknown_ = std::move(fault);
        refused_ = true;
      }
    };
    if (!was_made) return give_up("The step was not reached in the recorded run: what its service says is not known.");
    const Value& before = known->second.inputs;
    const Value& after = now_inputs->second.inputs;
    if (!engine::asks_the_same(known->second, after, original_.find_action(action.name), action)) {
      compare(before, after, "/inputs", known->second, differences_);
      return give_up("The request would differ from the recorded one: what the service says to it is not known.");
    }
    now_ = std::max(now_, known->second.ended);
    take(run_.advance(engine::recorded_reply(known->second, call, now_), facts()));
    if (definition::is_webhook(action.type) && known->second.status == Status::succeeded && !run_.ended())
      take(run_.advance(engine::Notified{call.place, known->second.outputs}, facts()));
  }

  bool fire_next_timer() {
    const auto next = std::min_element(timers_.begin(), timers_.end(),
                                       [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
    if (next == timers_.end()) return false;
    const engine::TimerSet timer = next->second;
    timers_.erase(next);
    now_ = std::max(now_, timer.due);
    take(run_.advance(engine::TimerFired{timer.place, timer.kind}, facts()));
    return true;
  }

  static bool went_well(Status status) { return status == Status::succeeded || status == Status::skipped; }

  void name(TrialRun& result, const RecordedKey& key) const {
    const auto now = recorder_.steps().find(key);
    const auto before = record_.find(key);
    result.action = now != recorder_.steps().end() ? now->second.action
                    : before != record_.end()      ? before->second.action
                                                   : key.first;
    result.repetition = key.second;
  }

  void judge(TrialRun& result) {
    result.differences = std::move(differences_);
    const bool was_good = went_well(before_status_);
    const auto now = recorder_.steps().find(culprit_);
    const bool step_passed = !was_good && now != recorder_.steps().end() && now->second.status == Status::succeeded;
    if (!unknown_.empty()) {
      result.message = unknown_;
      name(result, unknown_at_);
      // What had failed succeeds; what comes after it was never asked.
      result.verdict = refused_      ? TrialRun::Verdict::fails
                       : step_passed ? TrialRun::Verdict::passes
                                     : TrialRun::Verdict::unknown;
      return;
    }
    if (!went_well(status_)) {
      result.verdict = TrialRun::Verdict::fails;
      result.message = message_;
      name(result, failed_);
      return;
    }
    if (!was_good) return;  // it failed, and would end well
    for (const auto& [key, before] : record_) {
      const auto after = recorder_.steps().find(key);
      if (after == recorder_.steps().end()) {
        result.differences.push_back(
            {before.action, before.repetition, "/status", Value(engine::status_name(before.status)), Value()});
      } else if (after->second.status != before.status) {
        result.differences.push_back({before.action, before.repetition, "/status",
                                      Value(engine::status_name(before.status)),
                                      Value(engine::status_name(after->second.status))});
      } else if (const auto* was = original_.find_action(before.action);
                 was == nullptr || !engine::is_volatile(was->definition)) {
        compare(before.outputs, after->second.outputs, "/outputs", before, result.differences);
      }
      if (result.differences.size() >= TrialRun::differences_max) break;
    }
    if (!result.differences.empty()) {
      result.verdict = TrialRun::Verdict::changes;
      result.action = result.differences.front().action;
      result.repetition = result.differences.front().repetition;
    }
  }

  const definition::Flow& original_;
  std::shared_ptr<const definition::Flow> edited_;
  const connector::Registry* registry_;
  engine::Run run_;
  engine::StepRecorder recorder_;
  engine::RecordedSteps record_;
  Status before_status_ = Status::none;
  RecordedKey culprit_;
  Timestamp now_;
  std::uint64_t seed_ = 0;
  std::size_t steps_ = 0;
  bool more_ = false;
  std::deque<engine::Call> calls_;
  std::map<std::pair<std::uint64_t, engine::TimerKind>, engine::TimerSet> timers_;
  std::vector<Difference> differences_;
  std::string unknown_;
  RecordedKey unknown_at_;
  bool refused_ = false;  ///< `unknown_` says why the request would be refused before it is sent
  Status status_ = Status::none;
  std::string message_;
  RecordedKey failed_;
};

}  // namespace

const char* verdict_name(TrialRun::Verdict verdict) {
  switch (verdict) {
    case TrialRun::Verdict::passes: return "passes";
    case TrialRun::Verdict::changes: return "changes";
    case TrialRun::Verdict::fails: return "fails";
    case TrialRun::Verdict::unknown: break;
  }
  return "unknown";
}

TrialRun try_run(const definition::Flow& original, const std::shared_ptr<const definition::Flow>& edited,
                 const engine::Events& events, const connector::Registry* registry) {
  return Trial(original, edited, registry).run(events);
}

}  // namespace flowmend::repair
