#include "store.h"

#include <algorithm>

#include "store/sqlite/reads.h"
#include "store/sqlite/schema.h"

namespace flowmend::simulation {

namespace sqlite = store::sqlite;

Disk::Disk(const Clock& clock) {
  connection = std::make_unique<sqlite::Connection>(":memory:", sqlite::Connection::Mode::write);
  sqlite::prepare_connection(*connection, sqlite::Connection::Mode::write);
  if (const auto made = sqlite::migrate(*connection); !made) throw std::runtime_error(made.error().message);
  writes = std::make_unique<sqlite::Writes>(*connection, [&clock] { return clock.wall(); });
}

Error SimulatedStore::full_error() {
  return make_error("StorageUnavailable", "The disk with the data folder is full.", {}, "Make room on that disk.");
}

std::optional<Timestamp> SimulatedStore::next_flush() const {
  if (queue_.empty() && !trouble_) return std::nullopt;
  return busy_until_;
}

void SimulatedStore::flush() {
  if (queue_.empty() && !trouble_) return;
  if (disk_.full) {
    trouble_ = full_error();
    for (auto item = queue_.begin(); item != queue_.end();) {
      if (!item->change) {
        ++item;
        continue;
      }
      item->change->result = *trouble_;
      item->change->finished = true;
      item = queue_.erase(item);
    }
    busy_until_ = clock_.steady + Duration::seconds(1);
    return;
  }
  trouble_.reset();
  if (queue_.empty()) return;  // as SQLite's store tries on until the disk takes something again
  std::size_t count = 1 + dice_.below(std::min<std::size_t>(queue_.size(), 8));
  disk_.connection->execute("BEGIN");
  for (; count > 0; --count) {
    Item item = std::move(queue_.front());
    queue_.pop_front();
    if (item.change) {
      disk_.connection->execute("SAVEPOINT change");
      item.change->result = (*item.change->apply)(*disk_.writes);
      if (!item.change->result) {
        disk_.connection->execute("ROLLBACK TO change");
        disk_.writes->forget();
      }
      disk_.connection->execute("RELEASE change");
      durable_.push_back([change = item.change] { change->finished = true; });
    } else {
      disk_.writes->apply(item.batch);
      durable_.push_back(std::move(item.done));
    }
  }
  disk_.connection->execute("COMMIT");
  busy_until_ = clock_.steady + Duration{disk_.flush_lasts.ticks == 0 ? 0 : dice_.between(0, disk_.flush_lasts.ticks)};
}

void SimulatedStore::report() {
  auto done = std::move(durable_.front());
  durable_.pop_front();
  if (done) done();
}

void SimulatedStore::commit(store::Batch batch, std::function<void()> done) {
  queue_.push_back({std::move(batch), std::move(done), nullptr});
}

Result<void> SimulatedStore::write(const std::function<Result<void>(store::Transaction&)>& change) {
  if (trouble_) return *trouble_;
  auto mine = std::make_shared<Change>();
  mine->apply = &change;
  queue_.push_back({{}, {}, mine});
  work_until_([&] { return mine->finished; });
  return mine->result;
}

Result<void> SimulatedStore::health() const {
  if (trouble_) return *trouble_;
  return {};
}

template <class Read>
auto SimulatedStore::read(Read with) const -> Result<decltype(with(std::declval<sqlite::Connection&>()))> {
  if (disk_.broken && dice_.once_in(6))
    return make_error("StorageUnavailable", "The database can't be used: disk I/O error.", {}, "Check the disk.");
  return with(*disk_.connection);
}

Result<std::optional<store::Document>> SimulatedStore::document(std::string_view kind, std::string_view key) const {
  return read([&](auto& connection) { return sqlite::read_document(connection, kind, key); });
}
Result<std::vector<std::string>> SimulatedStore::document_kinds() const {
  return read([&](auto& connection) { return sqlite::read_document_kinds(connection); });
}

Result<std::vector<store::Document>> SimulatedStore::documents(const store::DocumentQuery& query) const {
  return read([&](auto& connection) { return sqlite::read_documents(connection, query); });
}
Result<std::optional<store::FlowRow>> SimulatedStore::flow(std::string_view id) const {
  return read([&](auto& connection) { return sqlite::read_flow(connection, id); });
}
Result<std::optional<store::FlowRow>> SimulatedStore::flow_by_workflow_id(std::string_view id) const {
  return read([&](auto& connection) { return sqlite::read_flow_by_workflow_id(connection, id); });
}
Result<std::vector<store::FlowRow>> SimulatedStore::flows() const {
  return read([&](auto& connection) { return sqlite::read_flows(connection); });
}
Result<std::optional<store::FlowVersionRow>> SimulatedStore::flow_version(std::string_view flow,
                                                                          std::string_view version) const {
  return read([&](auto& connection) { return sqlite::read_flow_version(connection, flow, version); });
}
Result<std::vector<store::FlowVersionRow>> SimulatedStore::flow_versions(std::string_view flow) const {
  return read([&](auto& connection) { return sqlite::read_flow_versions(connection, flow); });
}
Result<std::optional<store::RunRow>> SimulatedStore::run(std::string_view name) const {
  return read([&](auto& connection) { return sqlite::read_run(connection, name); });
}
Result<std::optional<store::RunRow>> SimulatedStore::run(store::RunNumber number) const {
  return read([&](auto& connection) { return sqlite::read_run(connection, number); });
}
Result<std::vector<store::RunRow>> SimulatedStore::runs(const store::RunQuery& query) const {
  return read([&](auto& connection) { return sqlite::read_runs(connection, query); });
}
Result<std::size_t> SimulatedStore::count_runs(const store::RunQuery& query, std::size_t most) const {
  return read([&](auto& connection) { return sqlite::count_runs(connection, query, most); });
}
Result<std::vector<store::RunRow>> SimulatedStore::resubmits_of(std::string_view run) const {
  return read([&](auto& connection) { return sqlite::read_resubmits(connection, run); });
}
Result<std::optional<store::RunRow>> SimulatedStore::last_run() const {
  return read([&](auto& connection) { return sqlite::read_last_run(connection); });
}
Result<std::vector<store::RunRow>> SimulatedStore::runs_to_resume(store::RunNumber after, std::size_t limit) const {
  return read([&](auto& connection) { return sqlite::read_runs_to_resume(connection, after, limit); });
}
Result<std::vector<store::RunNumber>> SimulatedStore::ended_runs(store::RunNumber after, Timestamp before,
                                                                 std::size_t limit) const {
  return read([&](auto& connection) { return sqlite::read_ended_runs(connection, after, before, limit); });
}
Result<std::vector<std::string>> SimulatedStore::journal(store::RunNumber run) const {
  return read([&](auto& connection) { return sqlite::read_journal(connection, run); });
}
Result<std::vector<store::TimerRow>> SimulatedStore::timers(Timestamp until, std::size_t limit) const {
  return read([&](auto& connection) { return sqlite::read_timers(connection, until, limit); });
}
Result<std::vector<store::TimerRow>> SimulatedStore::timers_of(store::RunNumber run) const {
  return read([&](auto& connection) { return sqlite::read_timers_of(connection, run); });
}
Result<std::optional<Timestamp>> SimulatedStore::next_timer(Timestamp from) const {
  return read([&](auto& connection) { return sqlite::read_next_timer(connection, from); });
}
Result<std::vector<store::TriggerHistoryRow>> SimulatedStore::trigger_histories(std::string_view flow,
                                                                                std::string_view trigger,
                                                                                std::string_view after,
                                                                                std::size_t limit) const {
  return read(
      [&](auto& connection) { return sqlite::read_trigger_histories(connection, flow, trigger, after, limit); });
}

}  // namespace flowmend::simulation
