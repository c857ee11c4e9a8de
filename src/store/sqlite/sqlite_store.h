#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/sqlite/checkpointer.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/folder.h"
#include "store/sqlite/open.h"
#include "store/sqlite/writes.h"
#include "store/store.h"

namespace flowmend::store::sqlite {

/// The store on one SQLite file: one writer thread that commits groups, and a few read connections.
class SqliteStore final : public Store {
 public:
  SqliteStore(Options options, FolderLock lock, std::string path, std::unique_ptr<Connection> writer);
  ~SqliteStore() override;

  void commit(Batch batch, std::function<void()> done) override;
  Result<void> write(const std::function<Result<void>(Transaction&)>& change) override;
  Result<void> health() const override;

  Result<std::optional<Document>> document(std::string_view kind, std::string_view key) const override;
  Result<std::vector<Document>> documents(const DocumentQuery& query) const override;
  Result<std::vector<std::string>> document_kinds() const override;
  Result<std::optional<FlowRow>> flow(std::string_view id) const override;
  Result<std::optional<FlowRow>> flow_by_workflow_id(std::string_view workflow_id) const override;
  Result<std::vector<FlowRow>> flows() const override;
  Result<std::optional<FlowVersionRow>> flow_version(std::string_view flow, std::string_view version) const override;
  Result<std::vector<FlowVersionRow>> flow_versions(std::string_view flow) const override;
  Result<std::optional<RunRow>> run(std::string_view name) const override;
  Result<std::optional<RunRow>> run(RunNumber number) const override;
  Result<std::vector<RunRow>> runs(const RunQuery& query) const override;
  Result<std::size_t> count_runs(const RunQuery& query, std::size_t most) const override;
  Result<std::vector<RunRow>> resubmits_of(std::string_view run) const override;
  Result<std::optional<RunRow>> last_run() const override;
  Result<std::vector<RunRow>> runs_to_resume(RunNumber after, std::size_t limit) const override;
  Result<std::vector<RunNumber>> ended_runs(RunNumber after, Timestamp before, std::size_t limit) const override;
  Result<std::vector<std::string>> journal(RunNumber run) const override;
  Result<std::vector<TimerRow>> timers(Timestamp until, std::size_t limit) const override;
  Result<std::vector<TimerRow>> timers_of(RunNumber run) const override;
  Result<std::optional<Timestamp>> next_timer(Timestamp from) const override;
  Result<std::vector<TriggerHistoryRow>> trigger_histories(std::string_view flow, std::string_view trigger,
                                                           std::string_view after, std::size_t limit) const override;

 private:
  /// A `write` that waits; lives on the waiting caller's stack.
  struct Change {
    const std::function<Result<void>(Transaction&)>* apply = nullptr;
    Result<void> result;
    bool finished = false;
  };
  struct Item {
    Batch batch;
    std::function<void()> done;
    Change* change = nullptr;  ///< set: a write; else a commit
  };

  void write_groups();
  void commit_group(std::vector<Item>& group);
  void apply_change(Change& change);
  void refuse_changes(std::vector<Item>& group, const Error& error);
  void set_trouble(std::optional<Error> trouble);

  template <class Read>
  auto read(Read with) const -> Result<decltype(with(std::declval<Connection&>()))>;
  std::unique_ptr<Connection> borrow() const;
  void give_back(std::unique_ptr<Connection> connection) const;

  Options options_;
  FolderLock lock_;
  std::string path_;
  std::unique_ptr<Connection> writer_connection_;
  Writes writes_;
  Checkpointer checkpointer_;

  mutable std::mutex readers_mutex_;
  mutable std::vector<std::unique_ptr<Connection>> readers_;

  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable wake_;
  std::condition_variable finished_;
  std::vector<Item> waiting_;
  std::optional<Error> trouble_;
  bool stopping_ = false;

  std::thread writer_;  ///< last: starts when all else is ready
};

/// What a failure means to a user: `StorageUnavailable` or `StoreCorrupt`, with reason and cure.
Error error_of(const Failure& failure);

}  // namespace flowmend::store::sqlite
