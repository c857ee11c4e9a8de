#include "repair/trial.h"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>

#include "connector/arguments.h"
#include "connector/reference.h"
#include "definition/words.h"
#include "engine/run.h"
#include "engine/state.h"
#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::repair {

namespace {

using engine::Place;
using engine::Status;

/// One occurrence of a step as it ended.
struct Recorded {
  std::string action;
  std::string repetition;
  Status status = Status::none;
  Value inputs;
  Value outputs;
  engine::Fault fault;
  Timestamp ended;
};

/// By the action's name in lower case, and the repetition.
using Key = std::pair<std::string, std::string>;
using Record = std::map<Key, Recorded>;

/// Gathers what steps did while events are applied to a run.
class Recorder {
 public:
  explicit Recorder(const engine::RunState& state) : state_(state) {}

  /// An event that has been applied.
  void note(const engine::Event& event) {
    if (const auto* started = std::get_if<engine::ActionStarted>(&event)) {
      Recorded& one = at(started->place);
      one.inputs = started->inputs;
      one.status = Status::running;
    } else if (const auto* ended = std::get_if<engine::ActionEnded>(&event)) {
      Recorded& one = at(ended->place);
      one.status = ended->status;
      if (ended->has_inputs) one.inputs = ended->inputs;
      one.outputs = ended->outputs;
      one.fault = ended->fault;
      one.ended = ended->ended;
    }
  }

  Key key_of(Place place) const {
    return {definition::lower_case(state_.flow->actions[place.action].name),
            engine::repetition_name(state_, place.frame)};
  }
  const Record& record() const { return record_; }

 private:
  Recorded& at(Place place) {
    const Key key = key_of(place);
    Recorded& one = record_[key];
    if (one.action.empty()) {
      one.action = state_.flow->actions[place.action].name;
      one.repetition = key.second;
    }
    return one;
  }

  const engine::RunState& state_;
  Record record_;
};

void compare(const Value& before, const Value& after, const std::string& pointer, const Recorded& step,
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

/// Functions whose value is another one each time.
bool is_volatile(const Value& definition) {
  const std::string text = definition::lower_case(json::write(definition));
  return std::ranges::any_of(std::array<std::string_view, 6>{"guid(", "utcnow(", "rand(", "getfuturetime(",
                                                             "getpasttime(", "listcallbackurl("},
                             [&](std::string_view name) { return text.find(name) != std::string::npos; });
}

/// The reply that a recorded step had at last.
engine::AttemptFinished reply_of(const Recorded& recorded, const engine::Call& call, Timestamp now) {
  engine::AttemptFinished reply;
  reply.place = call.place;
  reply.attempt = call.attempt;
  reply.started = reply.ended = now;
  if (const Value* status = recorded.outputs.find("statusCode"); status != nullptr && status->is_integer())
    reply.status_code = static_cast<std::int32_t>(status->as_integer());
  if (const Value* headers = recorded.outputs.find("headers")) reply.headers = *headers;
  if (const Value* body = recorded.outputs.find("body")) {
    reply.body = *body;
    reply.has_body = true;
  }
  // Only what came without a usable answer has a fault of its own; the engine names the others by their status.
  if (reply.status_code == 0 || (reply.status_code < 400 && recorded.status == Status::failed))
    reply.fault = recorded.fault;
  if (reply.status_code == 0 && recorded.status == Status::succeeded) reply.status_code = 200;
  return reply;
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
    Recorder recorder(before.state());
    for (const engine::Event& event : events) {
      before.replay({event});
      recorder.note(event);
      if (const auto* ended = std::get_if<engine::RunEnded>(&event)) {
        before_status_ = ended->status;
        if (ended->culprit.action < original_.actions.size()) culprit_ = recorder.key_of(ended->culprit);
      }
    }
    record_ = recorder.record();
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
        if (run_ended->culprit.action < edited_->actions.size()) failed_ = recorder_.key_of(run_ended->culprit);
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
    const Key key = recorder_.key_of(call.place);
    const auto known = record_.find(key);
    const auto now_inputs = recorder_.record().find(key);
    const bool was_made = known != record_.end() && known->second.status >= Status::succeeded &&
                          known->second.status != Status::skipped && !known->second.inputs.is_null();
    const auto give_up = [&](std::string why) {
      unknown_ = std::move(why);
      unknown_at_ = key;
      if (now_inputs == recorder_.record().end()) return;
      if (auto fault = parameter_fault(*edited_, now_inputs->second.inputs, registry_); !fault.empty()) {
        unknown_ = std::move(fault);
        refused_ = true;
      }
    };
    if (!was_made) return give_up("The step was not reached in the recorded run: what its service says is not known.");
    const Value& before = known->second.inputs;
    const Value& after = now_inputs->second.inputs;
    if (before != after) {
      const definition::Action* was = original_.find_action(action.name);
      const bool untouched = was != nullptr && was->definition == action.definition && is_volatile(action.definition);
      if (!untouched) {
        compare(before, after, "/inputs", known->second, differences_);
        return give_up("The request would differ from the recorded one: what the service says to it is not known.");
      }
    }
    now_ = std::max(now_, known->second.ended);
    take(run_.advance(reply_of(known->second, call, now_), facts()));
    if (definition::is_webhook(action.type) && known->second.status == Status::succeeded && !run_.ended())
      take(run_.advance(engine::Notified{call.place, known->second.outputs}, facts()));
  }

  bool fire_next_timer() {
    const auto next = std::min_element(timers_.begin(), timers_.end(), [](const auto& a, const auto& b) {
      return a.second.due < b.second.due;
    });
    if (next == timers_.end()) return false;
    const engine::TimerSet timer = next->second;
    timers_.erase(next);
    now_ = std::max(now_, timer.due);
    take(run_.advance(engine::TimerFired{timer.place, timer.kind}, facts()));
    return true;
  }

  static bool went_well(Status status) { return status == Status::succeeded || status == Status::skipped; }

  void name(TrialRun& result, const Key& key) const {
    const auto now = recorder_.record().find(key);
    const auto before = record_.find(key);
    result.action = now != recorder_.record().end() ? now->second.action
                    : before != record_.end()       ? before->second.action
                                                    : key.first;
    result.repetition = key.second;
  }

  void judge(TrialRun& result) {
    result.differences = std::move(differences_);
    const bool was_good = went_well(before_status_);
    const auto now = recorder_.record().find(culprit_);
    const bool step_passed = !was_good && now != recorder_.record().end() && now->second.status == Status::succeeded;
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
      const auto after = recorder_.record().find(key);
      if (after == recorder_.record().end()) {
        result.differences.push_back({before.action, before.repetition, "/status",
                                      Value(engine::status_name(before.status)), Value()});
      } else if (after->second.status != before.status) {
        result.differences.push_back({before.action, before.repetition, "/status",
                                      Value(engine::status_name(before.status)),
                                      Value(engine::status_name(after->second.status))});
      } else if (const auto* was = original_.find_action(before.action);
                 was == nullptr || !is_volatile(was->definition)) {
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
  Recorder recorder_;
  Record record_;
  Status before_status_ = Status::none;
  Key culprit_;
  Timestamp now_;
  std::uint64_t seed_ = 0;
  std::size_t steps_ = 0;
  bool more_ = false;
  std::deque<engine::Call> calls_;
  std::map<std::pair<std::uint64_t, engine::TimerKind>, engine::TimerSet> timers_;
  std::vector<Difference> differences_;
  std::string unknown_;
  Key unknown_at_;
  bool refused_ = false;  ///< `unknown_` says why the request would be refused before it is sent
  Status status_ = Status::none;
  std::string message_;
  Key failed_;
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
