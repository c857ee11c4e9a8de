#include "repair/capsule/replay.h"

#include <algorithm>
#include <deque>
#include <map>

#include "definition/words.h"
#include "engine/run.h"
#include "engine/state.h"

namespace flowmend::repair::capsule {
namespace {

constexpr std::size_t steps_max = 1'000'000;

class Replay {
 public:
  Replay(std::shared_ptr<const definition::Flow> flow, const engine::RecordedSteps& record)
      : flow_(std::move(flow)), record_(record), run_(flow_), recorder_(run_.state()) {}

  Replayed from(const engine::RunStarted& start) {
    now_ = start.time;
    take(run_.advance(start, facts()));
    for (std::size_t steps = 0; !run_.ended() && steps < steps_max; ++steps) {
      if (more_) {
        more_ = false;
        take(run_.advance(engine::Continue{}, facts()));
      } else if (!calls_.empty()) {
        const engine::Call call = std::move(calls_.front());
        calls_.pop_front();
        if (!answer(call)) break;
      } else if (!fire_next_timer()) {
        break;
      }
    }
    result_.steps = recorder_.steps();
    const auto failed = result_.steps.find(culprit_);
    if (failed != result_.steps.end()) {
      result_.action = failed->second.action;
      result_.repetition = failed->second.repetition;
      result_.code = failed->second.fault.code;
      result_.message = failed->second.fault.message;
    }
    return std::move(result_);
  }

 private:
  engine::Facts facts() { return {now_, ++seed_, nullptr}; }

  void take(engine::Decision decision) {
    for (const engine::Event& event : decision.events) {
      recorder_.note(event);
      if (const auto* set = std::get_if<engine::TimerSet>(&event)) {
        timers_[{engine::RunState::key(set->place), set->kind}] = *set;
      } else if (const auto* ended = std::get_if<engine::TimerEnded>(&event)) {
        timers_.erase({engine::RunState::key(ended->place), ended->kind});
      } else if (const auto* run_ended = std::get_if<engine::RunEnded>(&event)) {
        result_.status = run_ended->status;
        // A Terminate ends a run without a step that failed.
        result_.code = run_ended->fault.code;
        result_.message = run_ended->fault.message;
        if (run_ended->culprit.action < flow_->actions.size())
          culprit_ = engine::recorded_key(run_.state(), run_ended->culprit);
      }
    }
    for (auto& command : decision.commands) {
      if (auto* call = std::get_if<engine::Call>(&command)) calls_.push_back(std::move(*call));
    }
    more_ = more_ || decision.more;
  }

  bool answer(const engine::Call& call) {
    if (call.attempt == 0) return true;  // a subscription that is taken back
    const auto known = record_.find(engine::recorded_key(run_.state(), call.place));
    if (known == record_.end() || known->second.status < engine::Status::succeeded) return false;
    take(run_.advance(engine::recorded_reply(known->second, call, now_), facts()));
    const definition::Action& action = flow_->actions[call.place.action];
    if (definition::is_webhook(action.type) && known->second.status == engine::Status::succeeded && !run_.ended())
      take(run_.advance(engine::Notified{call.place, known->second.outputs}, facts()));
    return true;
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

  std::shared_ptr<const definition::Flow> flow_;
  const engine::RecordedSteps& record_;
  engine::Run run_;
  engine::StepRecorder recorder_;
  Replayed result_;
  engine::RecordedKey culprit_;
  Timestamp now_;
  std::uint64_t seed_ = 0;
  bool more_ = false;
  std::deque<engine::Call> calls_;
  std::map<std::pair<std::uint64_t, engine::TimerKind>, engine::TimerSet> timers_;
};

}  // namespace

Replayed replay(const std::shared_ptr<const definition::Flow>& flow, const engine::RunStarted& start,
                const engine::RecordedSteps& record) {
  return Replay(flow, record).from(start);
}

}  // namespace flowmend::repair::capsule
