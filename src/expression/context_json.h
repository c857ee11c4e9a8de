#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "expression/context.h"
#include "json/value.h"

namespace flowmend::expression {

/// A context written down as JSON: what `flowmend eval --context FILE` and the conformance cases give. All members are
/// optional: `parameters`, `variables`, `actions` (name to {status, inputs, outputs}), `action` (the current one),
/// `trigger` or `triggerOutputs` or `triggerBody`, `item`, `items` (loop to its current item), `iterationIndexes`,
/// `results` (scope to an array), `workflow`, `callbackUrl`, `now` (ISO 8601; else the wall clock at construction).
///
/// It is its own `Names`: what it holds is known, and slots are not used. Single-threaded.
class ContextFromJson final : public Context, public Names {
 public:
  /// `seed` drives guid() and rand(): the same seed, the same draws.
  ContextFromJson(Value context, std::uint64_t seed);

  const Value* borrow(Subject subject, const Reference& reference) override;
  std::optional<Value> parameter(const Reference& parameter) override {
    return member_of("parameters", parameter.name);
  }
  std::optional<Value> variable(const Reference& variable) override { return member_of("variables", variable.name); }
  std::optional<Value> outputs(const Reference& action) override;
  std::optional<Value> action_record(const Reference& action) override { return member_of("actions", action.name); }
  std::optional<Value> current_action() override { return member("action"); }
  std::optional<Value> result(const Reference& scope) override { return member_of("results", scope.name); }
  std::optional<Value> trigger() override;
  std::optional<Value> trigger_outputs() override;
  std::optional<Value> item() override { return member("item"); }
  std::optional<Value> items(const Reference& loop) override { return member_of("items", loop.name); }
  std::optional<std::int64_t> iteration_index(const Reference& loop) override;
  std::optional<Value> workflow() override { return member("workflow"); }
  std::optional<std::string> callback_url() override;
  Timestamp now() override { return now_; }
  std::uint64_t random() override { return random_.next(); }

  std::int32_t action(std::string_view name) const override;
  std::int32_t variable(std::string_view name) const override { return known("variables", name); }
  std::int32_t parameter(std::string_view name) const override { return known("parameters", name); }
  std::vector<std::string_view> actions() const override { return names_of("actions"); }
  std::vector<std::string_view> variables() const override { return names_of("variables"); }
  std::vector<std::string_view> parameters() const override { return names_of("parameters"); }

 private:
  std::optional<Value> member(std::string_view name) const;
  std::optional<Value> member_of(std::string_view group, std::string_view name) const;
  std::int32_t known(std::string_view group, std::string_view name) const;
  std::vector<std::string_view> names_of(std::string_view group) const;

  Value context_;
  Timestamp now_;
  Random random_;
};

}  // namespace flowmend::expression
