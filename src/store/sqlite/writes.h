#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/sqlite/connection.h"
#include "store/store.h"

namespace flowmend::store::sqlite {

/// Every statement that changes the database, on the writer's connection. The caller owns the transaction.
class Writes : public Transaction {
 public:
  Writes(Connection& connection, std::function<Timestamp()> clock)
      : connection_(connection), clock_(std::move(clock)) {}

  void apply(const Batch& batch);
  /// After a rollback: forget what was learnt from rows that are gone again.
  void forget() { names_.clear(); }

  std::optional<Document> document(std::string_view kind, std::string_view key) override;
  std::vector<Document> documents(const DocumentQuery& query) override;
  Result<std::int64_t> put_document(std::string_view kind, std::string_view key, const Value& value,
                                    std::int64_t expected) override;
  Result<bool> erase_document(std::string_view kind, std::string_view key, std::int64_t expected) override;
  std::optional<FlowRow> flow(std::string_view id) override;
  void put_flow(const FlowRow& flow) override;
  void put_flow_version(const FlowVersionRow& version) override;
  void erase_flow(std::string_view id) override;
  void set_cause(RunNumber run, const RunCause& cause) override;
  void erase_runs(const std::vector<RunNumber>& runs) override;
  std::size_t erase_trigger_histories(Timestamp before, std::size_t limit) override;

 private:
  void put_run(const RunRow& run);
  void put_journal(const JournalRow& row);
  void put_history(const TriggerHistoryRow& row);
  std::int64_t name_id(std::string_view text);

  Connection& connection_;
  std::function<Timestamp()> clock_;
  std::unordered_map<std::string, std::int64_t> names_;
  std::string encoded_;
};

/// Records above this are compressed; smaller ones gain too little for the time it takes.
inline constexpr std::size_t compress_above_bytes = 8192;
inline constexpr int journal_sequence_bits = 20;

}  // namespace flowmend::store::sqlite
