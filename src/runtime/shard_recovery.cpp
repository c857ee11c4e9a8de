// How a shard takes up what the last process left, and brings sleeping runs back.

#include "runtime/shard.h"

#include <algorithm>
#include <set>

#include <spdlog/spdlog.h>

#include "runtime/trigger_key.h"

namespace flowmend::runtime {

namespace {
constexpr std::size_t resume_page = 200;
}  // namespace

Result<void> Shard::recover() {
  const auto last = store_.last_run();
  if (!last) return last.error();
  if (*last) {
    last_number_ = (*last)->number;
    last_time_ = (*last)->started;
  }
  if (auto read = holds_.recover(); !read) return read;
  std::set<std::string> gone;  // flows that were deleted just before the last process ended
  store::RunNumber after = 0;
  while (true) {
    const auto rows = store_.runs_to_resume(after, resume_page);
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      after = row.number;
      // A parent that was taken up asked for its child, which is there already: its requests are under way once.
      if (active_.contains(row.number)) continue;
      if (const auto flow = store_.flow(row.flow); flow && !*flow) gone.insert(row.flow);
      if (row.status == store::RunStatus::waiting && !row.is_held()) {
        const auto flow = flows_.version(row.flow, row.version, row.trigger);
        if (!flow && flow.error().code == "StorageUnavailable") return flow.error();
        if (!flow) {
          quarantine(row, flow.error());
          continue;
        }
        turnstile(trigger_key(row.flow, row.trigger)).waiting.push_back(row.number);
        continue;
      }
      // A run that can't be read now would be left behind for good: rather the start is tried again.
      if (const auto replayed = replay(row); !replayed) return replayed.error();
    }
    if (rows->size() < resume_page) break;
  }
  for (const auto& flow : gone) cancel_runs_of(flow);
  std::vector<std::string> keys;
  for (const auto& turns : turnstiles_) keys.push_back(turns.first);
  for (const auto& key : keys) next_turn(key);
  load_timers();
  return {};
}

void Shard::try_later(std::function<void(Shard&)> task) {
  executor_.post_at(executor_.now() + Duration::seconds(1), [self = self_, task = std::move(task)] {
    if (*self != nullptr) task(**self);
  });
}

Result<Shard::ActiveRun*> Shard::bring_back(store::RunNumber number) {
  if (const auto found = active_.find(number); found != active_.end()) return found->second.get();
  const auto row = store_.run(number);
  if (!row) {
    spdlog::error("run {} can't be read: {}", number, row.error().message);
    return row.error();
  }
  if (!*row || store::is_over((*row)->status)) return static_cast<ActiveRun*>(nullptr);
  return replay(**row);
}

Result<Shard::ActiveRun*> Shard::replay(const store::RunRow& row) {
  const auto flow = flows_.version(row.flow, row.version, row.trigger);
  if (!flow) {
    if (flow.error().code == "StorageUnavailable") return flow.error();
    quarantine(row, flow.error());
    return static_cast<ActiveRun*>(nullptr);
  }
  const auto records = store_.journal(row.number);
  if (!records) {
    spdlog::error("the journal of run {} can't be read: {}", row.name, records.error().message);
    return records.error();
  }
  auto made = std::make_unique<ActiveRun>(row, *flow, settings_.limits);
  bool caller_waits = false;
  for (const auto& record : *records) {
    auto events = engine::decode(record, sealer_);
    if (!events) {
      quarantine(row, events.error());
      return static_cast<ActiveRun*>(nullptr);
    }
    for (const auto& event : *events) {
      if (const auto* start = std::get_if<engine::RunStarted>(&event)) {
        // A run that waits for this one asks again by itself.
        caller_waits =
            start->caller_waits && start->trigger.find("parentRun") == nullptr && !(*flow)->answers_by_status;
      }
      if (std::holds_alternative<engine::Responded>(event)) caller_waits = false;
    }
    made->run.replay(*events);
    ++made->next_sequence;
  }
  const auto timers = store_.timers_of(row.number);
  if (!timers) return timers.error();
  for (const auto& timer : *timers) {
    made->timers[{{timer.action, timer.frame}, static_cast<engine::TimerKind>(timer.kind)}] = timer.due;
  }
  find_holds(*made);
  made->row_known = true;
  active_.emplace(row.number, std::move(made));
  // Requests whose outcome is unknown are sent again under their keys. Whoever waited for an answer is gone with the
  // old process. A run that was stopped between two slices goes on.
  auto& active = *active_.at(row.number);
  auto open = active.run.outstanding();
  const bool calls =
      std::any_of(open.begin(), open.end(), [](const auto& c) { return std::holds_alternative<engine::Call>(c); });
  carry_out(active, std::move(open));
  if (caller_waits) take(active, advance(active, engine::CallerGone{}));
  if (!calls && !active.run.sleeps() && !active.run.ended()) take(active, advance(active, engine::Continue{}));
  return &active;
}

void Shard::quarantine(store::RunRow row, const Error& error) {
  spdlog::error("run {} is quarantined: {} {}", row.name, error.code, error.message);
  const bool had_begun = row.status == store::RunStatus::running;
  row.status = store::RunStatus::failed;
  row.ended = executor_.now();
  row.code = "RunQuarantined";
  row.error_code = "RunQuarantined";
  row.error_message = shortened("The run can't go on: " + error.message);
  row.needs_work = false;
  store::Batch batch;
  if (const auto timers = store_.timers_of(row.number)) batch.timers_ended = *timers;
  batch.runs.push_back(row);
  hand_over(std::move(batch), [row, had_begun](Shard& shard) {
    for (auto* listener : shard.listeners_) listener->run_ended(row);
    if (had_begun) shard.note_over(trigger_key(row.flow, row.trigger));
  });
}

}  // namespace flowmend::runtime
