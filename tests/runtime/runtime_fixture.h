#pragma once

// The runtime over the real engine and a real SQLite file, with a world of its own: requests go to a fake that the test
// answers, and the process is "killed" by dropping the runtime between two steps.

#include "json/write.h"
#include "runtime/runtime.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "json/parse.h"
#include "store/sqlite/open.h"

namespace flowmend::runtime {

class PlainSealer final : public engine::Sealer {
 public:
  std::string seal(std::string_view plain) const override { return "s" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) const override {
    return {boost::system::in_place_value, sealed.substr(1)};
  }
};

/// Keeps what is sent until the test answers it.
class Peer final : public Effects {
 public:
  void send(const CallId& id, const engine::Call& call, const CallContext&,
            std::function<void(engine::AttemptFinished)> done) override {
    const std::lock_guard hold(mutex_);
    keys_.push_back(call.idempotency_key);
    calls_.push_back(call);
    open_.push_back({id, std::move(done)});
    changed_.notify_all();
  }
  void cancel(const CallId& id) override {
    const std::lock_guard hold(mutex_);
    cancelled_.push_back(id);
    changed_.notify_all();
  }
  /// Waits for the next request and answers it.
  void answer(std::int32_t status, const char* headers = "{}", const char* body = nullptr) {
    std::unique_lock hold(mutex_);
    ASSERT_TRUE(changed_.wait_for(hold, std::chrono::seconds(10), [&] { return !open_.empty(); }));
    auto call = std::move(open_.front());
    open_.erase(open_.begin());
    hold.unlock();
    engine::AttemptFinished finished;
    finished.place = call.id.place;
    finished.attempt = call.id.attempt;
    finished.status_code = status;
    finished.headers = *json::parse(headers);
    finished.target = target;
    if (body != nullptr) {
      finished.body = *json::parse(body);
      finished.has_body = true;
    }
    call.done(finished);
  }
  bool wait_for_requests(std::size_t count) {
    std::unique_lock hold(mutex_);
    return changed_.wait_for(hold, std::chrono::seconds(10), [&] { return keys_.size() >= count; });
  }
  std::vector<std::string> keys() {
    const std::lock_guard hold(mutex_);
    return keys_;
  }
  std::vector<engine::Call> calls() {
    const std::lock_guard hold(mutex_);
    return calls_;
  }
  std::string target;  ///< whom the requests are said to have been sent to
  std::size_t cancelled() {
    const std::lock_guard hold(mutex_);
    return cancelled_.size();
  }

 private:
  struct Open {
    CallId id;
    std::function<void(engine::AttemptFinished)> done;
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> keys_;
  std::vector<engine::Call> calls_;
  std::vector<Open> open_;
  std::vector<CallId> cancelled_;
};

class RuntimeTest : public testing::Test, public RunListener {
 protected:
  template <class Condition>
  static bool wait_until(Condition condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  RuntimeTest() {
    char name[] = "/tmp/flowmend-runtime-XXXXXX";
    folder_ = mkdtemp(name);
    start();
  }
  ~RuntimeTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    store::sqlite::Options options;
    options.folder = folder_;
    store_ = store::sqlite::open(options).value();
    peer_ = std::make_unique<Peer>();
    runtime_ = Runtime::start({*store_, *peer_, sealer_, make_thread_executor()}, settings_).value();
    runtime_->add_listener(*this);
  }
  void stop() {
    runtime_.reset();
    store_.reset();
    peer_.reset();
  }
  void restart() {
    stop();
    start();
  }

  void run_started(const store::RunRow&) override {}
  void run_ended(const store::RunRow& run) override {
    const std::lock_guard hold(mutex_);
    ended_[run.name] = run;
    ++ends_[run.name];
    changed_.notify_all();
  }
  /// The run's row once it has ended.
  store::RunRow wait_for_end(const std::string& run) {
    std::unique_lock hold(mutex_);
    if (!changed_.wait_for(hold, std::chrono::seconds(15), [&] { return ended_.count(run) != 0; })) {
      ADD_FAILURE() << "run " << run << " does not end";
      return {};
    }
    return ended_[run];
  }

  void update(const std::string& flow, const std::string& definition) {
    FlowDraft draft;
    draft.display_name = "test";
    draft.definition = *json::parse(definition);
    const auto saved = runtime_->flows().update(flow, draft, "ann");
    ASSERT_TRUE(saved && saved->flow) << (saved ? saved->diagnostics.at(0).message : saved.error().message);
  }
  /// Waits until the flow has so many entries in its trigger's history; gives them, newest first.
  std::vector<store::TriggerHistoryRow> wait_for_checks(const std::string& flow, std::size_t count) {
    for (int i = 0; i < 1500; ++i) {
      auto rows = store_->trigger_histories(flow, "", "", 50);
      if (rows && rows->size() >= count) return *rows;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "no " << count << " checks";
    return {};
  }

  std::string save(const char* definition, store::FlowState state = store::FlowState::started) {
    FlowDraft draft;
    draft.display_name = "test";
    draft.definition = *json::parse(definition);
    draft.state = state;
    const auto saved = runtime_->flows().create(draft, "ann");
    if (!saved || !saved->flow) {
      ADD_FAILURE() << (saved ? saved->diagnostics.at(0).message : saved.error().message);
      return {};
    }
    return saved->flow->id;
  }
  Answer call(const std::string& flow, std::string body = "{}", const char* type = "application/json") {
    const auto address = runtime_->callback_address(flow, "manual", KeyType::primary, {});
    if (!address) {
      ADD_FAILURE() << address.error().message;
      return {};
    }
    return call_url(address->value, std::move(body), type).get();
  }
  std::future<Answer> call_url(const std::string& url, std::string body, const char* type = "application/json",
                               const char* method = "POST") {
    trigger::CallbackRequest request;
    request.method = method;
    const auto path = url.find('/', 8);
    const auto query = url.find('?');
    request.path = url.substr(path, query - path);
    request.query = query == std::string::npos ? "" : url.substr(query + 1);
    request.headers = {{"Content-Type", type}};
    request.body = std::move(body);
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    runtime_->invoke(std::move(request), [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return future;
  }
  static std::string header(const Answer& answer, std::string_view name) {
    return std::string(trigger::header(answer.headers, name));
  }

  Settings settings_;
  std::string folder_;
  PlainSealer sealer_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Peer> peer_;
  std::unique_ptr<Runtime> runtime_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, store::RunRow> ended_;
  std::map<std::string, int> ends_;
};

}  // namespace flowmend::runtime
