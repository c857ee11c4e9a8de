#pragma once

#include <optional>
#include <vector>

#include "definition/flow.h"
#include "repair/silence/finding.h"

namespace flowmend::repair::silence {

/// Runs started in a window of time, and in the same window of the weeks before.
struct VolumeFacts {
  definition::TriggerSource source = definition::TriggerSource::poll;
  Timestamp from;   ///< of the window
  Timestamp until;  ///< not included
  std::size_t count = 0;
  /// One a week, newest first; nothing for a week of which nothing is known (the flow was not there, or started in
  /// another way).
  std::vector<std::optional<std::size_t>> weeks;
  std::size_t skipped = 0;  ///< checks of the window that found no reason to start; a lower bound
  std::size_t failed = 0;   ///< checks of the window that failed
  std::string skip_reason;  ///< of the latest one skipped
};

/// Silent when far fewer runs started than usual: the median of three known weeks or more says what is usual, the count
/// must be at most a quarter of it, at most half of the second quietest week (one holiday is forgiven), and so far
/// below that chance can't explain it (five standard deviations of a Poisson count). So a flow that starts less than
/// seven times in the window has no norm. Unknown without a norm.
Verdict judge_volume(const VolumeFacts& facts);

/// What to do when a trigger of this kind starts too few runs, one advice a line.
std::string advice_on_volume(definition::TriggerSource source);

}  // namespace flowmend::repair::silence
