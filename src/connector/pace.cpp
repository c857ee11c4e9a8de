#include "connector/pace.h"

#include <algorithm>

namespace flowmend::connector {
namespace {

constexpr std::chrono::minutes window{1};
/// Only above so many connections is it looked for those that need nothing remembered.
constexpr std::size_t entries_usual = 1000;

}  // namespace

Pace::Time Pace::take_turn(const ConnectionKey& key, std::int64_t per_minute, Time now) {
  if (per_minute <= 0) return now;
  const std::lock_guard lock(mutex_);
  forget_old(now);
  std::deque<Time>& turns = entries_[key].turns;
  const auto most = static_cast<std::size_t>(per_minute);
  Time turn = now;
  // The limit may have been lowered: what counts is the one that lies `most` turns back.
  if (turns.size() >= most) turn = std::max(turn, turns[turns.size() - most] + window);
  if (!turns.empty()) turn = std::max(turn, turns.back());
  turns.push_back(turn);
  while (turns.size() > most) turns.pop_front();
  return turn;
}

void Pace::pause(const ConnectionKey& key, Time until, Time now) {
  if (until <= now) return;
  const std::lock_guard lock(mutex_);
  forget_old(now);
  Entry& entry = entries_[key];
  if (until <= entry.paused_until) return;
  // Who waits asks anew at the moment that was given, and gets one after the new end.
  entry.paused_until = entry.next_after_pause = until;
}

Pace::Time Pace::after_pause(const ConnectionKey& key, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.paused_until <= now) return now;
  const Time moment = found->second.next_after_pause;
  found->second.next_after_pause = moment + spread;
  return moment;
}

void Pace::forget_old(Time now) {
  if (entries_.size() <= entries_usual) return;
  std::erase_if(entries_, [&](const auto& one) {
    const Entry& entry = one.second;
    return entry.paused_until <= now && (entry.turns.empty() || entry.turns.back() + window <= now);
  });
}

}  // namespace flowmend::connector
