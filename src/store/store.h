#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/rows.h"

namespace flowmend::store {

// The one record of everything: journals, runs, flows, timers and documents. SQLite implements it (sqlite/open.h);
// PostgreSQL will, behind the same tests (store_suite_test.cpp).
//
// Durability: what `commit` reports and what `write` returns is on disk. Commits of many runs are grouped into one
// transaction and one fsync.
//
// Failing closed: when the disk is full or broken the store stops at the group that failed and tries it again every
// second; until it succeeds `health()` says `StorageUnavailable` with the reason, `write` is refused with the same
// error, and commits wait. So nothing is reported durable that is not, and nothing that was handed over is dropped
// while the process lives.
//
// Threads: everything may be called from any thread. Reads see at least what was durable when they began.

/// What one step of a run (or of a trigger) changes, all or nothing.
struct Batch {
  std::vector<RunRow> runs;            ///< inserted, or replaced whole, by number
  std::vector<JournalRow> journal;     ///< a record of the same run and sequence is replaced
  std::vector<TimerRow> timers_set;    ///< replaces the timer of the same run, place and kind
  std::vector<TimerRow> timers_ended;  ///< `due` is not looked at
  std::vector<TriggerHistoryRow> histories;
  /// Put whatever version is there; `version` and `updated` are not looked at. A null value erases.
  std::vector<Document> documents;
};

/// Which runs to list, newest first.
struct RunQuery {
  std::string flow;                 ///< empty = of all flows
  std::string trigger;              ///< empty = of any; only together with `flow`
  std::optional<RunStatus> status;  ///< nothing = of any
  std::string fingerprint;          ///< repair's; empty = of any; not together with `flow` or `status`
  std::string failed_code;          ///< a word of RunCause::code, without regard to case; empty = any
  Timestamp from;                   ///< started then or later; not set = no bound
  Timestamp until;                  ///< started before; not set = no bound
  std::string after;                ///< name of the last run of the page before; empty = the first page
  std::size_t limit = 50;           ///< 1..1000
};

/// A page of one kind of document in the order of keys.
struct DocumentQuery {
  std::string kind;
  std::string prefix;  ///< keys that begin so; empty = all
  std::string after;   ///< the last key of the page before
  std::size_t limit = 1000;
};

/// What administrative changes may do: valid inside the function given to `Store::write`, on the writer's thread.
class Transaction {
 public:
  virtual ~Transaction() = default;

  static constexpr std::int64_t any_version = -1;
  static constexpr std::int64_t absent = 0;

  virtual std::optional<Document> document(std::string_view kind, std::string_view key) = 0;
  virtual std::vector<Document> documents(const DocumentQuery& query) = 0;
  /// Writes a document and gives its new version. `expected`: the version it must have now (`absent`: it must not
  /// exist); otherwise `VersionConflict`.
  virtual Result<std::int64_t> put_document(std::string_view kind, std::string_view key, const Value& value,
                                            std::int64_t expected = any_version) = 0;
  /// True when there was one. `VersionConflict` as above.
  virtual Result<bool> erase_document(std::string_view kind, std::string_view key,
                                      std::int64_t expected = any_version) = 0;

  virtual std::optional<FlowRow> flow(std::string_view id) = 0;
  /// Inserts or replaces.
  virtual void put_flow(const FlowRow& flow) = 0;
  virtual void put_flow_version(const FlowVersionRow& version) = 0;
  /// Removes a flow. Its versions stay: its runs are read and finished with them.
  virtual void erase_flow(std::string_view id) = 0;

  /// What repair found out about a failed run.
  virtual void set_cause(RunNumber run, const RunCause& cause) = 0;
  /// Removes runs with their journals and timers (retention).
  virtual void erase_runs(const std::vector<RunNumber>& runs) = 0;
  /// Removes checks of triggers that were made before `before`, at most `limit`; gives their number.
  virtual std::size_t erase_trigger_histories(Timestamp before, std::size_t limit) = 0;
};

class Store {
 public:
  virtual ~Store() = default;  ///< waits for the group under way; commits not yet begun are dropped unreported

  /// Hands over a batch; `done` is called on the writer's thread once it is durable (keep it short: post to your own
  /// thread). Batches become durable in the order they were handed over. Never fails: see "Failing closed" above.
  virtual void commit(Batch batch, std::function<void()> done) = 0;

  /// Runs `change` in a transaction on the writer's thread and waits until it is durable. An error that `change`
  /// returns undoes it and comes back; `StorageUnavailable` when the disk refuses. `change` must not call the store
  /// itself. Not for the writer's thread.
  virtual Result<void> write(const std::function<Result<void>(Transaction&)>& change) = 0;

  /// Success, or why nothing can be stored just now (`StorageUnavailable`).
  virtual Result<void> health() const = 0;

  // Documents.
  virtual Result<std::optional<Document>> document(std::string_view kind, std::string_view key) const = 0;
  virtual Result<std::vector<Document>> documents(const DocumentQuery& query) const = 0;
  /// Of all documents, each once, in order.
  virtual Result<std::vector<std::string>> document_kinds() const = 0;

  // Flows.
  virtual Result<std::optional<FlowRow>> flow(std::string_view id) const = 0;
  virtual Result<std::optional<FlowRow>> flow_by_workflow_id(std::string_view workflow_id) const = 0;
  virtual Result<std::vector<FlowRow>> flows() const = 0;  ///< all, by display name
  virtual Result<std::optional<FlowVersionRow>> flow_version(std::string_view flow, std::string_view version) const = 0;
  /// Newest first, without definitions.
  virtual Result<std::vector<FlowVersionRow>> flow_versions(std::string_view flow) const = 0;

  // Runs.
  virtual Result<std::optional<RunRow>> run(std::string_view name) const = 0;
  virtual Result<std::optional<RunRow>> run(RunNumber number) const = 0;
  virtual Result<std::vector<RunRow>> runs(const RunQuery& query) const = 0;
  /// Runs that `runs` would list without its limit; counts at most `most`.
  virtual Result<std::size_t> count_runs(const RunQuery& query, std::size_t most = 1'000'000) const = 0;
  /// Runs that repeat this one, newest first.
  virtual Result<std::vector<RunRow>> resubmits_of(std::string_view run) const = 0;
  /// The newest run of all; nothing in an empty store.
  virtual Result<std::optional<RunRow>> last_run() const = 0;
  /// Runs marked `needs_work`, oldest first, with a number above `after`.
  virtual Result<std::vector<RunRow>> runs_to_resume(RunNumber after, std::size_t limit) const = 0;
  /// Runs that are over, were started before `before` and have a number above `after`, oldest first.
  virtual Result<std::vector<RunNumber>> ended_runs(RunNumber after, Timestamp before, std::size_t limit) const = 0;
  /// A run's records in order. An unknown run has none.
  virtual Result<std::vector<std::string>> journal(RunNumber run) const = 0;

  // Timers.
  /// Timers due before `until`, earliest first.
  virtual Result<std::vector<TimerRow>> timers(Timestamp until, std::size_t limit) const = 0;
  virtual Result<std::vector<TimerRow>> timers_of(RunNumber run) const = 0;
  /// When the first timer that is due at `from` or later is due; nothing when there is none.
  virtual Result<std::optional<Timestamp>> next_timer(Timestamp from) const = 0;

  // Trigger histories.
  /// Of one trigger of a flow (of all when `trigger` is empty), newest first, with a name sorting behind `after`: those
  /// that started nothing, and one for each run.
  virtual Result<std::vector<TriggerHistoryRow>> trigger_histories(std::string_view flow, std::string_view trigger,
                                                                   std::string_view after, std::size_t limit) const = 0;

  // One-step changes.
  Result<std::int64_t> put_document(std::string_view kind, std::string_view key, const Value& value,
                                    std::int64_t expected = Transaction::any_version);
  Result<bool> erase_document(std::string_view kind, std::string_view key,
                              std::int64_t expected = Transaction::any_version);
};

}  // namespace flowmend::store
