// What must hold of the durable record.

#include "witness.h"

#include <algorithm>
#include <tuple>

#include "engine/history.h"
#include "engine/state.h"
#include "flow_maker.h"
#include "json/write.h"
#include "store/sqlite/reads.h"

namespace flowmend::simulation {

namespace sqlite = store::sqlite;

bool Witness::all_over() const {
  return rows(store::RunStatus::running).empty() && rows(store::RunStatus::waiting).empty();
}

/// One end, and each thing in it once.
void Witness::check_journal(const store::RunRow& row, const engine::Events& events) {
  const std::string of = "run " + row.name;
  using engine::Place;
  std::set<std::pair<std::uint32_t, std::uint32_t>> started;
  std::set<std::pair<std::uint32_t, std::uint32_t>> ended;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> attempts;
  std::map<std::tuple<std::uint32_t, std::uint32_t, int>, int> timers;
  int starts = 0;
  int ends = 0;
  for (const auto& event : events) {
    if (ends > 0 && !std::holds_alternative<engine::InputIgnored>(event))
      fail("a run ends once", of + " goes on after its end");
    if (std::holds_alternative<engine::RunStarted>(event)) ++starts;
    if (std::holds_alternative<engine::RunEnded>(event)) ++ends;
    if (const auto* broken = std::get_if<engine::RunQuarantined>(&event))
      fail("no run breaks", of + " was quarantined: " + broken->report);
    if (const auto* e = std::get_if<engine::ActionStarted>(&event)) {
      if (!started.emplace(e->place.action, e->place.frame).second) fail("an action starts once", of);
    } else if (const auto* a = std::get_if<engine::ActionEnded>(&event)) {
      if (!ended.emplace(a->place.action, a->place.frame).second) fail("an action ends once", of);
    } else if (const auto* t = std::get_if<engine::AttemptEnded>(&event)) {
      if (!attempts.emplace(t->place.action, t->place.frame, t->attempt).second)
        fail("a reply is taken once", of + ": attempt " + std::to_string(t->attempt));
    } else if (const auto* ignored = std::get_if<engine::InputIgnored>(&event)) {
      if (ignored->what.find("timer") != std::string::npos)
        fail("timers fire once, never early", of + ": " + ignored->what);
    }
  }
  if (starts != 1) fail("a run starts once", of + " has " + std::to_string(starts) + " starts");
  if (ends > 1) fail("a run ends once", of + " has " + std::to_string(ends) + " ends");
  if (store::is_over(row.status) && ends == 0) fail("a run ends once", of + " is over without an end in its journal");
}

/// What waited did not go on before its time. The clock may be set back in between: then the latest time that it had
/// shown counts.
void Witness::check_times(const store::RunRow& row, const definition::Flow& flow, const engine::Events& events) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Timestamp> due;
  for (const auto& event : events) {
    if (const auto* set = std::get_if<engine::TimerSet>(&event)) {
      if (set->kind == engine::TimerKind::wait || set->kind == engine::TimerKind::timeout)
        due[{set->place.action, set->place.frame}] = set->due;
    } else if (const auto* ended = std::get_if<engine::ActionEnded>(&event)) {
      const auto found = due.find({ended->place.action, ended->place.frame});
      if (found == due.end()) continue;
      const bool waited =
          flow.action(ended->place.action).type_name == "Wait" && ended->status == engine::Status::succeeded;
      if ((waited || ended->code == "ActionTimedOut") && ended->ended < found->second)
        fail("timers fire once, never early", "run " + row.name + ", action '" + flow.action(ended->place.action).name +
                                                  "' was due at " + to_string(found->second) + " and ended at " +
                                                  to_string(ended->ended));
    }
  }
}

void Witness::check_row(const store::RunRow& row, const engine::Run& run) {
  const auto& state = run.state();
  const std::string of = "run " + row.name;
  const auto wrong = [&](const std::string& what) {
    fail("the recorded history equals a replay of the journal", of + ": " + what);
  };
  if (row.status == store::RunStatus::waiting) return;
  if (state.is_over() != store::is_over(row.status))
    return wrong(std::string("the row says ") + std::string(store::run_status_name(row.status)));
  std::map<std::tuple<std::uint32_t, std::uint32_t, int>, Timestamp> stored;
  for (const auto& timer : sqlite::read_timers_of(*disk_.connection, row.number))
    stored[{timer.action, timer.frame, timer.kind}] = timer.due;
  if (state.is_over()) {
    if (std::string(engine::status_name(state.status)) != store::run_status_name(row.status))
      wrong("the row says " + std::string(store::run_status_name(row.status)) + ", the journal " +
            std::string(engine::status_name(state.status)));
    if (state.ended != row.ended) wrong("the row ended at " + to_string(row.ended));
    if (!stored.empty()) wrong("it is over and has timers");
    if (row.needs_work) wrong("it is over and is to be resumed");
    return;
  }
  if (!row.needs_work && !run.sleeps()) wrong("it has work and would not be resumed");
  std::map<std::tuple<std::uint32_t, std::uint32_t, int>, Timestamp> wanted;
  for (const auto& [key, timer] : state.timers)
    wanted[{timer.place.action, timer.place.frame, static_cast<int>(timer.kind)}] = timer.due;
  if (wanted != stored)
    wrong("it has " + std::to_string(stored.size()) + " timers, the journal wants " + std::to_string(wanted.size()));
}

std::string Witness::describe(const store::RunRow& row) {
  const auto its_flow = flow(row.flow, row.version);
  const auto events = events_of(row.number);
  std::string text = "run " + std::to_string(row.number) + (row.needs_work ? " needs work" : " sleeps");
  if (!its_flow || !events) return text;
  engine::Run run(its_flow);
  run.replay(*events);
  for (const auto& command : run.outstanding()) {
    if (const auto* call = std::get_if<engine::Call>(&command))
      text += ", call " + its_flow->action(call->place.action).name + " attempt " + std::to_string(call->attempt);
  }
  for (const auto& [key, timer] : run.state().timers) text += ", timer at " + to_string(timer.due);
  for (engine::FrameId frame = 0; frame < run.state().frames.size(); ++frame) {
    for (const auto& action : its_flow->actions) {
      const auto* slot = run.state().find({action.id, frame});
      if (slot != nullptr && slot->status == engine::Status::running &&
          run.state().frames[frame].loop.action == action.loop)
        text += ", running " + action.name + " (" + action.type_name + ") in frame " + std::to_string(frame);
    }
  }
  return text + ", " + std::to_string(run.state().work.size()) + " to decide";
}

void Witness::check_durable() {
  for (const auto status : {store::RunStatus::running, store::RunStatus::waiting}) {
    for (const auto& row : rows(status)) {
      const auto its_flow = flow(row.flow, row.version);
      const auto events = events_of(row.number);
      if (!its_flow || !events) return;
      engine::Run run(its_flow);
      run.replay(*events);
      check_row(row, run);
    }
  }
}

void Witness::count_trigger(const store::RunRow& row, const engine::RunStarted& start) {
  if (!start.resubmit_of.empty()) {
    expect_resubmitted_.erase(row.name);
    return;
  }
  if (const auto scheduled = start.trigger.text_of("scheduledTime"); !scheduled.empty()) {
    const std::string time(scheduled);
    if (++runs_of_time_[row.flow][time] > 1)
      fail("timers fire once, never early", "flow " + row.flow + " fired twice for " + time);
    if (const auto due = parse_timestamp(time); due && row.started < *due)
      fail("timers fire once, never early", "run " + row.name + " was due at " + time);
    return;
  }
  const Value* outputs = start.trigger.find("outputs");
  const Value* body = outputs == nullptr ? nullptr : outputs->find("body");
  if (body == nullptr || !body->is_object()) return;
  if (const auto parent = start.trigger.text_of("parentRun"); !parent.empty()) {
    if (++runs_of_child_[std::string(parent) + " " + json::write(*body)] > 1)
      fail("a call starts one child", "run " + std::string(parent) + " has two children for " + json::write(*body));
    return;
  }
  if (const Value* items = body->find("items"); items != nullptr && body->find("batchName") != nullptr) {
    for (const Value& item : items->as_array()) ++runs_of_message_[std::string(item.text_of("messageId"))];
    return;
  }
  // Two flows may read one feed: a process that died while it saved one may have saved it.
  const std::string id(body->text_of("id"));
  ++runs_of_id_[id.starts_with("https://feed") ? row.flow + " " + id : id];
}

/// Windows follow each other without a gap.
void Witness::check_windows() {
  for (const auto& [id, times] : runs_of_time_) {
    const auto row = sqlite::read_flow(*disk_.connection, id);
    const auto its_flow = row ? flow(id, row->version) : nullptr;
    if (!its_flow || its_flow->trigger.type_name != "SlidingWindow") continue;
    const Value* interval = its_flow->trigger.recurrence.find("interval");
    std::optional<Timestamp> before;
    for (const auto& [time, count] : times) {
      const auto at = parse_timestamp(time);
      if (before && at && *at - *before != Duration::seconds(interval->as_integer()))
        fail("every accepted trigger has exactly one run", "flow " + id + " left out a window before " + time);
      before = at;
    }
  }
}

/// What a service gave to a poll has one run each, up to where the stored state says that it has been read.
void Witness::check_feeds() {
  for (const auto& document : sqlite::read_documents(*disk_.connection, {.kind = "pollState"})) {
    const std::string location(document.value.text_of("location"));
    if (location.empty()) continue;
    const auto slash = location.rfind('/');
    const auto read = std::stoll(location.substr(slash + 1));
    const std::string feed = location.substr(0, slash);
    for (std::int64_t i = 0; i < read; ++i) {
      const auto id = document.key.substr(0, document.key.find('/')) + " " + feed + "/" + std::to_string(i);
      if (runs_of_id_[id] != 1)
        fail("every accepted trigger has exactly one run", id + " has " + std::to_string(runs_of_id_[id]) + " runs");
    }
  }
}

void Witness::note_sent(const definition::Flow& flow, const engine::Events& events) {
  for (const auto& event : events) {
    const auto* ended = std::get_if<engine::ActionEnded>(&event);
    if (ended == nullptr || ended->status != engine::Status::succeeded) continue;
    if (flow.action(ended->place.action).type != definition::ActionType::send_to_batch) continue;
    if (const Value* body = ended->outputs.find("body")) sent_.emplace(body->text_of("messageId"));
  }
}

/// A message that was taken is in one run, or waits.
void Witness::check_batches() {
  for (const auto& document : sqlite::read_documents(*disk_.connection, {.kind = "batchMessage"}))
    ++runs_of_message_[std::string(document.value.text_of("messageId"))];
  for (const auto& id : sent_) {
    if (!runs_of_message_.contains(id)) fail("every message of a batch is in exactly one run", id + " is lost");
  }
  for (const auto& [id, count] : runs_of_message_) {
    if (count > 1)
      fail("every message of a batch is in exactly one run", id + " is there " + std::to_string(count) + " times");
  }
}

void Witness::check_end() {
  check_durable();
  for (const auto& row : rows()) {
    ++runs_;
    const auto its_flow = flow(row.flow, row.version);
    const auto events = events_of(row.number);
    if (!its_flow || !events || events->empty()) return fail("a run's record is whole", "run " + row.name);
    for (const auto& record : sqlite::read_journal(*disk_.connection, row.number)) {
      if (record.find(secret_text) != std::string::npos) fail("no secret in a record", "run " + row.name);
    }
    engine::Run run(its_flow);
    run.replay(*events);
    check_row(row, run);
    check_journal(row, *events);
    check_times(row, *its_flow, *events);
    note_sent(*its_flow, *events);
    if (!store::is_over(row.status)) fail("every run ends", "run " + row.name + " does not");
    const auto shown = engine::History(its_flow, *events).run();
    if (shown.text_of("status") != store::run_status_name(row.status))
      fail("the recorded history equals a replay of the journal",
           "run " + row.name + " is shown as " + std::string(shown.text_of("status")));
    if (const auto* start = std::get_if<engine::RunStarted>(&events->front())) count_trigger(row, *start);
    if (cancelled_.contains(row.name)) {
      const bool asked = std::any_of(events->begin(), events->end(), [](const auto& event) {
        return std::holds_alternative<engine::CancelRequested>(event) ||
               std::holds_alternative<engine::RunEnded>(event);
      });
      if (!asked) fail("what was reported done is durable", "the cancelling of run " + row.name);
    }
  }
  for (const auto& [id, count] : promised_) {
    if (runs_of_id_[id] != count)
      fail("every accepted trigger has exactly one run", id + " has " + std::to_string(runs_of_id_[id]) + " runs");
  }
  for (const auto& id : refused_) {
    if (runs_of_id_.contains(id) && runs_of_id_[id] > 0) fail("a refused trigger has no run", id);
  }
  for (const auto& [id, count] : runs_of_id_) {
    if (count > 1) fail("every accepted trigger has exactly one run", id + " has " + std::to_string(count) + " runs");
  }
  for (const auto& run : expect_resubmitted_)
    fail("every accepted trigger has exactly one run", "the repetition " + run);
  for (const auto& [name, payload] : heard_) {
    const auto row = sqlite::read_run(*disk_.connection, name);
    const auto events = row ? events_of(row->number) : std::nullopt;
    if (!events) continue;
    bool found = false;
    for (const auto& event : *events) {
      if (const auto* ended = std::get_if<engine::ActionEnded>(&event))
        found = found || json::write(ended->outputs).find(payload) != std::string::npos;
    }
    if (!found) fail("what was reported done is durable", "run " + name + " lost the notification " + payload);
  }
  check_windows();
  check_feeds();
  check_batches();
}

}  // namespace flowmend::simulation
