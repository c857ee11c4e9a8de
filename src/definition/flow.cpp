#include "definition/flow.h"

#include "definition/words.h"

namespace flowmend::definition {

const Action* Flow::find_action(std::string_view name) const {
  const auto found = actions_by_name.find(lower_case(name));
  return found == actions_by_name.end() ? nullptr : &actions[found->second];
}

std::int32_t Flow::find_parameter(std::string_view name) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (same_word(parameters[i].name, name)) return static_cast<std::int32_t>(i);
  }
  return -1;
}

std::int32_t Flow::find_variable(std::string_view name) const {
  for (std::size_t i = 0; i < variables.size(); ++i) {
    if (same_word(variables[i].name, name)) return static_cast<std::int32_t>(i);
  }
  return -1;
}

std::shared_ptr<const Flow> with_trigger(const std::shared_ptr<const Flow>& flow, std::string_view name) {
  if (flow == nullptr || flow->trigger.name == name) return flow;
  for (const auto& other : flow->others) {
    if (other->trigger.name == name) return other;
  }
  return nullptr;
}

std::shared_ptr<const Flow> with_trigger_or_first(const std::shared_ptr<const Flow>& flow, std::string_view name) {
  auto named = with_trigger(flow, name);
  return named ? named : flow;
}

std::vector<std::shared_ptr<const Flow>> by_trigger(const std::shared_ptr<const Flow>& flow) {
  std::vector<std::shared_ptr<const Flow>> all;
  if (flow == nullptr) return all;
  all.push_back(flow);
  all.insert(all.end(), flow->others.begin(), flow->others.end());
  return all;
}

}  // namespace flowmend::definition
