#pragma once

#include <string>

#include "engine/state.h"

namespace flowmend::engine {

/// The key of an effect: made of (run, action path, repetition), so it is the same over retries, resumes and crashes
/// and differs for anything else. 32 hex digits; sent as the `Idempotency-Key` header.
std::string idempotency_key(const RunState& state, Place place);

/// The GUID that records and requests of this occurrence carry (`actionTrackingId`); the same whenever it is asked for.
std::string tracking_id(const RunState& state, Place place);

}  // namespace flowmend::engine
