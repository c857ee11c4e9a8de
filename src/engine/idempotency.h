#pragma once

#include <string>

#include "engine/state.h"

namespace flowmend::engine {

/// The key of an effect: made of (run, action path, repetition), so it is the same over retries, resumes and crashes
/// and differs for anything else. 32 hex digits; sent as the `Idempotency-Key` header.
std::string idempotency_key(const RunState& state, Place place);

}  // namespace flowmend::engine
