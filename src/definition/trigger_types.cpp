#include "definition/trigger_types.h"

#include <array>

#include "definition/words.h"

namespace flowmend::definition {

namespace {

// name, does it run, needs a recurrence (engine.md section 2).
constexpr std::array entries = {
    TriggerTypeEntry{"Request", true, false, TriggerSource::call},
    TriggerTypeEntry{"Recurrence", true, true},
    TriggerTypeEntry{"SlidingWindow", true, true},
    TriggerTypeEntry{"Http", true, true, TriggerSource::poll},
    TriggerTypeEntry{"HttpWebhook", true, false, TriggerSource::webhook},
    TriggerTypeEntry{"ApiConnection", true, true, TriggerSource::poll},
    TriggerTypeEntry{"ApiConnectionWebhook", true, false, TriggerSource::webhook},
    TriggerTypeEntry{"ApiConnectionNotification", false, false},
    TriggerTypeEntry{"OpenApiConnection", true, true, TriggerSource::poll},
    TriggerTypeEntry{"OpenApiConnectionWebhook", true, false, TriggerSource::webhook},
    TriggerTypeEntry{"OpenApiConnectionNotification", true, false, TriggerSource::poll},
    TriggerTypeEntry{"Batch", true, false, TriggerSource::batch},
    TriggerTypeEntry{"ServiceProvider", true, false, TriggerSource::poll},
    TriggerTypeEntry{"ApiManagement", false, true},
    TriggerTypeEntry{"Manual", true, false, TriggerSource::call},
};

}  // namespace

std::span<const TriggerTypeEntry> trigger_types() { return entries; }

const TriggerTypeEntry* find_trigger_type(std::string_view name) {
  for (const TriggerTypeEntry& entry : entries) {
    if (same_word(entry.name, name)) return &entry;
  }
  return nullptr;
}

}  // namespace flowmend::definition
