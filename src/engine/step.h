#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "engine/context.h"
#include "engine/run.h"

namespace flowmend::engine {

/// Deciding about one action: what it may read, and where its events and commands go. Helpers below compute; the
/// branching of an action stays in its own file.
struct Step {
  Step(const RunState& run_state, Place at, const Facts& given, Random& draws, Decision& decision)
      : state(run_state),
        flow(*run_state.flow),
        action(flow.actions[at.action]),
        place(at),
        facts(given),
        random(draws),
        out(decision),
        context(run_state, at, given, draws) {}

  const RunState& state;
  const definition::Flow& flow;
  const definition::Action& action;
  const Place place;
  const Facts& facts;
  Random& random;
  Decision& out;
  RunContext context;
  Value inputs;  ///< evaluated, as they will be recorded
  bool has_inputs = false;

  /// Evaluates the action's inputs into `inputs`. False: the action has been ended as Failed with the text users know.
  bool evaluate_inputs();
  /// The action's `limit.timeout`, nothing when it has none. False: it can't be read, and the action has been ended.
  bool evaluate_timeout(std::optional<Duration>& timeout);
  /// Evaluates one template; on an error ends the action.
  bool evaluate(const expression::Template& compiled, Value& result);

  /// Emits ActionStarted with the inputs so far (nothing for an action that ends in the same step).
  void started(const Value& sealed = {});
  /// Emits ActionEnded. Tracked properties are evaluated here.
  void end(Status status, std::string code, Fault fault = {});
  void succeed(std::string code = "NotSpecified") { end(Status::succeeded, std::move(code)); }
  void succeed_with(Value outputs, std::string code = "NotSpecified");
  void fail(std::string code, Fault fault, const Value& outputs = {});
  void fail(const expression::ExpressionError& error, bool for_condition = false);

  Value outputs;
  bool has_outputs = false;

 private:
  Value evaluate_tracked_properties();
  Value record_of(const ActionEnded& event, const Value& recorded_inputs) const;
};

/// In place of tracked properties that could not be had: `{code, message}`.
inline constexpr std::string_view tracking_fault_member = "$fault";

/// The structured reason behind an expression's failure, for explanations.
Value details_of(const expression::ExpressionError& error);

/// The .NET name of an HTTP status as record codes print it: `NotFound`; the digits for one without a name (`429`).
std::string status_code_name(std::int32_t status_code);

/// The result of a container or of the run from its leaves (engine.md 4.3): Failed, TimedOut or Succeeded.
Status result_of(const RunState& state, const definition::Branch& branch, FrameId frame);

}  // namespace flowmend::engine
