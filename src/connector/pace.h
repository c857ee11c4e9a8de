#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>

#include "connector/connections.h"

namespace flowmend::connector {

/// How fast calls may go over each connection: a limit of calls a minute, and the wait that a service has asked for
/// (`Retry-After` of a 429 or 503), which all calls over the connection keep, not only the one that was refused.
///
/// Keeps no time of its own: whoever asks says what time it is. Nothing is stored; after a restart a minute begins
/// anew. Any thread.
class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Takes the next turn of the connection and gives its time: `now`, or when fewer than `per_minute` turns lie within
  /// the minute before. 0 = any number, `now`. Turns are given in the order in which they are taken.
  Time take_turn(const ConnectionKey& key, std::int64_t per_minute, Time now);

  /// Nothing is to be sent before that time; an earlier one changes nothing.
  void pause(const ConnectionKey& key, Time until, Time now);
  /// When the one who asks may go on: `now` when there is no pause, else a moment after its end. Those who wait get
  /// moments one after the other (`spread` apart), so that the first learn whether the service works again before the
  /// last are sent; ask again at that moment, for the pause may have become longer.
  Time after_pause(const ConnectionKey& key, Time now);
  static constexpr std::chrono::milliseconds spread{50};

 private:
  struct Entry {
    std::deque<Time> turns;  ///< the last `per_minute` of them
    Time paused_until;
    Time next_after_pause;
  };
  void forget_old(Time now);

  std::mutex mutex_;
  std::map<ConnectionKey, Entry> entries_;
};

}  // namespace flowmend::connector
