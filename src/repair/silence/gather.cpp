#include "repair/silence/gather.h"

#include <algorithm>

#include "runtime/runtime.h"
#include "runtime/trigger_key.h"

namespace flowmend::repair::silence {
namespace {

constexpr std::size_t checks_read = 8;  // what a check saw comes with it, and may be large
constexpr std::size_t history_read = 100;
constexpr std::size_t starts_read = 300;
constexpr std::size_t open_read = 20;
constexpr std::size_t open_looked_into = 5;
constexpr std::size_t counted_max = 100'000;
constexpr std::size_t versions_looked_into = 20;
constexpr std::int64_t weeks_compared = 4;
/// No run is told as stuck before (stuck.cpp's margin), so younger ones are not read.
constexpr Duration youngest = Duration::minutes(10);

Timestamp time_of(const Value& value, std::string_view name) {
  return parse_timestamp(value.text_of(name)).value_or(Timestamp());
}

bool is_schedule(const definition::Trigger& trigger) {
  return trigger.type_name == "Recurrence" || trigger.type_name == "SlidingWindow";
}

Check::Outcome outcome_of(const store::TriggerHistoryRow& row) {
  if (row.fired) return Check::Outcome::fired;
  return row.status == "Failed" ? Check::Outcome::failed : Check::Outcome::skipped;
}

/// A run that waited for its turn began when that was over.
Timestamp began(const store::RunRow& run) { return run.wait_ended.is_set() ? run.wait_ended : run.started; }

/// What decides how often a trigger can start runs.
Value pace_of(const Value& definition) {
  const Value* triggers = definition.find("triggers");
  if (triggers == nullptr || !triggers->is_object() || triggers->size() == 0) return {};
  const Value& trigger = triggers->as_object()[0].value;
  const Value* recurrence = trigger.find("recurrence");
  return Value::object(
      {{"type", Value(trigger.text_of("type"))}, {"recurrence", recurrence == nullptr ? Value() : *recurrence}});
}

}  // namespace

Switched switched_of(const store::FlowRow& row) {
  const Value* switched = row.properties.is_object() ? row.properties.find("switched") : nullptr;
  if (switched == nullptr) return {};
  return {std::string(switched->text_of("by")), time_of(*switched, "time")};
}

Result<OffFacts> Gatherer::off(const store::FlowRow& row, const runtime::LiveFlow& live) const {
  OffFacts facts;
  facts.state = row.state;
  facts.changed = row.changed;
  facts.owner = row.created_by;
  const Switched switched = switched_of(row);
  facts.switched_by = switched.by;
  facts.switched = switched.time;
  facts.refused = flows_.refused_calls().of(row.id);
  if (!live.flow) {
    const auto compiled = flows_.version(row.id, row.version);
    if (!compiled && compiled.error().code == "StorageUnavailable") return compiled.error();
    facts.compile_error = compiled ? "The definition does not compile." : compiled.error().message;
  }
  return facts;
}

Result<std::optional<ScheduleFacts>> Gatherer::schedule(const definition::Flow& flow, const Uptime& uptime) const {
  if (!is_schedule(flow.trigger)) return std::optional<ScheduleFacts>();
  const auto state = store_.document("triggerState", runtime::trigger_key(flow.id, flow.trigger.name));
  if (!state) return state.error();
  const auto recurrence = trigger::read_recurrence(flow.trigger.recurrence);
  const Value* planned = *state ? (*state)->value.find("recurrence") : nullptr;
  // Saved just now: the runtime has not planned it yet.
  if (!recurrence || planned == nullptr || *planned != flow.trigger.recurrence) return std::optional<ScheduleFacts>();
  ScheduleFacts facts;
  facts.recurrence = *recurrence;
  facts.saved = time_of((*state)->value, "saved");
  facts.last = time_of((*state)->value, "last");
  facts.planned = time_of((*state)->value, "next");
  facts.server_since = uptime.since();
  facts.down_since = uptime.down_since();
  if (flow.trigger.type_name == "SlidingWindow") {
    using trigger::Frequency;
    switch (recurrence->frequency) {
      case Frequency::second: facts.window = Duration::seconds(recurrence->interval); break;
      case Frequency::minute: facts.window = Duration::minutes(recurrence->interval); break;
      case Frequency::hour: facts.window = Duration::hours(recurrence->interval); break;
      case Frequency::day: facts.window = Duration::days(recurrence->interval); break;
      case Frequency::week: facts.window = Duration::days(recurrence->interval * 7); break;
      default: return std::optional<ScheduleFacts>();  // the runtime plans none of these
    }
    if (facts.window.ticks <= 0) return std::optional<ScheduleFacts>();
  }
  return std::optional(facts);
}

Result<CheckFacts> Gatherer::checks(const definition::Flow& flow) const {
  const auto rows = store_.trigger_histories(flow.id, flow.trigger.name, "", checks_read);
  if (!rows) return rows.error();
  CheckFacts facts;
  facts.source = flow.trigger.source;
  facts.has_older = rows->size() >= checks_read;
  for (const store::TriggerHistoryRow& row : *rows)
    facts.checks.push_back(
        {row.started, outcome_of(row), row.error_code.empty() ? row.code : row.error_code, row.error_message});
  if (facts.source == definition::TriggerSource::webhook) {
    const auto subscription = store_.document("subscription", runtime::trigger_key(flow.id, flow.trigger.name));
    if (!subscription) return subscription.error();
    if (*subscription) facts.subscribed = time_of((*subscription)->value, "subscribed");
  }
  return facts;
}

Result<StuckFacts> Gatherer::stuck(const std::string& flow, Timestamp now) const {
  StuckFacts facts;
  store::RunQuery query;
  query.flow = flow;
  query.status = store::RunStatus::running;
  query.until = now - youngest;
  query.limit = open_read;
  const auto running = store_.runs(query);
  if (!running) return running.error();
  if (running->empty()) return facts;
  query = {};
  query.flow = flow;
  query.status = store::RunStatus::succeeded;
  query.limit = history_read;
  const auto well = store_.runs(query);
  if (!well) return well.error();
  for (const store::RunRow& run : *well) facts.history.push_back(run.ended - began(run));
  const auto patience = patience_for(facts.history);
  std::size_t looked = 0;
  for (const store::RunRow& run : *running) {
    if (patience && now - began(run) <= *patience) continue;
    if (++looked > open_looked_into) break;
    const auto version = flows_.version(run.flow, run.version);
    const auto events = runtime::read_events(store_, sealer_, run.number);
    if (!events && events.error().code == "StorageUnavailable") return events.error();
    OpenRun open{run.name, began(run), {}, {}};
    if (version && events) {
      if (const auto step = find_open_step(**version, *events)) {
        if (step->rightly_waits) continue;
        open.step = step->name;
        open.at_step_since = step->since;
      }
    }
    facts.open.push_back(std::move(open));
  }
  return facts;
}

Result<std::optional<GapFacts>> Gatherer::gap(const store::FlowRow& row, const definition::Flow& flow,
                                              Timestamp now) const {
  if (flow.trigger.source == definition::TriggerSource::schedule) return std::optional<GapFacts>();
  GapFacts facts;
  facts.source = flow.trigger.source;
  facts.on_since = switched_of(row).time;
  store::RunQuery query;
  query.flow = row.id;
  query.limit = starts_read;
  const auto runs = store_.runs(query);
  if (!runs) return runs.error();
  for (const store::RunRow& run : *runs) facts.starts.push_back(run.started);
  if (judge_gap(facts, now).state == Verdict::State::silent) {
    const auto since = pace_since(flow, facts.starts.back());
    if (!since) return since.error();
    facts.on_since = std::max(facts.on_since, *since);
  }
  return std::optional(std::move(facts));
}

Result<std::vector<VolumeFacts>> Gatherer::volumes(const store::FlowRow& row, const definition::Flow& flow,
                                                   const Uptime& uptime, Timestamp until) const {
  std::vector<VolumeFacts> out;
  const Timestamp on_since = switched_of(row).time;
  std::optional<std::vector<store::TriggerHistoryRow>> checks;
  std::optional<Timestamp> pace;
  for (const Duration length : {Duration::hours(1), Duration::days(1), Duration::days(7)}) {
    VolumeFacts facts;
    facts.source = flow.trigger.source;
    facts.from = until - length;
    facts.until = until;
    if (!uptime.covers(facts.from, until) || on_since > facts.from || row.created > facts.from) continue;
    const auto count = [&](Timestamp from) {
      store::RunQuery query;
      query.flow = row.id;
      query.from = from;
      query.until = from + length;
      return store_.count_runs(query, counted_max);
    };
    const auto now_count = count(facts.from);
    if (!now_count) return now_count.error();
    facts.count = *now_count;
    for (std::int64_t week = 1; week <= weeks_compared; ++week) {
      const Timestamp from = facts.from - Duration::days(7 * week);
      if (row.created > from) break;
      const auto then = count(from);
      if (!then) return then.error();
      facts.weeks.emplace_back(*then);
    }
    if (judge_volume(facts).state == Verdict::State::silent) {
      // Only now is it worth to ask whether another number of runs was to be expected, and why none started.
      if (!pace) {
        const auto since = pace_since(flow, facts.from - Duration::days(7 * weeks_compared));
        if (!since) return since.error();
        pace = *since;
      }
      for (std::size_t week = 0; week < facts.weeks.size(); ++week) {
        if (*pace > facts.from - Duration::days(7 * (static_cast<std::int64_t>(week) + 1))) facts.weeks[week].reset();
      }
      if (!checks) {
        auto rows = store_.trigger_histories(flow.id, "", "", checks_read);
        if (!rows) return rows.error();
        checks = std::move(*rows);
      }
      for (const store::TriggerHistoryRow& check : *checks) {
        if (check.started < facts.from || check.started >= until) continue;
        const auto outcome = outcome_of(check);
        if (outcome == Check::Outcome::failed) ++facts.failed;
        if (outcome != Check::Outcome::skipped) continue;
        if (facts.skipped++ == 0) facts.skip_reason = check.error_message.empty() ? check.code : check.error_message;
      }
    }
    out.push_back(std::move(facts));
  }
  return out;
}

Result<Timestamp> Gatherer::pace_since(const definition::Flow& flow, Timestamp from) const {
  const auto versions = store_.flow_versions(flow.id);
  if (!versions) return versions.error();
  const Value pace = pace_of(flow.definition);
  Timestamp since;
  std::size_t looked = 0;
  for (const store::FlowVersionRow& listed : *versions) {  // newest first
    if (++looked > versions_looked_into) return since;
    const auto version = store_.flow_version(flow.id, listed.version);
    if (!version) return version.error();
    if (!*version || pace_of((*version)->definition) != pace) return since;
    since = listed.saved;
    if (since < from) break;
  }
  // The first version there is has this pace: it has always been so.
  return std::min(since, from);
}

}  // namespace flowmend::repair::silence
