#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/executor.h"
#include "runtime/flows.h"
#include "trigger/recurrence.h"

namespace flowmend::runtime {

/// The schedules of all flows with a Recurrence or SlidingWindow trigger: each fires once at its time, never early.
/// Times that a Recurrence missed, while the process was down or the flow was off, are dropped (engine.md 2.6); windows
/// are made up for, oldest first (2.7).
///
/// What is planned is a document (`triggerState`, trigger_key()): `{recurrence, saved, last?, next?}`. The document
/// that plans the next time is committed together with the run that the last one started, so no time fires twice over a
/// crash.
///
/// Used on the executor's thread alone.
class Schedules {
 public:
  /// Fires: start a run that was due at `scheduled`, and commit `state` with it.
  using Fire = std::function<void(const std::shared_ptr<const definition::Flow>& flow, Timestamp scheduled,
                                  const Value& outputs, store::Document state)>;

  Schedules(store::Store& store, Executor& executor, Flows& flows, Fire fire);
  ~Schedules();

  /// Plans all flows that are on. Errors of the store.
  Result<void> recover();
  /// A flow was saved, switched or deleted: plans it anew. A changed or newly enabled recurrence begins now.
  void flow_changed(const std::string& id);
  Timestamp next_fire(const std::string& key) const;

 private:
  struct Plan {
    trigger::Recurrence recurrence;
    Value source;
    Timestamp saved;
    Timestamp last;
    Timestamp next;
    Duration window;         ///< of a SlidingWindow: its length; 0 = a Recurrence
    Duration delay;          ///< of a SlidingWindow: how long each window is held back
    std::uint64_t turn = 0;  ///< tells a posted wake-up of an older plan from this one's
  };
  void plan(const store::FlowRow& row, bool at_start);
  void plan_trigger(const std::string& key, const definition::Trigger& trigger, bool at_start);
  void forget(const std::string& id, const std::set<std::string>& but);
  Timestamp after(const Plan& plan, Timestamp last, Timestamp now) const;
  void wake(const std::string& key);
  void due(const std::string& key);
  static store::Document document_of(const std::string& key, const Plan& plan);

  store::Store& store_;
  Executor& executor_;
  Flows& flows_;
  Fire fire_;
  std::map<std::string, Plan> plans_;  ///< by trigger_key()
  std::uint64_t turns_ = 0;
  std::shared_ptr<Schedules*> self_;
};

}  // namespace flowmend::runtime
