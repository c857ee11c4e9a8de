#pragma once

#include "connector/connections.h"
#include "engine/journal.h"
#include "repair/changes/changes.h"
#include "repair/failure.h"
#include "repair/origin.h"
#include "runtime/flows.h"
#include "store/store.h"

namespace flowmend::repair {

/// What is needed to look at earlier runs.
struct LastGoodParts {
  const store::Store& store;
  const engine::Sealer& sealer;
  runtime::Flows& flows;
  const connector::Connections* connections = nullptr;  ///< null = connections are not looked at
};

constexpr std::size_t runs_looked_back = 50;

/// What changed since the last run of the same flow that went well and in which the failed step succeeded (in the same
/// item of its loops, or else in the last one): `{run, startTime, version, changes: [{kind, text, pointer?, before?,
/// after?}]}` of docs/reference/portal-api.md. Null when the last 50 good runs hold none, or 64 MB of
/// them were read in vain. Looks at the definition, the
/// connection, the inputs' shape, the outputs of `origin`'s step, the answer, its size and time. What a step keeps
/// secure is not compared. Errors are the store's.
Result<Value> changes_since_last_good(const LastGoodParts& parts, const definition::Flow& flow, const Failure& failure,
                                      const Origin* origin);

/// A step that succeeded in a run, in the iteration that `iterations` name, else in the run's last one. Total: any
/// events are good.
std::optional<StepRecord> find_good_step(const definition::Flow& flow, const engine::Events& events,
                                         std::string_view action, const std::vector<Iteration>& iterations);

}  // namespace flowmend::repair
