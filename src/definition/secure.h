#pragma once

#include <vector>

#include "definition/flow.h"

namespace flowmend::definition {

/// Spreads hiding: an action that uses secured outputs gets its inputs hidden (engine.md 3.8), data operations and
/// variables hand that on, since their outputs are their inputs. `mentions[i]` are the names that action i uses.
void spread_secure_data(Flow& flow, const std::vector<std::vector<Template::Mention>>& mentions);

}  // namespace flowmend::definition
