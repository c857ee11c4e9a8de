#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/recorded.h"
#include "runtime/runtime.h"

namespace flowmend::runtime {

// A repetition that reaches into other flows: a call (a Workflow action) that had failed goes on inside the run that it
// had led to, the child, instead of starting another one from the beginning; and a child that is repeated may take the
// runs that called it along.

/// Which step of which run called a run, as its trigger's record says.
struct CallSite {
  std::string run;  ///< the parent's name
  std::string action;
  std::string repetition;  ///< empty outside loops
};
/// Nothing: it was not called by a run.
std::optional<CallSite> call_site(const Value& trigger);
/// What its row tells, without its record: false = it was not called by a run, nor repeats one that was.
bool may_have_parent(const store::RunRow& run);
/// Adds it to the record of a child's trigger.
void add_call_site(json::ObjectBuilder& trigger, const CallSite& site);

/// The child that a recorded call led to at last; empty when none is known.
std::string child_of(const engine::RecordedStep& call);

/// The child that a repeated call goes on from, and how.
struct FormerChild {
  store::RunRow row;
  std::string origin;  ///< of its chain of repetitions: keeps the idempotency keys
  DefinitionChoice definition = DefinitionChoice::latest;
  Correction correction;  ///< what a person decided about its steps
  bool decided = false;   ///< a person wants the call to go on in it
};

/// What repetitions of children are looked up in.
struct RepairSources {
  const store::Store& store;
  const engine::Sealer& sealer;
  Flows& flows;
};

/// Where `call`, a step of a run that is repeated with what was done kept, goes on: in its child, or in the repetition
/// of that one which went well, else the latest. Nothing: it calls the flow anew, for nobody decided otherwise and its
/// child either went well (what it answered was the failure) or is gone.
///
/// `decided`: what a person decided about the step, or null. `inputs`: what it is about to ask with.
/// Errors: `ChildRunNotOver`; for a decision about the child also `InvalidCorrection` and `WorkflowRunNotFound`; the
/// store's.
Result<std::optional<FormerChild>> find_former_child(const RepairSources& sources, const CallSite& call,
                                                     const engine::RecordedStep* recorded,
                                                     const StepCorrection* decided, const Value& inputs);

/// The version of the child's flow that it is repeated with. `InvalidDefinition`, the store's.
Result<std::shared_ptr<const definition::Flow>> flow_of(const FormerChild& child, Flows& flows);

/// Whether what a correction of `run` says about children can be done: each child is known and over, and its own steps
/// fit. `steps` are the run's recorded ones.
Result<void> check_children(const RepairSources& sources, const std::string& run, const Correction& correction,
                            const engine::RecordedSteps& steps);

/// One run to repeat, and how.
struct RunRepair {
  std::string run;
  Resubmission how;
};

/// The repetition of the run that called `run` (and of the one that called that one, for as long as each failed), in
/// which the call goes on as `how` says for `run`. `NoParentRun`; `WorkflowRunNotFound` and
/// `WorkflowTriggerHistoryCannotBeResubmitted` about a parent; the store's.
Result<RunRepair> with_parents(const RepairSources& sources, const std::string& run, const Resubmission& how);

}  // namespace flowmend::runtime
