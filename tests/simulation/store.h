#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clock.h"
#include "dice.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/writes.h"
#include "store/store.h"

namespace flowmend::simulation {

/// What outlives the process: the durable rows, in the product's own tables and statements (SQLite in memory), and the
/// mood of the disk.
///
/// Fault model. Commits wait in a queue; a flush makes the first few durable, in order, as one transaction. A flush may
/// take long (slow), be refused (full: the queue waits, health says why, and it is tried again), and reads may fail
/// (broken). When the process dies, the queue is lost from some point on: a group can be durable without anybody
/// having been told. What is durable is never lost or changed: that SQLite keeps this promise is checked elsewhere
/// (tests/disk, tests/crash, tests/kills).
struct Disk {
  explicit Disk(const Clock& clock);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  bool full = false;
  bool broken = false;   ///< reads fail now and then
  Duration flush_lasts;  ///< how long a flush takes at most
  std::unique_ptr<store::sqlite::Connection> connection;
  std::unique_ptr<store::sqlite::Writes> writes;
};

/// The store as one life of the process sees it.
class SimulatedStore final : public store::Store {
 public:
  SimulatedStore(Disk& disk, const Clock& clock, Dice& dice,
                 std::function<void(const std::function<bool()>&)> work_until)
      : disk_(disk), clock_(clock), dice_(dice), work_until_(std::move(work_until)) {}

  // The world's side.
  bool can_flush() const { return (!queue_.empty() || trouble_) && busy_until_ <= clock_.steady; }
  std::optional<Timestamp> next_flush() const;
  /// Makes the first commits durable, or finds the disk full.
  void flush();
  bool can_report() const { return !durable_.empty(); }
  /// Tells one commit that it is durable.
  void report();
  std::size_t queued() const { return queue_.size(); }

  // The runtime's side.
  void commit(store::Batch batch, std::function<void()> done) override;
  Result<void> write(const std::function<Result<void>(store::Transaction&)>& change) override;
  Result<void> health() const override;
  Result<std::optional<store::Document>> document(std::string_view kind, std::string_view key) const override;
  Result<std::vector<store::Document>> documents(const store::DocumentQuery& query) const override;
  Result<std::vector<std::string>> document_kinds() const override;
  Result<std::optional<store::FlowRow>> flow(std::string_view id) const override;
  Result<std::optional<store::FlowRow>> flow_by_workflow_id(std::string_view workflow_id) const override;
  Result<std::vector<store::FlowRow>> flows() const override;
  Result<std::optional<store::FlowVersionRow>> flow_version(std::string_view flow,
                                                            std::string_view version) const override;
  Result<std::vector<store::FlowVersionRow>> flow_versions(std::string_view flow) const override;
  Result<std::optional<store::RunRow>> run(std::string_view name) const override;
  Result<std::optional<store::RunRow>> run(store::RunNumber number) const override;
  Result<std::vector<store::RunRow>> runs(const store::RunQuery& query) const override;
  Result<std::size_t> count_runs(const store::RunQuery& query, std::size_t most) const override;
  Result<std::vector<store::RunRow>> resubmits_of(std::string_view run) const override;
  Result<std::optional<store::RunRow>> last_run() const override;
  Result<std::vector<store::RunRow>> runs_to_resume(store::RunNumber after, std::size_t limit) const override;
  Result<std::vector<store::RunNumber>> ended_runs(store::RunNumber after, Timestamp before,
                                                   std::size_t limit) const override;
  Result<std::vector<std::string>> journal(store::RunNumber run) const override;
  Result<std::vector<store::TimerRow>> timers(Timestamp until, std::size_t limit) const override;
  Result<std::vector<store::TimerRow>> timers_of(store::RunNumber run) const override;
  Result<std::optional<Timestamp>> next_timer(Timestamp from) const override;
  Result<std::vector<store::TriggerHistoryRow>> trigger_histories(std::string_view flow, std::string_view trigger,
                                                                  std::string_view after,
                                                                  std::size_t limit) const override;

 private:
  struct Change {
    const std::function<Result<void>(store::Transaction&)>* apply = nullptr;
    Result<void> result;
    bool finished = false;
  };
  struct Item {
    store::Batch batch;
    std::function<void()> done;
    std::shared_ptr<Change> change;
  };
  template <class Read>
  auto read(Read with) const -> Result<decltype(with(std::declval<store::sqlite::Connection&>()))>;
  static Error full_error();

  Disk& disk_;
  const Clock& clock_;
  Dice& dice_;
  std::function<void(const std::function<bool()>&)> work_until_;
  std::deque<Item> queue_;
  std::deque<std::function<void()>> durable_;  ///< not yet told
  std::optional<Error> trouble_;
  Timestamp busy_until_;
};

}  // namespace flowmend::simulation
