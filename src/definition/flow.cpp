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

}  // namespace flowmend::definition
