// Child flows (engine.md 2.12, 3.3): a Workflow action starts a run of another flow and gets what that answers.
//
// The call's idempotency key leads to the child that was started for it (document `childRun`, committed with the
// child's start), so that a parent that goes on after a crash finds its child again instead of starting a second one.

#include <algorithm>

#include <spdlog/spdlog.h>

#include "engine/state.h"
#include "runtime/answer.h"
#include "runtime/called_flow.h"
#include "runtime/child_repair.h"
#include "runtime/shard.h"
#include "trigger/condition.h"
#include "trigger/request.h"

namespace flowmend::runtime {

namespace {

using json::ObjectBuilder;

constexpr std::string_view child_kind = "childRun";

bool is_callable(const definition::Flow& flow) { return flow.trigger.source == definition::TriggerSource::call; }

/// The flow as the trigger that the action names starts it, else as its first trigger that can be called; null when
/// there is none.
std::shared_ptr<const definition::Flow> called_trigger(const std::shared_ptr<const definition::Flow>& flow,
                                                       const Value& inputs) {
  const auto all = definition::by_trigger(flow);
  if (const auto name = called_trigger_name(inputs); !name.empty() && all.size() > 1) {
    const auto named = definition::with_trigger(flow, name);
    return named && is_callable(*named) ? named : nullptr;
  }
  // The name of a flow's only trigger may have changed since the call was written.
  const auto found = std::ranges::find_if(all, [](const auto& one) { return is_callable(*one); });
  return found == all.end() ? nullptr : *found;
}

std::string why_not_called(const definition::Flow& flow, const Value& inputs) {
  if (flow.others.empty()) return "its trigger is of type '" + flow.trigger.type_name + "'.";
  const std::string name(called_trigger_name(inputs));
  if (name.empty()) return "none of its triggers is of type 'Request'.";
  return "it has no Request trigger '" + name + "'.";
}

engine::AttemptFinished outcome_of(const engine::Call& call, Timestamp started, Timestamp ended, const Answer& answer) {
  engine::AttemptFinished out;
  out.place = call.place;
  out.attempt = call.attempt;
  out.started = started;
  out.ended = ended;
  out.status_code = answer.status_code;
  // Whoever reads the record finds the child by it, and so does a repetition of the parent.
  if (!answer.run.empty()) out.request = Value::object({{"childRun", Value(answer.run)}});
  ObjectBuilder headers;
  for (const auto& [name, value] : answer.headers) headers.set(name, Value(value));
  out.headers = headers.finish();
  const auto type = trigger::header(answer.headers, "content-type");
  auto body = trigger::decode_body(type, answer.body);
  if (body && *body) {
    out.body = std::move(**body);
    out.has_body = true;
  } else if (!body) {
    out.body = Value(std::string_view(answer.body));
    out.has_body = true;
  }
  return out;
}

/// The trigger's outputs of a call with these inputs.
Value trigger_outputs(const Value& inputs) {
  ObjectBuilder outputs;
  const Value* headers = inputs.find_ignoring_case("headers");
  outputs.add("headers", headers != nullptr && headers->is_object() ? *headers : Value::empty_object());
  if (const Value* body = inputs.find_ignoring_case("body")) outputs.add("body", *body);
  return outputs.finish();
}

}  // namespace

void Shard::call_flow(ActiveRun& active, const engine::Call& call) {
  ++active.calls;
  const auto parent = active.row.number;
  // With the parent's name: repetitions of one run have the same idempotency keys, and each has children of its own.
  const std::string key = active.row.name + "/" + call.idempotency_key + "/" + std::to_string(call.attempt);
  const auto begun = executor_.now();
  const auto tell = [self = self_, executor = executor_owner_, parent, key](engine::AttemptFinished finished) {
    executor->post([self, parent, key, finished = std::move(finished)] {
      if (*self == nullptr) return;
      auto& shard = **self;
      const auto found = shard.active_.find(parent);
      if (found == shard.active_.end()) return;  // the parent ended in the meantime
      if (found->second->calls > 0) --found->second->calls;
      // With the parent's record of the outcome, who the child was need not be kept.
      found->second->documents.push_back({std::string(child_kind), key, Value(), 0, {}});
      shard.give(parent, finished);
    });
  };
  auto answer = [self = self_, call, begun, tell](const Answer& answered) {
    if (*self == nullptr) return;  // the server stops: the parent asks again when it has started
    tell(outcome_of(call, begun, (*self)->executor_.now(), answered));
  };

  // Whether there is a child already must be known: else there would be two.
  const auto again = [&] {
    --active.calls;
    call_later(active, call, &Shard::call_flow);
  };
  const auto known = store_.document(child_kind, key);
  if (!known) return again();
  if (*known) {
    const auto child = store_.run((*known)->value.text_of("run"));
    if (!child) return again();
    if (*child) return await_child(**child, std::move(answer));
  }
  const CallSite site{active.row.name, active.flow->action(call.place.action).name,
                      engine::repetition_name(active.run.state(), call.place.frame)};
  auto former = former_child(active, call, site);
  if (!former && former.error().code == "StorageUnavailable") return again();
  if (!former) return tell(refused_call(call, begun, former.error()));
  const auto target = find_called_flow(store_, flows_, call.inputs);
  if (!target && target.error().code == "StorageUnavailable") return again();
  if (!target) return tell(refused_call(call, begun, target.error()));
  const LiveFlow& live = **target;
  const auto refuse = [&](std::string code, std::string message, std::string cure) {
    tell(refused_call(call, begun, make_error(std::move(code), std::move(message), "/inputs/host", std::move(cure))));
  };
  const std::string name = "'" + live.row.display_name + "'";
  if (!live.flow) return refuse("InvalidDefinition", "The flow " + name + " does not compile.", "Correct and save it.");
  if (live.row.state != store::FlowState::started)
    return refuse("WorkflowTriggerIsNotEnabled", "The flow " + name + " is off.", "Turn it on.");
  auto flow = called_trigger(live.flow, call.inputs);
  if (!flow)
    return refuse("InvalidTriggerType",
                  "The flow " + name + " can't be called: " + why_not_called(*live.flow, call.inputs),
                  "Give it a Request trigger.");
  constexpr std::int64_t depth_max = 50;  // flows that call each other would go on until the disk is full
  const Value* above = active.run.state().start.trigger.find("callDepth");
  const std::int64_t depth = (above != nullptr && above->is_integer() ? above->as_integer() : 0) + 1;
  if (depth > depth_max)
    return refuse(
        "WorkflowCallDepthExceeded",
        "The flow " + name + " was not called: " + std::to_string(depth_max) + " flows already wait for each other.",
        "Flows that call themselves need a condition that ends it.");
  ObjectBuilder record;
  record.add("name", Value(flow->trigger.name));
  record.add("outputs", trigger_outputs(call.inputs));
  add_call_site(record, site);
  record.add("callDepth", Value(depth));
  if (is_of_job(active)) record.add("ofJob", Value(true));
  StartRequest request;
  // Repeated calls have the same key, and so have what the children of both send.
  request.origin = "call/" + call.idempotency_key;
  // A step that was edited to call another flow calls that one from its beginning.
  if (*former && !(*former)->decided && (*former)->row.flow != live.row.id) *former = std::nullopt;
  if (*former) {
    const FormerChild& child = **former;
    request.resubmit_of = child.row.name;
    request.origin = child.origin;
    record.add("keepsRun", Value(child.row.name));
    if (!child.correction.is_empty()) {
      Correction signed_above = child.correction;
      signed_above.why = active.correction.why;
      const Value* repair = active.run.state().start.trigger.find("repair");
      record.add("repair", correction_record(signed_above, repair == nullptr ? "" : repair->text_of("by")));
    }
    if (child.row.flow != live.row.id)
      return refuse("ChildRunOfOtherFlow",
                    "The call can't go on inside run '" + child.row.name + "': it calls flow " + name +
                        " now, and that run is one of another flow.",
                    "Repeat the step without 'child'.");
    const auto version = flow_of(child, flows_);
    if (!version && version.error().code == "StorageUnavailable") return again();
    if (!version) return tell(refused_call(call, begun, version.error()));
    if (auto fits = check_correction(child.correction, **version); !fits)
      return tell(refused_call(call, begun, fits.error()));
    if (child.definition == DefinitionChoice::original) flow = *version;
  }
  const Value trigger = record.finish();
  const auto verdict = trigger::judge(*flow, trigger, begun, executor_.random(), settings_.split);
  if (!verdict) return tell(refused_call(call, begun, verdict.error()));
  if (verdict->kind == trigger::Verdict::Kind::skip)
    return refuse(verdict->code, "The flow " + name + " was not run: " + verdict->message, "Change its trigger.");
  if (flow->trigger.splits())
    return refuse("NestedWorkflowContainsSplitOnTrigger",
                  "The flow " + name + " can't be called: its trigger has a 'splitOn'.", "Remove the 'splitOn'.");
  request.flow = flow;
  request.trigger = trigger;
  request.client_tracking_id = active.row.client_tracking_id;
  request.started_by = "run " + active.row.name;
  request.answer = answer;
  request.answers_later = flow->has_response;
  request.waits_forever = true;
  request.child_key = key;
  start_run(std::move(request));
}

Result<std::optional<FormerChild>> Shard::former_child(const ActiveRun& active, const engine::Call& call,
                                                       const CallSite& site) const {
  const auto keeps = active.run.state().start.trigger.text_of("keepsRun");
  if (keeps.empty()) return std::optional<FormerChild>();
  const StepCorrection* decided = correction_of(active, call.place);
  const bool child = decided != nullptr && decided->kind == StepCorrection::Kind::child;
  if (!child && is_done_again(active.correction, *active.flow, active.again, call.place.action, site.repetition))
    return std::optional<FormerChild>();
  const auto found = active.kept.find(engine::recorded_key(active.run.state(), call.place));
  return find_former_child({store_, sealer_, flows_}, {std::string(keeps), site.action, site.repetition},
                           found == active.kept.end() ? nullptr : &found->second, decided, call.inputs);
}

void Shard::await_child(const store::RunRow& child, std::function<void(Answer)> answer) {
  const auto flow = flows_.version(child.flow, child.version, child.trigger);
  answer = [name = child.name, answer = std::move(answer)](Answer told) {
    told.run = name;
    answer(std::move(told));
  };
  if (flow && !(*flow)->has_response) return answer(Answer{});
  if (child.status == store::RunStatus::waiting && !child.is_held()) return answer(Answer{});  // as when it was started
  const auto found = bring_back(child.number);
  if (!found) return try_later([child, answer = std::move(answer)](Shard& shard) { shard.await_child(child, answer); });
  if (auto* active = *found; active != nullptr && !active->run.response()) {
    if (active->answer) return;  // it is awaited already
    active->answer = std::move(answer);
    active->answers_later = active->waits_forever = true;
    ++waiting_callers_;
    return;
  }
  // It answered, or ended without an answer, while its parent was away.
  std::optional<engine::Respond> response;
  if (const auto live = active_.find(child.number); live != active_.end()) {
    response = live->second->run.response();
  } else if (const auto events = read_events(store_, sealer_, child.number); events && flow) {
    engine::Run run(*flow);
    run.replay(*events);
    response = run.response();
  }
  Answer told = response ? make_answer(*response)
                         : error_answer(502, "NoResponse",
                                        "The server did not receive a response from an upstream server. Request "
                                        "tracking id '" +
                                            child.name + "'.");
  if (flow) add_run_headers(told, **flow, child, executor_.random());
  answer(std::move(told));
}

}  // namespace flowmend::runtime
