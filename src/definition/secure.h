#pragma once

#include <vector>

#include "definition/flow.h"

namespace flowmend::definition {

/// Spreads hiding: an action that uses secured outputs gets its inputs hidden (engine.md 3.8), data operations and
/// variables hand that on, since their outputs are their inputs. What uses a secure parameter is hidden too, unless it
/// stands in `authentication`, which records show masked. `mentions[i]` are the names that action i uses,
/// `output_mentions` those of the run's outputs.
void spread_secure_data(Flow& flow, const std::vector<std::vector<Template::Mention>>& mentions,
                        const std::vector<Template::Mention>& output_mentions);

/// Whether an expression with that name, written after the flow was compiled, would show what the flow keeps secure.
/// Of variables: not known, false.
bool shows_secured(const Flow& flow, const Template::Mention& mention);

}  // namespace flowmend::definition
