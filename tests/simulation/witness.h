#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/journal.h"
#include "engine/recorded.h"
#include "engine/run.h"
#include "runtime/effects.h"
#include "runtime/runtime.h"
#include "store.h"

namespace flowmend::simulation {

/// A promise of the product that was broken. Ends the simulation of its seed.
struct Violation {
  std::string invariant;
  std::string what;
};

/// Sees all that leaves the process and all that is durable, and holds the one against the other. It knows nothing of
/// the runtime's memory. Its promises are the list in README.md.
class Witness {
 public:
  Witness(Disk& disk, const Clock& clock, const engine::Sealer& sealer) : disk_(disk), clock_(clock), sealer_(sealer) {}

  /// A caller was told that its call is accepted: its body's ids must have exactly one run each.
  void expect_runs(const std::string& id) { ++promised_[id]; }
  void refuse_runs(const std::string& id) { refused_.insert(id); }
  /// The answer to a call that was accepted names a run that is durable.
  void see_accepted(const runtime::Answer& answer, bool responds);
  /// A repetition that was reported started.
  void see_resubmitted(const std::string& run) { expect_resubmitted_.insert(run); }
  void see_cancelled(const std::string& run) { cancelled_.insert(run); }
  void see_acknowledged(const std::string& run, const std::string& payload) { heard_.emplace_back(run, payload); }
  void see_send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context);
  void see_run_started(const store::RunRow& run);
  void see_run_ended(const store::RunRow& run);

  /// What must hold of the rows at any moment, also in the middle of a crash.
  void check_durable();
  /// What must hold when all is over.
  void check_end();
  bool all_over() const;

  void fail(std::string invariant, std::string what) {
    if (!violation_) violation_ = Violation{std::move(invariant), std::move(what)};
  }
  const std::optional<Violation>& violation() const { return violation_; }
  std::size_t effects() const { return payload_of_key_.size(); }
  std::size_t runs() const { return runs_; }
  /// The wall clock shows another time: a timer that was due at any time it has shown may fire.
  void note_clock() { latest_wall_ = std::max(latest_wall_, clock_.wall()); }

  /// What a run that does not go on waits for.
  std::string describe(const store::RunRow& row);
  std::vector<store::RunRow> rows(std::optional<store::RunStatus> status = {}) const;
  std::shared_ptr<const definition::Flow> flow(const std::string& id, const std::string& version);

 private:
  std::optional<engine::Events> events_of(store::RunNumber run);
  /// Whether a run in this state has such a request under way.
  static bool asks_for(const engine::Run& run, const engine::Call& call);
  void check_journal(const store::RunRow& row, const engine::Events& events);
  void check_times(const store::RunRow& row, const definition::Flow& flow, const engine::Events& events);
  void check_row(const store::RunRow& row, const engine::Run& run);
  void check_kept(const engine::Run& run, const engine::Call& call, const store::RunRow& row);
  void count_trigger(const store::RunRow& row, const engine::RunStarted& start);
  void check_windows();
  void check_feeds();
  void note_sent(const definition::Flow& flow, const engine::Events& events);
  void check_batches();

  Disk& disk_;
  const Clock& clock_;
  const engine::Sealer& sealer_;
  std::optional<Violation> violation_;
  std::size_t runs_ = 0;
  Timestamp latest_wall_;

  std::map<std::string, int> promised_;
  std::set<std::string> refused_;
  std::set<std::string> expect_resubmitted_;
  std::set<std::string> cancelled_;
  std::vector<std::pair<std::string, std::string>> heard_;
  std::map<std::string, std::string> payload_of_key_;
  std::map<std::string, std::string> key_of_effect_;
  std::set<std::string> told_started_;
  std::set<std::string> told_ended_;
  std::map<std::string, std::shared_ptr<const definition::Flow>> flows_;
  std::map<std::string, engine::RecordedSteps> kept_;

  std::map<std::string, int> runs_of_id_;
  std::map<std::string, std::map<std::string, int>> runs_of_time_;  ///< by flow and scheduled time
  std::map<std::string, int> runs_of_child_;
  std::set<std::string> sent_;  ///< ids of the messages that their senders heard were taken
  std::map<std::string, int> runs_of_message_;
};

}  // namespace flowmend::simulation
