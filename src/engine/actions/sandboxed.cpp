// Xslt, XmlValidation, JavaScriptCode: a program that the flow holds, run outside of this process (engine.md 3.5).

#include "engine/actions/list.h"

namespace flowmend::engine {

using definition::ActionType;

namespace {

/// `workflowContext`: what a script sees, at the moment when it begins.
Value script_context(Step& step) {
  json::ObjectBuilder actions;
  for (const definition::ActionId id : step.action.script_actions) {
    const auto& used = step.flow.actions[id];
    const auto record = step.context.action_record({used.name, static_cast<std::int32_t>(id)});
    if (record && !record->is_null()) actions.set(used.name, *record);
  }
  json::ObjectBuilder out;
  out.add("workflow", step.context.workflow().value_or(Value()));
  out.add("trigger", step.context.trigger().value_or(Value()));
  out.add("actions", actions.finish());
  return out.finish();
}

}  // namespace

std::string_view sandbox_job(ActionType type) {
  switch (type) {
    case ActionType::java_script_code: return "script";
    case ActionType::xslt: return "xslt";
    case ActionType::xml_validation: return "xmlValidation";
    default: return {};
  }
}

void start_sandboxed(Step& step) {
  if (!step.evaluate_inputs()) return;
  const Value* code = step.inputs.find_ignoring_case("code");
  if (step.action.type == ActionType::java_script_code) {
    if (code == nullptr || !code->is_string()) {
      return step.fail("BadRequest", {"InvalidInlineCode",
                                      "The inputs of workflow run action '" + step.action.name +
                                          "' of type 'JavaScriptCode' are not valid: 'code' must be a text.",
                                      {}});
    }
    const std::size_t most = step.state.limits.script_code_max;
    if (code->as_string().size() > most) {
      return step.fail("BadRequest", {"InlineCodeTooLong",
                                      "The code of action '" + step.action.name + "' has " +
                                          std::to_string(code->as_string().size()) + " characters; at most " +
                                          std::to_string(most) + " are run.",
                                      {}});
    }
  }
  Value sealed;
  // Kept with the start: after a crash the script sees what it saw before, whatever has ended since.
  if (step.action.type == ActionType::java_script_code) sealed = Value::object({{"context", script_context(step)}});
  std::optional<Duration> timeout;
  if (!step.evaluate_timeout(timeout)) return;
  step.started(sealed);
  if (timeout) step.out.events.emplace_back(TimerSet{step.place, TimerKind::timeout, step.facts.now + *timeout});
  step.out.commands.emplace_back(make_call(step.state, step.place, 1, step.inputs, sealed));
}

}  // namespace flowmend::engine
