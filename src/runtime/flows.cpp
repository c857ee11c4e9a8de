#include "runtime/flows.h"

#include <algorithm>

#include "base/ids.h"
#include "definition/parameters.h"
#include "runtime/environment_variables.h"

namespace flowmend::runtime {

namespace {

constexpr std::size_t cached_max = 2000;
constexpr std::size_t key_bytes = 32;

Error flow_not_found(std::string_view id) {
  return make_error("FlowNotFound", "There is no flow '" + std::string(id) + "'.", {},
                    "Check the address; the flow may have been deleted.");
}

std::string without_dashes(std::string guid) {
  guid.erase(std::remove(guid.begin(), guid.end(), '-'), guid.end());
  return guid;
}

/// Sorts before `previous` (newer first) also when the clock was set back: under the same name the new version would
/// take the place of the old one, and runs of the old one would go on with another definition.
std::string later_version_name(Timestamp now, const std::string& previous) {
  auto name = make_version_name(now);
  if (previous.empty() || name < previous) return name;
  name = previous;
  auto digit = name.rbegin();
  for (; digit != name.rend() && *digit == '0'; ++digit) *digit = '9';
  if (digit != name.rend()) *digit = static_cast<char>(*digit - 1);
  return name;
}

/// Before the row gets another state: who wished it, and when. A flow that stands still is told of only when it was not
/// its owner's wish (repair/silence/off.h).
void note_switch(store::FlowRow& row, store::FlowState state, std::string_view by) {
  if (row.state == state) return;
  json::ObjectBuilder properties(row.properties.is_object() ? row.properties : Value::empty_object());
  properties.set("switched", Value::object({{"by", Value(by)}, {"time", Value(to_string(row.changed))}}));
  row.properties = properties.finish();
}

/// Inside the transaction that stores a version: a variable may have been set since the version took its values. Every
/// save so either comes before the new value, and is found by who set it, or takes it.
Result<void> still_bound(store::Transaction& change, const store::FlowVersionRow& version) {
  const auto now = with_variables(version.definition, version.parameter_values,
                                  [&](std::string_view key) -> Result<std::optional<store::Document>> {
                                    return change.document(environment_variable_kind, key);
                                  });
  if (!now) return now.error();
  if (*now == version.parameter_values) return {};
  return make_error("FlowChanged", "An environment variable of the flow was set at this moment.", {},
                    "Save the flow once more.");
}

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

}  // namespace

Flows::Flows(store::Store& store, const engine::Sealer& sealer, Executor& executor, definition::Limits limits)
    : store_(store), sealer_(sealer), executor_(executor), limits_(limits) {}

std::string Flows::fresh_key() const { return sealer_.seal(executor_.secret(key_bytes)); }

Result<void> Flows::bind(store::FlowVersionRow& version) const {
  auto values = with_variables(version.definition, version.parameter_values,
                               [&](std::string_view key) { return store_.document(environment_variable_kind, key); });
  if (!values) return values.error();
  version.parameter_values = *std::move(values);
  return {};
}

void Flows::changed(const std::string& id) {
  {
    const std::lock_guard hold(mutex_);
    if (const auto found = live_.find(id); found != live_.end()) {
      ids_.erase(found->second->row.workflow_id);
      live_.erase(found);
    }
  }
  refused_calls_.forget(id);
  for (const auto& listener : listeners_) listener(id);
}

definition::Compiled Flows::compile(const store::FlowRow& row, const store::FlowVersionRow& version,
                                    const definition::Limits& limits) const {
  definition::CompileOptions options;
  options.id = row.id;
  options.workflow_id = row.workflow_id;
  options.display_name = row.display_name;
  options.environment = row.environment;
  options.version = version.version;
  options.dialect = row.dialect == "la" ? definition::Dialect::la : definition::Dialect::pa;
  options.connection_references = version.connection_references;
  options.parameter_values = version.parameter_values;
  options.limits = limits;
  return definition::compile(version.definition, options);
}

Result<Saved> Flows::create(const FlowDraft& draft, std::string_view by) {
  const auto now = executor_.now();
  Random random(executor_.random());
  store::FlowRow row;
  row.id = make_guid(random);
  row.workflow_id = without_dashes(make_guid(random));
  row.environment = draft.environment;
  row.display_name = draft.display_name;
  row.state = draft.state;
  row.version = make_version_name(now);
  row.dialect = draft.dialect;
  row.created = now;
  row.changed = now;
  row.created_by = by;
  row.properties = draft.properties;
  row.primary_key = fresh_key();
  row.secondary_key = fresh_key();
  store::FlowVersionRow version{
      row.id,
      row.version,
      now,
      std::string(by),
      draft.definition,
      draft.connection_references.is_null() ? Value::empty_object() : draft.connection_references,
      draft.parameter_values};
  if (const auto bound = bind(version); !bound) return bound.error();
  auto compiled = compile(row, version, limits_);
  definition::check_parameters(version.definition, version.parameter_values, compiled.diagnostics);
  if (!compiled.flow || has_errors(compiled.diagnostics)) return Saved{std::nullopt, std::move(compiled.diagnostics)};
  const auto written = store_.write([&](store::Transaction& change) -> Result<void> {
    if (const auto still = still_bound(change, version); !still) return still;
    change.put_flow(row);
    change.put_flow_version(version);
    return {};
  });
  if (!written) return written.error();
  changed(row.id);
  return Saved{std::move(row), std::move(compiled.diagnostics)};
}

Result<Saved> Flows::update(std::string_view id, const FlowDraft& draft, std::string_view by) {
  const auto found = store_.flow(id);
  if (!found) return found.error();
  if (!*found) return flow_not_found(id);
  auto row = **found;
  const auto stored = store_.flow_version(id, row.version);
  if (!stored) return stored.error();
  const auto now = executor_.now();
  row.environment = draft.environment.empty() ? row.environment : draft.environment;
  row.display_name = draft.display_name;
  row.dialect = draft.dialect;
  row.properties = draft.properties;
  row.changed = now;
  note_switch(row, draft.state, by);
  row.state = draft.state;
  store::FlowVersionRow version{
      row.id, row.version, now, std::string(by), draft.definition, draft.connection_references, draft.parameter_values};
  if (version.connection_references.is_null()) {
    version.connection_references = *stored ? (*stored)->connection_references : Value::empty_object();
  }
  if (const auto bound = bind(version); !bound) return bound.error();
  const bool differs = !*stored || (*stored)->definition != version.definition ||
                       (*stored)->connection_references != version.connection_references ||
                       (*stored)->parameter_values != version.parameter_values;
  if (differs) version.version = row.version = later_version_name(now, row.version);
  auto compiled = compile(row, version, limits_);
  // What was saved before the rule is switched off and on as it is.
  if (differs) definition::check_parameters(version.definition, version.parameter_values, compiled.diagnostics);
  if (!compiled.flow || has_errors(compiled.diagnostics)) return Saved{std::nullopt, std::move(compiled.diagnostics)};
  const auto written = store_.write([&](store::Transaction& change) -> Result<void> {
    if (const auto still = still_bound(change, version); !still) return still;
    change.put_flow(row);
    if (differs) change.put_flow_version(version);
    return {};
  });
  if (!written) return written.error();
  changed(row.id);
  return Saved{std::move(row), std::move(compiled.diagnostics)};
}

Result<definition::Compiled> Flows::compile_draft(std::string_view id, const Value& definition,
                                                  const Value& connection_references) {
  const auto row = store_.flow(id);
  if (!row) return row.error();
  if (!*row) return flow_not_found(id);
  auto version = store_.flow_version(id, (*row)->version);
  if (!version) return version.error();
  if (!*version) version->emplace();
  if (!definition.is_null()) (*version)->definition = definition;
  if (!connection_references.is_null()) (*version)->connection_references = connection_references;
  (*version)->version = (*row)->version;
  if (const auto bound = bind(**version); !bound) return bound.error();
  return compile(**row, **version, definition::Limits::none());
}

Result<void> Flows::set_state(std::string_view id, store::FlowState state, std::string_view by) {
  const auto written = store_.write([&](store::Transaction& change) -> Result<void> {
    auto row = change.flow(id);
    if (!row) return flow_not_found(id);
    row->changed = executor_.now();
    note_switch(*row, state, by);
    row->state = state;
    change.put_flow(*row);
    return {};
  });
  if (written) changed(std::string(id));
  return written;
}

Result<void> Flows::erase(std::string_view id) {
  const auto written = store_.write([&](store::Transaction& change) -> Result<void> {
    if (!change.flow(id)) return flow_not_found(id);
    change.erase_flow(id);
    store::DocumentQuery states;
    states.kind = "triggerState";
    states.prefix = std::string(id) + "/";
    for (const auto& state : change.documents(states)) static_cast<void>(change.erase_document(state.kind, state.key));
    return {};
  });
  if (written) changed(std::string(id));
  return written;
}

Result<void> Flows::regenerate_key(std::string_view id, KeyType key) {
  const auto written = store_.write([&](store::Transaction& change) -> Result<void> {
    auto row = change.flow(id);
    if (!row) return flow_not_found(id);
    (key == KeyType::primary ? row->primary_key : row->secondary_key) = fresh_key();
    change.put_flow(*row);
    return {};
  });
  if (written) changed(std::string(id));
  return written;
}

Result<std::shared_ptr<const LiveFlow>> Flows::find(std::string_view id) {
  const std::string key(id);
  {
    const std::lock_guard hold(mutex_);
    if (const auto found = live_.find(key); found != live_.end()) return found->second;
  }
  auto row = store_.flow(id);
  if (!row) return row.error();
  if (!*row) return flow_not_found(id);
  return load(std::move(**row));
}

Result<std::shared_ptr<const LiveFlow>> Flows::find_by_workflow_id(std::string_view workflow_id) {
  const std::string key(workflow_id);
  {
    const std::lock_guard hold(mutex_);
    if (const auto id = ids_.find(key); id != ids_.end()) {
      if (const auto found = live_.find(id->second); found != live_.end()) return found->second;
    }
  }
  auto row = store_.flow_by_workflow_id(workflow_id);
  if (!row) return row.error();
  if (!*row) return flow_not_found(workflow_id);
  return load(std::move(**row));
}

Result<std::shared_ptr<const LiveFlow>> Flows::load(store::FlowRow row) {
  auto live = std::make_shared<LiveFlow>();
  const auto primary = sealer_.open(row.primary_key);
  if (!primary) return primary.error();
  const auto secondary = sealer_.open(row.secondary_key);
  if (!secondary) return secondary.error();
  live->primary_key = *primary;
  live->secondary_key = *secondary;
  if (auto compiled = version(row.id, row.version)) {
    live->flow = std::move(*compiled);
  } else if (compiled.error().code == "StorageUnavailable") {
    return compiled.error();
  }
  live->row = std::move(row);
  // The row may have been changed while it was compiled: then another load is on its way, and this one is not kept.
  const auto now = store_.flow(live->row.id);
  const bool current = now && *now && (*now)->version == live->row.version && (*now)->changed == live->row.changed &&
                       (*now)->primary_key == live->row.primary_key && (*now)->secondary_key == live->row.secondary_key;
  const std::lock_guard hold(mutex_);
  if (current) {
    if (live_.size() >= cached_max) {
      live_.clear();
      ids_.clear();
    }
    ids_[live->row.workflow_id] = live->row.id;
    live_[live->row.id] = live;
  }
  return std::shared_ptr<const LiveFlow>(live);
}

Result<std::shared_ptr<const definition::Flow>> Flows::version(std::string_view id, std::string_view version,
                                                               std::string_view trigger) {
  auto whole = whole_version(id, version);
  if (!whole || trigger.empty()) return whole;
  return definition::with_trigger_or_first(*whole, trigger);
}

Result<std::shared_ptr<const definition::Flow>> Flows::whole_version(std::string_view id, std::string_view version) {
  std::string key(id);
  key.push_back('/');
  key.append(version);
  {
    const std::lock_guard hold(mutex_);
    if (const auto found = versions_.find(key); found != versions_.end()) return found->second;
  }
  const auto stored = store_.flow_version(id, version);
  if (!stored) return stored.error();
  if (!*stored) {
    return make_error("FlowVersionNotFound",
                      "Flow '" + std::string(id) + "' has no version '" + std::string(version) + "'.");
  }
  const auto row = store_.flow(id);
  if (!row) return row.error();
  store::FlowRow described;
  if (*row) {
    described = **row;
  } else {  // deleted: what its runs need is in the version
    described.id = id;
  }
  auto compiled = compile(described, **stored, definition::Limits::none());
  if (!compiled.flow) {
    const auto& findings = compiled.diagnostics;
    return make_error(
        "InvalidDefinition",
        "The stored version '" + std::string(version) + "' of flow '" + std::string(id) +
            "' does not compile: " + (findings.empty() ? std::string("no reason given") : findings.front().message),
        findings.empty() ? std::string() : findings.front().pointer, "Open the flow, correct it and save it.");
  }
  const std::lock_guard hold(mutex_);
  if (versions_.size() >= cached_max) versions_.clear();
  versions_[key] = compiled.flow;
  return compiled.flow;
}

}  // namespace flowmend::runtime
