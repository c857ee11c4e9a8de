#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "definition/flow.h"
#include "engine/run.h"
#include "engine/state.h"

namespace flowmend::flows {

/// How one simulated run goes: straight through, or crashed after every input. A crash throws the run away and builds
/// it anew from the records of its journal; requests under way are sent again as `outstanding` says, and come to the
/// same.
enum class Condition : std::uint8_t { straight, crashed_after_every_input };

/// A request that the run sent, at its simulated time.
struct SentRequest {
  std::string key;  ///< "GET https://crm.test/a", or "shared_crm/GetRow" for a connector's operation
  Duration at;      ///< since the run began
  engine::Call call;
};

/// What came of a simulated run.
struct Outcome {
  engine::Events events;
  std::vector<SentRequest> requests;
  std::optional<engine::Respond> response;
  bool ended = false;
  std::string trouble;  ///< the run could not be driven: no reply left, nothing happens any more, a replay that differs
};

/// Drives a run of `flow` through the world that `test` describes (its members `trigger`, `replies`, `cancel_at`,
/// `caller_gone_at`; tests/flows/README.md). The clock is simulated: waits cost nothing.
Outcome simulate(const std::shared_ptr<const definition::Flow>& flow, const Value& test, Condition condition);

/// Everything in a state as text: two states that print the same go on the same.
std::string describe(const engine::RunState& state);

}  // namespace flowmend::flows
