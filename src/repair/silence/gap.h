#pragma once

#include <vector>

#include "definition/flow.h"
#include "repair/silence/finding.h"

namespace flowmend::repair::silence {

/// The latest runs of a flow that others start, and since when it could have started the next.
struct GapFacts {
  definition::TriggerSource source = definition::TriggerSource::call;
  std::vector<Timestamp> starts;  ///< newest first
  Timestamp on_since;             ///< the flow is on, and starts runs at this pace, since then
};

/// For flows that run too rarely for a norm by the week (volume.h). Silent when no run started for three times as long
/// as ever lay between two days with runs, and a week longer than that. Known must be eight such days over three
/// weeks at least: with times that are due to chance, three times the longest of seven pauses comes once in some
/// thousand. Unknown otherwise.
Verdict judge_gap(const GapFacts& facts, Timestamp now);

}  // namespace flowmend::repair::silence
