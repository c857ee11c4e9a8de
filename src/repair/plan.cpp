#include "repair/plan.h"

#include <algorithm>
#include <map>

#include "connector/reference.h"

namespace flowmend::repair {
namespace {

using definition::ActionType;

bool reads_only(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "get" || method == "head";
}

}  // namespace

/// A method that only the run knows (an expression) is taken for a write.
bool writes(const definition::Action& action, const definition::Flow& flow, const connector::Registry& registry) {
  if (definition::is_sandboxed(action.type)) return false;
  const Value* inputs = action.definition.find("inputs");
  if (inputs == nullptr) return true;
  if (action.type != ActionType::open_api_connection) return !reads_only(inputs->text_of("method"));
  const Value* host = inputs->find("host");
  if (host == nullptr) return true;
  std::string api(host->text_of("apiId"));
  if (api.empty()) {
    const auto reference = connector::resolve_reference(*host, flow.connection_references);
    if (reference) api = reference->api;
  }
  const auto found = registry.find(api);
  if (!found) return true;
  const std::string_view id = host->text_of("operationId");
  const auto operation = std::find_if(found->operations.begin(), found->operations.end(),
                                      [&](const connector::Operation& one) { return one.id == id; });
  return operation == found->operations.end() || !reads_only(operation->method);
}

std::vector<PlannedStep> plan_steps(const std::vector<store::RunRow>& runs, const store::Store& store,
                                    const engine::Sealer& sealer, runtime::Flows& flows,
                                    const connector::Registry& registry, std::size_t looked_at_max) {
  std::map<std::string, std::vector<PlannedStep>> by_flow;
  std::size_t looked_at = 0;
  for (const store::RunRow& run : runs) {
    if (looked_at++ >= looked_at_max) break;
    const auto ran = flows.version(run.flow, run.version, run.trigger);
    const auto events = runtime::read_events(store, sealer, run.number);
    const auto live = flows.find(run.flow);
    if (!ran || !events || !live || !(*live)->flow) continue;
    const definition::Flow& latest = *(*live)->flow;
    auto& steps = by_flow[run.flow];
    if (steps.empty()) {
      for (const definition::Action& action : latest.actions) {
        if (!definition::sends_requests(action.type)) continue;
        steps.push_back({run.flow, (*live)->row.display_name, action.name, action.type_name,
                         writes(action, latest, registry), 0, 0});
      }
    }
    std::map<std::string, bool> went_well;
    for (const engine::Event& event : *events) {
      const auto* ended = std::get_if<engine::ActionEnded>(&event);
      if (ended == nullptr || ended->place.action >= (*ran)->actions.size()) continue;
      const auto& action = (*ran)->actions[ended->place.action];
      if (definition::sends_requests(action.type) && ended->status == engine::Status::succeeded)
        went_well[action.name] = true;
    }
    for (PlannedStep& step : steps) ++(went_well.contains(step.action) ? step.done : step.again);
  }
  std::vector<PlannedStep> out;
  for (auto& [flow, steps] : by_flow) std::move(steps.begin(), steps.end(), std::back_inserter(out));
  return out;
}

}  // namespace flowmend::repair
