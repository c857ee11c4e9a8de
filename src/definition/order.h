#pragma once

#include <vector>

#include "definition/flow.h"

namespace flowmend::definition {

/// Finds references to actions that can't have run when the reference is evaluated: an action that runs later, one of
/// another branch of the same condition, one inside the container whose own inputs refer to it. Those are errors; a
/// reference to an action of a parallel branch, which may or may not have run, is a warning (the cloud refuses it).
/// `mentions`: what each action's templates mention, by id. The graph must be linked.
void check_order(const Flow& flow, const std::vector<std::vector<Template::Mention>>& mentions,
                 Diagnostics& diagnostics);

}  // namespace flowmend::definition
