#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "definition/flow.h"
#include "expression/context.h"

namespace flowmend::trigger {

/// What an expression of a trigger sees: the trigger's own record, parameters and the workflow; no action has run yet.
/// `callback_url`: what listCallbackUrl() gives; empty where there is none. Keeps references to `flow`.
class TriggerContext final : public expression::Context {
 public:
  TriggerContext(const definition::Flow& flow, Value record, Timestamp now, std::uint64_t seed,
                 std::string callback_url = {});

  std::optional<Value> parameter(const expression::Reference& parameter) override;
  std::optional<Value> variable(const expression::Reference&) override { return std::nullopt; }
  std::optional<Value> outputs(const expression::Reference&) override { return std::nullopt; }
  std::optional<Value> action_record(const expression::Reference&) override { return std::nullopt; }
  std::optional<Value> current_action() override { return record_; }
  std::optional<Value> result(const expression::Reference&) override { return std::nullopt; }
  std::optional<Value> trigger() override { return record_; }
  std::optional<Value> trigger_outputs() override;
  std::optional<Value> item() override { return std::nullopt; }
  std::optional<Value> items(const expression::Reference&) override { return std::nullopt; }
  std::optional<std::int64_t> iteration_index(const expression::Reference&) override { return std::nullopt; }
  std::optional<Value> workflow() override;
  std::optional<std::string> callback_url() override;
  Timestamp now() override { return now_; }
  std::uint64_t random() override { return random_.next(); }

 private:
  const definition::Flow& flow_;
  Value record_;
  Timestamp now_;
  Random random_;
  std::string callback_url_;
};

}  // namespace flowmend::trigger
