#pragma once

#include "base/ids.h"
#include "engine/input.h"
#include "engine/run.h"
#include "engine/state.h"

namespace flowmend::engine {

/// Decides what follows from `input`. Reads the state and changes nothing; the events are to be applied before the next
/// call. An input that no longer fits (a reply for an attempt that was given up) gives InputIgnored: nothing is dropped
/// in silence.
Decision decide(const RunState& state, const Input& input, const Facts& facts, Random& random);

/// Decides about the next thing that is ready. The state's `work` must not be empty.
Decision decide_next(const RunState& state, const Facts& facts, Random& random);

/// After the events of a Terminate or a cancel have been applied: how everything else ends, and the run with it.
/// Nothing when they hold neither.
std::optional<Decision> decide_ending(const RunState& state, const Events& last, const Facts& facts);

/// The timer of the run's duration limit, wanted once another timer would let the run sleep past it. A run that never
/// waits that long has none: whatever wakes it, decide() looks at the limit first.
std::optional<Event> decide_duration_timer(const RunState& state);

/// The 502 for a caller that nobody answered.
void answer_unanswered(const RunState& state, Decision& out);

}  // namespace flowmend::engine
