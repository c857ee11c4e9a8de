#pragma once

#include <string>
#include <vector>

#include "connector/registry.h"
#include "definition/flow.h"
#include "engine/event.h"

namespace flowmend::repair {

using json::Value;

/// One value that an edited flow would have otherwise.
struct Difference {
  std::string action;
  std::string repetition;  ///< `000002-000001`; empty outside loops
  std::string pointer;     ///< in the step: `/inputs/body/id`, `/outputs`, `/status`
  Value before;            ///< null: there was none
  Value after;
};

/// What became of one recorded run under an edited flow.
struct TrialRun {
  enum class Verdict : std::uint8_t {
    passes,   ///< the step that had failed succeeds (a good run: it ends as it did, with the same values)
    changes,  ///< a good run that would end well, with other values
    fails,    ///< at `action`, for `message`
    unknown   ///< a request at `action` would differ from the recorded one: what the service says to it is not known
  };
  std::string run;
  Verdict verdict = Verdict::passes;
  std::string action;
  std::string repetition;
  std::string message;
  std::vector<Difference> differences;  ///< at most `differences_max`
  static constexpr std::size_t differences_max = 20;
};

const char* verdict_name(TrialRun::Verdict verdict);

/// Runs `edited` on what one run of `original` recorded, without any effect outside: the engine decides as it would,
/// timers are due at once, and where a step's request is the recorded one, the recorded reply answers it. A request
/// that differs, or that was never made, is never guessed: the trial of this run ends there as unknown, after its
/// operation's parameters were checked against the connector's document. Steps that only differ by what is different
/// each time (guid(), utcNow(), ...) and were not edited count as the recorded ones.
///
/// `registry`: for the check of parameters; may be null. Pure; any thread. A run that does not end within a million
/// steps is unknown.
TrialRun try_run(const definition::Flow& original, const std::shared_ptr<const definition::Flow>& edited,
                 const engine::Events& events, const connector::Registry* registry);

}  // namespace flowmend::repair
