#pragma once

#include "engine/event.h"
#include "engine/state.h"
#include "expression/template.h"
#include "runtime/correction.h"

namespace flowmend::runtime {

// A step's inputs corrected by expressions, so that one correction fits many runs. They are evaluated when the step's
// request is sent, against what the run knows then, and again when it is sent again. Both must be the same request
// under the same idempotency key, so they see only what stands still meanwhile: the trigger, parameters, steps that
// have ended, items of loops. Variables are refused, which parallel branches change; time is the run's start, and
// chance is drawn from its name. Pure, any thread.

/// Compiles the expressions of a correction of kind `expressions`. `InvalidCorrection` with the place below `where` for
/// what is no pointer, no expression, or mentions what the flow does not have.
Result<expression::Template> compile_correction(const StepCorrection& step, const definition::Flow& flow,
                                                const std::string& where);

/// `inputs` with the expressions' values at their places; objects on the way are made. Or the fault with which the step
/// fails: `InvalidTemplate`, in the words that a wrong expression of the definition gets; it is not tried again.
struct CorrectedInputs {
  Value inputs;
  engine::Fault fault;  ///< empty code = none
};
CorrectedInputs corrected_inputs(const StepCorrection& step, const engine::RunState& state, engine::Place place,
                                 const Value& inputs);

}  // namespace flowmend::runtime
