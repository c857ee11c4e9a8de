#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "definition/flow.h"

namespace flowmend::trigger {

/// Evaluates what a trigger sends: the inputs of a poll, or of a subscription with `callback_url` behind
/// listCallbackUrl(). `outputs`: what trigger() and triggerOutputs() give (a subscription's answer, when it is undone);
/// null when there is none. Errors are the expression's own, in the frame that users know.
Result<Value> evaluate_inputs(const definition::Flow& flow, const Value& outputs, Timestamp now, std::uint64_t seed,
                              const std::string& callback_url = {});

}  // namespace flowmend::trigger
