#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "definition/flow.h"
#include "engine/input.h"

namespace flowmend::runtime {

/// What a polling trigger remembers between two checks.
struct PollState {
  std::string location;        ///< where the next check asks; empty = the trigger's own request
  std::uint32_t refusals = 0;  ///< 4xx answers of `location` in a row
  std::uint32_t retries = 0;   ///< of the check under way, by the retry policy
  std::uint32_t at_once = 0;   ///< checks in a row that were asked for at once
};

/// What came of one check (engine.md 2.8, connectors.md 8.1).
struct PollVerdict {
  enum class Kind : std::uint8_t { data, nothing, retry, failed };
  Kind kind = Kind::nothing;
  std::string code;  ///< of nothing, retry and failed
  std::string message;
  PollState state;               ///< for the next check
  std::optional<Duration> wait;  ///< until then; nothing: as the recurrence says
};

/// Judges the answer to a check. `draw` in [0,1) is for the wait before a retry; `policy` is the evaluated retry policy
/// (null = the default). `may_fire`: a trigger condition looks at the status, so that it replaces the rule that only
/// data fires. Pure.
PollVerdict judge_poll(const definition::Flow& flow, const PollState& state, const engine::AttemptFinished& reply,
                       const Value& policy, double draw, bool conditions_judge);

/// True when a condition of the trigger reads `statusCode`.
bool conditions_read_status(const definition::Flow& flow);

}  // namespace flowmend::runtime
