#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "definition/flow.h"
#include "engine/event.h"
#include "json/value.h"

namespace flowmend::repair::capsule {

using json::Value;

/// What a failed run was made of, as one JSON document that can be given away: the definition, the trigger's values and
/// the reply of each step that asked something outside; with pseudonyms for recorded values and without secrets, and
/// with types and shapes kept. It holds the failure that its replay shows, so that whoever opens it knows whether it is
/// the same.
///
/// Made so that it reproduces the failure: when pseudonyms for numbers would change the run's way, numbers are kept
/// (`masking.numbers` says so); when it still ends otherwise, `reproduces` is false.
///
/// Errors: `RunHasNotFailed`, `JournalDamaged` (the run does not begin with its trigger), `InvalidDefinition`.
struct Source {
  std::shared_ptr<const definition::Flow> flow;  ///< compiled from what follows
  Value definition;
  Value connection_references;
  Value parameter_values;
  const engine::Events* events = nullptr;
  std::string version;  ///< Flowmend's
};
Result<Value> make_capsule(const Source& source);

/// What opening a capsule shows.
struct Opened {
  std::string flow_display_name;
  std::string expected_action, expected_repetition, expected_code;
  std::string action, repetition, code, message;  ///< of the replay; action empty: no step failed
  std::string status;                             ///< the run's at its end; empty: it waits
  bool same = false;                              ///< the same step failed with the same code
  Value steps;                                    ///< [{action, repetition?, status, code?}]
};
/// Replays a capsule. `InvalidCapsule` for any other document; its definition's faults come back as
/// `InvalidDefinition`. Sends nothing, reads nothing else; hostile documents only cost their own time.
Result<Opened> open_capsule(const Value& document);

}  // namespace flowmend::repair::capsule
