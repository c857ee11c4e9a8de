// Finds runs among a million by values that they recorded, and measures what the index costs while runs are carried
// out.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "connector/master_key.h"
#include "connector/sealer.h"
#include "json/parse.h"
#include "repair/search/search.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

using namespace flowmend;

namespace {

class Nothing final : public runtime::Effects {
 public:
  void send(const runtime::CallId&, const engine::Call&, const runtime::CallContext&,
            std::function<void(engine::AttemptFinished)>) override {}
  void cancel(const runtime::CallId&) override {}
};

constexpr const char* order_flow =
    R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Order":{"type":"Compose","inputs":{"id":"@triggerBody()?['id']","customer":"@triggerBody()?['customer']","total":"@mul(triggerBody()?['lines'], 12.5)"}},
  "Check":{"type":"If","expression":{"greater":["@triggerBody()?['lines']",5]},"actions":{"Large":{"type":"Compose","inputs":"large order"}},
    "else":{"actions":{"Small":{"type":"Compose","inputs":"small order"}}},"runAfter":{"Order":["Succeeded"]}},
  "Answer":{"type":"Response","kind":"Http","inputs":{"statusCode":200,"body":{"accepted":"@outputs('Order')?['id']"}},"runAfter":{"Check":["Succeeded"]}}}})j";

Value order(int i) {
  return Value::object({{"id", Value("SO-" + std::to_string(4'000'000 + i))},
                        {"customer", Value("customer" + std::to_string(i % 5000))},
                        {"lines", Value(i % 10)}});
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Runs a second for `count` runs by 16 callers.
double rate(runtime::Runtime& runtime, const std::string& flow, int from, int count) {
  const double took = seconds_of([&] {
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 16; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = caller; i < count; i += 16)
          static_cast<void>(runtime.run_trigger(flow, "manual", order(from + i), "bench"));
      });
    }
    for (auto& caller : callers) caller.join();
    while (runtime.counts().active_runs > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  return count / took;
}

/// Copies of a run that was carried out, each with an order of its own, straight into the store.
void copy_runs(store::Store& store, const engine::Sealer& sealer, const store::RunRow& model, int from, int count) {
  const auto events = runtime::read_events(store, sealer, model.number);
  const std::string old_id = "SO-4000000";
  const std::function<Value(const Value&, const std::string&)> changed = [&](const Value& value,
                                                                             const std::string& id) -> Value {
    if (value.is_string()) return value.as_string() == old_id ? Value(id) : value;
    if (value.is_array()) {
      json::ArrayBuilder out;
      for (const Value& one : value.as_array()) out.push(changed(one, id));
      return out.finish();
    }
    if (!value.is_object()) return value;
    json::ObjectBuilder out;
    for (const json::Member& member : value.as_object()) out.add(member.key, changed(member.value, id));
    return out.finish();
  };
  store::RunNumber number = (*store.last_run())->number;
  store::Batch batch;
  for (int i = 0; i < count; ++i) {
    const std::string id = "SO-" + std::to_string(4'000'000 + from + i);
    store::RunRow row = model;
    row.number = ++number;
    row.started = model.started + Duration::milliseconds(i + 1);
    row.name = make_run_name(row.started, static_cast<std::uint64_t>(i));
    engine::Events copy = *events;
    for (auto& event : copy) {
      if (auto* started = std::get_if<engine::RunStarted>(&event)) {
        started->run = row.name;
        started->trigger = changed(started->trigger, id);
      } else if (auto* ended = std::get_if<engine::ActionEnded>(&event)) {
        ended->inputs = changed(ended->inputs, id);
        ended->outputs = changed(ended->outputs, id);
      }
    }
    batch.journal.push_back({row.number, 0, engine::encode(copy, sealer)});
    batch.runs.push_back(std::move(row));
    if (batch.runs.size() == 1000 || i + 1 == count) {
      store.commit(std::move(batch), [] {});
      batch = {};
      if (i % 20'000 == 0) static_cast<void>(store.write([](store::Transaction&) -> Result<void> { return {}; }));
    }
  }
  static_cast<void>(store.write([](store::Transaction&) -> Result<void> { return {}; }));
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int count = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  const int busy = std::min(count, 40'000);
  char name[] = "/tmp/flowmend-bench-XXXXXX";
  const std::string folder = mkdtemp(name);
  {
    Nothing nothing;
    auto store = store::sqlite::open({folder}).value();
    auto sealer = connector::open_master_key(folder + "/master.key").value();
    auto runtime = runtime::Runtime::start({*store, nothing, *sealer, runtime::make_thread_executor()}, {}).value();
    runtime::FlowDraft draft;
    draft.display_name = "bench";
    draft.definition = *json::parse(order_flow);
    const auto flow = runtime->flows().create(draft, "bench")->flow->id;
    rate(*runtime, flow, 0, 1);
    const store::RunRow model = **store->last_run();
    rate(*runtime, flow, 10'000'000, busy / 4);

    // In turns, each first as often as the other: what else the machine does touches both alike.
    std::vector<double> without;
    std::vector<double> with;
    for (int round = 0; round < 6; ++round) {
      for (const bool indexing : {round % 2 == 0, round % 2 != 0}) {
        std::optional<repair::search::RunSearch> search;
        if (indexing) search.emplace(repair::search::RunSearch::Parts{*store, *sealer, runtime->flows()});
        const double now = rate(*runtime, flow, 11'000'000 + round * busy, busy);
        std::printf("  %s: %.0f runs/s\n", indexing ? "while the index is made" : "without", now);
        (indexing ? with : without).push_back(now);
      }
    }
    for (auto* rates : {&without, &with}) std::sort(rates->begin(), rates->end());
    const auto cost = [&](const char* which, double plain, double indexed) {
      std::printf(
          "runs carried out, %s of 6: %.0f/s without the index, %.0f/s while it is made: %.1f %% (limit 10 %%)\n",
          which, plain, indexed, 100 * (1 - indexed / plain));
    };
    cost("the median", (without[2] + without[3]) / 2, (with[2] + with[3]) / 2);
    cost("the best", without.back(), with.back());

    copy_runs(*store, *sealer, model, 1, count);
    repair::search::RunSearch search({*store, *sealer, runtime->flows()});
    const double indexing = seconds_of([&] { search.index_now(); });
    const auto progress = search.progress();
    std::printf("%d runs more; indexed in %.1f s (%zu ranges, %zu read themselves)\n", count, indexing,
                progress.indexed_ranges, progress.waiting_ranges);
    const auto ask = [&](const char* what, const std::string& value) {
      repair::search::RunSearch::Request request;
      request.value = value;
      double worst = 0;
      std::size_t hits = 0;
      for (int i = 0; i < 5; ++i)
        worst = std::max(worst, seconds_of([&] { hits = search.find(request)->hits.size(); }));
      std::printf("  %-34s %zu on the first page, %.3f s at worst of 5 (limit 1 s)\n", what, hits, worst);
    };
    ask("the oldest of all", "SO-4000001");
    ask("one in the middle", "SO-" + std::to_string(4'000'000 + count / 2));
    ask("the newest", "SO-" + std::to_string(4'000'000 + count));
    ask("in every run", "small order");
    ask("nowhere", "SO-9999999");
    ask("two words, never together", "SO-4000001 customer7");
    runtime->stop();
  }
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) bytes += file.file_size();
  std::printf("the data folder holds %.0f MB\n", static_cast<double>(bytes) / 1e6);
  std::filesystem::remove_all(folder);
  return 0;
}
