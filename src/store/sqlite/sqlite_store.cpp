#include "store/sqlite/sqlite_store.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>

#include <sqlite3.h>

#include "base/thread_name.h"
#include "store/sqlite/reads.h"
#include "store/sqlite/schema.h"

namespace flowmend::store::sqlite {

namespace {

constexpr std::size_t group_items_max = 2048;
constexpr std::chrono::seconds retry_after{1};

}  // namespace

Error error_of(const Failure& failure) {
  switch (failure.code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return make_error("StoreCorrupt", "The database is damaged: " + failure.message + ".", {},
                        "Stop Flowmend and restore flowmend.db from a backup; or save what can be read with `sqlite3 "
                        "flowmend.db .recover`.");
    case SQLITE_FULL:
      return make_error("StorageUnavailable", "The disk with the data folder is full.", {},
                        "Make room on that disk: Flowmend goes on by itself, nothing that was accepted is lost.");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return make_error("StorageUnavailable", "The database can't be written: " + failure.message + ".", {},
                        "Check that the data folder is there and that the user who runs Flowmend may write to it.");
    default:
      return make_error("StorageUnavailable", "The database can't be used: " + failure.message + ".", {},
                        "Check the disk with the data folder (free space, kernel log): Flowmend goes on by itself once "
                        "it works again.");
  }
}

SqliteStore::SqliteStore(Options options, FolderLock lock, std::string path, std::unique_ptr<Connection> writer)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      path_(std::move(path)),
      writer_connection_(std::move(writer)),
      writes_(*writer_connection_, options_.clock),
      checkpointer_(path_),
      writer_([this] { write_groups(); }) {}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  writer_.join();
}

void SqliteStore::commit(Batch batch, std::function<void()> done) {
  bool first = false;
  {
    const std::lock_guard hold(mutex_);
    first = waiting_.empty();
    waiting_.push_back({std::move(batch), std::move(done), nullptr});
  }
  if (first) wake_.notify_one();
}

Result<void> SqliteStore::write(const std::function<Result<void>(Transaction&)>& change) {
  Change mine;
  mine.apply = &change;
  std::unique_lock hold(mutex_);
  if (trouble_) return *trouble_;
  waiting_.push_back({{}, {}, &mine});
  wake_.notify_one();
  finished_.wait(hold, [&] { return mine.finished; });
  return std::move(mine.result);
}

Result<void> SqliteStore::health() const {
  const std::lock_guard hold(mutex_);
  if (trouble_) return *trouble_;
  return {};
}

void SqliteStore::set_trouble(std::optional<Error> trouble) {
  const std::lock_guard hold(mutex_);
  trouble_ = std::move(trouble);
}

void SqliteStore::write_groups() {
  name_thread("fm-store");
  std::vector<Item> group;
  while (true) {
    {
      std::unique_lock hold(mutex_);
      wake_.wait(hold, [&] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      if (waiting_.size() <= group_items_max) {
        group.swap(waiting_);
      } else {
        const auto end = waiting_.begin() + group_items_max;
        group.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
        waiting_.erase(waiting_.begin(), end);
      }
    }
    commit_group(group);
    group.clear();
  }
}

void SqliteStore::commit_group(std::vector<Item>& group) {
  while (true) {
    try {
      writer_connection_->prepare("BEGIN IMMEDIATE").run();
      for (auto& item : group) {
        if (item.change != nullptr) {
          apply_change(*item.change);
        } else {
          writes_.apply(item.batch);
        }
      }
      writer_connection_->prepare("COMMIT").run();
    } catch (const Failure& failure) {
      try {
        if (writer_connection_->in_transaction()) writer_connection_->prepare("ROLLBACK").run();
      } catch (const Failure&) {
        // The next BEGIN fails again and is reported then.
      }
      writes_.forget();
      const auto error = error_of(failure);
      set_trouble(error);
      refuse_changes(group, error);
      std::unique_lock hold(mutex_);
      // Writes that were queued before the trouble was known are answered too, not left waiting for the cure.
      auto late = std::move(waiting_);
      waiting_.clear();
      hold.unlock();
      refuse_changes(late, error);
      hold.lock();
      waiting_.insert(waiting_.begin(), std::make_move_iterator(late.begin()), std::make_move_iterator(late.end()));
      wake_.wait_for(hold, retry_after, [&] { return stopping_; });
      if (stopping_) return;
      continue;
    }
    set_trouble(std::nullopt);
    for (auto& item : group) {
      if (item.done) item.done();
    }
    if (checkpointer_.committed(writer_connection_->log_pages())) writer_connection_->checkpoint();
    const bool changes =
        std::any_of(group.begin(), group.end(), [](const Item& item) { return item.change != nullptr; });
    if (changes) {
      const std::lock_guard hold(mutex_);
      for (auto& item : group) {
        if (item.change != nullptr) item.change->finished = true;
      }
      finished_.notify_all();
    }
    return;
  }
}

void SqliteStore::apply_change(Change& change) {
  writer_connection_->prepare("SAVEPOINT change").run();
  try {
    change.result = (*change.apply)(writes_);
  } catch (const Failure& failure) {
    if (!writer_connection_->in_transaction()) throw;  // SQLite gave up the whole group
    const int kind = failure.code & 0xff;
    if (kind != SQLITE_CONSTRAINT && kind != SQLITE_TOOBIG && kind != SQLITE_MISMATCH) throw;
    change.result =
        make_error("StoredValueRefused", "The change was refused by the database: " + failure.message + ".");
  } catch (const std::exception& exception) {
    change.result = make_error("InternalError", std::string("A change of the store failed: ") + exception.what() + ".");
  }
  if (!change.result) {
    writer_connection_->prepare("ROLLBACK TO change").run();
    writes_.forget();
  }
  writer_connection_->prepare("RELEASE change").run();
}

void SqliteStore::refuse_changes(std::vector<Item>& group, const Error& error) {
  {
    const std::lock_guard hold(mutex_);
    for (auto& item : group) {
      if (item.change == nullptr) continue;
      item.change->result = error;
      item.change->finished = true;
    }
    finished_.notify_all();
  }
  group.erase(std::remove_if(group.begin(), group.end(), [](const Item& item) { return item.change != nullptr; }),
              group.end());
}

std::unique_ptr<Connection> SqliteStore::borrow() const {
  {
    const std::lock_guard hold(readers_mutex_);
    if (!readers_.empty()) {
      auto connection = std::move(readers_.back());
      readers_.pop_back();
      return connection;
    }
  }
  auto connection = std::make_unique<Connection>(path_, Connection::Mode::read);
  prepare_connection(*connection, Connection::Mode::read);
  return connection;
}

void SqliteStore::give_back(std::unique_ptr<Connection> connection) const {
  const std::lock_guard hold(readers_mutex_);
  if (readers_.size() < options_.readers_max) readers_.push_back(std::move(connection));
}

template <class Read>
auto SqliteStore::read(Read with) const -> Result<decltype(with(std::declval<Connection&>()))> {
  try {
    auto connection = borrow();
    auto answer = with(*connection);
    give_back(std::move(connection));
    return answer;
  } catch (const Failure& failure) {
    return error_of(failure);
  }
}

Result<std::optional<Document>> SqliteStore::document(std::string_view kind, std::string_view key) const {
  return read([&](Connection& connection) { return read_document(connection, kind, key); });
}
Result<std::vector<std::string>> SqliteStore::document_kinds() const {
  return read([&](Connection& connection) { return read_document_kinds(connection); });
}

Result<std::vector<Document>> SqliteStore::documents(const DocumentQuery& query) const {
  return read([&](Connection& connection) { return read_documents(connection, query); });
}
Result<std::optional<FlowRow>> SqliteStore::flow(std::string_view id) const {
  return read([&](Connection& connection) { return read_flow(connection, id); });
}
Result<std::optional<FlowRow>> SqliteStore::flow_by_workflow_id(std::string_view workflow_id) const {
  return read([&](Connection& connection) { return read_flow_by_workflow_id(connection, workflow_id); });
}
Result<std::vector<FlowRow>> SqliteStore::flows() const {
  return read([&](Connection& connection) { return read_flows(connection); });
}
Result<std::optional<FlowVersionRow>> SqliteStore::flow_version(std::string_view flow, std::string_view version) const {
  return read([&](Connection& connection) { return read_flow_version(connection, flow, version); });
}
Result<std::vector<FlowVersionRow>> SqliteStore::flow_versions(std::string_view flow) const {
  return read([&](Connection& connection) { return read_flow_versions(connection, flow); });
}
Result<std::optional<RunRow>> SqliteStore::run(std::string_view name) const {
  return read([&](Connection& connection) { return read_run(connection, name); });
}
Result<std::optional<RunRow>> SqliteStore::run(RunNumber number) const {
  return read([&](Connection& connection) { return read_run(connection, number); });
}
Result<std::vector<RunRow>> SqliteStore::runs(const RunQuery& query) const {
  return read([&](Connection& connection) { return read_runs(connection, query); });
}
Result<std::size_t> SqliteStore::count_runs(const RunQuery& query, std::size_t most) const {
  return read([&](Connection& connection) { return sqlite::count_runs(connection, query, most); });
}
Result<std::vector<RunRow>> SqliteStore::resubmits_of(std::string_view run) const {
  return read([&](Connection& connection) { return read_resubmits(connection, run); });
}
Result<std::optional<RunRow>> SqliteStore::last_run() const {
  return read([&](Connection& connection) { return read_last_run(connection); });
}
Result<std::vector<RunRow>> SqliteStore::runs_to_resume(RunNumber after, std::size_t limit) const {
  return read([&](Connection& connection) { return read_runs_to_resume(connection, after, limit); });
}
Result<std::vector<RunNumber>> SqliteStore::ended_runs(RunNumber after, Timestamp before, std::size_t limit) const {
  return read([&](Connection& connection) { return read_ended_runs(connection, after, before, limit); });
}
Result<std::vector<std::string>> SqliteStore::journal(RunNumber run) const {
  return read([&](Connection& connection) { return read_journal(connection, run); });
}
Result<std::vector<TimerRow>> SqliteStore::timers(Timestamp until, std::size_t limit) const {
  return read([&](Connection& connection) { return read_timers(connection, until, limit); });
}
Result<std::vector<TimerRow>> SqliteStore::timers_of(RunNumber run) const {
  return read([&](Connection& connection) { return read_timers_of(connection, run); });
}
Result<std::optional<Timestamp>> SqliteStore::next_timer(Timestamp from) const {
  return read([&](Connection& connection) { return read_next_timer(connection, from); });
}
Result<std::vector<TriggerHistoryRow>> SqliteStore::trigger_histories(std::string_view flow, std::string_view trigger,
                                                                      std::string_view after, std::size_t limit) const {
  return read([&](Connection& connection) { return read_trigger_histories(connection, flow, trigger, after, limit); });
}

}  // namespace flowmend::store::sqlite
