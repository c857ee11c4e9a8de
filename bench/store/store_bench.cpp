// W4 and W6 beside each other: what many stored runs cost.
//
// bench_store fill FOLDER RUNS SLEEPING DAYS   makes a data folder with RUNS runs that are over and began DAYS days ago
//                                              (five flows, every tenth of them failed, 1.4 kB of history each) and
//                                              SLEEPING runs that wait in a Delay
// bench_store list FOLDER                      listing the 20 latest failed runs, of one flow and of all: one JSON line

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "harness.h"

namespace {

using namespace flowmend;
using bench::Clock;

constexpr store::RunNumber first_filled = 1'000'000;  ///< behind the sleeping runs' numbers
constexpr const char* sleeper = R"json({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},
  "actions":{"Sleep":{"type":"Wait","inputs":{"interval":{"count":30,"unit":"Day"}},"runAfter":{}},
             "After":{"type":"Compose","inputs":"@triggerBody()","runAfter":{"Sleep":["Succeeded"]}}}})json";

int fill(const std::string& folder, std::int64_t runs, std::size_t sleeping, std::int64_t days) {
  bench::Bench driver(folder, sleeper);
  for (std::size_t i = 0; i < sleeping; ++i) {
    driver.start(std::to_string(i), "{\"n\":1}");
    if (i % 1000 == 999) {
      while (driver.counts().started + 1000 < i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  while (driver.counts().started < sleeping) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (sleeping > 0) std::this_thread::sleep_for(std::chrono::seconds(1));  // their commits

  Random random(7);
  std::string record(1400, '\0');
  std::atomic<std::int64_t> durable{0};
  const auto start = now_from_system_clock() - Duration::days(days);
  for (std::int64_t i = 0; i < runs; ++i) {
    store::Batch batch;
    store::RunRow row;
    row.number = first_filled + i;
    row.started = start + Duration::milliseconds(i);
    row.name = make_run_name(row.started, random.next());
    row.flow = "flow-" + std::to_string(i % 5);
    row.version = "08584000000000000000";
    row.status = i % 10 == 3 ? store::RunStatus::failed : store::RunStatus::succeeded;
    row.ended = row.started + Duration::milliseconds(2);
    row.trigger = "manual";
    row.code = "OK";
    row.client_tracking_id = row.name;
    if (row.status == store::RunStatus::failed) {
      row.error_code = "ActionFailed";
      row.error_message = "An action failed. No dependent actions succeeded.";
      row.failed_action = "Get_order";
    }
    for (std::size_t at = 0; at + 8 <= record.size(); at += 8) {
      const auto word = random.next();
      std::memcpy(&record[at], &word, 8);
    }
    batch.journal.push_back({row.number, 0, record});
    batch.runs.push_back(std::move(row));
    driver.store().commit(std::move(batch), [&] { ++durable; });
    while (i - durable > 5000) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  while (durable < runs) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return 0;
}

std::pair<double, double> time_of(const store::Store& store, const store::RunQuery& query) {
  constexpr int rounds = 2000;
  std::vector<double> milliseconds;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = Clock::now();
    if (store.runs(query)->size() != query.limit) std::exit(1);
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  return {milliseconds[rounds / 2], milliseconds[rounds * 99 / 100]};
}

int list(const std::string& folder) {
  store::sqlite::Options options;
  options.folder = folder + "/data";
  const auto store = store::sqlite::open(options).value();
  store::RunQuery query;
  query.status = store::RunStatus::failed;
  query.limit = 20;
  const auto all = time_of(*store, query);
  query.flow = "flow-3";
  const auto one = time_of(*store, query);
  std::printf("{\"all_p50_ms\":%.4f,\"all_p99_ms\":%.4f,\"one_p50_ms\":%.4f,\"one_p99_ms\":%.4f}\n", all.first,
              all.second, one.first, one.second);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "fill" && argc == 6)
    return fill(argv[2], std::atoll(argv[3]), static_cast<std::size_t>(std::atoll(argv[4])), std::atoll(argv[5]));
  if (command == "list" && argc == 3) return list(argv[2]);
  std::fprintf(stderr, "usage: bench_store fill FOLDER RUNS SLEEPING DAYS | list FOLDER\n");
  return 2;
}
