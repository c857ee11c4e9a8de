#pragma once

#include "api/routes.h"
#include "repair/failure.h"

namespace flowmend::api {

/// An explanation of a failed call of another flow, with what went wrong in there: `calledRun: {run, flow,
/// flowDisplayName, status, title, whatHappened}` of the innermost run that failed, and the way to it as the first
/// advice. The same explanation when the step called no flow, when that went well, is gone, or is of a flow that is not
/// shared with the caller.
Value with_called_run(const Parts& parts, const Call& call, const Value& explanation, const repair::Failure& failure);

}  // namespace flowmend::api
