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
  entry.paused_until = std::max(entry.paused_until, until);
}

Pace::Time Pace::paused_until(const ConnectionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? Time() : found->second.paused_until;
}

void Pace::forget_old(Time now) {
  if (entries_.size() <= entries_usual) return;
  std::erase_if(entries_, [&](const auto& one) {
    const Entry& entry = one.second;
    return entry.paused_until <= now && (entry.turns.empty() || entry.turns.back() + window <= now);
  });
}

}  // namespace flowmend::connector
