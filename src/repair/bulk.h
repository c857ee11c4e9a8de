#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/registry.h"
#include "repair/failed_runs.h"
#include "repair/incidents.h"
#include "runtime/runtime.h"
#include "store/store.h"

namespace flowmend::repair {

/// Resubmits many runs, planned first and carried out durably: what one cause broke is repaired with one click, and
/// nothing is done twice by it.
///
/// A plan says what would run again, and which writes the first runs had already done; it is refused when a flow
/// changed since. Carrying it out goes in stages (one run, five percent, the rest): a stage ends when its runs have
/// ended, and when too many of them failed the job stops by itself. A run is left out when a repetition of it went well
/// or is under way, whoever started that; so a job that goes on after a crash starts none twice.
///
/// Jobs are documents of kind `repair_job`, the numbers of their runs documents of kind `repair_job_runs`.
///
/// Threads: any. The parts must outlive it; the destructor waits for the resubmit under way.
class Bulk final : public runtime::RunListener {
 public:
  static constexpr std::size_t runs_max = 100'000;

  struct Parts {
    store::Store& store;
    const engine::Sealer& sealer;
    runtime::Runtime& runtime;
    const connector::Registry& registry;
    const Incidents& incidents;
    const search::RunSearch& search;
    std::function<void(const std::string& job)>
        on_change;  ///< after each stage and at most every half second; may be empty
  };
  explicit Bulk(Parts parts);
  ~Bulk() override;

  /// Takes up jobs that were under way. Call once, after the runtime has started.
  Result<void> start();

  void run_started(const store::RunRow&) override {}
  void run_ended(const store::RunRow& run) override;

  using Filter = FailedRunFilter;
  /// What a plan is made for; one of the three.
  struct Selection {
    std::string incident;           ///< its runs that failed and are not repaired
    std::vector<std::string> runs;  ///< names
    std::optional<Filter> filter;
  };
  struct Options {
    int rate_per_second = 500;  ///< 1..10,000
    bool canary = true;
    int stop_percent = 20;  ///< of a stage's runs that may fail, 0..100
    runtime::DefinitionChoice definition = runtime::DefinitionChoice::latest;
    bool keep_done = false;  ///< steps that had succeeded are not done again (runtime::Resubmission)
    /// Instead of a run that another one had called, that one is repeated, with what was done kept, and its call goes
    /// on inside the called run (runtime/child_repair.h). Not together with a correction.
    bool with_parents = false;
    runtime::Correction correction;  ///< of every run; signed with who carries the plan out. Not empty = `keep_done`
  };
  /// Looks and stores the plan; starts nothing. Runs of flows that were deleted are left out and said so.
  /// `NothingToRepair` (with the reason), `IncidentNotFound`, `WorkflowRunNotFound`, `WorkflowRunNotCompleted`,
  /// those of `failed_runs`, `FlowNotFound` (of all runs), `RepairTooLarge`, `InvalidCorrection`,
  /// `InvalidRequestContent`. The value is the RepairJob of docs/reference/portal-api.md in state `planned`.
  Result<Value> plan(const Selection& selection, const Options& options, std::string_view by);
  /// `RepairJobNotFound`, `RepairPlanStale`, `RepairJobStateConflict`.
  Result<Value> execute(std::string_view job, std::string_view version, std::string_view by);
  Result<Value> pause(std::string_view job);
  Result<Value> resume(std::string_view job);
  /// Starts no more; what was started goes on.
  Result<Value> cancel(std::string_view job);

  Result<Value> find(std::string_view job) const;
  /// Newest first, without their steps; of one incident, or all when it is empty.
  Value list(std::string_view incident) const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace flowmend::repair
