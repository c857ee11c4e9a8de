#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "definition/flow.h"
#include "engine/event.h"
#include "json/value.h"

namespace flowmend::repair {

using json::Value;

/// One attempt of a request, as recorded.
struct Attempt {
  std::uint32_t number = 1;
  Timestamp started;
  Timestamp ended;
  int status_code = 0;  ///< 0: no answer
  std::string code;     ///< of the fault, or empty
  std::string message;
  Timestamp retry_at;  ///< not set when it was the last
  Value request;       ///< {method, uri, headers}, secrets masked
  Value response;      ///< {headers, body} of an attempt that is not the last
};

/// Where an iteration stands: loop by loop, outermost first.
struct Iteration {
  std::string loop;
  std::uint32_t index = 0;
};

/// Why a run failed: the innermost step that failed first (engine.md 5.5), with all that was recorded about it.
struct Failure {
  std::string run;
  std::string run_status;  ///< Failed, TimedOut, Cancelled ...
  std::string run_code;
  std::string run_message;
  Timestamp run_started;
  Timestamp run_ended;

  bool has_step = false;  ///< false: the run itself failed and no step can be named
  definition::ActionId action = definition::no_action;
  std::vector<Iteration> iterations;
  std::vector<std::string> path;  ///< names of the containers and of the step
  std::string status;             ///< Failed or TimedOut
  std::string code;               ///< record code: BadRequest, NotFound ...
  std::string fault_code;         ///< of the error, or empty
  std::string fault_message;
  Value fault_details;
  Timestamp started;
  Timestamp ended;
  Value inputs;
  Value outputs;
  std::vector<Attempt> attempts;
  std::vector<std::string> skipped;  ///< steps that did not run because of it
  /// Variable -> name of the step that set it last before the failure.
  std::map<std::string, std::string, std::less<>> variable_setters;
  Value context;  ///< what expressions of the step saw, in the form of expression/context_json.h

  /// The status that the service answered at last; 0 when it did not answer, or nothing was asked.
  int status_code() const;
  /// `000001-000003`; empty outside of loops.
  std::string repetition() const;
};

/// Reads a run's events. Nothing for a run that has not ended, or ended well. Total: any sequence of events is good.
std::optional<Failure> find_failure(const definition::Flow& flow, const engine::Events& events);

}  // namespace flowmend::repair
