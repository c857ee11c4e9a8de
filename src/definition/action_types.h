#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "definition/flow.h"

namespace flowmend::definition {

/// One action type of the field. Adding a type that the engine runs is one line in action_types.cpp.
struct ActionTypeEntry {
  std::string_view name;      ///< in its usual spelling
  bool runs;                  ///< false: known, but Flowmend can't run it yet
  ActionType type;            ///< meaningless unless `runs`
  std::string_view required;  ///< members of `inputs` that must be there, separated by spaces
};

/// Every known action type.
std::span<const ActionTypeEntry> action_types();
/// Without regard to case; nullptr for a type that nobody knows.
const ActionTypeEntry* find_action_type(std::string_view name);

}  // namespace flowmend::definition
