#include "runtime/correction.h"

#include <algorithm>

#include "definition/words.h"
#include "runtime/correction_input.h"

namespace flowmend::runtime {

using definition::ActionId;
using definition::no_action;

namespace {

constexpr std::size_t steps_max = 100;
constexpr std::size_t why_bytes_max = 2000;
constexpr unsigned depth_max = 50;  // as deep as flows may call each other

Error invalid(std::string message, std::string where, std::string cure) {
  return make_error("InvalidCorrection", std::move(message), std::move(where), std::move(cure));
}

Result<Correction> read_parts(const Value& value, const std::string& where, unsigned depth);

Result<void> check_child(const Value& child, const std::string& where, unsigned depth) {
  const auto parts = read_parts(child, where, depth);
  if (!parts) return parts.error();
  const Value* run = child.find("run");
  if (run != nullptr && !run->is_string())
    return invalid("'run' must be the name of the run that the step had called.", where + "/run", "Leave it away.");
  const auto definition = child.text_of("definition", "latest");
  if (definition != "latest" && definition != "original")
    return invalid("'definition' must be latest or original.", where + "/definition", "Leave it away.");
  return {};
}

Result<StepCorrection> read_step(const Value& value, const std::string& where, unsigned depth) {
  StepCorrection step;
  step.action = value.text_of("action");
  step.repetition = value.text_of("repetition");
  if (step.action.empty()) return invalid("A correction names no step.", where + "/action", "Give the step's name.");
  const Value* output = value.find("output");
  const Value* input = value.find("input");
  const Value* skip = value.find("skip");
  const Value* expressions = value.find("inputExpressions");
  const Value* child = value.find("child");
  const int said = (output != nullptr ? 1 : 0) + (input != nullptr ? 1 : 0) + (skip != nullptr ? 1 : 0) +
                   (expressions != nullptr ? 1 : 0) + (child != nullptr ? 1 : 0);
  if (said != 1 || (skip != nullptr && *skip != Value(true)))
    return invalid(
        "The correction of step '" + step.action + "' must say one of output, input, inputExpressions, child and skip.",
        where,
        "Give 'output' (what the step brings), 'input' (what it is done with), 'inputExpressions' (what is to be "
        "different in it), 'child' (how the run that it had called goes on), or 'skip': true.");
  if (output != nullptr) {
    step.kind = StepCorrection::Kind::output;
    step.value = *output;
  } else if (input != nullptr) {
    if (!input->is_object())
      return invalid("The corrected input of step '" + step.action + "' is no object.", where + "/input",
                     "Give the step's inputs as the run shows them, with what is to be different.");
    step.kind = StepCorrection::Kind::input;
    step.value = *input;
  } else if (expressions != nullptr) {
    if (!expressions->is_object() || expressions->size() == 0)
      return invalid(
          "'inputExpressions' of step '" + step.action + "' must be an object with at least one member.",
          where + "/inputExpressions",
          "Write {\"/parameters/id\": \"@triggerBody()?['id']\"}: a place in the inputs, and what stands there.");
    step.kind = StepCorrection::Kind::expressions;
    step.value = *expressions;
  } else if (child != nullptr) {
    if (auto checked = check_child(*child, where + "/child", depth + 1); !checked) return checked.error();
    step.kind = StepCorrection::Kind::child;
    step.value = *child;
  }
  return step;
}

/// All but the reason.
Result<Correction> read_parts(const Value& value, const std::string& where, unsigned depth) {
  Correction out;
  if (!value.is_object())
    return invalid("A correction must be an object.", where, "Send {\"from\"?, \"steps\"?, \"why\"?}.");
  if (depth > depth_max)
    return invalid("Corrections of called runs are nested more than 50 deep.", where, "Repeat the inner runs first.");
  for (const char* name : {"from", "fromRepetition"}) {
    const Value* text = value.find(name);
    if (text != nullptr && !text->is_string() && !text->is_null())
      return invalid("'" + std::string(name) + "' must be a text.", where + "/" + name, "Give a text.");
  }
  out.from = value.text_of("from");
  out.from_repetition = value.text_of("fromRepetition");
  const Value* steps = value.find("steps");
  if (steps == nullptr) return out;
  if (!steps->is_array() || steps->size() > steps_max)
    return invalid("'steps' must be a list of at most 100 corrections.", where + "/steps",
                   "Correct fewer steps at a time.");
  for (std::size_t i = 0; i < steps->size(); ++i) {
    auto step = read_step(steps->as_array()[i], where + "/steps/" + std::to_string(i), depth);
    if (!step) return step.error();
    out.steps.push_back(std::move(*step));
  }
  return out;
}

/// Whether a person decides what a step brings or is done with; that a run goes on inside another is no such decision.
bool needs_reason(const Value& steps) {
  if (!steps.is_array()) return false;
  return std::ranges::any_of(steps.as_array(), [](const Value& step) {
    const Value* child = step.find("child");
    const Value* inner = child == nullptr ? nullptr : child->find("steps");
    return child == nullptr || (inner != nullptr && needs_reason(*inner));
  });
}

bool is_inside(const definition::Flow& flow, ActionId action, ActionId container) {
  for (ActionId at = flow.actions[action].parent; at != no_action; at = flow.actions[at].parent) {
    if (at == container) return true;
  }
  return false;
}

}  // namespace

Result<Correction> read_correction(const Value& value) {
  if (value.is_null()) return Correction();
  auto out = read_parts(value, "", 0);
  if (!out) return out;
  const Value* why = value.find("why");
  if (why != nullptr && !why->is_string() && !why->is_null())
    return invalid("'why' must be a text.", "/why", "Give a text.");
  out->why = value.text_of("why");
  if (out->why.size() > why_bytes_max)
    return invalid("The reason is longer than 2000 bytes.", "/why", "Say it shorter.");
  const Value* steps = value.find("steps");
  if (steps != nullptr && needs_reason(*steps) && out->why.empty())
    return invalid("A correction of a step needs a reason: it is shown in the run for as long as the run is kept.",
                   "/why", "Say why in 'why'.");
  return out;
}

Result<Correction> read_child_correction(const Value& value) { return read_parts(value, "", 0); }

Value correction_value(const Correction& correction) {
  json::ObjectBuilder out;
  if (!correction.from.empty()) out.add("from", Value(correction.from));
  if (!correction.from_repetition.empty()) out.add("fromRepetition", Value(correction.from_repetition));
  if (correction.steps.empty()) return out.finish();
  json::ArrayBuilder steps;
  for (const StepCorrection& step : correction.steps) {
    json::ObjectBuilder one;
    one.add("action", Value(step.action));
    if (!step.repetition.empty()) one.add("repetition", Value(step.repetition));
    switch (step.kind) {
      case StepCorrection::Kind::output: one.add("output", step.value); break;
      case StepCorrection::Kind::input: one.add("input", step.value); break;
      case StepCorrection::Kind::expressions: one.add("inputExpressions", step.value); break;
      case StepCorrection::Kind::child: one.add("child", step.value); break;
      case StepCorrection::Kind::skip: one.add("skip", Value(true)); break;
    }
    steps.push(one.finish());
  }
  out.add("steps", steps.finish());
  return out.finish();
}

Value correction_record(const Correction& correction, std::string_view by) {
  json::ObjectBuilder out;
  out.add("by", Value(by));
  if (!correction.why.empty()) out.add("why", Value(correction.why));
  const Value parts = correction_value(correction);
  for (const json::Member& part : parts.as_object()) out.add(part.name(), part.value);
  return out.finish();
}

Result<void> check_correction(const Correction& correction, const definition::Flow& flow) {
  if (!correction.from.empty() && flow.find_action(correction.from) == nullptr)
    return invalid("The flow has no step '" + correction.from + "' to go on from.", "/from",
                   "Choose a step of the flow's definition, or repeat the original version.");
  for (std::size_t i = 0; i < correction.steps.size(); ++i) {
    const StepCorrection& step = correction.steps[i];
    const std::string where = "/steps/" + std::to_string(i) + "/action";
    const auto* action = flow.find_action(step.action);
    if (action == nullptr)
      return invalid("The flow has no step '" + step.action + "' to correct.", where,
                     "Choose a step of the flow's definition, or repeat the original version.");
    if (!definition::sends_requests(action->type) || definition::is_webhook(action->type))
      return invalid("Step '" + action->name + "' is of type '" + action->type_name +
                         "': only steps that send a request can be corrected for one run.",
                     where, "Correct the step in the definition, or correct the request that its value comes from.");
    if (step.kind == StepCorrection::Kind::child && action->type != definition::ActionType::workflow)
      return invalid("Step '" + action->name + "' is of type '" + action->type_name + "': it calls no flow.", where,
                     "Only a step that calls a flow goes on inside the run that it had called.");
    if (step.kind == StepCorrection::Kind::output && action->settings.secure_outputs)
      return invalid(
          "The outputs of step '" + action->name + "' are secured: a supplied one would stand in the record.", where,
          "Skip the step, or correct the definition.");
    const bool other_input = step.kind == StepCorrection::Kind::input || step.kind == StepCorrection::Kind::expressions;
    if (other_input && action->settings.secure_inputs)
      return invalid("The inputs of step '" + action->name + "' are secured: corrected ones would stand in the record.",
                     where, "Correct the definition.");
    if (step.kind == StepCorrection::Kind::expressions) {
      const auto compiled = compile_correction(step, flow, "/steps/" + std::to_string(i) + "/inputExpressions");
      if (!compiled) return compiled.error();
    }
  }
  return {};
}

const StepCorrection* find_correction(const Correction& correction, std::string_view action,
                                      std::string_view repetition) {
  for (const StepCorrection& step : correction.steps) {
    if (definition::same_word(step.action, action) && (step.repetition.empty() || step.repetition == repetition))
      return &step;
  }
  return nullptr;
}

bool is_decided(const StepCorrection& step) {
  if (step.kind != StepCorrection::Kind::child) return true;
  const Value* inner = step.value.find("steps");
  return inner != nullptr && needs_reason(*inner);
}

std::set<ActionId> steps_from(const definition::Flow& flow, std::string_view from) {
  std::set<ActionId> again;
  const auto* first = flow.find_action(from);
  if (first == nullptr) return again;
  std::vector<ActionId> open{first->id};
  const auto follow = [&](const definition::Action& action) {
    for (const ActionId next : action.successors) open.push_back(next);
  };
  // What stands around the step ends later and otherwise: what follows it is done again, it itself is no request.
  for (ActionId around = first->parent; around != no_action; around = flow.actions[around].parent)
    follow(flow.actions[around]);
  while (!open.empty()) {
    const ActionId id = open.back();
    open.pop_back();
    if (!again.insert(id).second) continue;
    follow(flow.actions[id]);
    for (const auto& action : flow.actions) {
      if (is_inside(flow, action.id, id)) again.insert(action.id);
    }
  }
  return again;
}

bool is_done_again(const Correction& correction, const definition::Flow& flow, const std::set<ActionId>& again,
                   ActionId action, std::string_view repetition) {
  if (!again.contains(action)) return false;
  if (correction.from_repetition.empty()) return true;
  const auto* from = flow.find_action(correction.from);
  if (from == nullptr || from->loop == no_action) return true;
  // Other items of the loop are not touched; what comes after the loop is.
  const bool same_loop = flow.actions[action].loop == from->loop || is_inside(flow, action, from->loop);
  return !same_loop || repetition.starts_with(correction.from_repetition);
}

}  // namespace flowmend::runtime
