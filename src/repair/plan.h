#pragma once

#include <string>
#include <vector>

#include "connector/registry.h"
#include "runtime/runtime.h"

namespace flowmend::repair {

/// What repeating runs would do at one step of a flow.
struct PlannedStep {
  std::string flow;
  std::string flow_display_name;
  std::string action;
  std::string type;
  bool writes = false;     ///< asks a service to change something, as far as its method tells
  std::int64_t done = 0;   ///< runs in which it had gone well: it would be done a second time
  std::int64_t again = 0;  ///< runs in which it had failed or was not reached
};

/// Whether a step asks a service to change something, as far as its method tells.
bool writes(const definition::Action& action, const definition::Flow& flow, const connector::Registry& registry);

/// Looks at the recorded runs: every step that reaches outside, in the order of the definition. Runs that can't be read
/// are left out. At most `looked_at_max` runs are looked at; the rest is taken to be like them.
std::vector<PlannedStep> plan_steps(const std::vector<store::RunRow>& runs, const store::Store& store,
                                    const engine::Sealer& sealer, runtime::Flows& flows,
                                    const connector::Registry& registry, std::size_t looked_at_max);

}  // namespace flowmend::repair
