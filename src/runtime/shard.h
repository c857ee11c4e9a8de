#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/recorded.h"
#include "engine/run.h"
#include "runtime/child_repair.h"
#include "runtime/effects.h"
#include "runtime/holds.h"
#include "runtime/near_timers.h"
#include "runtime/runtime.h"

namespace flowmend::runtime {

class Batches;

/// A run to be started.
struct StartRequest {
  std::shared_ptr<const definition::Flow> flow;
  /// The trigger's record but for what depends on the run's name: {name, inputs?, outputs?, scheduledTime?}.
  Value trigger;
  std::string client_tracking_id;  ///< empty = the run's name
  std::string history_name;        ///< empty = the run's name
  std::string resubmit_of;
  std::string origin;  ///< the first run of the chain that `resubmit_of` belongs to
  std::string started_by;
  /// Nobody could ask again: waits for its turn even beyond the trigger's limit of waiting runs, and for the disk while
  /// nothing can be stored.
  bool must_start = false;
  std::string child_key;           ///< of the call that this run answers; committed with the start
  bool waits_forever = false;      ///< the caller is a run: no limit of time, and it comes back after a crash
  bool answers_later = false;      ///< `answer` waits for a Response action; else it gets 202 once the start is durable
  bool answers_by_status = false;  ///< that 202 says where to ask for what the Response action answers
  std::function<void(Answer)> answer;               ///< may be empty
  std::function<void(Result<StartedRun>)> started;  ///< may be empty; called once the start is durable, or refused
  std::vector<store::Document> documents;           ///< committed with the start
};

/// One thread's runs: it owns their state, so nothing inside a run needs a lock.
///
/// A run goes through here as inputs -> events -> one grouped commit -> the gate opens -> commands. Everything that
/// leaves (requests, answers, news to listeners) stands in the run's queue of gates and leaves when the commit before
/// it is durable. Commits of one run become durable in their order, so the gates open in order too.
///
/// All functions but the constructor are called on the executor's thread.
class Shard {
 public:
  Shard(store::Store& store, Effects& effects, const engine::Sealer& sealer, std::shared_ptr<Executor> executor,
        Flows& flows, Settings settings);
  ~Shard();

  /// Reads where the last process stopped and takes up its open runs.
  Result<void> recover();

  void start_run(StartRequest request);
  /// Starts all of them or, when the process dies, none: their first steps are one commit (the items of a splitOn).
  void start_runs(std::vector<StartRequest> requests);
  /// A check of a trigger that starts nothing.
  void record_check(store::TriggerHistoryRow row, std::vector<store::Document> documents = {});
  /// A service called the address of a webhook action. `WorkflowRunNotFound`, `WorkflowRunAlreadyCompleted`,
  /// `ActionNotWaiting`; success once what follows is durable.
  void notify_action(const std::string& run, const std::string& action, std::uint32_t frame, Value outputs,
                     std::function<void(Result<void>)> done);
  /// What the run's asynchronous Response answered; 202 with the address to ask at again while it has not.
  void tell_response(const std::string& flow, const std::string& run, std::function<void(Answer)> answer);
  void cancel_run(const std::string& name, const std::string& by, std::function<void(Result<void>)> done);
  /// The flow was deleted: what runs of it, or waits, is cancelled (engine.md 4.7).
  void cancel_runs_of(const std::string& flow);

  /// Who takes messages for batches; must outlive the shard. Call before `recover`.
  void set_batches(Batches& batches) { batches_ = &batches; }
  void add_listener(RunListener& listener) { listeners_.push_back(&listener); }
  Runtime::Counts counts() const;
  Holds& holds() { return holds_; }
  /// A name for a trigger history or a run: newer ones sort first, no two are equal.
  std::string next_name();

 private:
  /// What leaves when a commit is durable.
  struct Gate {
    engine::Commands commands;
    std::vector<DueTimer> timers_set;
    std::vector<DueTimer> timers_ended;
    std::vector<HeldStep> held;
    std::vector<HeldStep> let_go;
    bool started = false;
    bool ended = false;
  };
  struct ActiveRun {
    ActiveRun(store::RunRow its_row, std::shared_ptr<const definition::Flow> its_flow, const engine::Limits& limits)
        : row(std::move(its_row)), flow(std::move(its_flow)), run(flow, limits) {}
    store::RunRow row;
    std::shared_ptr<const definition::Flow> flow;
    engine::Run run;
    std::uint32_t next_sequence = 0;
    engine::Events events;      ///< applied, not yet committed
    engine::Commands commands;  ///< belong to `events`
    std::deque<Gate> gates;     ///< commits under way
    std::map<TimerKey, Timestamp> timers;
    std::map<std::uint64_t, HeldStep> held;             ///< steps that wait for their service, by RunState::key
    bool row_known = false;                             ///< the stored row has this status and needs_work
    bool started_now = false;                           ///< listeners are to be told of its start
    bool continues = false;                             ///< a Continue is posted
    std::size_t calls = 0;                              ///< requests under way
    std::shared_ptr<const definition::Flow> kept_flow;  ///< of the run whose steps are kept; null = not looked yet
    engine::RecordedSteps kept;
    Correction correction;                 ///< of the repetition, read with `kept_flow`
    std::set<definition::ActionId> again;  ///< steps_from its `from`
    std::function<void(Answer)> answer;
    bool answers_later = false;
    bool answers_by_status = false;
    bool waits_forever = false;
    std::function<void(Result<StartedRun>)> started;
    std::vector<store::Document> documents;
  };
  /// A common commit that is being gathered.
  struct Joint {
    store::Batch batch;
    std::vector<std::function<void(Shard&)>> then;
  };
  /// Trigger concurrency (engine.md 2.4) of one trigger. Every run of it counts, also one of a version without the
  /// limit: the limit may come and go while runs are under way.
  struct Turnstile {
    bool known = false;       ///< false: the store could not be asked yet how many are under way
    std::size_t running = 0;  ///< started and not yet durably over
    std::deque<store::RunNumber> waiting;
  };

  static std::string shortened(const std::string& text);
  /// The signed addresses of a run's webhook actions.
  class ActionAddresses final : public engine::CallbackAddresses {
   public:
    ActionAddresses(const Shard& shard, const ActiveRun& active) : shard_(shard), active_(active) {}
    std::string address(engine::Place place) const override;

   private:
    const Shard& shard_;
    const ActiveRun& active_;
  };
  engine::Decision advance(ActiveRun& active, const engine::Input& input);
  /// Commits a batch (or joins it to the common one of `start_runs`); then runs `then` on this shard, if it still
  /// lives.
  void hand_over(store::Batch batch, std::function<void(Shard&)> then);
  void begin(ActiveRun& active, engine::RunStarted start);
  void give(store::RunNumber number, const engine::Input& input);
  void take(ActiveRun& active, engine::Decision decision);
  void commit(ActiveRun& active);
  void note_events(ActiveRun& active, store::Batch& batch, Gate& gate);
  // shard_holds.cpp
  void reply(store::RunNumber number, engine::AttemptFinished finished);
  /// It, or the run that it was called for, is one of a bulk repetition: that wants to know at once that it failed
  /// again, for its stop rule lives on that.
  static bool is_of_job(const ActiveRun& active);
  std::optional<engine::HoldOffer> offer_hold(const ActiveRun& active, const engine::AttemptFinished& finished);
  void note_holds(ActiveRun& active, store::Batch& batch, Gate& gate);
  void find_holds(ActiveRun& active);

  void note_end(ActiveRun& active, const engine::RunEnded& ended);
  void gate_opens(store::RunNumber number);
  void carry_out(ActiveRun& active, engine::Commands commands);
  void send(ActiveRun& active, const engine::Call& call);
  /// `how(active, call)` in a second, if the call is still wanted then.
  void call_later(ActiveRun& active, const engine::Call& call, void (Shard::*how)(ActiveRun&, const engine::Call&));
  /// A Workflow action: starts the run that it asks for, or takes up the one that it started before a crash.
  void call_flow(ActiveRun& active, const engine::Call& call);
  /// A SendToBatch action: its message is taken once, also when it is asked again after a crash.
  void send_to_batch(ActiveRun& active, const engine::Call& call);
  void await_child(const store::RunRow& child, std::function<void(Answer)> answer);
  /// Where the call goes on when the run repeats another one (child_repair.h).
  Result<std::optional<FormerChild>> former_child(const ActiveRun& active, const engine::Call& call,
                                                  const CallSite& site) const;
  /// A step of a run that keeps what another one had done: its recorded outcome, when it asks the same again.
  /// `StorageUnavailable`: not known just now.
  Result<std::optional<engine::AttemptFinished>> kept_reply(ActiveRun& active, const engine::Call& call);
  const StepCorrection* correction_of(const ActiveRun& active, engine::Place place) const;
  /// 202 with the address where the answer is to be had.
  Answer ask_later(const store::RunRow& row) const;
  void answer_caller(ActiveRun& active, Answer answer);
  void finish(ActiveRun& active);
  bool may_leave(const ActiveRun& active) const;

  /// The run, brought back by replay when it is not in memory; null when it is over or can't be replayed (then it is
  /// quarantined). `StorageUnavailable`: nobody knows just now; it is to be asked for again.
  Result<ActiveRun*> bring_back(store::RunNumber number);
  Result<ActiveRun*> replay(const store::RunRow& row);
  /// Runs `task` in a second, when the store may be back.
  void try_later(std::function<void(Shard&)> task);
  void quarantine(store::RunRow row, const Error& error);

  bool must_wait(const definition::Flow& flow);
  Turnstile& turnstile(const std::string& key);
  void note_begun(const std::string& key);
  void note_over(const std::string& key);
  void wait_for_turn(StartRequest request, store::RunRow row, engine::RunStarted start);
  void next_turn(const std::string& key);
  /// False: its record can't be read just now.
  bool start_waiting(const store::RunRow& row);
  void cancel_waiting(store::RunRow row, const std::string& by);

  void load_timers();
  void fire_timers();
  void plan_wake();
  void sweep_callers();
  /// Answers callers of runs whose start can't be stored for too long (Settings::storage_wait_max).
  void watch_starts();

  store::Store& store_;
  Effects& effects_;
  const engine::Sealer& sealer_;
  std::shared_ptr<Executor> executor_owner_;  ///< callbacks of the store and of effects may outlive the shard
  Executor& executor_;
  Flows& flows_;
  const Settings settings_;
  std::vector<RunListener*> listeners_;
  Batches* batches_ = nullptr;

  std::unordered_map<store::RunNumber, std::unique_ptr<ActiveRun>> active_;
  std::unordered_map<std::string, Turnstile> turnstiles_;  ///< by trigger_key(); only those with concurrency
  NearTimers near_;
  Holds holds_;
  Timestamp planned_wake_;
  std::deque<std::pair<Timestamp, store::RunNumber>> callers_;  ///< waiting callers by deadline
  bool sweep_planned_ = false;
  bool start_watch_planned_ = false;
  std::optional<Joint> joint_;  ///< set while start_runs gathers
  store::RunNumber last_number_ = 0;
  Timestamp last_time_;  ///< of the last name given
  std::size_t waiting_callers_ = 0;
  std::uint64_t started_ = 0;
  std::uint64_t ended_ = 0;
  /// Tasks posted by others outlive the shard only as no-ops.
  std::shared_ptr<Shard*> self_;
};

}  // namespace flowmend::runtime
