#pragma once

#include <optional>

#include "repair/explanation.h"

namespace flowmend::repair {

/// Which of a step's inputs a service's refusal speaks of. Looks at what was sent (parameters of a connector step; URI,
/// queries, headers and body of an Http step) for values and names that stand in `message`: a quoted value weighs most,
/// then a value that stands there as a word, then the name. Nothing when nothing fits.
std::optional<BlamedInput> find_blamed_input(const definition::Action& action, const Value& inputs,
                                             std::string_view message);

/// The first expression of a definition's part that fails when it is evaluated again on the recorded values; `pointer`
/// is where `part` stands in the definition.
std::optional<ExpressionFinding> find_failing_expression(const Value& part, std::string_view pointer,
                                                         const Value& context);

}  // namespace flowmend::repair
