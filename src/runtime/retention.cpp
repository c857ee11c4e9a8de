#include "runtime/retention.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace flowmend::runtime {

Retention::Retention(store::Store& store, std::shared_ptr<Executor> executor, RetentionSettings settings)
    : store_(store), executor_(std::move(executor)), settings_(settings) {}

Retention::~Retention() { executor_->stop(); }

void Retention::start() {
  if (settings_.keep <= Duration{}) return;
  executor_->post([this] { sweep(0, executor_->now() - settings_.keep); });
}

void Retention::later(Duration wait, std::function<void()> task) {
  executor_->post_at(executor_->now() + wait, std::move(task));
}

void Retention::sweep(store::RunNumber after, Timestamp before) {
  const auto began = executor_->now();
  const auto old = store_.ended_runs(after, before, settings_.slice);
  if (!old) {
    spdlog::warn("old runs can't be listed: {}", old.error().message);
    return later(settings_.every, [this] { sweep(0, executor_->now() - settings_.keep); });
  }
  if (!old->empty()) {
    const auto removed = store_.write([&](store::Transaction& change) -> Result<void> {
      change.erase_runs(*old);
      return {};
    });
    // A full disk is told by the store; the runs are removed by a later sweep.
    if (removed) after = old->back();
  }
  if (old->size() < settings_.slice) return sweep_checks(before);
  const auto took = std::max(executor_->now() - began, Duration::milliseconds(1));
  later(Duration{took.ticks * settings_.rest}, [this, after, before] { sweep(after, before); });
}

void Retention::sweep_checks(Timestamp before) {
  const auto began = executor_->now();
  std::size_t removed = 0;
  const auto done = store_.write([&](store::Transaction& change) -> Result<void> {
    removed = change.erase_trigger_histories(before, settings_.slice);
    return {};
  });
  if (done && removed == settings_.slice) {
    const auto took = std::max(executor_->now() - began, Duration::milliseconds(1));
    return later(Duration{took.ticks * settings_.rest}, [this, before] { sweep_checks(before); });
  }
  later(settings_.every, [this] { sweep(0, executor_->now() - settings_.keep); });
}

}  // namespace flowmend::runtime
