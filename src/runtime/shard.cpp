#include "runtime/shard.h"

#include <algorithm>
#include <optional>

#include <spdlog/spdlog.h>

#include "base/ids.h"
#include "engine/idempotency.h"
#include "engine/state.h"
#include "runtime/answer.h"
#include "runtime/correction_input.h"
#include "runtime/trigger_key.h"
#include "trigger/action_address.h"

namespace flowmend::runtime {

using json::ObjectBuilder;

namespace {

/// Events that may gather before a commit when nothing waits for them: steps without outside effect cost none of their
/// own.
constexpr std::size_t events_gathered_max = 4096;

store::RunStatus row_status(engine::Status status) {
  switch (status) {
    case engine::Status::succeeded:
    case engine::Status::skipped: return store::RunStatus::succeeded;
    case engine::Status::cancelled: return store::RunStatus::cancelled;
    case engine::Status::timed_out: return store::RunStatus::timed_out;
    case engine::Status::aborted: return store::RunStatus::aborted;
    case engine::Status::waiting: return store::RunStatus::waiting;
    case engine::Status::running: return store::RunStatus::running;
    case engine::Status::none:
    case engine::Status::failed: break;
  }
  return store::RunStatus::failed;
}

/// The trigger's record with what only now is known.
Value complete_trigger(const Value& trigger, const std::string& history_name, Timestamp now,
                       const std::string& tracking_id) {
  ObjectBuilder record(trigger);
  record.set("startTime", to_string(now));
  record.set("endTime", to_string(now));
  record.set("originHistoryName", history_name);
  record.set("trackingId", tracking_id);
  if (trigger.find("code") == nullptr) record.set("code", "OK");
  if (trigger.find("status") == nullptr) record.set("status", "Succeeded");
  return record.finish();
}

}  // namespace

Shard::Shard(store::Store& store, Effects& effects, const engine::Sealer& sealer, std::shared_ptr<Executor> executor,
             Flows& flows, Settings settings)
    : store_(store),
      effects_(effects),
      sealer_(sealer),
      executor_owner_(std::move(executor)),
      executor_(*executor_owner_),
      flows_(flows),
      settings_(std::move(settings)),
      holds_({store_, executor_owner_,
              [this](store::RunNumber number, engine::Place place, const std::string& by, bool send_again) {
                give(number, engine::EndHold{place, by, send_again});
              }}),
      self_(std::make_shared<Shard*>(this)) {}

Shard::~Shard() {
  *self_ = nullptr;
  for (auto& [number, active] : active_) {
    const auto error = make_error("ServerStopping", "The server is stopping; the run goes on when it starts again.");
    if (active->answer) active->answer(error_answer(503, error.code, error.message));
    if (active->started) active->started(error);
  }
}

std::string Shard::shortened(const std::string& text) {
  constexpr std::size_t bytes_max = 1024;
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // no half character
  return text.substr(0, end) + "…";
}

engine::Decision Shard::advance(ActiveRun& active, const engine::Input& input) {
  const ActionAddresses addresses(*this, active);
  return active.run.advance(input, {executor_.now(), executor_.random(), &addresses});
}

std::string Shard::ActionAddresses::address(engine::Place place) const {
  const auto live = shard_.flows_.find(active_.row.flow);
  if (!live || place.action >= active_.flow->actions.size()) return {};
  trigger::ActionTarget target;
  target.workflow_id = active_.flow->workflow_id;
  target.run = active_.row.name;
  target.action = active_.flow->action(place.action).name;
  target.frame = place.frame;
  return trigger::make_action_address(shard_.settings_.public_url, target, (*live)->primary_key);
}

std::string Shard::next_name() {
  // A clock that was set back must not give a name twice, nor one that sorts before an older run.
  last_time_ = std::max(executor_.now(), Timestamp{last_time_.ticks + 1});
  return make_run_name(last_time_, executor_.random(), settings_.scale_unit);
}

Runtime::Counts Shard::counts() const { return {active_.size(), near_.size(), waiting_callers_, started_, ended_}; }

// ---------------------------------------------------------------------------------------------------------------------
// Starting

void Shard::start_run(StartRequest request) {
  const auto refuse = [&](const Error& error, std::int32_t status) {
    if (request.started) request.started(error);
    if (request.answer) request.answer(error_answer(status, error.code, error.message));
  };
  if (const auto health = store_.health(); !health && !request.must_start) return refuse(health.error(), 503);
  const bool waits = must_wait(*request.flow);
  if (waits && !request.must_start &&
      turnstile(trigger_key(request.flow->id, request.flow->trigger.name)).waiting.size() >=
          request.flow->trigger.waiting_runs_max) {
    return refuse(
        make_error("WorkflowMaximumWaitingRunCountExceeded",
                   "The flow's trigger '" + request.flow->trigger.name + "' has reached its limit of waiting runs."),
        429);
  }
  store::RunRow row;
  row.name = next_name();
  row.number = ++last_number_;
  row.flow = request.flow->id;
  row.version = request.flow->version;
  row.started = last_time_;
  row.trigger = request.flow->trigger.name;
  row.history_name = request.history_name;
  row.resubmit_of = request.resubmit_of;
  row.started_by = request.started_by;
  row.client_tracking_id = request.client_tracking_id.empty() ? row.name : request.client_tracking_id;

  engine::RunStarted start;
  start.run = row.name;
  start.flow = row.flow;
  start.version = row.version;
  start.time = row.started;
  start.seed = executor_.random();
  Random ids(start.seed);
  start.trigger = complete_trigger(request.trigger, row.history_name.empty() ? row.name : row.history_name, row.started,
                                   make_guid(ids));
  start.client_tracking_id = row.client_tracking_id;
  start.resubmit_of = row.resubmit_of;
  start.origin = request.origin;
  start.started_by = row.started_by;
  start.caller_waits = request.answer && (request.answers_later || request.answers_by_status);
  if (!request.child_key.empty()) {
    request.documents.push_back({"childRun", request.child_key, Value::object({{"run", Value(row.name)}}), 0, {}});
  }
  if (waits) return wait_for_turn(std::move(request), std::move(row), std::move(start));

  note_begun(trigger_key(request.flow->id, request.flow->trigger.name));
  auto made = std::make_unique<ActiveRun>(std::move(row), request.flow, settings_.limits);
  auto& active = *made;
  active.answer = std::move(request.answer);
  active.answers_later = request.answers_later;
  active.answers_by_status = request.answers_by_status;
  active.waits_forever = request.waits_forever;
  active.started = std::move(request.started);
  active.documents = std::move(request.documents);
  active_.emplace(active.row.number, std::move(made));
  begin(active, std::move(start));
}

void Shard::start_runs(std::vector<StartRequest> requests) {
  if (const auto health = store_.health(); !health) {
    for (auto& request : requests) {
      if (request.started) request.started(health.error());
      if (request.answer) request.answer(error_answer(503, health.error().code, health.error().message));
    }
    return;
  }
  joint_.emplace();
  for (auto& request : requests) {
    request.must_start = true;
    start_run(std::move(request));
  }
  auto joint = std::move(*joint_);
  joint_.reset();
  hand_over(std::move(joint.batch), [all = std::move(joint.then)](Shard& shard) {
    for (const auto& then : all) then(shard);
  });
}

void Shard::hand_over(store::Batch batch, std::function<void(Shard&)> then) {
  if (joint_) {
    const auto append = [](auto& to, auto& from) { std::move(from.begin(), from.end(), std::back_inserter(to)); };
    append(joint_->batch.runs, batch.runs);
    append(joint_->batch.journal, batch.journal);
    append(joint_->batch.timers_set, batch.timers_set);
    append(joint_->batch.timers_ended, batch.timers_ended);
    append(joint_->batch.histories, batch.histories);
    append(joint_->batch.documents, batch.documents);
    joint_->then.push_back(std::move(then));
    return;
  }
  store_.commit(std::move(batch), [self = self_, executor = executor_owner_, then = std::move(then)]() mutable {
    executor->post([self = std::move(self), then = std::move(then)] {
      if (*self != nullptr) then(**self);
    });
  });
}

void Shard::begin(ActiveRun& active, engine::RunStarted start) {
  ++started_;
  active.started_now = true;
  active.row.status = store::RunStatus::running;
  if (active.answer) {
    ++waiting_callers_;
    watch_starts();
    if (active.answers_later && !active.waits_forever) {
      callers_.emplace_back(executor_.now() + settings_.caller_wait_max, active.row.number);
      sweep_callers();
    }
  }
  take(active, advance(active, std::move(start)));
}

void Shard::record_check(store::TriggerHistoryRow row, std::vector<store::Document> documents) {
  store::Batch batch;
  batch.documents = std::move(documents);
  batch.histories.push_back(row);
  hand_over(std::move(batch), [row = std::move(row)](Shard& shard) {
    for (auto* listener : shard.listeners_) listener->trigger_checked(row);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Inputs, events, commits

void Shard::give(store::RunNumber number, const engine::Input& input) {
  const auto active = bring_back(number);
  if (!active) return try_later([number, input](Shard& shard) { shard.give(number, input); });
  if (*active == nullptr || (*active)->run.ended()) return;
  take(**active, advance(**active, input));
}

void Shard::take(ActiveRun& active, engine::Decision decision) {
  std::move(decision.events.begin(), decision.events.end(), std::back_inserter(active.events));
  std::move(decision.commands.begin(), decision.commands.end(), std::back_inserter(active.commands));
  if (decision.more && !active.continues) {
    active.continues = true;
    executor_.post([self = self_, number = active.row.number] {
      if (*self == nullptr) return;
      auto& shard = **self;
      const auto found = shard.active_.find(number);
      if (found == shard.active_.end()) return;
      found->second->continues = false;
      shard.give(number, engine::Continue{});
    });
  }
  if (decision.more && active.commands.empty() && active.events.size() < events_gathered_max) return;
  commit(active);
}

void Shard::commit(ActiveRun& active) {
  const bool first = active.next_sequence == 0;
  if (active.events.empty() && active.commands.empty() && !first) return;
  store::Batch batch;
  Gate gate;
  gate.commands = std::move(active.commands);
  active.commands.clear();
  gate.started = std::exchange(active.started_now, false);
  note_events(active, batch, gate);
  std::move(active.documents.begin(), active.documents.end(), std::back_inserter(batch.documents));
  active.documents.clear();
  if (!active.events.empty()) {
    batch.journal.push_back({active.row.number, active.next_sequence++, engine::encode(active.events, sealer_)});
    active.events.clear();
  }
  const bool needs_work = !gate.ended && (active.continues || !active.run.sleeps());
  if (!active.row_known || gate.ended || needs_work != active.row.needs_work) {
    active.row.needs_work = needs_work;
    active.row_known = true;
    batch.runs.push_back(active.row);
  }
  active.gates.push_back(std::move(gate));
  hand_over(std::move(batch), [number = active.row.number](Shard& shard) { shard.gate_opens(number); });
}

void Shard::note_events(ActiveRun& active, store::Batch& batch, Gate& gate) {
  std::map<TimerKey, std::optional<Timestamp>> changes;  // only what remains of a commit's timers is written
  for (const auto& event : active.events) {
    if (const auto* set = std::get_if<engine::TimerSet>(&event)) {
      changes[{set->place, set->kind}] = set->due;
    } else if (const auto* timer = std::get_if<engine::TimerEnded>(&event)) {
      changes[{timer->place, timer->kind}] = std::nullopt;
    } else if (const auto* ended = std::get_if<engine::RunEnded>(&event)) {
      note_end(active, *ended);
      gate.ended = true;
    } else if (const auto* quarantined = std::get_if<engine::RunQuarantined>(&event)) {
      active.row.status = store::RunStatus::failed;
      active.row.ended = quarantined->time;
      active.row.error_code = "RunQuarantined";
      active.row.error_message = shortened(quarantined->report);
      gate.ended = true;
    }
  }
  if (gate.ended) {
    for (const auto& timer : active.timers) changes[timer.first] = std::nullopt;
    for (auto& change : changes) change.second = std::nullopt;
  }
  note_holds(active, batch, gate);
  const auto number = active.row.number;
  for (const auto& [key, due] : changes) {
    const auto before = active.timers.find(key);
    const bool existed = before != active.timers.end();
    if (existed) {
      if (due && *due == before->second) continue;
      gate.timers_ended.push_back({before->second, number, key});
    }
    const store::TimerRow row{due.value_or(Timestamp{}), number, key.place.action, key.place.frame,
                              static_cast<std::uint8_t>(key.kind)};
    if (due) {
      active.timers[key] = *due;
      batch.timers_set.push_back(row);
      gate.timers_set.push_back({*due, number, key});
    } else if (existed) {
      active.timers.erase(before);
      batch.timers_ended.push_back(row);
    }
  }
}

void Shard::note_end(ActiveRun& active, const engine::RunEnded& ended) {
  auto& row = active.row;
  if (row.is_held()) {
    row.failed_action.clear();
    row.cause.fingerprint.clear();
  }
  row.status = row_status(ended.status);
  row.ended = ended.time;
  row.code = ended.code;
  row.error_code = ended.fault.code;
  row.error_message = shortened(ended.fault.message);
  if (ended.culprit.action != definition::no_action && ended.culprit.action < active.flow->actions.size()) {
    row.failed_action = active.flow->action(ended.culprit.action).name;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The gate

void Shard::gate_opens(store::RunNumber number) {
  const auto found = active_.find(number);
  if (found == active_.end() || found->second->gates.empty()) return;
  auto& active = *found->second;
  auto gate = std::move(active.gates.front());
  active.gates.pop_front();
  for (const auto& timer : gate.timers_ended) near_.remove(timer);
  for (const auto& timer : gate.timers_set) {
    const auto live = active.timers.find(timer.key);
    if (live != active.timers.end() && live->second == timer.due) near_.add(timer);
  }
  if (!gate.timers_set.empty()) plan_wake();
  if (gate.started) {
    for (auto* listener : listeners_) listener->run_started(active.row);
    if (auto started = std::move(active.started))
      started(StartedRun{active.row.name, active.row.flow, active.row.version});
    if (active.answer && !active.answers_later)
      answer_caller(active, active.answers_by_status ? ask_later(active.row) : Answer{});
  }
  for (const auto& step : gate.let_go) holds_.remove(step);
  for (const auto& step : gate.held) holds_.add(step);
  if ((!gate.held.empty() || !gate.let_go.empty()) && !gate.ended) {
    for (auto* listener : listeners_) listener->run_held(active.row);
  }
  carry_out(active, std::move(gate.commands));
  if (gate.ended) return finish(active);
  if (may_leave(active)) active_.erase(number);
}

bool Shard::may_leave(const ActiveRun& active) const {
  if (!active.gates.empty() || active.continues || active.calls > 0 || active.answer || !active.events.empty())
    return false;
  if (!active.run.sleeps()) return false;
  const auto soon = executor_.now() + settings_.evict_after;
  return std::none_of(active.timers.begin(), active.timers.end(),
                      [&](const auto& timer) { return timer.second < soon; });
}

void Shard::carry_out(ActiveRun& active, engine::Commands commands) {
  for (auto& command : commands) {
    if (const auto* call = std::get_if<engine::Call>(&command)) {
      send(active, *call);
    } else if (const auto* cancel = std::get_if<engine::CancelCall>(&command)) {
      effects_.cancel({active.row.number, cancel->place, cancel->attempt});
    } else if (const auto* respond = std::get_if<engine::Respond>(&command)) {
      answer_caller(active, make_answer(*respond));
    }
    // Timers were taken from the events (note_events): they are rows of the same commit.
  }
}

Result<std::optional<engine::AttemptFinished>> Shard::kept_reply(ActiveRun& active, const engine::Call& call) {
  using Kept = std::optional<engine::AttemptFinished>;
  const auto keeps = active.run.state().start.trigger.text_of("keepsRun");
  if (keeps.empty() || call.attempt == 0) return Kept();
  if (!active.kept_flow) {
    const auto row = store_.run(keeps);
    const auto events = read_events(store_, sealer_, keeps);
    const auto flow = row && *row ? flows_.version((*row)->flow, (*row)->version, (*row)->trigger)
                                  : Result<std::shared_ptr<const definition::Flow>>(make_error("", ""));
    const auto unknown = [](const auto& read) { return !read && read.error().code == "StorageUnavailable"; };
    if (unknown(row)) return row.error();
    if (unknown(events)) return events.error();
    if (unknown(flow)) return flow.error();
    active.kept_flow = active.flow;  // looked at once, also when the record is gone
    if (const Value* repair = active.run.state().start.trigger.find("repair")) {
      if (auto correction = read_correction(*repair)) active.correction = std::move(*correction);
      active.again = steps_from(*active.flow, active.correction.from);
    }
    if (events && flow) {
      active.kept_flow = *flow;
      active.kept = engine::recorded_steps(*flow, *events);
    } else {
      spdlog::warn("run {}: what run {} had done can't be kept, its record is gone", active.row.name, keeps);
    }
  }
  const auto& state = active.run.state();
  if (const auto* decided = correction_of(active, call.place)) {
    if (decided->kind == StepCorrection::Kind::input || decided->kind == StepCorrection::Kind::child) return Kept();
    engine::AttemptFinished reply;
    reply.place = call.place;
    reply.attempt = call.attempt;
    reply.started = reply.ended = executor_.now();
    if (decided->kind == StepCorrection::Kind::expressions) {
      auto corrected = corrected_inputs(*decided, state, call.place, call.inputs);
      if (corrected.fault.code.empty()) return Kept();
      reply.fault = std::move(corrected.fault);
      return Kept(std::move(reply));
    }
    reply.status_code = 200;
    const bool supplied = decided->kind == StepCorrection::Kind::output;
    if (supplied) {
      reply.body = decided->value;
      reply.has_body = true;
    }
    const auto& repair = *state.start.trigger.find("repair");
    reply.request = Value::object(
        {{supplied ? "suppliedBy" : "skippedBy", Value(repair.text_of("by"))}, {"why", Value(active.correction.why)}});
    return Kept(std::move(reply));
  }
  if (is_done_again(active.correction, *active.flow, active.again, call.place.action,
                    engine::repetition_name(state, call.place.frame)))
    return Kept();
  const auto found = active.kept.find(engine::recorded_key(state, call.place));
  const auto* slot = state.find(call.place);
  if (found == active.kept.end() || slot == nullptr || found->second.status != engine::Status::succeeded) return Kept();
  const auto& action = active.flow->action(call.place.action);
  if (!engine::asks_the_same(found->second, slot->inputs, active.kept_flow->find_action(action.name), action))
    return Kept();
  auto reply = engine::recorded_reply(found->second, call, executor_.now());
  reply.request = Value::object({{"keptFrom", Value(keeps)}});
  return Kept(std::move(reply));
}

void Shard::call_later(ActiveRun& active, const engine::Call& call,
                       void (Shard::*how)(ActiveRun&, const engine::Call&)) {
  ++active.calls;  // stays in memory
  try_later([number = active.row.number, call, how](Shard& shard) {
    const auto found = shard.active_.find(number);
    if (found == shard.active_.end()) return;
    auto& caller = *found->second;
    if (caller.calls > 0) --caller.calls;
    const auto* slot = caller.run.state().find(call.place);
    const bool wanted = slot != nullptr && slot->detail && slot->detail->pending && slot->detail->pending->in_flight &&
                        slot->detail->pending->attempt == call.attempt;
    if (wanted) (shard.*how)(caller, call);
  });
}

const StepCorrection* Shard::correction_of(const ActiveRun& active, engine::Place place) const {
  if (active.correction.steps.empty()) return nullptr;
  return find_correction(active.correction, active.flow->action(place.action).name,
                         engine::repetition_name(active.run.state(), place.frame));
}

void Shard::send(ActiveRun& active, const engine::Call& asked) {
  auto kept = kept_reply(active, asked);
  if (!kept) {  // not "nothing is kept": what had succeeded would be done twice
    return call_later(active, asked, &Shard::send);
  }
  engine::Call call = asked;
  const auto* decided = *kept || asked.attempt == 0 ? nullptr : correction_of(active, asked.place);
  if (decided != nullptr && decided->kind != StepCorrection::Kind::child) {
    call.inputs = decided->kind == StepCorrection::Kind::expressions
                      ? corrected_inputs(*decided, active.run.state(), asked.place, asked.inputs).inputs
                      : decided->value;
    // Another request: a service that knows keys must not take it for the first one.
    call.idempotency_key = engine::idempotency_key(active.run.state(), call.place, call.inputs);
  }
  if (*kept) {
    ++active.calls;
    // What a webhook action had been told at last is what it is told now.
    const bool webhook = definition::is_webhook(active.flow->action(call.place.action).type);
    engine::Notified notified;
    notified.place = call.place;
    if (webhook) notified.outputs = active.kept.at(engine::recorded_key(active.run.state(), call.place)).outputs;
    executor_.post(
        [self = self_, number = active.row.number, reply = std::move(**kept), webhook, notified = std::move(notified)] {
          if (*self == nullptr) return;
          auto& shard = **self;
          const auto found = shard.active_.find(number);
          if (found == shard.active_.end()) return;
          if (found->second->calls > 0) --found->second->calls;
          shard.give(number, reply);
          if (webhook) shard.give(number, notified);
        });
    return;
  }
  if (call.kind == engine::Call::Kind::workflow) return call_flow(active, call);
  if (call.kind == engine::Call::Kind::batch) return send_to_batch(active, call);
  CallContext context;
  context.flow = active.flow;
  context.run = active.row.name;
  context.client_tracking_id = active.row.client_tracking_id;
  if (call.place.action < active.flow->actions.size()) {
    const auto& action = active.flow->action(call.place.action);
    context.action = action.name;
    if (action.loop != definition::no_action) context.repeat_scope = active.flow->action(action.loop).name;
  }
  ++active.calls;
  const auto number = active.row.number;
  effects_.send({number, call.place, call.attempt}, call, context,
                [self = self_, executor = executor_owner_, number](engine::AttemptFinished finished) {
                  executor->post([self, number, finished = std::move(finished)] {
                    if (*self == nullptr) return;
                    auto& shard = **self;
                    const auto found = shard.active_.find(number);
                    if (found == shard.active_.end()) return;  // the run is over: a late reply of a cancelled call
                    if (found->second->calls > 0) --found->second->calls;
                    shard.reply(number, finished);
                  });
                });
}

void Shard::answer_caller(ActiveRun& active, Answer answer) {
  if (!active.answer) return;
  answer.run = active.row.name;
  if (!active.flow->trigger.suppress_response_headers) {
    add_run_headers(answer, *active.flow, active.row, executor_.random());
  }
  auto tell = std::move(active.answer);
  active.answer = nullptr;
  --waiting_callers_;
  tell(std::move(answer));
}

void Shard::finish(ActiveRun& active) {
  ++ended_;
  if (active.answer) {
    answer_caller(active,
                  error_answer(502, "NoResponse",
                               "The server did not receive a response from an upstream server. Request tracking id '" +
                                   active.row.name + "'."));
  }
  for (auto* listener : listeners_) listener->run_ended(active.row);
  const auto key = trigger_key(active.row.flow, active.row.trigger);
  active_.erase(active.row.number);
  note_over(key);
}

}  // namespace flowmend::runtime
