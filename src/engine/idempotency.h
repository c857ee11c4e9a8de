#pragma once

#include <string>

#include "engine/state.h"

namespace flowmend::engine {

/// The key of an effect: made of the run, the action's path, the repetition and what is sent, so it is the same over
/// retries and crashes, and over resubmits that send the same again: a service that knows such keys does nothing twice.
/// A request that was corrected gets another one. 32 hex digits; sent as the `Idempotency-Key` header.
std::string idempotency_key(const RunState& state, Place place, const Value& inputs);

/// The GUID that records and requests of this occurrence carry (`actionTrackingId`); the same whenever it is asked for.
std::string tracking_id(const RunState& state, Place place);

}  // namespace flowmend::engine
