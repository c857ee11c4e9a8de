#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/flow.h"
#include "engine/event.h"
#include "engine/state.h"

namespace flowmend::engine {

/// One action, repetition or iteration as the REST records show it, without links: the API adds those, because they
/// hold addresses and signatures.
struct ActionRecord {
  std::string name;  ///< the action's; of a repetition: `000002-000001`
  Value properties;  ///< startTime, endTime, status, code, error?, correlation, canResubmit, retryHistory?,
                     ///< repetitionCount? ... (engine.md 6.4)
  bool has_inputs = false;
  bool has_outputs = false;
  bool secure_inputs = false;  ///< hidden: the API shows a link without content
  bool secure_outputs = false;
};

/// A recorded value to show or to hide.
struct Content {
  Value value;
  bool found = false;
  bool secured = false;
};

/// What a person reads of a run, built from its events and its flow: the records of engine.md section 6. Holds the
/// state at the end of the given events. Any events that can be decoded are good; single-threaded.
class History {
 public:
  History(std::shared_ptr<const definition::Flow> flow, const Events& events);
  ~History();
  History(History&&) noexcept;

  /// Properties of the run (6.2) without links.
  Value run() const;
  Value trigger() const;
  /// First-level and nested actions that have a record, by start time; an action inside a loop appears once, summed up.
  std::vector<ActionRecord> actions() const;
  std::optional<ActionRecord> action(std::string_view name) const;
  /// One record for each occurrence of an action inside loops, by index.
  std::vector<ActionRecord> repetitions(std::string_view action) const;
  /// One record for each iteration of a Foreach or Until.
  std::vector<ActionRecord> scope_repetitions(std::string_view loop) const;
  /// A list, oldest first: one entry for each attempt (4.1, RequestHistory).
  Value request_histories(std::string_view action, std::string_view repetition) const;

  /// `repetition` empty: outside of loops.
  Content content(std::string_view action, std::string_view repetition, bool outputs) const;
  Content trigger_content(bool outputs) const;

  struct Culprit {
    std::string action;
    std::string repetition;
  };
  /// The innermost action that failed first (5.5).
  std::optional<Culprit> culprit() const;

  /// The steps that wait for their service (ActionHeld), oldest first.
  struct Held {
    Culprit where;
    ActionHeld event;
    Timestamp until;  ///< then the step fails
  };
  std::vector<Held> held() const;

  const RunState& state() const { return *state_; }

 private:
  struct Facts;
  std::optional<Place> find(std::string_view action, std::string_view repetition) const;
  ActionRecord record(const definition::Action& action, FrameId frame) const;
  ActionRecord summary(const definition::Action& action) const;

  std::shared_ptr<const definition::Flow> flow_;
  std::unique_ptr<RunState> state_;
  std::unique_ptr<Facts> facts_;
};

/// Why a held step waits, as its record would say it had it failed.
/// `hidden`: the step's outputs are secured, and what they say is not told.
Fault reason_of(const ActionHeld& held, bool hidden);

/// `listExpressionTraces` (6.6): `{inputs: [...]}` or `{expression: [...]}` of one occurrence, evaluated again on the
/// state that it saw: the events before it began are replayed. Nothing for a place without a record.
std::optional<Value> expression_traces(std::shared_ptr<const definition::Flow> flow, const Events& events,
                                       std::string_view action, std::string_view repetition);

}  // namespace flowmend::engine
