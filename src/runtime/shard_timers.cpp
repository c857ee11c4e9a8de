// Timers and waiting callers of a shard.

#include "runtime/shard.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "runtime/answer.h"

namespace flowmend::runtime {

void Shard::sweep_callers() {
  const auto now = executor_.now();
  while (!callers_.empty()) {
    const auto [deadline, number] = callers_.front();
    const auto found = active_.find(number);
    const bool waits = found != active_.end() && found->second->answer;
    if (waits && now < deadline) break;
    callers_.pop_front();
    if (!waits) continue;
    answer_caller(*found->second,
                  error_answer(504, "GatewayTimeout",
                               "The server did not receive a response from the flow within the timeout limit of '" +
                                   to_string(settings_.caller_wait_max) + "'."));
    give(number, engine::CallerGone{});
  }
  if (callers_.empty() || sweep_planned_) return;
  sweep_planned_ = true;
  executor_.post_at(callers_.front().first, [self = self_] {
    if (*self == nullptr) return;
    (*self)->sweep_planned_ = false;
    (*self)->sweep_callers();
  });
}

void Shard::watch_starts() {
  if (start_watch_planned_) return;
  start_watch_planned_ = true;
  executor_.post_at(executor_.now() + settings_.storage_wait_max, [self = self_] {
    if (*self == nullptr) return;
    auto& shard = **self;
    shard.start_watch_planned_ = false;
    const auto health = shard.store_.health();
    const auto before = shard.executor_.now() - shard.settings_.storage_wait_max;
    bool any = false;
    std::vector<store::RunNumber> late;
    for (const auto& [number, active] : shard.active_) {
      const bool waits = active->answer && !active->waits_forever &&
                         std::ranges::any_of(active->gates, [](const Gate& gate) { return gate.started; });
      any = any || waits;
      if (waits && !health && active->row.started <= before) late.push_back(number);
    }
    for (const auto number : late) {
      auto& active = *shard.active_.at(number);
      const bool later = active.answers_later;
      shard.answer_caller(active,
                          error_answer(504, "StorageOutcomeUnknown",
                                       "It is not known whether the run could be stored: " + health.error().message +
                                           " It runs once the disk works again, unless the server ends before. "
                                           "Look for it before you send this again."));
      if (later) shard.give(number, engine::CallerGone{});
    }
    if (any) shard.watch_starts();
  });
}

void Shard::load_timers() {
  const auto now = executor_.now();
  auto end = now + settings_.near_window;
  const auto rows = store_.timers(end, settings_.near_timers_max);
  if (!rows) {
    spdlog::error("timers can't be read: {}", rows.error().message);
    executor_.post_at(now + Duration::seconds(1), [self = self_] {
      if (*self != nullptr) (*self)->load_timers();
    });
    return;
  }
  if (rows->size() >= settings_.near_timers_max) {
    // More than fit: take those that come first, and look again when they are through.
    end = std::max(rows->back().due, now + Duration::milliseconds(1));
  }
  near_.set_window(end);
  for (const auto& row : *rows) {
    near_.add({row.due, row.run, {{row.action, row.frame}, static_cast<engine::TimerKind>(row.kind)}});
  }
  // Runs in memory know of timers whose commit the read above may not have seen.
  for (const auto& [number, active] : active_) {
    if (!active->gates.empty()) continue;  // these are added when their gate opens
    for (const auto& [key, due] : active->timers) near_.add({due, number, key});
  }
  executor_.post_at(std::max(now + Duration::milliseconds(50), Timestamp{now.ticks + (end - now).ticks / 2}),
                    [self = self_] {
                      if (*self != nullptr) (*self)->load_timers();
                    });
  fire_timers();
}

void Shard::fire_timers() {
  const auto now = executor_.now();
  while (const auto timer = near_.take_due(now)) {
    const auto found = bring_back(timer->run);
    if (!found) {  // can't be read just now; the timer stays due
      const auto again = *timer;
      try_later([again](Shard& shard) {
        shard.near_.add(again);
        shard.fire_timers();
      });
      continue;
    }
    auto* active = *found;
    if (active == nullptr) continue;
    const auto live = active->timers.find(timer->key);
    if (live == active->timers.end() || live->second != timer->due) continue;  // ended or moved in the meantime
    // Another timer of this moment may have ended it by a decision that is not committed yet (an Until's limit ends the
    // Delay inside it, when the clock was set forward past both).
    if (timer->key.kind != engine::TimerKind::run_duration &&
        !active->run.state().wants_timer(timer->key.place, timer->key.kind))
      continue;
    give(timer->run, engine::TimerFired{timer->key.place, timer->key.kind});
  }
  plan_wake();
}

void Shard::plan_wake() {
  const auto next = near_.next_due();
  if (!next) return;
  if (planned_wake_.is_set() && planned_wake_ <= *next) return;
  planned_wake_ = *next;
  executor_.post_at(*next, [self = self_, due = *next] {
    if (*self == nullptr) return;
    if ((*self)->planned_wake_ == due) (*self)->planned_wake_ = {};
    (*self)->fire_timers();
  });
}

}  // namespace flowmend::runtime
