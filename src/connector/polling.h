#pragma once

#include <string_view>

#include "connector/document.h"
#include "connector/request.h"
#include "engine/input.h"

namespace flowmend::connector {

// Polling triggers of services that keep no place for their callers (connectors.md 8.2; the policy `pollingtrigger`,
// and `x-ms-trigger-value`): the next question asks after what the last answer said. To the runtime they look like
// services that do: nothing new is a 202, and the place is the answer's `Location`, here `?name=value&...#of the last
// answer`.

/// How the operation is polled; nullptr when the service keeps the place itself.
const Polling* polling_of(const Connector& connector, const Operation& operation);

/// Puts what `place` (an earlier answer's `Location`) remembers into the request's query. False when it is no place of
/// this kind: then it is an address to ask.
bool ask_after(std::string_view place, OutgoingRequest& request);

/// Makes of a good answer what a trigger knows: 202 when it is the first, has nothing, or says what the last one said;
/// and its `Location`. `place` is empty at the first poll. A value that the answer does not have stays as it was.
void remember_place(const Polling& polling, std::string_view place, engine::AttemptFinished& outcome);

}  // namespace flowmend::connector
