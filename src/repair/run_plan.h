#pragma once

#include "connector/registry.h"
#include "runtime/runtime.h"

namespace flowmend::repair {

/// What repeating one run would do, before it does it: `{run, flow, flowDisplayName, flowVersion, version, definition,
/// steps: [{action, repetition?, type, was?, plan, writes, doneBefore}]}`. `plan` is `kept` (answered from the record),
/// `again`, `first` (was not reached), `supplied`, `skipped`, `corrected`, or `resumed`: the call goes on inside the
/// run that it had led to, and `child` is the plan of that run (its name alone after the first hundred of them). A step
/// that is `corrected` has `wouldSend` (preview.h). `doneBefore` says that the step had succeeded, so a write that is
/// done `again` happens a second time.
///
/// `version` changes when the run was repeated by somebody, or the flow was saved, or something else would be done:
/// whoever resubmits with it gets what was shown, or `RepairPlanStale`.
///
/// Errors: `WorkflowRunNotFound`, `WorkflowTriggerHistoryCannotBeResubmitted` (it is not over), `FlowNotFound`,
/// `InvalidCorrection`, those of reading the record.
Result<Value> plan_run(std::string_view run, const runtime::Resubmission& how, const store::Store& store,
                       const engine::Sealer& sealer, runtime::Flows& flows, const connector::Registry& registry);

}  // namespace flowmend::repair
