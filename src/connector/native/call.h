#pragma once

#include "connector/content.h"
#include "connector/native/native.h"
#include "connector/request.h"
#include "engine/command.h"
#include "engine/input.h"

namespace flowmend::connector {

// Between a run's call and a native connector: what build_request and to_outcome are for HTTP.

/// Sorts and checks a step's parameters as for any connector, and fills `native`. The request that comes back is what
/// records show: the operation's method, the connector's address, the texts that must not be shown.
///
/// Errors: those of `build_request`; `PollLocationInvalid` when a poll asks for an address that no native connector
/// gave.
Result<OutgoingRequest> build_native_call(const engine::Call& call, const Connector& connector,
                                          const Operation& operation, const Value& parameters, const Value& fields,
                                          NativeCall& native);

/// An answer as the engine wants it; secrets that a service repeats in a refusal are masked.
engine::AttemptFinished to_native_outcome(const engine::Call& call, const OutgoingRequest& shown, http::Reply reply,
                                          Keep keep);

/// A connection's values with the defaults of those that are not given.
Value native_fields(const Connector& connector, const Value& fields);

}  // namespace flowmend::connector
