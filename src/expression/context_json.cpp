#include "expression/context_json.h"

#include "base/time.h"

namespace flowmend::expression {

ContextFromJson::ContextFromJson(Value context, std::uint64_t seed)
    : context_(std::move(context)), now_(now_from_system_clock()), random_(seed) {
  if (const auto given = parse_timestamp(context_.text_of("now"))) now_ = *given;
}

const Value* ContextFromJson::borrow(Subject subject, const Reference& reference) {
  const auto in = [&](std::string_view group) -> const Value* {
    const Value* members = context_.find(group);
    return members == nullptr ? nullptr : members->find_ignoring_case(reference.name);
  };
  switch (subject) {
    case Subject::parameter: return in("parameters");
    case Subject::variable: return in("variables");
    case Subject::items: return in("items");
    case Subject::item: return context_.find("item");
    case Subject::outputs: {
      const Value* record = in("actions");
      return record == nullptr ? nullptr : record->find("outputs");
    }
    case Subject::trigger_outputs: return context_.find("triggerOutputs");
  }
  return nullptr;
}

std::optional<Value> ContextFromJson::member(std::string_view name) const {
  const Value* found = context_.find(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<Value> ContextFromJson::member_of(std::string_view group, std::string_view name) const {
  const Value* members = context_.find(group);
  const Value* found = members == nullptr ? nullptr : members->find_ignoring_case(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<Value> ContextFromJson::outputs(const Reference& action) {
  const auto record = action_record(action);
  if (!record) return std::nullopt;
  const Value* outputs = record->find("outputs");
  return outputs == nullptr ? Value() : *outputs;
}

std::optional<Value> ContextFromJson::trigger() {
  if (auto record = member("trigger")) return record;
  return Value::object({{"name", "manual"}, {"outputs", trigger_outputs().value_or(Value())}, {"status", "Succeeded"}});
}

std::optional<Value> ContextFromJson::trigger_outputs() {
  if (auto outputs = member("triggerOutputs")) return outputs;
  if (auto body = member("triggerBody")) return Value::object({{"body", std::move(*body)}});
  const auto record = member("trigger");
  const Value* outputs = record ? record->find("outputs") : nullptr;
  return outputs == nullptr ? Value() : *outputs;
}

std::optional<std::int64_t> ContextFromJson::iteration_index(const Reference& loop) {
  const auto index = member_of("iterationIndexes", loop.name);
  if (!index || !index->is_integer()) return std::nullopt;
  return index->as_integer();
}

std::optional<std::string> ContextFromJson::callback_url() {
  const auto url = member("callbackUrl");
  if (!url || !url->is_string()) return std::nullopt;
  return std::string(url->as_string());
}

std::int32_t ContextFromJson::known(std::string_view group, std::string_view name) const {
  return member_of(group, name) ? 0 : -1;
}

std::int32_t ContextFromJson::action(std::string_view name) const {
  for (const std::string_view group : {"actions", "items", "iterationIndexes", "results"}) {
    if (known(group, name) >= 0) return 0;
  }
  return -1;
}

std::vector<std::string_view> ContextFromJson::names_of(std::string_view group) const {
  std::vector<std::string_view> names;
  const Value* members = context_.find(group);
  if (members == nullptr || !members->is_object()) return names;
  for (const json::Member& member : members->as_object()) names.push_back(member.name());
  return names;
}

}  // namespace flowmend::expression
