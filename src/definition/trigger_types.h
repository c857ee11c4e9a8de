#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace flowmend::definition {

/// What starts the runs of a trigger.
enum class TriggerSource : std::uint8_t {
  schedule,
  call,     ///< somebody calls its signed address
  poll,     ///< the server asks a service again and again
  webhook,  ///< a service calls the signed address that it was given
  batch,    ///< messages that other flows send, when there are enough of them
};

/// One trigger type of the field. Adding a type that Flowmend runs is one line in trigger_types.cpp.
struct TriggerTypeEntry {
  std::string_view name;  ///< in its usual spelling
  bool runs;              ///< false: known, but Flowmend can't run it yet
  bool needs_recurrence;
  TriggerSource source = TriggerSource::schedule;
};

/// Every known trigger type.
std::span<const TriggerTypeEntry> trigger_types();
/// Without regard to case; nullptr for a type that nobody knows.
const TriggerTypeEntry* find_trigger_type(std::string_view name);

}  // namespace flowmend::definition
