#pragma once

#include "base/diagnostic.h"
#include "definition/flow.h"

namespace flowmend::definition {

/// Warns of what runs here and is more than the clouds take (engine.md 8): lengths of names and descriptions, how many
/// parameters, outputs and variables. For flows that are to go back there; nothing is refused.
void check_cloud_limits(const Flow& flow, Diagnostics& diagnostics);

}  // namespace flowmend::definition
