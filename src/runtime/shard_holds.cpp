// Steps that wait for their service (engine::ActionHeld): the offer, and what is committed with it.

#include "engine/history.h"
#include "engine/state.h"
#include "runtime/shard.h"

namespace flowmend::runtime {

namespace {

HeldStep held_step(const store::RunRow& row, const definition::Action& action, const engine::ActionHeld& event) {
  HeldStep step;
  step.target = event.target;
  step.number = row.number;
  step.place = event.place;
  step.run = row.name;
  step.flow = row.flow;
  step.action = action.name;
  step.cause = event.cause;
  step.message = engine::reason_of(event, action.settings.secure_outputs).message;
  step.since = event.time;
  return step;
}

}  // namespace

void Shard::reply(store::RunNumber number, engine::AttemptFinished finished) {
  const auto found = active_.find(number);
  if (found == active_.end()) return;
  finished.hold = offer_hold(*found->second, finished);
  // A service that says what it does not like works.
  const auto status = finished.status_code;
  const bool works = status >= 200 && status < 500 && status != 401 && status != 408 && status != 429;
  give(number, finished);
  if (!finished.target.empty()) holds_.answered(finished.target, number, finished.place, works);
}

bool Shard::is_of_job(const ActiveRun& active) {
  if (active.row.started_by.starts_with("job:")) return true;
  const Value* of_job = active.run.state().start.trigger.find("ofJob");
  return of_job != nullptr && *of_job == Value(true);
}

std::optional<engine::HoldOffer> Shard::offer_hold(const ActiveRun& active, const engine::AttemptFinished& finished) {
  if (finished.target.empty() || (finished.status_code > 0 && finished.status_code < 400)) return std::nullopt;
  if (is_of_job(active)) return std::nullopt;
  const auto live = flows_.find(active.row.flow);
  if (!live) return std::nullopt;
  return holds_.offer(finished.target, (*live)->row.properties.text_of("onOutage") == "hold");
}

void Shard::note_holds(ActiveRun& active, store::Batch& batch, Gate& gate) {
  const auto let_go = [&](std::uint64_t key) {
    const auto found = active.held.find(key);
    if (found == active.held.end()) return;
    batch.documents.push_back(Holds::document_of(found->second, true));
    gate.let_go.push_back(found->second);
    active.held.erase(found);
  };
  for (const auto& event : active.events) {
    if (const auto* held = std::get_if<engine::ActionHeld>(&event)) {
      HeldStep step = held_step(active.row, active.flow->action(held->place.action), *held);
      step.message = shortened(step.message);
      batch.documents.push_back(Holds::document_of(step, false));
      gate.held.push_back(step);
      active.held[engine::RunState::key(held->place)] = std::move(step);
    } else if (const auto* ended = std::get_if<engine::HoldEnded>(&event)) {
      let_go(engine::RunState::key(ended->place));
    } else if (const auto* action = std::get_if<engine::ActionEnded>(&event)) {
      if (!active.held.empty()) let_go(engine::RunState::key(action->place));
    }
  }
  if (gate.ended) {
    while (!active.held.empty()) let_go(active.held.begin()->first);
    return;
  }
  auto& row = active.row;
  if (active.held.empty() ? !row.is_held() : gate.held.empty() && gate.let_go.empty()) return;
  if (active.held.empty()) {
    row.status = store::RunStatus::running;
    row.code.clear();
    row.error_code.clear();
    row.error_message.clear();
    row.failed_action.clear();
    row.cause.fingerprint.clear();
  } else {
    const HeldStep& first = active.held.begin()->second;
    row.status = store::RunStatus::waiting;
    row.code = store::held_code;
    row.error_code = first.cause;
    row.error_message = first.message;
    row.failed_action = first.action;
    // What refuses a connection's credentials is one incident, whether runs wait for it or failed of it.
    row.cause.fingerprint = (first.cause == "Unauthorized" ? "auth|" : "held|") + first.target;
  }
  active.row_known = false;
}

void Shard::find_holds(ActiveRun& active) {
  for (const auto& [key, due] : active.timers) {
    if (key.kind != engine::TimerKind::hold) continue;
    const auto* slot = active.run.state().find(key.place);
    if (slot == nullptr || !slot->detail || !slot->detail->pending || !slot->detail->pending->held) continue;
    HeldStep step = held_step(active.row, active.flow->action(key.place.action), *slot->detail->pending->held);
    step.message = shortened(step.message);
    active.held[engine::RunState::key(key.place)] = std::move(step);
  }
}

}  // namespace flowmend::runtime
