// bench_chain RUNS FOLDER: W2. Starts RUNS runs of ten sequential data steps through the runtime, at most 2,000 under
// way, waits until all have ended durably, and prints one JSON line; then inserts the same bytes into a bare SQLite
// file in groups: once the very rows that the runs left, into the same tables with their indexes, and once as one blob
// for each run.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "harness.h"

namespace {

using namespace flowmend;
using bench::Clock;

constexpr int steps = 10;
constexpr std::size_t group_rows = 1000;
constexpr std::size_t under_way_max = 2000;

std::string ten_steps() {
  std::string text = R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{)";
  for (int i = 0; i < steps; ++i) {
    const auto before =
        i == 0 ? std::string("@triggerBody()?['n']") : "@add(outputs('S" + std::to_string(i - 1) + "'),1)";
    text += (i == 0 ? "\"S" : ",\"S") + std::to_string(i) + "\":{\"type\":\"Compose\",\"inputs\":\"" + before +
            "\",\"runAfter\":{";
    if (i > 0) text += "\"S" + std::to_string(i - 1) + "\":[\"Succeeded\"]";
    text += "}}";
  }
  return text + "}}";
}

class Database {
 public:
  explicit Database(const std::string& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) fail();
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  void run(const std::string& sql) {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }
  sqlite3_stmt* prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail();
    return statement;
  }
  void prepare_for_writing() {
    run("PRAGMA page_size=8192");
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
  }
  [[noreturn]] void fail() {
    std::fprintf(stderr, "%s\n", sqlite3_errmsg(handle_));
    std::abort();
  }

 private:
  sqlite3* handle_ = nullptr;
};

/// Seconds to insert as many bytes as `rows` blobs of one table.
double insert_blobs(const std::string& path, std::size_t rows, std::size_t row_bytes) {
  Database database(path);
  database.prepare_for_writing();
  database.run("CREATE TABLE rows (key INTEGER PRIMARY KEY, record BLOB)");
  auto* insert = database.prepare("INSERT INTO rows VALUES (?,?)");
  const std::string record(row_bytes, 'x');
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < rows; ++i) {
    if (i % group_rows == 0) database.run("BEGIN");
    sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(i));
    sqlite3_bind_blob(insert, 2, record.data(), static_cast<int>(record.size()), SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) database.fail();
    sqlite3_reset(insert);
    if (i % group_rows == group_rows - 1 || i + 1 == rows) database.run("COMMIT");
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  sqlite3_finalize(insert);
  return took.count();
}

struct Rows {
  std::string insert;
  std::vector<std::vector<sqlite3_value*>> rows;
};

Rows read_table(Database& database, const std::string& table, const std::string& order) {
  Rows read;
  auto* select = database.prepare("SELECT * FROM " + table + " ORDER BY " + order);
  const int columns = sqlite3_column_count(select);
  read.insert = "INSERT INTO " + table + " VALUES (?";
  for (int i = 1; i < columns; ++i) read.insert += ",?";
  read.insert += ")";
  while (sqlite3_step(select) == SQLITE_ROW) {
    auto& row = read.rows.emplace_back();
    for (int i = 0; i < columns; ++i) row.push_back(sqlite3_value_dup(sqlite3_column_value(select, i)));
  }
  sqlite3_finalize(select);
  return read;
}

/// Seconds to insert the rows of `recorded` into tables with the same columns and indexes: what SQLite takes of it all.
double insert_same_rows(const std::string& recorded, const std::string& path) {
  Database source(recorded);
  Database target(path);
  target.prepare_for_writing();
  auto* schema = source.prepare(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name IN ('runs', 'journal') ORDER BY type DESC");
  while (sqlite3_step(schema) == SQLITE_ROW)
    target.run(reinterpret_cast<const char*>(sqlite3_column_text(schema, 0)));  // NOLINT: SQLite's texts are unsigned
  sqlite3_finalize(schema);
  std::vector<Rows> tables;
  tables.push_back(read_table(source, "runs", "number"));
  tables.push_back(read_table(source, "journal", "key"));
  std::vector<sqlite3_stmt*> inserts;
  std::size_t most = 0;
  for (const auto& table : tables) {
    inserts.push_back(target.prepare(table.insert));
    most = std::max(most, table.rows.size());
  }
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < most; ++i) {
    if (i % group_rows == 0) target.run("BEGIN");
    for (std::size_t t = 0; t < tables.size(); ++t) {
      if (i >= tables[t].rows.size()) continue;
      const auto& row = tables[t].rows[i];
      for (std::size_t c = 0; c < row.size(); ++c) sqlite3_bind_value(inserts[t], static_cast<int>(c) + 1, row[c]);
      if (sqlite3_step(inserts[t]) != SQLITE_DONE) target.fail();
      sqlite3_reset(inserts[t]);
    }
    if (i % group_rows == group_rows - 1 || i + 1 == most) target.run("COMMIT");
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  for (auto* insert : inserts) sqlite3_finalize(insert);
  for (auto& table : tables) {
    for (auto& row : table.rows) {
      for (auto* value : row) sqlite3_value_free(value);
    }
  }
  return took.count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::atol(argv[1]) <= 0) {
    std::fprintf(stderr, "usage: bench_chain RUNS FOLDER\n");
    return 2;
  }
  const auto runs = static_cast<std::size_t>(std::atol(argv[1]));
  const std::string folder = argv[2];
  std::optional<bench::Bench> driver(std::in_place, folder, ten_steps());
  std::vector<Clock::time_point> starts(runs);
  const auto cpu_before = bench::cpu_seconds();
  const auto bytes_before = bench::bytes_written();
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < runs; ++i) {
    if (i % 100 == 0 && i > under_way_max) driver->ends.wait(i - under_way_max);
    starts[i] = Clock::now();
    driver->start(std::to_string(i), "{\"n\":1}");
  }
  driver->ends.wait(runs);
  const std::chrono::duration<double> took = Clock::now() - begin;
  const auto cpu = bench::cpu_seconds() - cpu_before;
  const auto written = bench::bytes_written() - bytes_before;
  const auto ended = driver->ends.ended();
  const auto failed = driver->ends.failed();
  driver.reset();
  std::vector<double> latencies;
  for (const auto& [id, end] : ended) {
    latencies.push_back(std::chrono::duration<double, std::milli>(end - starts[std::stoul(id)]).count());
  }
  std::sort(latencies.begin(), latencies.end());
  const auto stored = std::filesystem::file_size(folder + "/data/flowmend.db");
  const auto count = static_cast<double>(runs);
  const auto blobs = insert_blobs(folder + "/blobs.db", runs, stored / runs);
  const auto rows = insert_same_rows(folder + "/data/flowmend.db", folder + "/rows.db");
  std::printf(
      "{\"runs\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"runs_per_s\":%.0f,\"steps_per_s\":%.0f,\"p50_ms\":%.2f,"
      "\"p99_ms\":%.2f,\"cpu_us_per_run\":%.1f,\"bytes_written_per_run\":%.0f,\"bytes_stored_per_run\":%.0f,"
      "\"same_rows_per_s\":%.0f,\"ratio_same_rows\":%.3f,\"blobs_per_s\":%.0f,\"ratio_blobs\":%.3f}\n",
      runs, failed, took.count(), count / took.count(), steps * count / took.count(), latencies[latencies.size() / 2],
      latencies[latencies.size() * 99 / 100], cpu / count * 1e6, static_cast<double>(written) / count,
      static_cast<double>(stored) / count, count / rows, rows / took.count(), count / blobs, blobs / took.count());
}
