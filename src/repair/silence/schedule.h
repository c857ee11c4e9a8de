#pragma once

#include "repair/silence/finding.h"
#include "trigger/recurrence.h"

namespace flowmend::repair::silence {

/// A Recurrence or SlidingWindow trigger as it is stored (runtime/schedules.h), and when the server was there to fire.
struct ScheduleFacts {
  trigger::Recurrence recurrence;
  Duration window;         ///< of a SlidingWindow, whose missed times are made up for; 0 = a Recurrence
  Timestamp saved;         ///< when the recurrence was saved or switched on
  Timestamp last;          ///< the time that fired last; not set = none yet
  Timestamp planned;       ///< the next time, as the runtime says it; not set = none
  Timestamp server_since;  ///< the server runs without a gap since then
  Timestamp down_since;    ///< when it was seen last before; not set = nothing is known of before
};

/// Silent when a time passed by more than a grace (a tenth of the period, from 2 minutes to an hour) and nothing fired
/// for it. Times that passed while the server was down are told as that, and get their grace from its start on, so that
/// a schedule that has fired again by then is not told of.
Verdict judge_schedule(const ScheduleFacts& facts, Timestamp now);

}  // namespace flowmend::repair::silence
