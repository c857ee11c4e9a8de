// The one file of this room that knows threads, clocks and random devices.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include <sys/random.h>

#include "base/ids.h"
#include "base/thread_name.h"
#include "runtime/executor.h"

namespace flowmend::runtime {

namespace {

void fill_random(void* bytes, std::size_t size) {
  auto* next = static_cast<char*>(bytes);
  while (size > 0) {
    const auto got = getrandom(next, size, 0);
    if (got <= 0) continue;  // interrupted: ask again
    next += got;
    size -= static_cast<std::size_t>(got);
  }
}

class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor() {
    std::uint64_t seed = 0;
    fill_random(&seed, sizeof seed);
    draws_ = seed;
    thread_ = std::thread([this] { work(); });
  }

  ~ThreadExecutor() override { stop(); }

  void stop() override {
    {
      const std::lock_guard hold(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    // Whoever waits for a dropped task learns it from the task's end: a promise that it held is broken now, not later.
    std::vector<std::function<void()>> dropped;
    std::priority_queue<Timed> dropped_timed;
    {
      const std::lock_guard hold(mutex_);
      dropped.swap(tasks_);
      dropped_timed.swap(timed_);
    }
  }

  void post(std::function<void()> task) override {
    bool sleeps = false;
    {
      const std::lock_guard hold(mutex_);
      if (stopping_) return;
      tasks_.push_back(std::move(task));
      sleeps = sleeps_;
    }
    if (sleeps) wake_.notify_one();
  }

  void post_at(Timestamp due, std::function<void()> task) override {
    {
      const std::lock_guard hold(mutex_);
      if (stopping_) return;
      timed_.push({due, timed_count_++, std::move(task)});
    }
    wake_.notify_one();
  }

  Timestamp now() override { return now_from_system_clock(); }

  std::uint64_t random() override {
    // splitmix64 over a shared counter: each caller gets a number of its own.
    return Random(draws_.fetch_add(0x9e3779b97f4a7c15ULL)).next();
  }

  std::string secret(std::size_t bytes) override {
    std::string secret(bytes, '\0');
    fill_random(secret.data(), secret.size());
    return secret;
  }

 private:
  struct Timed {
    Timestamp due;
    std::uint64_t order = 0;
    std::function<void()> task;
    bool operator<(const Timed& other) const {  // the earliest on top
      return due != other.due ? other.due < due : other.order < order;
    }
  };

  void work() {
    name_thread("fm-runs");
    std::vector<std::function<void()>> tasks;
    while (true) {
      {
        std::unique_lock hold(mutex_);
        while (true) {
          if (stopping_) return;
          if (!timed_.empty()) {
            const auto time = now();
            while (!timed_.empty() && timed_.top().due <= time) {
              tasks_.push_back(timed_.top().task);
              timed_.pop();
            }
          }
          if (!tasks_.empty()) break;
          sleeps_ = true;
          if (timed_.empty()) {
            wake_.wait(hold);
          } else {
            // At most a minute, so that a clock that was set is noticed.
            const auto wait = std::min(timed_.top().due - now(), Duration::minutes(1));
            wake_.wait_for(hold, std::chrono::nanoseconds(wait.ticks * 100 + 100'000));
          }
          sleeps_ = false;
        }
        tasks.swap(tasks_);
      }
      for (auto& task : tasks) {
        if (stopping_.load(std::memory_order_relaxed)) break;
        task();
      }
      tasks.clear();
    }
  }

  std::atomic<std::uint64_t> draws_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::function<void()>> tasks_;
  std::priority_queue<Timed> timed_;
  std::uint64_t timed_count_ = 0;
  bool sleeps_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace

std::shared_ptr<Executor> make_thread_executor() { return std::make_shared<ThreadExecutor>(); }

}  // namespace flowmend::runtime
