// bench_chain RUNS FOLDER: W2. Starts RUNS runs of ten sequential data steps at once through the runtime, waits until
// all have ended durably, and prints one JSON line; then inserts the same bytes into a bare SQLite file in groups, and
// prints that.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <sqlite3.h>
#include <sys/resource.h>

#include "json/parse.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

namespace {

using namespace flowmend;
using Clock = std::chrono::steady_clock;

constexpr int steps = 10;
constexpr std::size_t group_rows = 1000;

double cpu_seconds() {
  struct rusage used {};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::uint64_t bytes_written() {
  std::ifstream file("/proc/self/io");
  std::string key;
  std::uint64_t value = 0;
  while (file >> key >> value) {
    if (key == "write_bytes:") return value;
  }
  return 0;
}

class PlainSealer final : public engine::Sealer {
 public:
  std::string seal(std::string_view plain) const override { return "s" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) const override {
    return {boost::system::in_place_value, sealed.substr(1)};
  }
};

class NoEffects final : public runtime::Effects {
 public:
  void send(const runtime::CallId&, const engine::Call&, const runtime::CallContext&,
            std::function<void(engine::AttemptFinished)>) override {
    std::abort();  // the flow sends nothing
  }
  void cancel(const runtime::CallId&) override {}
};

class Ends final : public runtime::RunListener {
 public:
  void run_started(const store::RunRow&) override {}
  void run_ended(const store::RunRow& run) override {
    const std::lock_guard hold(mutex_);
    ended_[run.client_tracking_id] = Clock::now();
    failed_ += run.status == store::RunStatus::succeeded ? 0 : 1;
    changed_.notify_one();
  }
  void wait(std::size_t count) {
    std::unique_lock hold(mutex_);
    changed_.wait(hold, [&] { return ended_.size() >= count; });
  }
  const std::unordered_map<std::string, Clock::time_point>& ended() const { return ended_; }
  std::size_t failed() const { return failed_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, Clock::time_point> ended_;
  std::size_t failed_ = 0;
};

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

double raw_inserts(const std::string& path, std::size_t rows, std::size_t row_bytes) {
  sqlite3* database = nullptr;
  sqlite3_stmt* insert = nullptr;
  const auto run = [&](const char* sql) {
    if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
  };
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) std::abort();
  run("PRAGMA page_size=8192");
  run("PRAGMA journal_mode=WAL");
  run("PRAGMA synchronous=FULL");
  run("CREATE TABLE rows (key INTEGER PRIMARY KEY, record BLOB)");
  sqlite3_prepare_v2(database, "INSERT INTO rows VALUES (?,?)", -1, &insert, nullptr);
  const std::string record(row_bytes, 'x');
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < rows; ++i) {
    if (i % group_rows == 0) run("BEGIN");
    sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(i));
    sqlite3_bind_blob(insert, 2, record.data(), static_cast<int>(record.size()), SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) std::abort();
    sqlite3_reset(insert);
    if (i % group_rows == group_rows - 1 || i + 1 == rows) run("COMMIT");
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  sqlite3_finalize(insert);
  sqlite3_close(database);
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
  store::sqlite::Options options;
  options.folder = folder + "/data";
  auto store = store::sqlite::open(options).value();
  PlainSealer sealer;
  NoEffects effects;
  Ends ends;
  auto runtime = runtime::Runtime::start({*store, effects, sealer, runtime::make_thread_executor()}, {}).value();
  runtime->add_listener(ends);
  runtime::FlowDraft draft;
  draft.display_name = "W2";
  draft.definition = json::parse(ten_steps()).value();
  const auto saved = runtime->flows().create(draft, "bench").value();
  if (!saved.flow) {
    std::fprintf(stderr, "%s\n", saved.diagnostics.at(0).message.c_str());
    return 1;
  }
  const auto address = runtime->callback_address(saved.flow->id, "manual", runtime::KeyType::primary, {}).value();
  const auto path = address.value.find('/', 8);
  const auto query = address.value.find('?');

  std::vector<Clock::time_point> starts(runs);
  const auto cpu_before = cpu_seconds();
  const auto bytes_before = bytes_written();
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < runs; ++i) {
    trigger::CallbackRequest request{
        "POST",
        address.value.substr(path, query - path),
        address.value.substr(query + 1),
        {{"Content-Type", "application/json"}, {"x-ms-client-tracking-id", std::to_string(i)}},
        "{\"n\":1}"};
    starts[i] = Clock::now();
    runtime->invoke(std::move(request), [](const runtime::Answer& answer) {
      if (answer.status_code != 202) {
        std::fprintf(stderr, "%d %s\n", answer.status_code, answer.body.c_str());
        std::exit(1);
      }
    });
  }
  ends.wait(runs);
  const std::chrono::duration<double> took = Clock::now() - begin;
  const auto cpu = cpu_seconds() - cpu_before;
  const auto written = bytes_written() - bytes_before;
  runtime.reset();
  store.reset();  // checkpoints: the file has everything
  std::vector<double> latencies;
  for (const auto& [id, end] : ends.ended()) {
    latencies.push_back(std::chrono::duration<double, std::milli>(end - starts[std::stoul(id)]).count());
  }
  std::sort(latencies.begin(), latencies.end());
  const auto stored = std::filesystem::file_size(folder + "/data/flowmend.db");
  const auto count = static_cast<double>(runs);
  const auto raw = raw_inserts(folder + "/raw.db", runs, stored / runs);
  std::printf(
      "{\"runs\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"runs_per_s\":%.0f,\"steps_per_s\":%.0f,\"p50_ms\":%.2f,\"p99_"
      "ms\":%.2f,"
      "\"cpu_us_per_run\":%.1f,\"bytes_written_per_run\":%.0f,\"bytes_stored_per_run\":%.0f,"
      "\"raw_rows_per_s\":%.0f,\"ratio\":%.3f}\n",
      runs, ends.failed(), took.count(), count / took.count(), steps * count / took.count(),
      latencies[latencies.size() / 2], latencies[latencies.size() * 99 / 100], cpu / count * 1e6,
      static_cast<double>(written) / count, static_cast<double>(stored) / count, count / raw, raw / took.count());
}
