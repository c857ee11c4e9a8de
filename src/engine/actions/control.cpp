// Scope, If, Switch, Terminate: what decides which actions come next.

#include "definition/condition.h"
#include "engine/actions/list.h"

namespace flowmend::engine {

void start_scope(Step& step) { step.started(); }

void start_if(Step& step) {
  if (!step.action.condition)
    return step.fail("BadRequest",
                     {"InvalidTemplate", "The condition of action '" + step.action.name + "' is missing.", {}});
  const auto result = definition::evaluate_condition(*step.action.condition, step.context);
  if (!result) return step.fail(result.error(), true);
  if (!result->is_boolean()) {
    expression::ExpressionError error;
    error.message = "The result of the condition must be a boolean, but it is of type '" +
                    std::string(json::type_name(result->type())) + "'.";
    error.expected = "Boolean";
    error.found = json::type_name(result->type());
    const Value& written = *step.action.definition.find_ignoring_case("expression");
    if (written.is_string()) error.source = std::string(written.as_string());
    error.range = {0, static_cast<std::uint32_t>(error.source.size())};
    error.pointer = step.action.pointer + "/expression";
    return step.fail(error, true);
  }
  step.inputs = Value::object({{"expressionResult", *result}});
  step.has_inputs = true;
  step.started();
}

void start_switch(Step& step) {
  auto result = step.action.expression.evaluate(step.context);
  if (!result) return step.fail(result.error(), true);
  if (!result->is_string() && !result->is_integer()) {
    const Value& written = step.action.expression.source();
    return step.fail("BadRequest",
                     {"ExpressionEvaluationFailed",
                      "The execution of template action '" + step.action.name +
                          "' failed: The result of the evaluation of 'scope' action expression '" +
                          (written.is_string() ? std::string(written.as_string()) : std::string()) +
                          "' is not valid. It is of type '" + std::string(json::type_name(result->type())) +
                          "' but is expected to be a value of type 'String, Integer'.",
                      {}});
  }
  step.inputs = Value::object({{"expressionResult", *result}});
  step.has_inputs = true;
  step.started();
}

void start_terminate(Step& step) {
  if (!step.evaluate_inputs()) return;
  step.succeed();
}

}  // namespace flowmend::engine
