#include "runtime/schedules.h"

#include <spdlog/spdlog.h>

#include "runtime/trigger_key.h"

namespace flowmend::runtime {

namespace {

constexpr std::string_view state_kind = "triggerState";

bool is_schedule(const definition::Trigger& trigger) {
  return trigger.type_name == "Recurrence" || trigger.type_name == "SlidingWindow";
}

/// The length of a window; none for a frequency without a fixed one.
Duration window_of(const trigger::Recurrence& recurrence) {
  using trigger::Frequency;
  switch (recurrence.frequency) {
    case Frequency::second: return Duration::seconds(recurrence.interval);
    case Frequency::minute: return Duration::minutes(recurrence.interval);
    case Frequency::hour: return Duration::hours(recurrence.interval);
    case Frequency::day: return Duration::days(recurrence.interval);
    case Frequency::week: return Duration::days(recurrence.interval * 7);
    default: return {};
  }
}

Timestamp time_of(const Value& state, std::string_view name) {
  return parse_timestamp(state.text_of(name)).value_or(Timestamp{});
}

}  // namespace

Schedules::Schedules(store::Store& store, Executor& executor, Flows& flows, Fire fire)
    : store_(store),
      executor_(executor),
      flows_(flows),
      fire_(std::move(fire)),
      self_(std::make_shared<Schedules*>(this)) {}

Schedules::~Schedules() { *self_ = nullptr; }

store::Document Schedules::document_of(const std::string& key, const Plan& plan) {
  json::ObjectBuilder state;
  state.add("recurrence", plan.source);
  state.add("saved", to_string(plan.saved));
  if (plan.last.is_set()) state.add("last", to_string(plan.last));
  if (plan.next.is_set()) state.add("next", to_string(plan.next));
  return {std::string(state_kind), key, state.finish(), 0, {}};
}

Result<void> Schedules::recover() {
  if (auto moved = move_flow_states(store_, flows_, state_kind); !moved) return moved;
  const auto flows = store_.flows();
  if (!flows) return flows.error();
  for (const auto& row : *flows) plan(row, true);
  return {};
}

void Schedules::flow_changed(const std::string& id) {
  const auto row = store_.flow(id);
  if (!row) {
    // Without the store nothing can fire either; look again when it may be back.
    executor_.post_at(executor_.now() + Duration::seconds(5), [self = self_, id] {
      if (*self != nullptr) (*self)->flow_changed(id);
    });
    return;
  }
  if (!*row) return forget(id, {});
  plan(**row, false);
}

/// Drops the plans of a flow's triggers that are not among `but`.
void Schedules::forget(const std::string& id, const std::set<std::string>& but) {
  const auto prefix = trigger_keys_of(id);
  for (auto plan = plans_.lower_bound(prefix); plan != plans_.end() && plan->first.starts_with(prefix);) {
    plan = but.contains(plan->first) ? std::next(plan) : plans_.erase(plan);
  }
}

void Schedules::plan(const store::FlowRow& row, bool at_start) {
  const auto live = flows_.find(row.id);
  std::set<std::string> planned;
  if (row.state == store::FlowState::started && live) {
    for (const auto& flow : definition::by_trigger((*live)->flow)) {
      if (!is_schedule(flow->trigger)) continue;
      const auto key = trigger_key(row.id, flow->trigger.name);
      planned.insert(key);
      plan_trigger(key, flow->trigger, at_start);
    }
  }
  forget(row.id, planned);
  const bool on = row.state == store::FlowState::started;
  if (on && (at_start || !live || !(*live)->flow)) return;
  const auto states = read_documents(store_, state_kind, trigger_keys_of(row.id));
  if (!states) return;
  store::Batch batch;
  for (const auto& state : *states) {
    if (planned.contains(state.key)) continue;
    // Switched off: when it is switched on again it begins anew. On, and not planned: the trigger is gone.
    batch.documents.push_back({std::string(state_kind), state.key, on ? Value() : Value::empty_object(), 0, {}});
  }
  if (!batch.documents.empty()) store_.commit(std::move(batch), {});
}

void Schedules::plan_trigger(const std::string& key, const definition::Trigger& trigger, bool at_start) {
  const auto known = plans_.find(key);
  const auto& source = trigger.recurrence;
  if (known != plans_.end() && known->second.source == source) return;  // saved with the same times
  const auto recurrence = trigger::read_recurrence(source);
  if (!recurrence) {
    spdlog::error("the schedule of trigger {} can't be used: {}", key, recurrence.error().message);
    if (known != plans_.end()) plans_.erase(known);
    return;
  }
  Plan plan{*recurrence, source, {}, {}, {}, {}, {}, ++turns_};
  if (trigger.type_name == "SlidingWindow") {
    plan.window = window_of(*recurrence);
    plan.delay = parse_duration(trigger.inputs.source().text_of("delay")).value_or(Duration{});
    if (plan.window.ticks == 0) {
      spdlog::error("the windows of trigger {} have no fixed length", key);
      return;
    }
  }
  const auto now = executor_.now();
  const auto stored =
      at_start ? store_.document(state_kind, key) : Result<std::optional<store::Document>>(std::nullopt);
  const auto* planned = stored && *stored ? (*stored)->value.find("recurrence") : nullptr;
  if (planned != nullptr && *planned == source) {
    plan.saved = time_of((*stored)->value, "saved");
    plan.last = time_of((*stored)->value, "last");
    plan.next = time_of((*stored)->value, "next");
    if (plan.window.ticks == 0 && plan.next.is_set() && plan.next <= now) {  // missed while the process was down
      plan.next =
          trigger::next_fire(plan.recurrence, plan.saved, std::max(plan.last, plan.next), now).value_or(Timestamp{});
    }
  } else {
    plan.saved = now;
    plan.next = trigger::first_fire(plan.recurrence, now).value_or(Timestamp{});
    if (plan.window.ticks != 0) {
      // Windows are counted from the start time, also from one that has passed.
      Timestamp start = now;
      if (plan.recurrence.start_local) {
        start = plan.recurrence.start_is_utc
                    ? Timestamp{*plan.recurrence.start_local}
                    : plan.recurrence.time_zone.instants_of(*plan.recurrence.start_local).before;
      }
      plan.next = start + plan.window + plan.delay;
    }
  }
  store::Batch batch;
  batch.documents.push_back(document_of(key, plan));
  store_.commit(std::move(batch), {});
  plans_[key] = std::move(plan);
  wake(key);
}

Timestamp Schedules::after(const Plan& plan, Timestamp last, Timestamp now) const {
  if (plan.window.ticks != 0) return last + plan.window;
  return trigger::next_fire(plan.recurrence, plan.saved, last, now).value_or(Timestamp{});
}

void Schedules::wake(const std::string& key) {
  const auto& plan = plans_.at(key);
  if (!plan.next.is_set()) return;
  executor_.post_at(plan.next, [self = self_, key, turn = plan.turn] {
    if (*self == nullptr) return;
    const auto found = (*self)->plans_.find(key);
    if (found != (*self)->plans_.end() && found->second.turn == turn) (*self)->due(key);
  });
}

void Schedules::due(const std::string& key) {
  auto& plan = plans_.at(key);
  const auto now = executor_.now();
  if (now < plan.next) return wake(key);  // the clock was set back in the meantime
  const auto scheduled = plan.next;
  plan.last = scheduled;
  plan.next = after(plan, scheduled, now);
  plan.turn = ++turns_;
  const auto live = flows_.find(flow_of(key));
  const auto flow = live ? definition::with_trigger((*live)->flow, trigger_of(key)) : nullptr;
  if (flow && (*live)->row.state == store::FlowState::started) {
    Value outputs;
    if (plan.window.ticks != 0) {
      const Timestamp end = scheduled - plan.delay;
      outputs = Value::object(
          {{"windowStartTime", Value(to_string(end - plan.window))}, {"windowEndTime", Value(to_string(end))}});
      outputs = Value::object({{"body", outputs},
                               {"windowStartTime", *outputs.find("windowStartTime")},
                               {"windowEndTime", *outputs.find("windowEndTime")}});
    }
    fire_(flow, scheduled, outputs, document_of(key, plan));
  } else if (!live) {
    spdlog::error("the schedule of trigger {} was missed: {}", key, live.error().message);
  }
  wake(key);
}

Timestamp Schedules::next_fire(const std::string& key) const {
  const auto found = plans_.find(key);
  return found == plans_.end() ? Timestamp{} : found->second.next;
}

}  // namespace flowmend::runtime
