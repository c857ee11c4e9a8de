#include "driver.h"

#include <condition_variable>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include <unistd.h>

#include "json/parse.h"
#include "json/write.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

namespace flowmend::crash {

namespace {

constexpr const char* chain =
    R"wdl({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "First":{"type":"Http","inputs":{"method":"POST","uri":"https://witness.test/1","body":"@triggerBody()","retryPolicy":{"type":"none"}},"runAfter":{}},
  "Between":{"type":"Compose","inputs":1,"runAfter":{"First":["Succeeded"]}},
  "Second":{"type":"Http","inputs":{"method":"POST","uri":"https://witness.test/2","body":"@triggerBody()","retryPolicy":{"type":"none"}},"runAfter":{"Between":["Succeeded"]}}}})wdl";
constexpr const char* sleeper =
    R"wdl({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "First":{"type":"Http","inputs":{"method":"POST","uri":"https://witness.test/3","body":"@triggerBody()","retryPolicy":{"type":"none"}},"runAfter":{}},
  "Pause":{"type":"Wait","inputs":{"interval":{"count":1,"unit":"Second"}},"runAfter":{"First":["Succeeded"]}},
  "Second":{"type":"Http","inputs":{"method":"POST","uri":"https://witness.test/4","body":"@triggerBody()","retryPolicy":{"type":"none"}},"runAfter":{"Pause":["Succeeded"]}}}})wdl";

class PlainSealer final : public engine::Sealer {
 public:
  std::string seal(std::string_view plain) const override { return "s" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) const override {
    return {boost::system::in_place_value, sealed.substr(1)};
  }
};

/// Tells the witness of each request, then answers it from a thread of its own.
class Witnessed final : public runtime::Effects {
 public:
  explicit Witnessed(int witness) : witness_(witness), thread_([this] { answer(); }) {}
  ~Witnessed() override {
    {
      const std::lock_guard hold(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  void send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext&,
            std::function<void(engine::AttemptFinished)> done) override {
    const std::lock_guard hold(mutex_);
    calls_.push_back({id, call.idempotency_key + " " + json::write(call.inputs) + "\n", std::move(done)});
    wake_.notify_one();
  }
  void cancel(const runtime::CallId&) override {}

 private:
  struct Open {
    runtime::CallId id;
    std::string line;
    std::function<void(engine::AttemptFinished)> done;
  };
  void answer() {
    std::minstd_rand random(static_cast<unsigned>(getpid()));
    while (true) {
      std::unique_lock hold(mutex_);
      wake_.wait(hold, [&] { return stopping_ || !calls_.empty(); });
      if (stopping_) return;
      auto calls = std::move(calls_);
      calls_.clear();
      hold.unlock();
      // Lines are shorter than PIPE_BUF: each is written whole or not at all.
      for (const auto& call : calls) {
        if (write(witness_, call.line.data(), call.line.size()) < 0) _exit(3);
      }
      usleep(random() % 2000);
      for (auto& call : calls) {
        engine::AttemptFinished finished;
        finished.place = call.id.place;
        finished.attempt = call.id.attempt;
        finished.started = finished.ended = now_from_system_clock();
        finished.status_code = 200;
        finished.headers = Value::empty_object();
        call.done(std::move(finished));
      }
    }
  }

  const int witness_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Open> calls_;
  bool stopping_ = false;
  std::thread thread_;
};

void say(const std::string& line) {
  static std::mutex one_at_a_time;
  const std::lock_guard hold(one_at_a_time);
  const auto text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) _exit(4);
}

}  // namespace

int drive(const std::string& folder, int witness) {
  store::sqlite::Options options;
  options.folder = folder;
  auto store = store::sqlite::open(options);
  if (!store) {
    say("error " + store.error().code + " " + store.error().message);
    return 1;
  }
  PlainSealer sealer;
  Witnessed effects(witness);
  auto started = runtime::Runtime::start({**store, effects, sealer, runtime::make_thread_executor()}, {});
  if (!started) {
    say("error " + started.error().code + " " + started.error().message);
    return 1;
  }
  auto& runtime = **started;
  std::map<std::string, std::string> addresses;
  const auto known = (*store)->flows();
  for (const auto& flow : *known)
    addresses[flow.display_name] = runtime.callback_address(flow.id, "manual", runtime::KeyType::primary, {})->value;
  for (const auto& [name, definition] : {std::pair("chain", chain), std::pair("sleeper", sleeper)}) {
    if (addresses.count(name) != 0) continue;
    runtime::FlowDraft draft;
    draft.display_name = name;
    draft.definition = *json::parse(definition);
    const auto saved = runtime.flows().create(draft, "crash test");
    if (!saved || !saved->flow) {
      say("error " + (saved ? saved->diagnostics.at(0).message : saved.error().message));
      return 1;
    }
    addresses[name] = runtime.callback_address(saved->flow->id, "manual", runtime::KeyType::primary, {})->value;
  }
  say("ready");
  std::string word;
  while (std::cin >> word) {
    if (word == "drain") {
      while (true) {
        const auto counts = runtime.counts();
        const auto open = (*store)->runs_to_resume(0, 1);
        const auto timers = (*store)->timers(Timestamp{Timestamp::max_ticks}, 1);
        if (counts.active_runs == 0 && open->empty() && timers->empty()) break;
        usleep(20'000);
      }
      say("idle");
      continue;
    }
    std::string flow;
    std::string id;
    std::cin >> flow >> id;
    const auto& url = addresses.at(flow);
    trigger::CallbackRequest request;
    request.method = "POST";
    const auto path = url.find('/', 8);
    const auto query = url.find('?');
    request.path = url.substr(path, query - path);
    request.query = url.substr(query + 1);
    request.headers = {{"Content-Type", "application/json"}};
    request.body = "{\"id\":" + id + "}";
    runtime.invoke(std::move(request), [id](runtime::Answer answer) {
      say(answer.status_code == 202 ? "accepted " + id
                                    : "refused " + id + " " + std::to_string(answer.status_code) + " " + answer.body);
    });
  }
  return 0;
}

}  // namespace flowmend::crash
