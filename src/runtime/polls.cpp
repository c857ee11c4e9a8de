#include "runtime/polls.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "base/ids.h"
#include "runtime/trigger_call.h"
#include "runtime/trigger_key.h"
#include "trigger/inputs.h"

namespace flowmend::runtime {

namespace {

constexpr std::string_view state_kind = "pollState";
constexpr Duration wait_min = Duration::seconds(1);

Timestamp time_of(const Value& state, std::string_view name) {
  return parse_timestamp(state.text_of(name)).value_or(Timestamp{});
}

}  // namespace

Polls::Polls(Parts parts) : parts_(std::move(parts)), self_(std::make_shared<Polls*>(this)) {}

Polls::~Polls() {
  *self_ = nullptr;
  for (auto& [id, plan] : plans_)
    finish(plan, make_error("ServerStopping", "The server is stopping.", {}, "Try again when it has started."));
}

store::Document Polls::document_of(const std::string& key, const Plan& plan, const PollState& state) {
  json::ObjectBuilder out;
  out.add("source", plan.source);
  if (!state.location.empty()) out.add("location", Value(state.location));
  if (state.refusals != 0) out.add("refusals", Value(static_cast<std::int64_t>(state.refusals)));
  out.add("saved", Value(to_string(plan.saved)));
  if (plan.last.is_set()) out.add("last", Value(to_string(plan.last)));
  return {std::string(state_kind), key, out.finish(), 0, {}};
}

Result<void> Polls::recover() {
  if (auto moved = move_flow_states(parts_.store, parts_.flows, state_kind); !moved) return moved;
  const auto flows = parts_.store.flows();
  if (!flows) return flows.error();
  for (const auto& row : *flows) plan(row);
  return {};
}

void Polls::flow_changed(const std::string& id) {
  const auto row = parts_.store.flow(id);
  if (!row) {
    // Without the store nothing can fire either; look again when it may be back.
    parts_.executor->post_at(parts_.executor->now() + Duration::seconds(5), [self = self_, id] {
      if (*self != nullptr) (*self)->flow_changed(id);
    });
    return;
  }
  if (*row) return plan(**row);
  forget(id, {});
  erase_states(id, {});
}

/// Drops the plans of a flow's triggers that are not among `but`.
void Polls::forget(const std::string& id, const std::set<std::string>& but) {
  const auto prefix = trigger_keys_of(id);
  for (auto plan = plans_.lower_bound(prefix); plan != plans_.end() && plan->first.starts_with(prefix);) {
    if (but.contains(plan->first)) {
      ++plan;
      continue;
    }
    finish(plan->second, make_error("WorkflowTriggerIsNotEnabled", "The trigger was changed or switched off.", {},
                                    "Look at the flow, and try again."));
    plan = plans_.erase(plan);
  }
}

/// What triggers that are gone remembered.
void Polls::erase_states(const std::string& id, const std::set<std::string>& but) {
  const auto states = read_documents(parts_.store, state_kind, trigger_keys_of(id));
  if (!states) return;
  store::Batch batch;
  for (const auto& state : *states) {
    if (!but.contains(state.key)) batch.documents.push_back({std::string(state_kind), state.key, Value(), 0, {}});
  }
  if (!batch.documents.empty()) parts_.store.commit(std::move(batch), {});
}

void Polls::plan(const store::FlowRow& row) {
  const auto live = parts_.flows.find(row.id);
  std::set<std::string> there;
  std::set<std::string> planned;
  if (live) {
    for (const auto& flow : definition::by_trigger((*live)->flow)) {
      if (flow->trigger.source != definition::TriggerSource::poll) continue;
      const auto key = trigger_key(row.id, flow->trigger.name);
      there.insert(key);
      if (row.state != store::FlowState::started) continue;
      planned.insert(key);
      plan_trigger(key, *flow);
    }
  }
  forget(row.id, planned);
  if (live && (*live)->flow) erase_states(row.id, there);
}

void Polls::plan_trigger(const std::string& key, const definition::Flow& flow) {
  const auto recurrence = trigger::read_recurrence(flow.trigger.recurrence);
  if (!recurrence) {
    spdlog::error("the recurrence of trigger {} can't be used: {}", key, recurrence.error().message);
    plans_.erase(key);
    return;
  }
  Plan plan;
  plan.recurrence = *recurrence;
  plan.source = Value::object({{"inputs", flow.trigger.inputs.source()},
                               {"recurrence", flow.trigger.recurrence},
                               {"connectionReferences", flow.connection_references}});
  if (const auto known = plans_.find(key); known != plans_.end() && known->second.source == plan.source) return;
  const Timestamp now = parts_.executor->now();
  plan.saved = now;
  const auto stored = parts_.store.document(state_kind, key);
  const Value* of = stored && *stored ? (*stored)->value.find("source") : nullptr;
  const auto same = [&](std::string_view part) {
    const Value* then = of == nullptr ? nullptr : of->find(part);
    return then != nullptr && *then == *plan.source.find(part);
  };
  if (same("inputs") && same("connectionReferences")) {
    plan.state.location = std::string((*stored)->value.text_of("location"));
    if (const Value* refusals = (*stored)->value.find("refusals"); refusals != nullptr && refusals->is_integer())
      plan.state.refusals = static_cast<std::uint32_t>(refusals->as_integer());
    if (same("recurrence")) {
      plan.saved = time_of((*stored)->value, "saved");
      plan.last = time_of((*stored)->value, "last");
    }
  }
  plan.turn = ++turns_;
  // A check that was missed, because the process or the flow was off, is made up for at once: once.
  plan.next = plan.last.is_set() ? next_time(plan) : trigger::first_fire(plan.recurrence, now).value_or(Timestamp{});
  if (plan.last.is_set() && !plan.recurrence.has_schedule() && !plan.recurrence.start_local) {
    const auto due = trigger::next_fire(plan.recurrence, plan.saved, plan.last, plan.last);
    if (due && *due <= now) plan.next = now;
  }
  plans_[key] = std::move(plan);
  wake(key);
}

Timestamp Polls::next_time(const Plan& plan) const {
  const Timestamp now = parts_.executor->now();
  return trigger::next_fire(plan.recurrence, plan.saved, plan.last.is_set() ? plan.last : now, now)
      .value_or(Timestamp{});
}

void Polls::wake(const std::string& key) {
  const auto& plan = plans_.at(key);
  if (!plan.next.is_set()) return;
  parts_.executor->post_at(plan.next, [self = self_, key, turn = plan.turn] {
    if (*self == nullptr) return;
    const auto found = (*self)->plans_.find(key);
    if (found == (*self)->plans_.end() || found->second.turn != turn || found->second.call != 0) return;
    if ((*self)->parts_.executor->now() < found->second.next) return (*self)->wake(key);  // the clock was set back
    (*self)->check(key);
  });
}

void Polls::check(const std::string& key) {
  Plan& plan = plans_.at(key);
  const Timestamp now = parts_.executor->now();
  plan.next = {};
  if (plan.state.retries == 0) plan.last = now;
  const auto live = parts_.flows.find(flow_of(key));
  const auto flow = live ? definition::with_trigger((*live)->flow, trigger_of(key)) : nullptr;
  if (!flow) {
    finish(plan, live ? make_error("InvalidDefinition", "The flow does not compile.") : live.error());
    return go_on(plan, key, plan.state, {});
  }
  const auto inputs = trigger::evaluate_inputs(*flow, Value(), now, parts_.executor->random());
  if (!inputs) {
    parts_.record(*flow, "Failed", inputs.error().code, inputs.error().message, document_of(key, plan, plan.state));
    finish(plan, inputs.error());
    return go_on(plan, key, plan.state, {});
  }
  if (const auto checked = check_trigger_inputs(*flow, *inputs); !checked) {
    parts_.record(*flow, "Failed", checked.error().code, checked.error().message, document_of(key, plan, plan.state));
    finish(plan, checked.error());
    return go_on(plan, key, plan.state, {});
  }
  engine::Call call = trigger_call(*flow, *inputs);
  if (!plan.state.location.empty()) {
    call.get_poll = true;
    call.poll_uri = plan.state.location;
  }
  CallContext context;
  context.flow = flow;
  context.action = flow->trigger.name;
  plan.call = --calls_;  // runs have positive numbers
  parts_.effects.send({plan.call, {}, 1}, call, context,
                      [self = self_, executor = parts_.executor, key, number = plan.call, flow,
                       inputs = *inputs](engine::AttemptFinished reply) {
                        executor->post([self, key, number, flow, inputs, reply = std::move(reply)] {
                          if (*self == nullptr) return;
                          const auto found = (*self)->plans_.find(key);
                          if (found == (*self)->plans_.end() || found->second.call != number) return;
                          (*self)->answered(key, flow, inputs, reply);
                        });
                      });
}

void Polls::answered(const std::string& key, const std::shared_ptr<const definition::Flow>& flow, const Value& inputs,
                     const engine::AttemptFinished& answer) {
  Plan& plan = plans_.at(key);
  plan.call = 0;
  const auto reply = trigger_reply(*flow, inputs, answer);
  Random random(parts_.executor->random());
  const Value* policy = inputs.find_ignoring_case("retryPolicy");
  const PollVerdict verdict = judge_poll(*flow, plan.state, reply, policy == nullptr ? Value() : *policy, random.draw(),
                                         conditions_read_status(*flow));
  const auto state = document_of(key, plan, verdict.state);
  const auto ended = [&](std::string_view status) {
    parts_.record(*flow, std::string(status), verdict.code, verdict.message, state);
    finish(plan, make_error(verdict.code, verdict.message, {}, "The trigger's history says more."));
    go_on(plan, key, verdict.state, verdict.wait);
  };
  switch (verdict.kind) {
    case PollVerdict::Kind::retry: return go_on(plan, key, verdict.state, verdict.wait);
    case PollVerdict::Kind::failed: return ended("Failed");
    case PollVerdict::Kind::nothing: return ended("Skipped");
    case PollVerdict::Kind::data: break;
  }
  // The next check waits until this answer is durable: else a crash between the two could lose it.
  plan.call = --calls_;
  parts_.fire(flow, reply_outputs(reply), state,
              [self = self_, executor = parts_.executor, key, number = plan.call, next = verdict.state,
               wait = verdict.wait](const Result<StartedRun>& started) {
                executor->post([self, key, number, next, wait, started] {
                  if (*self == nullptr) return;
                  auto& polls = **self;
                  const auto found = polls.plans_.find(key);
                  if (found == polls.plans_.end() || found->second.call != number) return;
                  Plan& waiting = found->second;
                  waiting.call = 0;
                  const bool skipped = !started && (started.error().code == "TriggerConditionNotMet" ||
                                                    started.error().code == "SplitOnEmpty");
                  polls.finish(waiting, started);
                  // What could not be started is asked for again, by the recurrence.
                  if (started || skipped) {
                    polls.go_on(waiting, key, next, wait);
                  } else {
                    polls.go_on(waiting, key, waiting.state, {});
                  }
                });
              });
}

void Polls::go_on(Plan& plan, const std::string& key, const PollState& state, std::optional<Duration> wait) {
  plan.state = state;
  const Timestamp now = parts_.executor->now();
  plan.next = wait ? now + std::max(*wait, wait_min) : next_time(plan);
  plan.turn = ++turns_;
  wake(key);
}

void Polls::finish(Plan& plan, Result<StartedRun> result) {
  if (auto done = std::move(plan.done)) done(std::move(result));
  plan.done = nullptr;
}

void Polls::check_now(const std::string& key, std::function<void(Result<StartedRun>)> done) {
  const auto found = plans_.find(key);
  if (found == plans_.end()) return done(make_error("TriggerNotFound", "The flow has no polling trigger that is on."));
  if (found->second.call != 0)
    return done(
        make_error("TriggerCheckUnderWay", "The trigger is asking its service just now.", {}, "Try again soon."));
  found->second.done = std::move(done);
  found->second.turn = ++turns_;
  check(key);
}

Timestamp Polls::next_check(const std::string& key) const {
  const auto found = plans_.find(key);
  return found == plans_.end() ? Timestamp{} : found->second.next;
}

}  // namespace flowmend::runtime
