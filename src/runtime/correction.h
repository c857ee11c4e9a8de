#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "definition/flow.h"
#include "engine/place.h"
#include "json/value.h"

namespace flowmend::runtime {

using json::Value;

/// What a person decides about one step of a repetition, for this run alone.
struct StepCorrection {
  enum class Kind : std::uint8_t {
    output,  ///< the step is not done: `value` is its output's body
    skip,    ///< the step is not done: it succeeds without an output
    input,   ///< the step is done with `value` as its inputs
    /// It is done with its inputs, in which `value` (JSON pointer -> template) puts other values: correction_input.h.
    expressions,
    /// It calls a flow, and goes on inside the run that it had called: `value` is `{run?, definition?, from?,
    /// fromRepetition?, steps?}`, the repetition of that one (child_repair.h).
    child,
  };
  std::string action;      ///< name
  std::string repetition;  ///< `000002-000001`; empty = outside loops, or every item
  Kind kind = Kind::skip;
  Value value;
};

/// How a repetition differs from doing all of it again. Stands in the new run's trigger record (`repair`), signed with
/// who and why, for as long as the run is kept.
struct Correction {
  /// Goes on from this step: it and whatever follows from it are done again, also what had succeeded; everything else
  /// is kept. Empty = from where it failed.
  std::string from;
  std::string from_repetition;  ///< only this item of the loops around `from`; empty = every item
  std::vector<StepCorrection> steps;
  std::string why;

  bool is_empty() const { return from.empty() && steps.empty(); }
};

/// Reads `{from?, fromRepetition?, why?, steps?: [{action, repetition?, output | skip: true | input |
/// inputExpressions | child}]}`.
/// `InvalidCorrection` with the member's pointer.
Result<Correction> read_correction(const Value& value);
/// That of a step's `child`, which has no reason of its own: the repetition's is for all.
Result<Correction> read_child_correction(const Value& value);
/// What `read_correction` reads, without the reason.
Value correction_value(const Correction& correction);
/// As it is recorded; `read_correction` reads it back.
Value correction_record(const Correction& correction, std::string_view by);

/// Whether the flow can be repeated so: steps exist, and only requests are corrected. `InvalidCorrection`.
Result<void> check_correction(const Correction& correction, const definition::Flow& flow);

/// The step's decision, or null.
const StepCorrection* find_correction(const Correction& correction, std::string_view action,
                                      std::string_view repetition);

/// Whether a person decided what the step brings or is done with, also inside the run that it called. False: it is done
/// as the definition says.
bool is_decided(const StepCorrection& step);

/// `from` and all steps that may see what it brings: what runs after it or after what stands around it, and what is
/// inside those.
std::set<definition::ActionId> steps_from(const definition::Flow& flow, std::string_view from);

/// Whether a step is done again although it had succeeded.
bool is_done_again(const Correction& correction, const definition::Flow& flow,
                   const std::set<definition::ActionId>& again, definition::ActionId action,
                   std::string_view repetition);

}  // namespace flowmend::runtime
