#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/effects.h"
#include "runtime/executor.h"
#include "runtime/flows.h"
#include "runtime/poll_verdict.h"
#include "runtime/runtime.h"
#include "trigger/recurrence.h"

namespace flowmend::runtime {

/// The polling triggers of all flows (Http, ApiConnection, OpenApiConnection): each asks its service by its recurrence
/// and hands over what is new.
///
/// What a trigger remembers is a document (`pollState`, trigger_key()), committed together with the run that its answer
/// started: a crash neither loses nor repeats an answer. It outlives switching the flow off and on, so that nothing in
/// between is lost; other inputs or another connection begin anew.
///
/// Used on the executor's thread alone.
class Polls {
 public:
  struct Parts {
    store::Store& store;
    Effects& effects;
    std::shared_ptr<Executor> executor;  ///< replies may come after this object is gone
    Flows& flows;
    /// Starts what follows from an answer and commits `state` with it. `started` is called once: with the run, or with
    /// why none was started (`skipped`: the check itself was recorded, together with `state`).
    std::function<void(const std::shared_ptr<const definition::Flow>& flow, const Value& outputs, store::Document state,
                       std::function<void(Result<StartedRun>)> started)>
        fire;
    /// Records a check that started nothing.
    std::function<void(const definition::Flow& flow, std::string status, std::string code, std::string message,
                       store::Document state)>
        record;
  };

  explicit Polls(Parts parts);
  ~Polls();

  Result<void> recover();
  void flow_changed(const std::string& id);
  /// Checks now, without waiting; `key`: trigger_key(). `TriggerCheckUnderWay` when one is on its way already.
  void check_now(const std::string& key, std::function<void(Result<StartedRun>)> done);
  /// When the trigger asks next; not set when it does not.
  Timestamp next_check(const std::string& key) const;

 private:
  struct Plan {
    trigger::Recurrence recurrence;
    Value source;  ///< what the state belongs to
    PollState state;
    Timestamp saved, last, next;
    std::uint64_t turn = 0;  ///< tells a posted wake-up of an older plan from this one's
    std::int64_t call = 0;   ///< of the request under way; 0 = none
    std::function<void(Result<StartedRun>)> done;
  };
  void plan(const store::FlowRow& row);
  void plan_trigger(const std::string& key, const definition::Flow& flow);
  void forget(const std::string& id, const std::set<std::string>& but);
  void erase_states(const std::string& id, const std::set<std::string>& but);
  void wake(const std::string& key);
  void check(const std::string& key);
  void answered(const std::string& key, const std::shared_ptr<const definition::Flow>& flow, const Value& inputs,
                const engine::AttemptFinished& answer);
  void go_on(Plan& plan, const std::string& key, const PollState& state, std::optional<Duration> wait);
  void finish(Plan& plan, Result<StartedRun> result);
  Timestamp next_time(const Plan& plan) const;
  static store::Document document_of(const std::string& key, const Plan& plan, const PollState& state);

  Parts parts_;
  std::map<std::string, Plan> plans_;  ///< by trigger_key()
  std::uint64_t turns_ = 0;
  std::int64_t calls_ = 0;
  std::shared_ptr<Polls*> self_;
};

}  // namespace flowmend::runtime
