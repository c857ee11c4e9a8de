#include <optional>
#include <string>

#include "expression/functions/fault.h"
#include "expression/node.h"

namespace flowmend::expression {

namespace {

using Subject = Context::Subject;

const Value& null_value() {
  static const Value null;
  return null;
}

/// `outputs.body`, null when absent.
const Value* body_of(const Value& outputs) {
  static const Value name("body");
  const Value* body = outputs.find_name(name);
  if (body == nullptr) body = outputs.find_ignoring_case("body");
  return body == nullptr ? &null_value() : body;
}

const Value* put(std::optional<Value> answer, Value& room) {
  if (!answer) return nullptr;
  room = std::move(*answer);
  return &room;
}

}  // namespace

const Value* ReferenceNode::compute(Evaluation& evaluation, Value& room) const {
  if (!evaluation.spend(0, 1)) return evaluation.fail_limit(range());
  Value own;
  const Value* name = name_->evaluate(evaluation, own);
  if (name == nullptr) return nullptr;
  if (!name->is_string()) {
    evaluation.enter(entry_.name);
    ExpressionError error = not_valid(evaluation, 0, *name);
    error.expected = "string";
    return evaluation.fail(std::move(error), name_->range());
  }
  const Reference reference{name->as_string(), slot_};
  Context& context = evaluation.context();
  const Value* value = nullptr;
  switch (form_) {
    case Form::parameters:
      value = context.borrow(Subject::parameter, reference);
      if (value == nullptr) value = put(context.parameter(reference), room);
      break;
    case Form::variables:
      value = context.borrow(Subject::variable, reference);
      if (value == nullptr) value = put(context.variable(reference), room);
      break;
    case Form::actions: value = put(context.action_record(reference), room); break;
    case Form::outputs:
    case Form::body:
      value = context.borrow(Subject::outputs, reference);
      if (value == nullptr) value = put(context.outputs(reference), room);
      if (value != nullptr && form_ == Form::body) value = body_of(*value);
      break;
    case Form::items:
      value = context.borrow(Subject::items, reference);
      if (value == nullptr) value = put(context.items(reference), room);
      break;
    case Form::iteration_indexes:
      if (const auto index = context.iteration_index(reference)) value = put(Value(*index), room);
      break;
    case Form::result: value = put(context.result(reference), room); break;
  }
  return value == nullptr ? fail_unknown(evaluation, reference.name) : value;
}

const Value* ReferenceNode::fail_unknown(Evaluation& evaluation, std::string_view name) const {
  evaluation.enter(entry_.name);
  const std::string quoted = "'" + std::string(name) + "'";
  std::string message;
  switch (form_) {
    case Form::parameters: message = "The workflow parameter " + quoted + " is not found."; break;
    case Form::variables: message = "The variable " + quoted + " is not found: no action initializes it."; break;
    case Form::items:
    case Form::iteration_indexes:
      message = "The repetition action(s) " + quoted + " referenced by '" + std::string(entry_.name) +
                "' are not defined in the template, or do not contain this expression.";
      break;
    default:
      message = "The action(s) " + quoted + " referenced by '" + std::string(entry_.name) +
                "' are not defined in the template.";
  }
  ExpressionError error = plain_fault(evaluation, std::move(message));
  error.argument = 0;
  return evaluation.fail(std::move(error), name_->range());
}

const Value* SubjectNode::compute(Evaluation& evaluation, Value& room) const {
  if (!evaluation.spend(0, 1)) return evaluation.fail_limit(range());
  Context& context = evaluation.context();
  const Value* value = nullptr;
  switch (form_) {
    case Form::trigger: value = put(context.trigger(), room); break;
    case Form::trigger_outputs:
    case Form::trigger_body:
      value = context.borrow(Subject::trigger_outputs, {});
      if (value == nullptr) value = put(context.trigger_outputs(), room);
      if (value != nullptr && form_ == Form::trigger_body) value = body_of(*value);
      break;
    case Form::item:
      value = context.borrow(Subject::item, {});
      if (value == nullptr) value = put(context.item(), room);
      break;
    case Form::workflow: value = put(context.workflow(), room); break;
    case Form::action: value = put(context.current_action(), room); break;
  }
  if (value != nullptr) return value;
  evaluation.enter(entry_.name);
  return evaluation.fail(plain_fault(evaluation, "The template function '" + std::string(entry_.name) +
                                                     "' is not expected at this location."),
                         range());
}

}  // namespace flowmend::expression
