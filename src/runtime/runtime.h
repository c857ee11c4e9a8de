#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/journal.h"
#include "engine/limits.h"
#include "runtime/correction.h"
#include "runtime/effects.h"
#include "runtime/executor.h"
#include "runtime/flows.h"
#include "runtime/holds.h"
#include "store/store.h"
#include "trigger/condition.h"
#include "trigger/request.h"

namespace flowmend::runtime {

/// Settings with their defaults (engine.md 8).
struct Settings {
  Duration caller_wait_max = Duration::seconds(120);  ///< then 504 for a caller that waits for a Response
  /// Then whoever waits for something to be stored on a disk that is full or fails is told that it is not known whether
  /// it will be (504 `StorageOutcomeUnknown`).
  Duration storage_wait_max = Duration::seconds(10);
  Duration near_window = Duration::seconds(60);  ///< timers due within it are in memory
  std::size_t near_timers_max = 20'000;
  Duration evict_after = Duration::seconds(10);  ///< a run that sleeps longer than this leaves memory
  unsigned scale_unit = 0;
  engine::Limits limits;                             ///< of the runs
  definition::Limits definitions;                    ///< of what is saved
  trigger::SplitLimits split;                        ///< of what one trigger may start
  std::string public_url = "http://127.0.0.1:8080";  ///< without a slash at its end; begins callback addresses
};

/// The answer to an HTTP caller, ready to be written.
struct Answer {
  std::int32_t status_code = 202;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string run;  ///< name of the run that answers; empty when none was started
};

/// Hears of runs after what it hears is durable. Called on the runtime's thread: be quick, do not call the runtime's
/// waiting functions.
class RunListener {
 public:
  virtual ~RunListener() = default;
  virtual void run_started(const store::RunRow& run) = 0;
  virtual void run_ended(const store::RunRow& run) = 0;
  virtual void run_held(const store::RunRow&) {}  ///< a step began to wait for its service, or was let go
  virtual void trigger_checked(const store::TriggerHistoryRow&) {}  ///< a check that started nothing
};

enum class DefinitionChoice : std::uint8_t { latest, original };

/// How a run is repeated.
struct Resubmission {
  Resubmission(DefinitionChoice choice = DefinitionChoice::latest, bool keep = false)  // NOLINT: a choice alone is one
      : definition(choice), keep_done(keep) {}
  DefinitionChoice definition;
  /// Requests that had succeeded, and would be sent again with the same inputs, are answered from the record instead:
  /// the run goes on where it failed and does nothing twice.
  bool keep_done;
  Correction correction;  ///< what a person decided about steps; not empty = `keep_done`
  std::string signer;     ///< who decided it; empty = who asks
};

struct StartedRun {
  std::string run;
  std::string flow;
  std::string version;
};

/// Makes flows happen: starts runs from triggers, drives them, keeps their promises over crashes. See README.md for how
/// it is made.
///
/// Threads: every function may be called from any thread but the runtime's own and the store's. `store`, `effects` and
/// `sealer` must outlive it. The functions that give a Result wait until what they say is durable;
/// `StorageOutcomeUnknown` when the disk fails while they wait: it happens once the disk works again, unless the
/// process ends before.
class Runtime {
 public:
  struct Parts {
    store::Store& store;
    Effects& effects;
    const engine::Sealer& sealer;
    std::shared_ptr<Executor> executor;  ///< make_thread_executor()
  };

  /// Takes up what was under way when the last process ended: runs are replayed and their open requests sent again
  /// under the same keys. An error of the store is returned.
  static Result<std::unique_ptr<Runtime>> start(Parts parts, Settings settings);
  virtual ~Runtime() = default;  ///< as `stop`
  /// Drives no run further; what is under way goes on at the next start. Listeners hear nothing after it, and what
  /// still waits or is asked later is answered with `ServerStopping`. Call once, not from a listener.
  virtual void stop() = 0;

  virtual Flows& flows() = 0;

  /// A call of a signed address (`/workflows/{id}/triggers/{t}/paths/invoke...`): checks it, starts what it starts and
  /// answers by the rules of engine.md 2.5. `answer` is called exactly once, from any thread.
  virtual void invoke(trigger::CallbackRequest request, std::function<void(Answer)> answer) = 0;

  /// The signed address of one of a flow's triggers. `FlowNotFound`, `TriggerNotFound`, `InvalidTriggerType`.
  virtual Result<trigger::CallbackAddress> callback_address(std::string_view flow, std::string_view trigger,
                                                            KeyType key, Timestamp not_after) = 0;

  /// Starts a run now, as the manual `run` of a trigger: a Request trigger with `body`, a schedule as if it were due.
  virtual Result<StartedRun> run_trigger(std::string_view flow, std::string_view trigger, const Value& body,
                                         std::string_view by) = 0;

  /// What a notification from this server itself starts: as a call of the trigger's address, without the call. `also`
  /// is committed together with the start, so that what was due is taken off exactly once. `FlowNotFound`,
  /// `TriggerNotFound`, `WorkflowTriggerIsNotEnabled`, `InvalidDefinition`, `WorkflowMaximumWaitingRunCountExceeded`,
  /// the store's: nothing is committed. `StorageOutcomeUnknown`: both or
  /// neither will be. Any other error is the trigger's verdict (`TriggerConditionNotMet`): `also` is
  /// committed with its record.
  virtual Result<StartedRun> notify_trigger(std::string_view flow, std::string_view trigger, const Value& body,
                                            std::vector<store::Document> also) = 0;

  /// A new run from the recorded trigger of another one that is over. `WorkflowRunNotFound`,
  /// `WorkflowTriggerHistoryCannotBeResubmitted`, `FlowNotFound`, `InvalidCorrection`.
  virtual Result<StartedRun> resubmit(std::string_view run, Resubmission how, std::string_view by) = 0;

  /// As `resubmit`, of each; they are under way together and share commits, so this is the fast way for many. One value
  /// for each run, in order.
  virtual std::vector<Result<StartedRun>> resubmit_together(const std::vector<std::string>& runs,
                                                            const Resubmission& how, std::string_view by) = 0;

  /// Asks a run to stop. Success also when it was over already by itself in the meantime. `WorkflowRunNotFound`,
  /// `WorkflowRunAlreadyCompleted`.
  virtual Result<void> cancel(std::string_view run, std::string_view by) = 0;

  /// What runs wait for, the longest wait first (holds.h).
  virtual std::vector<HeldTarget> held() = 0;
  /// Sends the requests again that wait for `target`, oldest first: one, and when it goes well the others. Gives how
  /// many wait; 0 is no error.
  virtual std::size_t release_held(std::string_view target, std::string_view by) = 0;
  /// Ends the wait of all of them: their steps fail as they would have.
  virtual std::size_t fail_held(std::string_view target, std::string_view by) = 0;
  virtual HoldChoice hold_choice(std::string_view target) = 0;
  /// `InvalidHoldChoice`, the store's.
  virtual Result<void> set_hold_choice(std::string_view target, HoldChoice choice) = 0;

  /// When a trigger fires or asks next by its recurrence; not set when it does not.
  virtual Timestamp next_fire(std::string_view flow, std::string_view trigger) = 0;

  /// How many messages wait for a Batch trigger; 0 for any other.
  virtual std::size_t waiting_messages(std::string_view flow, std::string_view trigger) = 0;

  /// Listeners must outlive the runtime.
  virtual void add_listener(RunListener& listener) = 0;

  struct Counts {
    std::size_t active_runs = 0;  ///< in memory
    std::size_t near_timers = 0;
    std::size_t waiting_callers = 0;
    std::uint64_t started = 0;
    std::uint64_t ended = 0;
  };
  virtual Counts counts() = 0;
};

/// Reads a run's events as they are durable now, for history, explanations and trials. `WorkflowRunNotFound`,
/// `JournalDamaged`.
Result<engine::Events> read_events(const store::Store& store, const engine::Sealer& sealer, std::string_view run);
Result<engine::Events> read_events(const store::Store& store, const engine::Sealer& sealer, store::RunNumber run);

}  // namespace flowmend::runtime
