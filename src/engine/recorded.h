#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "engine/command.h"
#include "engine/input.h"
#include "engine/state.h"

namespace flowmend::engine {

// What the steps of a recorded run did, for whatever answers a step from the record instead of from the world: a trial
// of an edited flow, a repetition that keeps what had succeeded.

/// One occurrence of a step as its run's events tell it.
struct RecordedStep {
  std::string action;
  std::string repetition;  ///< `000002-000001`; empty outside loops
  Status status = Status::none;
  Value inputs;  ///< as records show them: secrets masked
  Value outputs;
  Fault fault;
  Value request;  ///< AttemptEnded::request of the last attempt
  Timestamp ended;
};

/// An occurrence by names that mean the same in another version of the flow: the action's in lower case, and the
/// repetition.
using RecordedKey = std::pair<std::string, std::string>;
RecordedKey recorded_key(const RunState& state, Place place);

using RecordedSteps = std::map<RecordedKey, RecordedStep>;

/// Gathers them while events are applied.
class StepRecorder {
 public:
  explicit StepRecorder(const RunState& state) : state_(state) {}
  /// An event that `state` has taken in.
  void note(const Event& event);
  const RecordedSteps& steps() const { return steps_; }

 private:
  RecordedStep& at(Place place);
  const RunState& state_;
  RecordedSteps steps_;
};

RecordedSteps recorded_steps(const std::shared_ptr<const definition::Flow>& flow, const Events& events);

/// The outcome that a step's request had at last, as the answer to `call`.
AttemptFinished recorded_reply(const RecordedStep& step, const Call& call, Timestamp now);

/// True for a definition with functions whose value is another one each time (guid(), utcNow() ...): its inputs differ
/// from the recorded ones even when nothing was changed.
bool is_volatile(const Value& definition);

/// Whether a step that is about to ask with `inputs` asks what it asked in the record.
bool asks_the_same(const RecordedStep& step, const Value& inputs, const definition::Action* before,
                   const definition::Action& now);

}  // namespace flowmend::engine
