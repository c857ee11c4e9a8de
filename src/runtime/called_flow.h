#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "engine/command.h"
#include "engine/input.h"
#include "runtime/flows.h"

namespace flowmend::runtime {

// Actions that name another flow of this server in their `host`: Workflow and SendToBatch (engine.md 3.3).

/// The flow by its id, its workflow id, or a display name that only one flow has. `WorkflowNotFound`, the store's.
Result<std::shared_ptr<const LiveFlow>> find_called_flow(const store::Store& store, Flows& flows, const Value& inputs);

/// The trigger that the action names; empty when it names none.
std::string_view called_trigger_name(const Value& inputs);

/// The outcome of a call that can't be carried out, and is not worth another try.
engine::AttemptFinished refused_call(const engine::Call& call, Timestamp now, const Error& error);

}  // namespace flowmend::runtime
