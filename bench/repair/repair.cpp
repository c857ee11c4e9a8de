// Repair at scale: 10,000 failed runs of ten steps are folded into one incident, an edited definition is tried on 1,000
// of them, and one job repeats them all. The outside world answers at once.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "connector/master_key.h"
#include "connector/sealer.h"
#include "json/parse.h"
#include "repair/bulk.h"
#include "repair/incidents.h"
#include "repair/trials.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

namespace {

using namespace flowmend;

/// Answers from a thread of its own; /last as `status` says.
class World final : public runtime::Effects {
 public:
  World() : thread_([this] { work(); }) {}
  ~World() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  void send(const runtime::CallId&, const engine::Call& call, const runtime::CallContext&,
            std::function<void(engine::AttemptFinished)> done) override {
    engine::AttemptFinished reply;
    reply.place = call.place;
    reply.attempt = call.attempt;
    reply.started = reply.ended = now_from_system_clock();
    reply.status_code = call.inputs.text_of("uri").ends_with("/last") ? status.load() : 200;
    reply.headers = Value::empty_object();
    {
      const std::lock_guard lock(mutex_);
      tasks_.emplace_back([reply, done = std::move(done)] { done(reply); });
    }
    wake_.notify_one();
  }
  void cancel(const runtime::CallId&) override {}
  std::atomic<int> status{500};

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Two requests and eight data steps, in a row; the last request fails.
std::string definition_with(const std::string& last) {
  std::string actions;
  std::string before;
  for (int i = 0; i < 10; ++i) {
    const std::string name = "S" + std::to_string(i);
    const bool request = i == 0 || i == 9;
    actions +=
        (i == 0 ? "" : ",") + ("\"" + name + "\":{\"runAfter\":") +
        (before.empty() ? "{}" : "{\"" + before + "\":[\"Succeeded\"]}") +
        (request ? R"j(,"type":"Http","inputs":{"method":"POST","uri":"https://peer.test/)j" +
                       std::string(i == 0 ? "first" : last) +
                       R"j(","body":"@triggerBody()","retryPolicy":{"type":"none"}}})j"
                 : R"j(,"type":"Compose","inputs":{"n":"@triggerBody()?['n']","i":)j" + std::to_string(i) + "}}");
    before = name;
  }
  return R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{)j" + actions +
         "}}";
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 10'000;
  char name[] = "/tmp/flowmend-bench-XXXXXX";
  const std::string folder = mkdtemp(name);
  {
    World world;
    auto store = store::sqlite::open({folder}).value();
    auto sealer = connector::open_master_key(folder + "/master.key").value();
    http::Client client;
    connector::Registry registry(*store);
    connector::Connections connections(*store, *sealer, registry, client);
    auto runtime = runtime::Runtime::start({*store, world, *sealer, runtime::make_thread_executor()}, {}).value();
    repair::Incidents incidents({*store, *sealer, runtime->flows(), connections, {}, {}});
    static_cast<void>(incidents.start());
    runtime->add_listener(incidents);
    const repair::search::RunSearch search({*store, *sealer, runtime->flows()});
    repair::Bulk bulk({*store, *sealer, *runtime, registry, incidents, search, {}});
    runtime->add_listener(bulk);
    static_cast<void>(bulk.start());
    runtime::FlowDraft draft;
    draft.display_name = "bench";
    draft.definition = *json::parse(definition_with("last"));
    const auto flow = runtime->flows().create(draft, "bench")->flow->id;

    std::vector<std::thread> callers;
    const double failing = seconds_of([&] {
      constexpr int callers_count = 16;
      for (int caller = 0; caller < callers_count; ++caller) {
        callers.emplace_back([&, caller] {
          for (int i = caller; i < count; i += callers_count)
            static_cast<void>(runtime->run_trigger(flow, "manual", Value::object({{"n", Value(i)}}), "bench"));
        });
      }
      for (auto& caller : callers) caller.join();
      while (runtime->counts().active_runs > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    const double folding = seconds_of([&] { incidents.drain(); });
    std::printf("%d failed runs of ten steps: %.2f s; folded into %zu incident %.2f s after the last\n", count, failing,
                incidents.list({}).size(), folding);

    const repair::Trials trials({*store, *sealer, runtime->flows(), registry, incidents});
    repair::Trials::Request request;
    request.flow = flow;
    request.failed_max = 1000;
    request.definition = *json::parse(definition_with("better"));
    std::string text;
    const double trial = seconds_of([&] { text = trials.run(request)->text_of("text"); });
    std::printf("trial on 1,000 of them: %.3f s (limit 2 s): %s\n", trial, text.c_str());

    world.status = 200;
    repair::Bulk::Options options;
    options.rate_per_second = 10'000;
    Value plan;
    const double planning = seconds_of([&] { plan = *bulk.plan({incidents.list({})[0].id, {}}, options, "bench"); });
    const std::string job(plan.text_of("id"));
    const double repeating = seconds_of([&] {
      static_cast<void>(bulk.execute(job, plan.text_of("version"), "bench"));
      while (bulk.find(job)->text_of("state") == "running") std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    const Value done = *bulk.find(job);
    std::printf("plan %.2f s; job %s: %lld repeated, %lld went well, in %.2f s (limit 30 s for 10,000)\n", planning,
                std::string(done.text_of("state")).c_str(), static_cast<long long>(done.find("started")->as_integer()),
                static_cast<long long>(done.find("succeeded")->as_integer()), repeating);
    runtime->stop();
  }
  std::filesystem::remove_all(folder);
  return 0;
}
