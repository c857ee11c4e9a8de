#include "repair/run_plan.h"

#include <cstdio>
#include <set>

#include "definition/words.h"
#include "engine/recorded.h"
#include "json/write.h"
#include "repair/plan.h"
#include "repair/preview.h"
#include "runtime/child_repair.h"

namespace flowmend::repair {
namespace {

/// FNV-1a: says that something changed, protects nothing.
std::string fingerprint(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325ULL;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

struct Planned {
  const definition::Action* action;
  std::string repetition;
  const engine::RecordedStep* was;  ///< null: not reached
};

constexpr std::size_t children_looked_at_max = 100;

/// Everything that a plan looks at.
struct Planning {
  const store::Store& store;
  const engine::Sealer& sealer;
  runtime::Flows& flows;
  const connector::Registry& registry;
};

Result<Value> plan(const Planning& planning, std::string_view name, const runtime::Resubmission& how,
                   std::size_t& children_left);

/// What becomes of a call that had failed: nothing when it calls its flow anew, else how its child goes on.
Result<std::optional<Value>> plan_child(const Planning& planning, const runtime::CallSite& call,
                                        const engine::RecordedStep* was, const runtime::StepCorrection* decided,
                                        std::size_t& children_left) {
  const auto former = runtime::find_former_child({planning.store, planning.sealer, planning.flows}, call, was, decided,
                                                 was == nullptr ? Value() : was->inputs);
  if (!former) return former.error();
  if (!*former) return std::optional<Value>();
  json::ObjectBuilder out;
  out.add("run", Value((*former)->row.name));
  if (children_left == 0) return std::optional(out.finish());  // a loop with many calls: the first ones tell
  --children_left;
  runtime::Resubmission how((*former)->definition, true);
  how.correction = (*former)->correction;
  auto planned = plan(planning, (*former)->row.name, how, children_left);
  if (!planned) return planned.error();
  return std::optional(std::move(*planned));
}

Result<Value> plan(const Planning& planning, std::string_view name, const runtime::Resubmission& how,
                   std::size_t& children_left) {
  const auto& [store, sealer, flows, registry] = planning;
  const auto row = store.run(name);
  if (!row) return row.error();
  if (!*row)
    return make_error("WorkflowRunNotFound", "There is no run '" + std::string(name) + "'.", {},
                      "Check the run's name; it may have been removed by retention.");
  if (!store::is_over((*row)->status))
    return make_error("WorkflowTriggerHistoryCannotBeResubmitted",
                      "Run '" + std::string(name) + "' can't be resubmitted: it is not over yet.", {},
                      "Wait for its end, or cancel it.");
  const auto live = flows.find((*row)->flow);
  if (!live) return live.error();
  const auto before = flows.version((*row)->flow, (*row)->version, (*row)->trigger);
  if (!before) return before.error();
  const bool latest = how.definition == runtime::DefinitionChoice::latest;
  const auto flow = latest ? definition::with_trigger_or_first((*live)->flow, (*row)->trigger) : *before;
  if (!flow)
    return make_error("InvalidDefinition",
                      "Flow '" + (*live)->row.display_name + "' can't run: its definition does not compile.", {},
                      "Open the flow, correct it and save it.");
  if (auto checked = runtime::check_correction(how.correction, *flow); !checked) return checked.error();
  const auto events = runtime::read_events(store, sealer, (*row)->number);
  if (!events) return events.error();
  const auto repeats = store.resubmits_of((*row)->name);
  if (!repeats) return repeats.error();

  const bool keeps = how.keep_done || !how.correction.is_empty();
  const engine::RecordedSteps recorded = engine::recorded_steps(*before, *events);
  const auto again = runtime::steps_from(*flow, how.correction.from);
  const Previews previews = preview(how.correction, *before, *flow, *events);
  std::vector<Planned> planned;
  for (const definition::Action& action : flow->actions) {
    if (!definition::sends_requests(action.type)) continue;
    bool known = false;
    for (const auto& [key, step] : recorded) {
      const auto* was = (*before)->find_action(step.action);
      if (was == nullptr || flow->find_action(step.action) != &action) continue;
      if (step.status == engine::Status::none || step.status == engine::Status::skipped) continue;
      known = true;
      planned.push_back({&action, step.repetition, &step});
    }
    if (!known) planned.push_back({&action, "", nullptr});
  }
  json::ArrayBuilder steps;
  for (const Planned& one : planned) {
    const bool went_well = one.was != nullptr && one.was->status == engine::Status::succeeded;
    const auto* was = one.was == nullptr ? nullptr : (*before)->find_action(one.was->action);
    const bool same = was != nullptr && was->definition == one.action->definition;
    const auto* decided = runtime::find_correction(how.correction, one.action->name, one.repetition);
    const bool redone = runtime::is_done_again(how.correction, *flow, again, one.action->id, one.repetition);
    std::optional<Value> child;
    const bool calls = one.action->type == definition::ActionType::workflow && keeps;
    if (calls && (decided == nullptr ? !went_well && !redone : decided->kind == runtime::StepCorrection::Kind::child)) {
      auto planned_child =
          plan_child(planning, {(*row)->name, one.action->name, one.repetition}, one.was, decided, children_left);
      if (!planned_child) return planned_child.error();
      child = std::move(*planned_child);
    }
    const char* does = child                                                                          ? "resumed"
                       : decided != nullptr && decided->kind == runtime::StepCorrection::Kind::output ? "supplied"
                       : decided != nullptr && decided->kind == runtime::StepCorrection::Kind::skip   ? "skipped"
                       : decided != nullptr                                                           ? "corrected"
                       : keeps && went_well && same && !redone                                        ? "kept"
                       : one.was == nullptr                                                           ? "first"
                                                                                                      : "again";
    json::ObjectBuilder out;
    out.add("action", Value(one.action->name));
    if (!one.repetition.empty()) out.add("repetition", Value(one.repetition));
    out.add("type", Value(one.action->type_name));
    if (one.was != nullptr) out.add("was", Value(engine::status_name(one.was->status)));
    out.add("plan", Value(does));
    out.add("writes", Value(writes(*one.action, *flow, registry)));
    out.add("doneBefore", Value(went_well));
    if (child) out.add("child", *child);
    if (std::string_view(does) == "corrected") {
      const auto known = one.was == nullptr
                             ? previews.end()
                             : previews.find({definition::lower_case(one.was->action), one.was->repetition});
      out.add("wouldSend", known != previews.end()
                               ? known->second.would_send
                               : Value::object({{"unknown",
                                                 "The run did not reach the step: its input is known when "
                                                 "it does."}}));
    }
    steps.push(out.finish());
  }
  json::ObjectBuilder out;
  out.add("run", Value((*row)->name));
  out.add("flow", Value((*row)->flow));
  out.add("flowDisplayName", Value((*live)->row.display_name));
  out.add("flowVersion", Value(flow->version));
  out.add("definition", Value(latest ? "latest" : "original"));
  out.add("keep", Value(keeps ? "done" : "nothing"));
  out.add("steps", steps.finish());
  const Value shown = out.finish();
  std::string seen = json::write(shown);  // what each step would do is in it; the values given are the asker's own
  for (const auto& repeat : *repeats) seen += repeat.name;
  json::ObjectBuilder whole(shown);
  whole.add("version", Value(fingerprint(seen)));
  return whole.finish();
}

}  // namespace

Result<Value> plan_run(std::string_view name, const runtime::Resubmission& how, const store::Store& store,
                       const engine::Sealer& sealer, runtime::Flows& flows, const connector::Registry& registry) {
  std::size_t children_left = children_looked_at_max;
  return plan({store, sealer, flows, registry}, name, how, children_left);
}

}  // namespace flowmend::repair
