#pragma once

#include "engine/command.h"
#include "engine/input.h"

namespace flowmend::runtime {

/// The request of a polling or webhook trigger with these evaluated inputs (engine.md 2.8 to 2.10): what an Http action
/// or a connector's action would send.
engine::Call trigger_call(const definition::Flow& flow, const Value& inputs);

/// Why a ServiceProvider trigger with these inputs can't be asked here; success for other triggers.
Result<void> check_trigger_inputs(const definition::Flow& flow, const Value& inputs);

/// The reply as the trigger knows it: that of a connector which stands in for a service provider as the provider's.
engine::AttemptFinished trigger_reply(const definition::Flow& flow, const Value& inputs, engine::AttemptFinished reply);

/// What came of it as a trigger's outputs: `{statusCode, headers?, body?}`.
Value reply_outputs(const engine::AttemptFinished& reply);

}  // namespace flowmend::runtime
