#include "trigger/context.h"

#include <algorithm>

namespace flowmend::trigger {

namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

TriggerContext::TriggerContext(const definition::Flow& flow, Value record, Timestamp now, std::uint64_t seed,
                               std::string callback_url)
    : flow_(flow), record_(std::move(record)), now_(now), random_(seed), callback_url_(std::move(callback_url)) {}

std::optional<Value> TriggerContext::parameter(const expression::Reference& parameter) {
  if (parameter.slot >= 0 && static_cast<std::size_t>(parameter.slot) < flow_.parameters.size()) {
    return flow_.parameters[static_cast<std::size_t>(parameter.slot)].value;
  }
  for (const auto& known : flow_.parameters) {
    if (equal_ignoring_case(known.name, parameter.name)) return known.value;
  }
  return std::nullopt;
}

std::optional<Value> TriggerContext::trigger_outputs() {
  const auto* outputs = record_.find("outputs");
  return outputs == nullptr ? Value() : *outputs;
}

std::optional<Value> TriggerContext::workflow() {
  return Value::object({{"id", flow_.workflow_id}, {"name", flow_.id}, {"type", "Microsoft.Logic/workflows"}});
}

std::optional<std::string> TriggerContext::callback_url() {
  return callback_url_.empty() ? std::nullopt : std::optional(callback_url_);
}

}  // namespace flowmend::trigger
