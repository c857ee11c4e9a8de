#include "repair/changes/last_good.h"

#include <algorithm>
#include <map>

#include "connector/reference.h"
#include "repair/silence/finding.h"

namespace flowmend::repair {
namespace {

using definition::Action;

constexpr std::size_t journal_bytes_max = 64 << 20;  ///< read before the search is given up

const Action* action_of(const definition::Flow& flow, std::string_view name) {
  for (const Action& action : flow.actions) {
    if (action.name == name) return &action;
  }
  return nullptr;
}

/// As written, without what stands inside it: a change of a step in a loop is not the loop's.
Value own_definition(const Action& action) {
  if (!action.definition.is_object()) return action.definition;
  json::ObjectBuilder out;
  for (const json::Member& member : action.definition.as_object()) {
    if (member.name() != "actions" && member.name() != "cases" && member.name() != "else" && member.name() != "default")
      out.add(member.name(), member.value);
  }
  return out.finish();
}

std::string connection_of(const definition::Flow& flow, const Action& action) {
  const Value* inputs = action.definition.find("inputs");
  const Value* host = inputs == nullptr ? nullptr : inputs->find("host");
  if (host == nullptr) return {};
  const auto reference = connector::resolve_reference(*host, flow.connection_references);
  return reference ? reference->api + "/" + reference->name : std::string();
}

int status_of(const Value& outputs) {
  const Value* status = outputs.find("statusCode");
  return status != nullptr && status->is_integer() ? static_cast<int>(status->as_integer()) : 0;
}

void append(std::vector<Change>& to, std::vector<Change> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::optional<engine::Events> decode(const std::vector<std::string>& records, const engine::Sealer& sealer,
                                     std::size_t& bytes) {
  engine::Events events;
  for (const std::string& record : records) {
    bytes += record.size();
    auto decoded = engine::decode(record, sealer);
    if (!decoded) return std::nullopt;
    std::move(decoded->begin(), decoded->end(), std::back_inserter(events));
  }
  return events;
}

StepRecord record_of(const definition::Flow& flow, const Failure& failure) {
  const Action& action = flow.actions[failure.action];
  StepRecord record;
  record.started = failure.started;
  record.ended = failure.ended;
  record.definition = own_definition(action);
  if (!action.settings.secure_inputs) record.inputs = failure.inputs;
  if (!action.settings.secure_outputs) record.outputs = failure.outputs;
  record.status_code = failure.status_code();
  record.connection = connection_of(flow, action);
  return record;
}

/// Connector steps: what the definition names is now another connection, or the same one was changed since.
std::vector<Change> connection_changes(const LastGoodParts& parts, const StepRecord& good, const StepRecord& bad) {
  std::vector<Change> out;
  const auto view_of = [&](const std::string& connection) -> std::optional<connector::ConnectionView> {
    const auto slash = connection.find('/');
    if (parts.connections == nullptr || slash == std::string::npos) return std::nullopt;
    return parts.connections->find({connection.substr(0, slash), connection.substr(slash + 1)});
  };
  const auto name_of = [&](const std::string& connection) {
    const auto view = view_of(connection);
    return view && !view->display_name.empty() ? view->display_name : connection;
  };
  if (good.connection != bad.connection) {
    if (!good.connection.empty() && !bad.connection.empty())
      out.push_back(
          {Change::Kind::connection,
           "It used the connection '" + name_of(good.connection) + "' and uses '" + name_of(bad.connection) + "' now.",
           {},
           {},
           {}});
    return out;
  }
  const auto view = view_of(bad.connection);
  if (!view) {
    if (parts.connections != nullptr && !bad.connection.empty())
      out.push_back({Change::Kind::connection, "Its connection does not exist any more.", {}, {}, {}});
    return out;
  }
  const std::string name = "The connection '" + name_of(bad.connection) + "' ";
  const auto add = [&](std::string text) { out.push_back({Change::Kind::connection, std::move(text), {}, {}, {}}); };
  if (view->modified > good.ended && view->modified <= bad.ended)
    add(name + "was changed at " + silence::time_words(view->modified) + ", between the two runs.");
  if (view->status == connector::ConnectionStatus::error && view->last_success.is_set())
    add(name + "does not work any more; its service accepted it last at " + silence::time_words(view->last_success) +
        ".");
  return out;
}

Value view_of(const std::vector<Change>& changes) {
  json::ArrayBuilder out;
  for (const Change& change : changes) {
    json::ObjectBuilder one;
    one.add("kind", Value(kind_name(change.kind)));
    one.add("text", Value(change.text));
    if (!change.pointer.empty()) one.add("pointer", Value(change.pointer));
    if (!change.before.is_null() || !change.after.is_null()) {
      one.add("before", change.before);
      one.add("after", change.after);
    }
    out.push(one.finish());
  }
  return out.finish();
}

}  // namespace

std::optional<StepRecord> find_good_step(const definition::Flow& flow, const engine::Events& events,
                                         std::string_view action, const std::vector<Iteration>& iterations) {
  const Action* wanted = action_of(flow, action);
  if (wanted == nullptr) return std::nullopt;
  std::map<engine::FrameId, const engine::IterationStarted*> frames;
  std::map<engine::FrameId, const engine::ActionStarted*> starts;  // of the wanted step, by frame
  engine::FrameId next_frame = 1;
  const engine::ActionEnded* found = nullptr;
  bool exact = false;
  const auto is_same_iteration = [&](engine::FrameId frame) {
    for (auto iteration = iterations.rbegin(); iteration != iterations.rend(); ++iteration) {
      const auto known = frames.find(frame);
      if (known == frames.end() || known->second->index != iteration->index) return false;
      frame = known->second->loop.frame;
    }
    return frame == 0;
  };
  for (const engine::Event& event : events) {
    if (const auto* iteration = std::get_if<engine::IterationStarted>(&event)) {
      frames[next_frame++] = iteration;
    } else if (const auto* started = std::get_if<engine::ActionStarted>(&event)) {
      if (started->place.action == wanted->id) starts[started->place.frame] = started;
    } else if (const auto* ended = std::get_if<engine::ActionEnded>(&event)) {
      if (ended->place.action != wanted->id || ended->status != engine::Status::succeeded || exact) continue;
      found = ended;
      exact = is_same_iteration(ended->place.frame);
    }
  }
  if (found == nullptr) return std::nullopt;
  StepRecord record;
  record.started = found->started;
  record.ended = found->ended;
  if (!wanted->settings.secure_inputs) record.inputs = found->inputs;
  if (const auto start = starts.find(found->place.frame); start != starts.end()) {
    record.started = start->second->time;
    if (!found->has_inputs && start->second->has_inputs && !wanted->settings.secure_inputs)
      record.inputs = start->second->inputs;
  }
  if (!wanted->settings.secure_outputs) record.outputs = found->outputs;
  record.definition = own_definition(*wanted);
  record.status_code = status_of(found->outputs);
  record.connection = connection_of(flow, *wanted);
  return record;
}

Result<Value> changes_since_last_good(const LastGoodParts& parts, const definition::Flow& flow, const Failure& failure,
                                      const Origin* origin) {
  if (!failure.has_step || failure.action >= flow.actions.size()) return Value();
  const Action& action = flow.actions[failure.action];
  store::RunQuery query;
  query.flow = flow.id;
  query.status = store::RunStatus::succeeded;
  query.until = failure.run_started;
  query.limit = runs_looked_back;
  const auto runs = parts.store.runs(query);
  if (!runs) return runs.error();
  std::size_t bytes = 0;
  for (const store::RunRow& run : *runs) {
    const auto version = parts.flows.version(run.flow, run.version);
    if (!version) continue;  // it does not compile any more
    if (bytes > journal_bytes_max) return Value();
    const auto records = parts.store.journal(run.number);
    if (!records) return records.error();
    const auto events = decode(*records, parts.sealer, bytes);
    if (!events) continue;  // damaged: another run will do
    const auto good = find_good_step(**version, *events, action.name, failure.iterations);
    if (!good) continue;

    const StepRecord bad = record_of(flow, failure);
    std::vector<Change> changes = definition_changes(good->definition, bad.definition);
    if (changes.empty() && run.version != flow.version) {
      const auto saved = parts.store.flow_version(flow.id, flow.version);
      if (!saved) return saved.error();
      changes.push_back({Change::Kind::definition,
                         "The flow was saved since" +
                             (*saved ? " (the version in use at " + silence::time_words((*saved)->saved) +
                                           ((*saved)->saved_by.empty() ? "" : " by " + (*saved)->saved_by) + ")"
                                     : std::string()) +
                             ", but this step is as it was.",
                         {},
                         {},
                         {}});
    }
    append(changes, connection_changes(parts, *good, bad));
    if (!good->inputs.is_null() && !bad.inputs.is_null())
      append(changes, shape_changes(Change::Kind::inputs, "Its input", good->inputs, bad.inputs));
    if (origin != nullptr && !origin->step.empty() && origin->step != action.name) {
      // The step that the missing value came from: it went well, and returned something else than it used to.
      const auto source = find_good_step(**version, *events, origin->step, failure.iterations);
      const Action* step = action_of(flow, origin->step);
      const Value* actions = failure.context.find("actions");
      const Value* now = actions == nullptr ? nullptr : actions->find(origin->step);
      const Value* outputs = now == nullptr ? nullptr : now->find("outputs");
      if (source && step != nullptr && outputs != nullptr && !step->settings.secure_outputs) {
        append(changes, shape_changes(Change::Kind::source, "Of what '" + spaced(origin->step) + "' returned",
                                      source->outputs, *outputs));
      }
    }
    append(changes, response_changes(*good, bad));
    return Value::object({{"run", Value(run.name)},
                          {"startTime", Value(to_string(run.started))},
                          {"version", Value(run.version)},
                          {"changes", view_of(changes)}});
  }
  return Value();
}

}  // namespace flowmend::repair
