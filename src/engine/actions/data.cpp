// Compose, Query, Select, Join: values in, values out, nothing else.

#include "engine/actions/list.h"
#include "expression/functions/function.h"
#include "expression/text.h"
#include "expression/text_buffer.h"

namespace flowmend::engine {

namespace {

/// The member of the evaluated inputs, or null.
const Value& input(const Step& step, const char* name) {
  static const Value null_value;
  const Value* found = step.inputs.find_ignoring_case(name);
  return found == nullptr ? null_value : *found;
}

/// `from` as an array; otherwise the action has been ended.
const Value* source_array(Step& step, const char* type) {
  const Value& from = input(step, "from");
  if (from.is_array()) return &from;
  step.fail("BadRequest", {"InvalidTemplate",
                           "The 'from' property value in the '" + std::string(type) + "' action inputs is of type '" +
                               std::string(json::type_name(from.type())) + "'. The value must be an array.",
                           {}});
  return nullptr;
}

/// The failure of one item's expression, framed as the service does.
void fail_item(Step& step, const char* type, const char* part, const expression::ExpressionError& error) {
  const std::string text = error.source.starts_with('@') ? error.source : "@" + error.source;
  step.fail("BadRequest",
            {error.code,
             "The execution of template action '" + step.action.name + "' failed: The evaluation of '" + type +
                 "' action '" + part + "' expression '" + text + "' failed: '" + error.message + "'.",
             details_of(error)});
}

Value body(Value value) { return Value::object({{"body", std::move(value)}}); }

}  // namespace

void start_compose(Step& step) {
  if (!step.evaluate_inputs()) return;
  step.succeed_with(step.inputs, "OK");
}

void start_query(Step& step) {
  if (!step.evaluate_inputs()) return;
  const Value* from = source_array(step, "query");
  if (from == nullptr) return;
  json::ArrayBuilder kept;
  for (const Value& item : from->as_array()) {
    step.context.set_item(&item);
    const auto keep = step.action.item_template.evaluate(step.context);
    step.context.set_item(nullptr);
    if (!keep) return fail_item(step, "query", "where", keep.error());
    if (!keep->is_boolean()) {
      return step.fail("BadRequest", {"InvalidTemplate",
                                      "The execution of template action '" + step.action.name +
                                          "' failed: The result of the 'query' action 'where' expression is of type '" +
                                          std::string(json::type_name(keep->type())) + "'. It must be a boolean.",
                                      {}});
    }
    if (keep->as_boolean()) kept.push(item);
  }
  const Value source = *from;  // lives inside the inputs that it replaces
  step.inputs = source;        // the record shows the source array
  step.succeed_with(body(kept.finish()));
}

void start_select(Step& step) {
  if (!step.evaluate_inputs()) return;
  const Value* from = source_array(step, "select");
  if (from == nullptr) return;
  json::ArrayBuilder selected;
  selected.reserve(from->size());
  for (const Value& item : from->as_array()) {
    step.context.set_item(&item);
    auto value = step.action.item_template.evaluate(step.context);
    step.context.set_item(nullptr);
    if (!value) return fail_item(step, "select", "select", value.error());
    selected.push(std::move(*value));
  }
  step.succeed_with(body(selected.finish()));
}

void start_join(Step& step) {
  if (!step.evaluate_inputs()) return;
  const Value* from = source_array(step, "join");
  if (from == nullptr) return;
  const std::string separator = expression::text_of_value(input(step, "joinWith"));
  expression::TextBuffer text(expression::text_bytes_max);
  bool first = true;
  for (const Value& item : from->as_array()) {
    if (!first) text.append(separator);
    first = false;
    expression::append_text_of(item, text);
    if (text.overflowed()) {
      return step.fail("BadRequest", {"ActionResultsSizeLimitExceeded",
                                      "The text that action '" + step.action.name + "' makes would be larger than " +
                                          std::to_string(expression::text_bytes_max) + " bytes.",
                                      {}});
    }
  }
  step.succeed_with(body(Value(text.view())), "OK");
}

}  // namespace flowmend::engine
