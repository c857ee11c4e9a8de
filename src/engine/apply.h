#pragma once

#include "engine/event.h"
#include "engine/state.h"

namespace flowmend::engine {

/// Carries one event into the state: the only function that writes a RunState. Total: any sequence of decoded events
/// applies; one that does not fit (a place that does not exist in the flow) marks the run as broken instead of
/// guessing. Used alike by live runs, recovery, history and trials.
void apply(RunState& state, const Event& event);

}  // namespace flowmend::engine
