#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "clock.h"
#include "dice.h"
#include "runtime/executor.h"

namespace flowmend::simulation {

/// The shard's thread as a queue that the world works off one task at a time. Belongs to one life of the process.
class SimulatedExecutor final : public runtime::Executor {
 public:
  /// `work_until` drives the world while the caller of the runtime waits. It may throw: the process died meanwhile.
  SimulatedExecutor(const Clock& clock, std::uint64_t seed,
                    std::function<void(const std::function<bool()>&)> work_until)
      : clock_(clock), dice_(seed), work_until_(std::move(work_until)) {}

  void post(std::function<void()> task) override {
    if (!stopped_) tasks_.push_back(std::move(task));
  }
  void post_at(Timestamp due, std::function<void()> task) override {
    if (!stopped_) timed_.emplace(due, std::move(task));
  }
  void stop() override {
    stopped_ = true;
    tasks_.clear();
    timed_.clear();
  }
  void before_waiting(const std::function<bool()>& ready) override {
    if (!dead_) return work_until_(ready);
    while (!ready() && !tasks_.empty()) run_one();  // only what ends the runtime is left
  }
  Timestamp now() override { return clock_.wall(); }
  std::uint64_t random() override { return dice_.next(); }
  std::string secret(std::size_t bytes) override {
    std::string secret;
    while (secret.size() < bytes) secret.push_back(static_cast<char>(dice_.below(256)));
    return secret;
  }

  bool has_work() const { return !tasks_.empty() || (!timed_.empty() && timed_.begin()->first <= clock_.wall()); }
  void run_one() {
    while (!timed_.empty() && timed_.begin()->first <= clock_.wall()) {
      tasks_.push_back(std::move(timed_.begin()->second));
      timed_.erase(timed_.begin());
    }
    if (tasks_.empty()) return;
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
  std::optional<Timestamp> next_due() const {
    if (timed_.empty()) return std::nullopt;
    return timed_.begin()->first;
  }
  /// The process dies: what is queued never runs.
  void die() {
    dead_ = true;
    tasks_.clear();
    timed_.clear();
  }

 private:
  const Clock& clock_;
  Dice dice_;
  std::function<void(const std::function<bool()>&)> work_until_;
  std::deque<std::function<void()>> tasks_;
  std::multimap<Timestamp, std::function<void()>> timed_;
  bool stopped_ = false;
  bool dead_ = false;
};

}  // namespace flowmend::simulation
