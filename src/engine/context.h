#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "engine/input.h"
#include "engine/state.h"
#include "expression/context.h"

namespace flowmend::engine {

/// What an expression of one step sees: the run's state from that step's frame, the item of a data operation, and the
/// facts of the input under way. Lives for one evaluation; reads the state and changes nothing.
class RunContext final : public expression::Context {
 public:
  RunContext(const RunState& state, Place place, const Facts& facts, Random& random)
      : state_(state), place_(place), facts_(facts), random_(random) {}

  /// The item that item() means inside a Query, Select or Table; must stay where it is while it is set.
  void set_item(const Value* item) { item_ = item; }

  /// What action() means while an action's end is decided; must stay where it is while it is set.
  void set_current(const Value* record) { current_ = record; }

  std::optional<Value> parameter(const expression::Reference& parameter) override;
  std::optional<Value> variable(const expression::Reference& variable) override;
  std::optional<Value> outputs(const expression::Reference& action) override;
  std::optional<Value> action_record(const expression::Reference& action) override;
  std::optional<Value> current_action() override;
  std::optional<Value> result(const expression::Reference& scope) override;
  std::optional<Value> trigger() override;
  std::optional<Value> trigger_outputs() override;
  std::optional<Value> item() override;
  std::optional<Value> items(const expression::Reference& loop) override;
  std::optional<std::int64_t> iteration_index(const expression::Reference& loop) override;
  std::optional<Value> workflow() override;
  std::optional<std::string> callback_url() override;
  const Value* borrow(Subject subject, const expression::Reference& reference) override;
  Timestamp now() override { return facts_.now; }
  std::uint64_t random() override { return random_.next(); }

 private:
  const definition::Action* find(const expression::Reference& reference) const;
  const Slot* slot_of(const definition::Action& action) const;
  const Value* borrowed_outputs(const definition::Action& action) const;
  const Value* item_of(const definition::Action& loop) const;
  const Loop* loop_seen_from_outside(const definition::Action& action) const;

  const RunState& state_;
  Place place_;
  const Facts& facts_;
  Random& random_;
  const Value* item_ = nullptr;
  const Value* current_ = nullptr;
};

/// The record of one occurrence for actions(), action() and result() (engine.md 4.4): name, times, ids, status, code,
/// inputs, outputs, error. A container shows neither inputs nor outputs.
Value slot_record(const RunState& state, Place place, const Slot& slot);

}  // namespace flowmend::engine
