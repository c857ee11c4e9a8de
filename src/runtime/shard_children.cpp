// Child flows (engine.md 2.12, 3.3): a Workflow action starts a run of another flow and gets what that answers.
//
// The call's idempotency key leads to the child that was started for it (document `childRun`, committed with the
// child's start), so that a parent that goes on after a crash finds its child again instead of starting a second one.

#include <algorithm>

#include <spdlog/spdlog.h>

#include "engine/state.h"
#include "runtime/answer.h"
#include "runtime/shard.h"
#include "trigger/condition.h"
#include "trigger/request.h"

namespace flowmend::runtime {

namespace {

using json::ObjectBuilder;

constexpr std::string_view child_kind = "childRun";

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// How the action names the flow: Power Automate's `workflowReferenceName`, or the last part of Logic Apps' id.
std::string target_name(const Value& inputs) {
  const Value* host = inputs.find_ignoring_case("host");
  if (host == nullptr) return {};
  if (const auto name = host->text_of("workflowReferenceName"); !name.empty()) return std::string(name);
  const Value* workflow = host->find_ignoring_case("workflow");
  const auto id = workflow == nullptr ? host->text_of("workflowId") : workflow->text_of("id");
  return std::string(id.substr(id.rfind('/') == std::string_view::npos ? 0 : id.rfind('/') + 1));
}

/// By its id, its workflow id, or a display name that only one flow has.
Result<std::shared_ptr<const LiveFlow>> find_target(store::Store& store, Flows& flows, const std::string& name) {
  const auto missing = [&](const std::string& why) {
    return make_error("WorkflowNotFound", "The flow '" + name + "' that the action calls " + why, "/inputs/host",
                      "Choose the flow to call.");
  };
  if (name.empty()) return missing("is not named.");
  if (auto found = flows.find(name); found || found.error().code != "FlowNotFound") return found;
  if (auto found = flows.find_by_workflow_id(name); found || found.error().code != "FlowNotFound") return found;
  const auto rows = store.flows();
  if (!rows) return rows.error();
  const store::FlowRow* match = nullptr;
  for (const auto& row : *rows) {
    if (!equal_ignoring_case(row.display_name, name) && !equal_ignoring_case(row.id, name)) continue;
    if (match != nullptr) return missing("is not known by its id, and several flows have that name.");
    match = &row;
  }
  if (match == nullptr) return missing("does not exist.");
  return flows.find(match->id);
}

engine::AttemptFinished outcome_of(const engine::Call& call, Timestamp started, Timestamp ended, const Answer& answer) {
  engine::AttemptFinished out;
  out.place = call.place;
  out.attempt = call.attempt;
  out.started = started;
  out.ended = ended;
  out.status_code = answer.status_code;
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

engine::AttemptFinished refused(const engine::Call& call, Timestamp now, const Error& error) {
  engine::AttemptFinished out;
  out.place = call.place;
  out.attempt = call.attempt;
  out.started = out.ended = now;
  out.fault = {error.code, error.message, Value::object({{"kind", Value("inputs")}})};
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
  const auto target = find_target(store_, flows_, target_name(call.inputs));
  if (!target && target.error().code == "StorageUnavailable") return again();
  if (!target) return tell(refused(call, begun, target.error()));
  const LiveFlow& live = **target;
  const auto refuse = [&](std::string code, std::string message, std::string cure) {
    tell(refused(call, begun, make_error(std::move(code), std::move(message), "/inputs/host", std::move(cure))));
  };
  const std::string name = "'" + live.row.display_name + "'";
  if (!live.flow) return refuse("InvalidDefinition", "The flow " + name + " does not compile.", "Correct and save it.");
  if (live.row.state != store::FlowState::started)
    return refuse("WorkflowTriggerIsNotEnabled", "The flow " + name + " is off.", "Turn it on.");
  if (live.flow->trigger.type_name != "Request")
    return refuse(
        "InvalidTriggerType",
        "The flow " + name + " can't be called: its trigger is of type '" + live.flow->trigger.type_name + "'.",
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
  record.add("name", Value(live.flow->trigger.name));
  record.add("outputs", trigger_outputs(call.inputs));
  record.add("parentRun", Value(active.row.name));
  record.add("callDepth", Value(depth));
  const Value trigger = record.finish();
  const auto verdict = trigger::judge(*live.flow, trigger, begun, executor_.random(), settings_.split);
  if (!verdict) return tell(refused(call, begun, verdict.error()));
  if (verdict->kind == trigger::Verdict::Kind::skip)
    return refuse(verdict->code, "The flow " + name + " was not run: " + verdict->message, "Change its trigger.");
  if (!live.flow->trigger.split_on.is_constant())
    return refuse("NestedWorkflowContainsSplitOnTrigger",
                  "The flow " + name + " can't be called: its trigger has a 'splitOn'.", "Remove the 'splitOn'.");
  StartRequest request;
  request.flow = live.flow;
  request.trigger = trigger;
  request.client_tracking_id = active.row.client_tracking_id;
  request.started_by = "run " + active.row.name;
  request.answer = answer;
  request.answers_later = live.flow->has_response;
  request.waits_forever = true;
  request.child_key = key;
  start_run(std::move(request));
}

void Shard::await_child(const store::RunRow& child, std::function<void(Answer)> answer) {
  const auto flow = flows_.version(child.flow, child.version);
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
