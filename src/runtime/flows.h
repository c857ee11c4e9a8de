#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/diagnostic.h"
#include "base/error.h"
#include "definition/flow.h"
#include "engine/journal.h"
#include "runtime/executor.h"
#include "runtime/refused_calls.h"
#include "store/store.h"

namespace flowmend::runtime {

/// What a person saves.
struct FlowDraft {
  std::string display_name;
  Value definition;
  Value connection_references;  ///< `{}` when none; null: keep what is stored
  Value parameter_values;       ///< null when none; those of environment variables are put in at save
  std::string dialect = "pa";
  store::FlowState state = store::FlowState::started;
  std::string environment;
  Value properties;  ///< what else the API keeps (description, tags)
};

/// What became of saving: refused with findings (error code `InvalidDefinition` when `flow` is absent), or stored with
/// warnings.
struct Saved {
  std::optional<store::FlowRow> flow;
  Diagnostics diagnostics;
};

enum class KeyType : std::uint8_t { primary, secondary };

/// A flow as the runtime uses it: its row, its latest version compiled (as its first trigger starts it), its access
/// keys opened. Immutable.
struct LiveFlow {
  store::FlowRow row;
  std::shared_ptr<const definition::Flow> flow;  ///< absent when the stored definition no longer compiles
  std::string primary_key;
  std::string secondary_key;
};

/// The flows: saved, changed, compiled once and cached. Threads: any.
class Flows {
 public:
  Flows(store::Store& store, const engine::Sealer& sealer, Executor& executor, definition::Limits limits = {});

  /// How large a definition may be when it is saved.
  const definition::Limits& limits() const { return limits_; }

  /// Checks and stores a new flow with two fresh access keys.
  Result<Saved> create(const FlowDraft& draft, std::string_view by);
  /// Stores a new version (when the definition or its references differ) and the other properties of the draft.
  /// `FlowNotFound`.
  Result<Saved> update(std::string_view id, const FlowDraft& draft, std::string_view by);
  /// Compiles a definition as the flow's next version would be, without storing it. Null values stand for what is
  /// stored. `FlowNotFound`.
  Result<definition::Compiled> compile_draft(std::string_view id, const Value& definition,
                                             const Value& connection_references);
  /// `by`: who wishes it; kept with the time in the row's properties as `switched`, when the state changes.
  Result<void> set_state(std::string_view id, store::FlowState state, std::string_view by = {});
  Result<void> erase(std::string_view id);
  Result<void> regenerate_key(std::string_view id, KeyType key);

  /// Errors: `FlowNotFound`, `StorageUnavailable`.
  Result<std::shared_ptr<const LiveFlow>> find(std::string_view id);
  Result<std::shared_ptr<const LiveFlow>> find_by_workflow_id(std::string_view workflow_id);
  /// One version compiled. `FlowVersionNotFound`, or `InvalidDefinition` when it does not compile any more.
  /// `trigger`: as this one starts it; the first one when it is empty, or the version has none of that name.
  Result<std::shared_ptr<const definition::Flow>> version(std::string_view id, std::string_view version,
                                                          std::string_view trigger = {});

  /// What callers from outside were refused because a flow is off; the runtime notes it.
  RefusedCalls& refused_calls() { return refused_calls_; }

  /// Called after each change with the flow's id, on the changing thread; every listener hears of every change. Add
  /// them before flows are changed.
  void on_change(std::function<void(const std::string& id)> listener) { listeners_.push_back(std::move(listener)); }

 private:
  Result<std::shared_ptr<const LiveFlow>> load(store::FlowRow row);
  Result<std::shared_ptr<const definition::Flow>> whole_version(std::string_view id, std::string_view version);
  definition::Compiled compile(const store::FlowRow& row, const store::FlowVersionRow& version,
                               const definition::Limits& limits) const;
  /// The version's parameters get the values of the environment variables that they are bound to.
  Result<void> bind(store::FlowVersionRow& version) const;
  void changed(const std::string& id);
  std::string fresh_key() const;

  store::Store& store_;
  const engine::Sealer& sealer_;
  Executor& executor_;
  const definition::Limits limits_;
  std::vector<std::function<void(const std::string&)>> listeners_;
  RefusedCalls refused_calls_;

  std::mutex mutex_;                                                                   ///< guards the caches
  std::unordered_map<std::string, std::shared_ptr<const LiveFlow>> live_;              ///< by id
  std::unordered_map<std::string, std::string> ids_;                                   ///< workflow id -> id
  std::unordered_map<std::string, std::shared_ptr<const definition::Flow>> versions_;  ///< by id/version
};

}  // namespace flowmend::runtime
