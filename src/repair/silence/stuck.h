#pragma once

#include <optional>
#include <vector>

#include "definition/flow.h"
#include "engine/event.h"
#include "repair/silence/finding.h"

namespace flowmend::repair::silence {

/// A run that is not over, and the step that it is at.
struct OpenRun {
  std::string name;
  Timestamp started;
  std::string step;  ///< the innermost step under way; empty = not known
  Timestamp at_step_since;
};

struct StuckFacts {
  std::vector<Duration> history;  ///< of runs that went well, in any order
  std::vector<OpenRun> open;      ///< that may be stuck: without those that rightly wait (`find_open_step`)
};

/// How long a run of this flow may take before it is told as stuck: ten times the 95th percentile of its history, and
/// ten minutes more than that percentile at least. Nothing for a history of fewer than 20 runs.
std::optional<Duration> patience_for(std::vector<Duration> history);

/// Silent when a run takes longer than that; unknown when one is under way and there is no norm.
Verdict judge_stuck(const StuckFacts& facts, Timestamp now);

/// Where a run stands, from its events.
struct OpenStep {
  std::string name;
  Timestamp since;
  /// It waits for a person, for another flow, or until a time that the flow itself names: that is no silence. A delay
  /// inside an Until is none of these: the loop may never end.
  bool rightly_waits = false;
};
/// Nothing when no step is under way. Total: any sequence of events is good.
std::optional<OpenStep> find_open_step(const definition::Flow& flow, const engine::Events& events);

}  // namespace flowmend::repair::silence
