#include "trigger/condition.h"

#include "trigger/context.h"

namespace flowmend::trigger {

namespace {

using json::ObjectBuilder;

bool is_set(const definition::Template& expression) {
  return !(expression.is_constant() && expression.source().is_null());
}

Error failed(const definition::Flow& flow, const std::string& what, const std::string& inner) {
  return make_error("InvalidTemplate",
                    "The template language expression evaluation failed: 'The execution of template trigger '" +
                        flow.trigger.name + "' failed: " + what + inner + "'.");
}

Result<std::string> tracking_id(const definition::Flow& flow, TriggerContext& context) {
  if (!is_set(flow.trigger.client_tracking_id))
    return Result<std::string>(boost::system::in_place_value, std::string());
  const auto value = flow.trigger.client_tracking_id.evaluate(context);
  if (!value) return failed(flow, "the client tracking id could not be evaluated: ", value.error().message);
  constexpr std::size_t bytes_max = 128;
  if (!value->is_string()) {
    return make_error("InvalidClientTrackingId", "The client tracking id of trigger '" + flow.trigger.name +
                                                     "' is of type '" + std::string(json::type_name(value->type())) +
                                                     "'. It must be a string.");
  }
  if (value->as_string().size() > bytes_max) {
    return make_error("ClientTrackingIdLengthLimitExceeded", "The client tracking id of trigger '" + flow.trigger.name +
                                                                 "' is longer than " + std::to_string(bytes_max) +
                                                                 " bytes.");
  }
  return Result<std::string>(boost::system::in_place_value, value->as_string());
}

/// `@autoload()`: the body when it is an array, else its `value`, else the only array in it.
Value array_of(const Value& record) {
  const auto* outputs = record.find("outputs");
  const auto* body = outputs == nullptr ? nullptr : outputs->find("body");
  if (body == nullptr || !body->is_object()) return body == nullptr ? Value() : *body;
  if (const auto* value = body->find("value"); value != nullptr && value->is_array()) return *value;
  const Value* only = nullptr;
  for (const json::Member& member : body->as_object()) {
    if (!member.value.is_array()) continue;
    if (only != nullptr) return *body;  // which one is meant is not said
    only = &member.value;
  }
  return only == nullptr ? *body : *only;
}

Result<Value> items_of(const definition::Flow& flow, const Value& record, TriggerContext& context) {
  const auto& trigger = flow.trigger;
  Value items;
  if (trigger.split_automatically) {
    items = array_of(record);
  } else if (auto evaluated = trigger.split_on.evaluate(context)) {
    items = std::move(*evaluated);
  } else {
    return failed(flow, "", evaluated.error().message);
  }
  if (items.is_array()) return items;
  const auto& source = trigger.split_on.source();
  return failed(flow,
                "the result of the evaluation of 'splitOn' expression '" +
                    std::string(trigger.split_automatically ? "@autoload()"
                                : source.is_string()        ? source.as_string()
                                                            : std::string_view()) +
                    "' is of type '" + std::string(json::type_name(items.type())) + "'. ",
                "The result must be a valid array.");
}

}  // namespace

Result<Verdict> judge(const definition::Flow& flow, const Value& record, Timestamp now, std::uint64_t seed,
                      const SplitLimits& limits) {
  TriggerContext context(flow, record, now, seed);
  Verdict verdict;
  for (std::size_t i = 0; i < flow.trigger.conditions.size(); ++i) {
    const auto value = flow.trigger.conditions[i].evaluate(context);
    if (!value) return failed(flow, "a trigger condition could not be evaluated: ", value.error().message);
    if (!value->is_boolean()) {
      return failed(
          flow, "the result of a trigger condition is of type '" + std::string(json::type_name(value->type())) + "'. ",
          "The result must be a Boolean");
    }
    if (value->as_boolean()) continue;
    verdict.kind = Verdict::Kind::skip;
    verdict.code = "TriggerConditionNotMet";
    verdict.message = "Condition " + std::to_string(i + 1) + " of trigger '" + flow.trigger.name + "' is false.";
    return verdict;
  }
  if (!flow.trigger.splits()) {
    auto id = tracking_id(flow, context);
    if (!id) return id.error();
    const auto* outputs = record.find("outputs");
    verdict.outputs.push_back(outputs == nullptr ? Value() : *outputs);
    verdict.client_tracking_ids.push_back(std::move(*id));
    return verdict;
  }
  const auto items = items_of(flow, record, context);
  if (!items) return items.error();
  const auto most = flow.trigger.concurrency ? limits.items_with_concurrency : limits.items;
  if (items->size() > most) {
    return make_error("SplitOnItemsLimitExceeded", "'splitOn' of trigger '" + flow.trigger.name + "' gave " +
                                                       std::to_string(items->size()) + " items; at most " +
                                                       std::to_string(most) + " are allowed.");
  }
  if (items->size() == 0) {
    verdict.kind = Verdict::Kind::skip;
    verdict.code = "SplitOnEmpty";
    verdict.message = "'splitOn' of trigger '" + flow.trigger.name + "' gave an empty array.";
    return verdict;
  }
  const auto* whole = record.find("outputs");
  for (const auto& item : items->as_array()) {
    // Data outside of the array is not reachable: the item is the body.
    ObjectBuilder outputs;
    if (const auto* headers = whole == nullptr ? nullptr : whole->find("headers")) outputs.add("headers", *headers);
    outputs.add("body", item);
    auto item_outputs = outputs.finish();
    ObjectBuilder item_record(record);
    item_record.set("outputs", item_outputs);
    TriggerContext item_context(flow, item_record.finish(), now, seed);
    auto id = tracking_id(flow, item_context);
    if (!id) return id.error();
    verdict.outputs.push_back(std::move(item_outputs));
    verdict.client_tracking_ids.push_back(std::move(*id));
  }
  return verdict;
}

}  // namespace flowmend::trigger
