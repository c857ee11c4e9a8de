#pragma once

#include <memory>
#include <string>

#include "definition/flow.h"
#include "engine/event.h"
#include "engine/recorded.h"

namespace flowmend::repair::capsule {

/// How a run ends when each of its requests gets the recorded reply of its place, whatever it asks.
struct Replayed {
  engine::Status status = engine::Status::none;  ///< none: it waits for what was not recorded
  std::string action;                            ///< the step that failed first; empty when none did
  std::string repetition;
  std::string code;  ///< of that step; of the run when no step failed
  std::string message;
  engine::RecordedSteps steps;
};

/// Runs `flow` from `start` through the engine without any effect outside; timers are due at once. Pure.
Replayed replay(const std::shared_ptr<const definition::Flow>& flow, const engine::RunStarted& start,
                const engine::RecordedSteps& record);

}  // namespace flowmend::repair::capsule
