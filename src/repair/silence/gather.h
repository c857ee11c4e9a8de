#pragma once

#include <optional>
#include <vector>

#include "engine/journal.h"
#include "repair/silence/checks.h"
#include "repair/silence/gap.h"
#include "repair/silence/off.h"
#include "repair/silence/schedule.h"
#include "repair/silence/stuck.h"
#include "repair/silence/uptime.h"
#include "repair/silence/volume.h"
#include "runtime/flows.h"
#include "store/store.h"

namespace flowmend::repair::silence {

/// Reads what the rules judge from the store: a few bounded queries for one flow and rule. Errors are the store's; then
/// nothing is judged. Any thread.
class Gatherer {
 public:
  Gatherer(const store::Store& store, const engine::Sealer& sealer, runtime::Flows& flows)
      : store_(store), sealer_(sealer), flows_(flows) {}

  Result<OffFacts> off(const store::FlowRow& row, const runtime::LiveFlow& live) const;
  /// Nothing for a flow without a schedule.
  Result<std::optional<ScheduleFacts>> schedule(const definition::Flow& flow, const Uptime& uptime) const;
  Result<CheckFacts> checks(const definition::Flow& flow) const;
  /// The runs that are longer under way than `patience_for` says (or than ten minutes, without a norm) and do not
  /// rightly wait; 5 at most.
  Result<StuckFacts> stuck(const std::string& flow, Timestamp now) const;
  /// The windows that end at the full hour `until`: the hour, the day and the week before it. Those in which the server
  /// was down, or after which the flow was switched on, are left out.
  Result<std::vector<VolumeFacts>> volumes(const store::FlowRow& row, const definition::Flow& flow,
                                           const Uptime& uptime, Timestamp until) const;
  /// The latest runs of a flow without a schedule; nothing for one with a schedule.
  Result<std::optional<GapFacts>> gap(const store::FlowRow& row, const definition::Flow& flow, Timestamp now) const;

 private:
  /// Since when the flow starts runs at the pace that its trigger has now: an edited recurrence is no silence.
  Result<Timestamp> pace_since(const definition::Flow& flow, Timestamp from) const;

  const store::Store& store_;
  const engine::Sealer& sealer_;
  runtime::Flows& flows_;
};

/// Who switched a flow last, and when (`Flows::set_state` notes it in the flow's properties).
struct Switched {
  std::string by;
  Timestamp time;
};
Switched switched_of(const store::FlowRow& row);

}  // namespace flowmend::repair::silence
