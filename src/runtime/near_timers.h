#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "engine/event.h"
#include "store/rows.h"

namespace flowmend::runtime {

/// One timer of one run.
struct TimerKey {
  engine::Place place;
  engine::TimerKind kind = engine::TimerKind::wait;
  friend bool operator<(const TimerKey& a, const TimerKey& b) {
    return std::tuple(a.place.action, a.place.frame, a.kind) < std::tuple(b.place.action, b.place.frame, b.kind);
  }
  friend bool operator==(const TimerKey&, const TimerKey&) = default;
};

struct DueTimer {
  Timestamp due;
  store::RunNumber run = 0;
  TimerKey key;
  friend bool operator<(const DueTimer& a, const DueTimer& b) {
    return std::tie(a.due, a.run, a.key) < std::tie(b.due, b.run, b.key);
  }
};

/// The timers due before `window_end`, in order. All others are rows only: a million sleeping runs cost no memory.
class NearTimers {
 public:
  void set_window(Timestamp end) { window_end_ = end; }
  Timestamp window_end() const { return window_end_; }

  /// Keeps the timer when it is near.
  void add(const DueTimer& timer) {
    if (timer.due < window_end_) timers_.insert(timer);
  }
  void remove(const DueTimer& timer) { timers_.erase(timer); }
  /// Takes out the earliest timer if it is due.
  std::optional<DueTimer> take_due(Timestamp now) {
    if (timers_.empty() || now < timers_.begin()->due) return std::nullopt;
    const auto first = *timers_.begin();
    timers_.erase(timers_.begin());
    return first;
  }
  std::optional<Timestamp> next_due() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.begin()->due;
  }
  std::size_t size() const { return timers_.size(); }

 private:
  std::set<DueTimer> timers_;
  Timestamp window_end_;
};

}  // namespace flowmend::runtime
