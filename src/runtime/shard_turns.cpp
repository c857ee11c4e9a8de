// Runs that wait for their turn (trigger concurrency, engine.md 2.4), and cancelling.

#include "runtime/shard.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "engine/state.h"
#include "runtime/answer.h"
#include "runtime/trigger_key.h"

namespace flowmend::runtime {

namespace {

/// Whose turn a run waits for: that of its trigger.
std::string turns_of(const store::RunRow& row) { return trigger_key(row.flow, row.trigger); }

}  // namespace

void Shard::cancel_run(const std::string& name, const std::string& by, std::function<void(Result<void>)> done) {
  const auto row = store_.run(name);
  if (!row) return done(row.error());
  if (!*row) {
    return done(make_error("WorkflowRunNotFound", "There is no run '" + name + "'.", {},
                           "Check the run's name; it may have been removed by retention."));
  }
  if (store::is_over((*row)->status)) {
    return done(make_error("WorkflowRunAlreadyCompleted", "Run '" + name + "' is over (" +
                                                              std::string(store::run_status_name((*row)->status)) +
                                                              ") and can't be cancelled."));
  }
  if (const auto health = store_.health(); !health) return done(health.error());
  const auto number = (*row)->number;
  if ((*row)->status == store::RunStatus::waiting && !(*row)->is_held() && active_.count(number) == 0) {
    cancel_waiting(**row, by);
  } else {
    give(number, engine::CancelRun{by});
  }
  // Durable when everything handed over so far is: commits keep their order.
  hand_over({}, [done = std::move(done)](Shard&) { done({}); });
}

void Shard::cancel_runs_of(const std::string& flow) {
  const auto again = [flow](Shard& shard) { shard.cancel_runs_of(flow); };
  if (!store_.health()) return try_later(again);
  std::vector<store::RunNumber> numbers;  // giving an input may end a run, and so change what is in memory
  for (const auto& [number, active] : active_) {
    if (active->row.flow == flow) numbers.push_back(number);
  }
  for (const auto number : numbers) give(number, engine::CancelRun{"deletion of the flow"});
  bool all = true;
  for (const auto status : {store::RunStatus::running, store::RunStatus::waiting}) {
    store::RunQuery query;
    query.flow = flow;
    query.status = status;
    query.limit = 1000;
    const auto rows = store_.runs(query);
    if (!rows) return try_later(again);
    for (const auto& row : *rows) {
      all = false;
      if (active_.count(row.number) == 0) cancel_run(row.name, "deletion of the flow", [](const Result<void>&) {});
    }
  }
  if (!all || !numbers.empty()) try_later(again);  // until none is left, also of those that were about to start
}

void Shard::notify_action(const std::string& name, const std::string& action, std::uint32_t frame, Value outputs,
                          std::function<void(Result<void>)> done) {
  const auto row = store_.run(name);
  if (!row) return done(row.error());
  if (!*row) return done(make_error("WorkflowRunNotFound", "There is no run '" + name + "'."));
  const auto over = make_error("WorkflowRunAlreadyCompleted", "The run '" + name + "' is over: it waits no more.");
  if (store::is_over((*row)->status)) return done(over);
  if (const auto health = store_.health(); !health) return done(health.error());
  const auto found = bring_back((*row)->number);
  if (!found) return done(found.error());  // not "over": the service is to try again
  auto* active = *found;
  if (active == nullptr) return done(over);
  const auto* known = active->flow->find_action(action);
  const auto* slot = known == nullptr ? nullptr : active->run.state().find({known->id, frame});
  if (slot == nullptr || slot->status != engine::Status::running)
    return done(make_error("ActionNotWaiting", "The action '" + action + "' waits for no answer."));
  give((*row)->number, engine::Notified{{known->id, frame}, std::move(outputs)});
  // Durable when everything handed over so far is: commits keep their order.
  hand_over({}, [done = std::move(done)](Shard&) { done({}); });
}

Shard::Turnstile& Shard::turnstile(const std::string& key) {
  auto& turns = turnstiles_[key];
  if (turns.known) return turns;
  // Those in memory, whose rows may lag behind, and those that sleep.
  turns.running = 0;
  for (const auto& [number, active] : active_) turns.running += turns_of(active->row) == key ? 1 : 0;
  for (const auto status : {store::RunStatus::running, store::RunStatus::waiting}) {
    store::RunQuery query;
    query.flow = std::string(flow_of(key));
    query.status = status;
    query.limit = 1000;
    while (true) {
      const auto page = store_.runs(query);
      if (!page) return turns;
      for (const auto& row : *page) {
        // A run whose step waits for its service has begun, and keeps its place; others that wait have not.
        const bool has_begun = status == store::RunStatus::running || row.is_held();
        turns.running += has_begun && turns_of(row) == key && active_.count(row.number) == 0 ? 1 : 0;
      }
      if (page->size() < query.limit) break;
      query.after = page->back().name;
    }
  }
  turns.known = true;
  return turns;
}

bool Shard::must_wait(const definition::Flow& flow) {
  if (!flow.trigger.concurrency) return false;
  const auto& turns = turnstile(trigger_key(flow.id, flow.trigger.name));
  return !turns.known || turns.running >= *flow.trigger.concurrency;
}

void Shard::note_begun(const std::string& key) {
  if (const auto found = turnstiles_.find(key); found != turnstiles_.end()) ++found->second.running;
}

void Shard::note_over(const std::string& key) {
  const auto found = turnstiles_.find(key);
  if (found == turnstiles_.end()) return;
  if (found->second.running > 0) --found->second.running;
  next_turn(key);
}

void Shard::wait_for_turn(StartRequest request, store::RunRow row, engine::RunStarted start) {
  // The record of a waiting run is its start alone; it is written again, whole, when the run begins.
  row.status = store::RunStatus::waiting;
  row.needs_work = true;
  start.caller_waits = request.answers_by_status;
  turnstile(turns_of(row)).waiting.push_back(row.number);
  store::Batch batch;
  batch.journal.push_back({row.number, 0, engine::encode({start}, sealer_)});
  batch.runs.push_back(row);
  batch.documents = std::move(request.documents);
  hand_over(std::move(batch),
            [flow = request.flow, row, started = std::move(request.started), by_status = request.answers_by_status,
             answer = std::move(request.answer)](Shard& shard) {
              for (auto* listener : shard.listeners_) listener->run_started(row);
              if (started) started(StartedRun{row.name, row.flow, row.version});
              if (answer) {
                Answer accepted = by_status ? shard.ask_later(row) : Answer{};
                add_run_headers(accepted, *flow, row, shard.executor_.random());
                accepted.run = row.name;
                answer(std::move(accepted));
              }
              shard.next_turn(turns_of(row));
            });
}

void Shard::next_turn(const std::string& key) {
  const auto again = [key](Shard& shard) { shard.next_turn(key); };
  auto& turns = turnstile(key);
  if (!turns.known) return try_later(again);
  while (!turns.waiting.empty()) {
    const auto number = turns.waiting.front();
    const auto row = store_.run(number);
    if (!row) return try_later(again);
    if (!*row) return;  // not durable yet: it looks for its turn itself when it is
    if ((*row)->status != store::RunStatus::waiting || active_.count(number) != 0) {
      turns.waiting.pop_front();
      continue;
    }
    const auto compiled = flows_.version((*row)->flow, (*row)->version, (*row)->trigger);
    if (!compiled && compiled.error().code == "StorageUnavailable") return try_later(again);
    if (compiled && (*compiled)->trigger.concurrency && turns.running >= *(*compiled)->trigger.concurrency) return;
    if (!start_waiting(**row)) return try_later(again);
  }
}

void Shard::cancel_waiting(store::RunRow row, const std::string& by) {
  auto& waiting = turnstile(turns_of(row)).waiting;
  waiting.erase(std::remove(waiting.begin(), waiting.end(), row.number), waiting.end());
  const auto now = executor_.now();
  engine::RunEnded end;
  end.status = engine::Status::cancelled;
  end.code = "WorkflowRunCancelled";
  end.fault = {"WorkflowRunCancelled", "The run was cancelled while it waited for its turn.", nullptr};
  end.time = now;
  row.status = store::RunStatus::cancelled;
  row.ended = now;
  row.code = end.code;
  row.error_code = end.fault.code;
  row.error_message = end.fault.message;
  row.needs_work = false;
  store::Batch batch;
  batch.journal.push_back({row.number, 1, engine::encode({engine::CancelRequested{by, now}, std::move(end)}, sealer_)});
  batch.runs.push_back(row);
  hand_over(std::move(batch), [row](Shard& shard) {
    for (auto* listener : shard.listeners_) listener->run_ended(row);
  });
}

bool Shard::start_waiting(const store::RunRow& row) {
  const auto number = row.number;
  const auto records = store_.journal(number);
  if (!records) return false;
  auto& turns = turnstile(turns_of(row));
  turns.waiting.erase(std::remove(turns.waiting.begin(), turns.waiting.end(), number), turns.waiting.end());
  const auto flow = flows_.version(row.flow, row.version, row.trigger);
  if (!flow) return quarantine(row, flow.error()), true;
  const auto events = records->empty()
                          ? Result<engine::Events>(make_error("JournalDamaged", "The run's journal is empty."))
                          : engine::decode(records->front(), sealer_);
  if (!events) return quarantine(row, events.error()), true;
  const auto* start = events->empty() ? nullptr : std::get_if<engine::RunStarted>(&events->front());
  if (start == nullptr) {
    quarantine(row, make_error("JournalDamaged", "The run's journal does not begin with its start."));
    return true;
  }
  ++turns.running;
  auto made = std::make_unique<ActiveRun>(row, *flow, settings_.limits);
  auto& active = *made;
  active.row.wait_ended = executor_.now();
  active_.emplace(number, std::move(made));
  begin(active, *start);
  return true;
}

}  // namespace flowmend::runtime
