// What is seen while the simulation runs. What must hold of the record: witness_record.cpp.

#include "witness.h"

#include <algorithm>

#include "engine/state.h"
#include "json/write.h"
#include "store/sqlite/reads.h"
#include "trigger/request.h"

namespace flowmend::simulation {

namespace sqlite = store::sqlite;

std::optional<engine::Events> Witness::events_of(store::RunNumber run) {
  engine::Events events;
  for (const auto& record : sqlite::read_journal(*disk_.connection, run)) {
    auto decoded = engine::decode(record, sealer_);
    if (!decoded) {
      fail("a record can be read back", "run " + std::to_string(run) + ": " + decoded.error().message);
      return std::nullopt;
    }
    if (engine::encode(*decoded, sealer_) != record)
      fail("a record reads back as it was written", "run " + std::to_string(run));
    std::move(decoded->begin(), decoded->end(), std::back_inserter(events));
  }
  return events;
}

std::shared_ptr<const definition::Flow> Witness::flow(const std::string& id, const std::string& version) {
  auto& known = flows_[id + "/" + version];
  if (known) return known;
  const auto row = sqlite::read_flow_version(*disk_.connection, id, version);
  if (!row) return nullptr;
  definition::CompileOptions options;
  options.id = id;
  options.version = version;
  options.dialect = definition::Dialect::pa;
  options.connection_references = row->connection_references;
  options.parameter_values = row->parameter_values;
  return known = definition::compile(row->definition, options).flow;
}

std::vector<store::RunRow> Witness::rows(std::optional<store::RunStatus> status) const {
  std::vector<store::RunRow> all;
  store::RunQuery query;
  query.status = status;
  query.limit = 1000;
  while (true) {
    auto page = sqlite::read_runs(*disk_.connection, query);
    if (!page.empty()) query.after = page.back().name;
    const bool last = page.size() < query.limit;
    std::move(page.begin(), page.end(), std::back_inserter(all));
    if (last) return all;
  }
}

void Witness::see_accepted(const runtime::Answer& answer, bool responds) {
  const std::string name(trigger::header(answer.headers, "x-ms-workflow-run-id"));
  const auto row = sqlite::read_run(*disk_.connection, name);
  if (!row) return fail("nothing is answered before it is durable", "the caller was told of run '" + name + "'");
  if (!responds || answer.status_code != 200) return;
  const auto events = events_of(row->number);
  if (!events) return;
  const bool said = std::any_of(events->begin(), events->end(),
                                [](const auto& event) { return std::holds_alternative<engine::Responded>(event); });
  if (!said) fail("nothing is answered before it is durable", "the Response of run " + name + " is not in its journal");
}

void Witness::see_run_started(const store::RunRow& run) {
  if (!sqlite::read_run(*disk_.connection, run.name))
    fail("nothing is told before it is durable", "run " + run.name + " was told started");
  told_started_.insert(run.name);
}

void Witness::see_run_ended(const store::RunRow& run) {
  if (!told_ended_.insert(run.name).second) fail("a run ends once", "the end of run " + run.name + " was told twice");
  const auto row = sqlite::read_run(*disk_.connection, run.name);
  if (!row || !store::is_over(row->status))
    fail("nothing is told before it is durable", "the end of run " + run.name + " was told");
}

void Witness::check_kept(const engine::Run& run, const engine::Call& call, const store::RunRow& row) {
  const std::string keeps(run.state().start.trigger.text_of("keepsRun"));
  if (keeps.empty() || call.attempt == 0) return;
  const auto earlier = sqlite::read_run(*disk_.connection, keeps);
  if (!earlier || earlier->version != row.version) return;
  const auto its_flow = flow(earlier->flow, earlier->version);
  if (!kept_.contains(keeps)) {
    const auto events = events_of(earlier->number);
    if (!events) return;
    kept_[keeps] = engine::recorded_steps(its_flow, *events);
  }
  const auto found = kept_[keeps].find(engine::recorded_key(run.state(), call.place));
  if (found == kept_[keeps].end() || found->second.status != engine::Status::succeeded) return;
  const auto& action = its_flow->action(call.place.action);
  if (definition::is_webhook(action.type)) return;  // its inputs hold the run's own address
  fail("a repetition that keeps what is done does nothing twice",
       "run " + row.name + " sends '" + action.name + "' again, which run " + keeps + " had done");
}

bool Witness::asks_for(const engine::Run& run, const engine::Call& call) {
  if (call.attempt == 0) {  // takes a subscription back: its step is over
    const auto* slot = run.state().frames.empty() ? nullptr : run.state().find(call.place);
    return slot != nullptr && engine::is_terminal(slot->status);
  }
  for (const auto& command : run.outstanding()) {
    const auto* open = std::get_if<engine::Call>(&command);
    if (open != nullptr && open->place == call.place && open->attempt == call.attempt)
      return open->idempotency_key == call.idempotency_key && open->inputs == call.inputs &&
             open->get_poll == call.get_poll && open->poll_uri == call.poll_uri;
  }
  return false;
}

void Witness::see_send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context) {
  if (id.run < 0) return;  // a trigger's own request; what it brings is counted by its runs
  const auto row = sqlite::read_run(*disk_.connection, id.run);
  const std::string what = "run " + context.run + ", action '" + context.action + "', attempt " +
                           std::to_string(call.attempt) + ", key " + call.idempotency_key;
  if (!row) return fail("no effect leaves before what it rests on is durable", what + ": the run is not durable");
  const auto its_flow = flow(row->flow, row->version);
  if (!its_flow) return fail("a run's version is durable", what);
  engine::Run run(its_flow);
  bool rests = false;
  const auto records = sqlite::read_journal(*disk_.connection, id.run);
  for (const auto& record : records) {
    const auto events = engine::decode(record, sealer_);
    if (!events) return fail("a record can be read back", what);
    run.replay(*events);
    rests = rests || asks_for(run, call);
  }
  if (!rests) {  // a step may start and be cut short in one record
    engine::Run slowly(its_flow);
    for (const auto& event : events_of(id.run).value_or(engine::Events{})) {
      slowly.replay({event});
      rests = rests || asks_for(slowly, call);
    }
  }
  if (!rests) fail("no effect leaves before what it rests on is durable", what);
  check_kept(run, call, *row);
  if (call.attempt > 1 && !call.get_poll) {  // a retry: never before its time
    for (const auto& event : events_of(id.run).value_or(engine::Events{})) {
      const auto* ended = std::get_if<engine::AttemptEnded>(&event);
      if (ended == nullptr || ended->place != call.place || ended->attempt + 1 != call.attempt) continue;
      if (ended->retry_at.is_set() && clock_.wall() < ended->retry_at && latest_wall_ < ended->retry_at)
        fail("timers fire once, never early", what + ": the retry was due at " + to_string(ended->retry_at));
    }
  }
  if (call.get_poll) return;
  const auto& start = run.state().start;
  const std::string uri(call.inputs.text_of("uri"));
  const Value* body = call.inputs.find("body");
  const std::string payload = uri + " " + (body == nullptr ? "" : json::write(*body));
  const auto [first, fresh] = payload_of_key_.emplace(call.idempotency_key, payload);
  if (!fresh && first->second != payload)
    fail("one idempotency key, one effect", what + ": " + payload + ", and before: " + first->second);
  const std::string effect = (start.origin.empty() ? start.run : start.origin) + " " + payload;
  const auto [key, unseen] = key_of_effect_.emplace(effect, call.idempotency_key);
  if (!unseen && key->second != call.idempotency_key)
    fail("no effect is repeated under another idempotency key", what + ": sent before under " + key->second);
}

}  // namespace flowmend::simulation
