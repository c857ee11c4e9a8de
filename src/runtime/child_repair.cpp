#include "runtime/child_repair.h"

#include <spdlog/spdlog.h>

#include "definition/words.h"

namespace flowmend::runtime {

namespace {

constexpr std::size_t parents_max = 50;  // as deep as flows may call each other

bool is_failure(const store::RunRow& row) { return row.status != store::RunStatus::succeeded; }

/// The run's first event. `WorkflowRunNotFound` when its record is gone.
Result<engine::RunStarted> start_of(const RepairSources& sources, const store::RunRow& row) {
  const auto records = sources.store.journal(row.number);
  if (!records) return records.error();
  const auto events =
      records->empty() ? Result<engine::Events>(engine::Events()) : engine::decode(records->front(), sources.sealer);
  if (!events) return events.error();
  const auto* start = events->empty() ? nullptr : std::get_if<engine::RunStarted>(&events->front());
  if (start == nullptr)
    return make_error("WorkflowRunNotFound", "The record of run '" + row.name + "' was removed.", {},
                      "Repeat the run that called it, from the call.");
  return *start;
}

Error not_over(const std::string& run) {
  return make_error("ChildRunNotOver",
                    "The call goes on inside run '" + run + "', which it had led to: that run is not over yet.", {},
                    "Wait for its end, or cancel it; then repeat this one.");
}

Error no_child(const CallSite& call, std::string why, std::string cure) {
  return make_error("InvalidCorrection",
                    "Step '" + call.action + "'" + (call.repetition.empty() ? "" : " (" + call.repetition + ")") +
                        " of run '" + call.run + "' can't go on inside a run that it called: " + std::move(why),
                    "/steps", std::move(cure));
}

/// What became of a child that was repeated by itself: a repetition that went well, else the latest. What it had done
/// is not done again. `ChildRunNotOver` when one is under way.
Result<store::RunRow> last_repetition(const store::Store& store, store::RunRow row) {
  for (std::size_t depth = 0; depth < parents_max; ++depth) {
    if (!store::is_over(row.status)) return not_over(row.name);
    const auto repeats = store.resubmits_of(row.name);  // the latest first
    if (!repeats) return repeats.error();
    const store::RunRow* next = nullptr;
    for (const store::RunRow& repeat : *repeats) {
      if (!store::is_over(repeat.status)) return not_over(repeat.name);
      if (next == nullptr || (is_failure(*next) && !is_failure(repeat))) next = &repeat;
    }
    if (next == nullptr) return row;
    row = *next;
  }
  return row;
}

bool same_site(const CallSite& a, const CallSite& b) {
  return a.run == b.run && definition::same_word(a.action, b.action) && a.repetition == b.repetition;
}

/// A child that a person chose.
Result<FormerChild> find_decided_child(const RepairSources& sources, const CallSite& call,
                                       const engine::RecordedStep* recorded, const StepCorrection& decided) {
  FormerChild child;
  const std::string chosen(decided.value.text_of("run"));
  const std::string name = !chosen.empty() ? chosen : recorded == nullptr ? std::string() : child_of(*recorded);
  if (name.empty())
    return no_child(call, "its record names none.", "Choose a step that had called a flow, or leave 'child' away.");
  const auto row = sources.store.run(name);
  if (!row) return row.error();
  if (!*row)
    return make_error("WorkflowRunNotFound", "There is no run '" + name + "' that the call could go on inside.", {},
                      "It may have been removed by retention; repeat the step without 'child'.");
  if (!store::is_over((*row)->status)) return not_over(name);
  const auto start = start_of(sources, **row);
  if (!start) return start.error();
  const auto site = call_site(start->trigger);
  if (!site || !same_site(*site, call))
    return no_child(call, "run '" + name + "' was not called by it.", "Give a run that this step had called.");
  auto correction = read_child_correction(decided.value);
  if (!correction) return correction.error();
  child.row = **row;
  child.origin = start->origin.empty() ? start->run : start->origin;
  child.correction = std::move(*correction);
  child.decided = true;
  if (decided.value.text_of("definition") == "original") child.definition = DefinitionChoice::original;
  return child;
}

}  // namespace

std::optional<CallSite> call_site(const Value& trigger) {
  CallSite site{std::string(trigger.text_of("parentRun")), std::string(trigger.text_of("parentAction")),
                std::string(trigger.text_of("parentRepetition"))};
  if (site.run.empty() || site.action.empty()) return std::nullopt;
  return site;
}

bool may_have_parent(const store::RunRow& run) {
  return run.started_by.starts_with("run ") || !run.resubmit_of.empty();
}

void add_call_site(json::ObjectBuilder& trigger, const CallSite& site) {
  trigger.add("parentRun", Value(site.run));
  trigger.add("parentAction", Value(site.action));
  if (!site.repetition.empty()) trigger.add("parentRepetition", Value(site.repetition));
}

std::string child_of(const engine::RecordedStep& call) { return std::string(call.request.text_of("childRun")); }

Result<std::optional<FormerChild>> find_former_child(const RepairSources& sources, const CallSite& call,
                                                     const engine::RecordedStep* recorded,
                                                     const StepCorrection* decided, const Value& inputs) {
  using Found = std::optional<FormerChild>;
  if (decided != nullptr && decided->kind == StepCorrection::Kind::child) {
    auto child = find_decided_child(sources, call, recorded, *decided);
    if (!child) return child.error();
    return Found(std::move(*child));
  }
  const std::string name = recorded == nullptr ? std::string() : child_of(*recorded);
  if (name.empty()) return Found();
  const auto row = sources.store.run(name);
  if (!row) return row.error();
  if (!*row) {
    spdlog::warn("step {} of run {} calls its flow anew: run {} was removed", call.action, call.run, name);
    return Found();
  }
  const auto last = last_repetition(sources.store, **row);
  if (!last) return last.error();
  // One that went well and is asked the same would say the same again.
  if (last->number == (*row)->number && !is_failure(*last) && recorded->inputs == inputs) return Found();
  const auto start = start_of(sources, *last);
  if (!start && start.error().code == "WorkflowRunNotFound") return Found();
  if (!start) return start.error();
  FormerChild child;
  child.row = *last;
  child.origin = start->origin.empty() ? start->run : start->origin;
  return Found(std::move(child));
}

Result<std::shared_ptr<const definition::Flow>> flow_of(const FormerChild& child, Flows& flows) {
  if (child.definition == DefinitionChoice::original)
    return flows.version(child.row.flow, child.row.version, child.row.trigger);
  const auto live = flows.find(child.row.flow);
  if (!live) return live.error();
  if (auto flow = definition::with_trigger_or_first((*live)->flow, child.row.trigger)) return flow;
  return make_error("InvalidDefinition",
                    "Flow '" + (*live)->row.display_name + "' can't run: its definition does not compile.", {},
                    "Open the flow, correct it and save it.");
}

Result<void> check_children(const RepairSources& sources, const std::string& run, const Correction& correction,
                            const engine::RecordedSteps& steps) {
  for (const StepCorrection& step : correction.steps) {
    if (step.kind != StepCorrection::Kind::child) continue;
    const auto found = steps.find({definition::lower_case(step.action), step.repetition});
    const auto child = find_decided_child(sources, {run, step.action, step.repetition},
                                          found == steps.end() ? nullptr : &found->second, step);
    if (!child) return child.error();
    const auto flow = flow_of(*child, sources.flows);
    if (!flow) return flow.error();
    if (auto fits = check_correction(child->correction, **flow); !fits) return fits;
    if (child->correction.steps.empty()) continue;
    const auto ran = sources.flows.version(child->row.flow, child->row.version, child->row.trigger);
    if (!ran) return ran.error();
    const auto events = read_events(sources.store, sources.sealer, child->row.number);
    if (!events) return events.error();
    if (auto fits = check_children(sources, child->row.name, child->correction, engine::recorded_steps(*ran, *events));
        !fits)
      return fits;
  }
  return {};
}

Result<RunRepair> with_parents(const RepairSources& sources, const std::string& run, const Resubmission& how) {
  RunRepair repair{run, how};
  for (std::size_t depth = 0; depth <= parents_max; ++depth) {
    const auto row = sources.store.run(repair.run);
    if (!row) return row.error();
    if (!*row)
      return make_error("WorkflowRunNotFound", "There is no run '" + repair.run + "'.", {},
                        "Check the run's name; it may have been removed by retention.");
    if (!store::is_over((*row)->status))
      return make_error("WorkflowTriggerHistoryCannotBeResubmitted",
                        "Run '" + repair.run + "' can't be resubmitted: it is not over yet.", {},
                        "Wait for its end, or cancel it.");
    if (depth > 0 && !is_failure(**row)) break;  // it took the failure and went well: so did whoever called it
    const auto start = start_of(sources, **row);
    if (!start) return start.error();
    const auto site = call_site(start->trigger);
    if (!site && depth == 0)
      return make_error("NoParentRun", "Run '" + run + "' was not called by a step of another run.", {},
                        "Repeat it without the run that called it.");
    if (!site) break;
    const auto parent = sources.store.run(site->run);
    if (!parent) return parent.error();
    if (!*parent && depth > 0) break;
    if (!*parent)
      return make_error("WorkflowRunNotFound",
                        "Run '" + site->run + "', which had called run '" + run + "', was removed.", {},
                        "Repeat the called run without it.");
    json::ObjectBuilder child(correction_value(repair.how.correction));
    child.set("run", Value(repair.run));
    if (how.definition == DefinitionChoice::original) child.set("definition", Value("original"));
    StepCorrection step;
    step.action = site->action;
    step.repetition = site->repetition;
    step.kind = StepCorrection::Kind::child;
    step.value = child.finish();
    Resubmission above(how.definition, true);
    above.signer = how.signer;
    above.correction.why = how.correction.why;
    above.correction.steps.push_back(std::move(step));
    repair = {site->run, std::move(above)};
  }
  return repair;
}

}  // namespace flowmend::runtime
