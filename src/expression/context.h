#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "json/value.h"

namespace flowmend::expression {

/// A name that an expression mentions: an action, loop, variable or parameter. `slot` is what `Names` answered when the
/// template was compiled from a literal name, or -1 when the name is only known at run time; a context may use it as a
/// direct index and falls back to `name` (compared without case).
struct Reference {
  std::string_view name;
  std::int32_t slot = -1;
};

/// What the binder may know about names at save time. Every method answers a slot, or -1 for an unknown name.
class Names {
 public:
  virtual ~Names() = default;
  virtual std::int32_t action(std::string_view name) const = 0;
  virtual std::int32_t variable(std::string_view name) const = 0;
  virtual std::int32_t parameter(std::string_view name) const = 0;

  /// The known names, for "did you mean"; none when they are not to be suggested.
  virtual std::vector<std::string_view> actions() const { return {}; }
  virtual std::vector<std::string_view> variables() const { return {}; }
  virtual std::vector<std::string_view> parameters() const { return {}; }
};

/// What an expression may ask of the run that evaluates it. Implemented by the engine (live runs, trials), by
/// `flowmend eval` (a context file) and by tests. All answers are shared values: nothing is copied.
///
/// `borrow` is asked first: a context that holds a value for the whole evaluation lends it, and no reference is
/// counted. An empty optional means "no such thing here", which the function turns into the text that users know.
/// Called on the run's thread only; answers do not change during one evaluation.
class Context {
 public:
  virtual ~Context() = default;

  /// What `borrow` may be asked for; the same as the method of that name.
  enum class Subject : std::uint8_t { parameter, variable, outputs, trigger_outputs, item, items };
  /// The value, if it stays where it is until the evaluation ends; nullptr when there is none or it can't be lent: then
  /// the method of that name is asked. `reference` is empty for trigger_outputs and item. Optional to implement.
  virtual const Value* borrow(Subject, const Reference&) { return nullptr; }

  virtual std::optional<Value> parameter(const Reference& parameter) = 0;
  virtual std::optional<Value> variable(const Reference& variable) = 0;
  /// The outputs of an action: null when it has run without any, nothing when the name is unknown. An action that has
  /// not run (yet) answers null.
  virtual std::optional<Value> outputs(const Reference& action) = 0;
  /// The whole record for actions('X'): {name, inputs?, outputs?, startTime, endTime, status, code, error? ...}.
  virtual std::optional<Value> action_record(const Reference& action) = 0;
  /// The record of the action being evaluated, for action(). Nothing where it is not allowed.
  virtual std::optional<Value> current_action() = 0;
  /// result('scope'): the records of its first-level actions.
  virtual std::optional<Value> result(const Reference& scope) = 0;
  /// The trigger's record for trigger(), with `outputs` inside.
  virtual std::optional<Value> trigger() = 0;
  virtual std::optional<Value> trigger_outputs() = 0;
  /// item(): of the innermost data operation or loop.
  virtual std::optional<Value> item() = 0;
  /// items('loop') and iterationIndexes('loop').
  virtual std::optional<Value> items(const Reference& loop) = 0;
  virtual std::optional<std::int64_t> iteration_index(const Reference& loop) = 0;
  virtual std::optional<Value> workflow() = 0;
  virtual std::optional<std::string> callback_url() = 0;

  /// The engine's clock: one moment for a whole evaluation, journalled by the caller.
  virtual Timestamp now() = 0;
  /// The next 64 random bits, for guid() and rand(); journalled through the recorded result.
  virtual std::uint64_t random() = 0;
};

}  // namespace flowmend::expression
