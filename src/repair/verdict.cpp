#include "repair/verdict.h"

#include "engine/recorded.h"
#include "repair/failure.h"
#include "runtime/correction.h"
#include "runtime/runtime.h"

namespace flowmend::repair {

bool passed_where_it_failed(const store::Store& store, const engine::Sealer& sealer, runtime::Flows& flows,
                            const store::RunRow& first, const store::RunRow& repetition) {
  const bool went_well = repetition.status == store::RunStatus::succeeded;
  const auto before = flows.version(first.flow, first.version, first.trigger);
  const auto now = flows.version(repetition.flow, repetition.version, repetition.trigger);
  const auto failed = runtime::read_events(store, sealer, first.number);
  const auto repeated = runtime::read_events(store, sealer, repetition.number);
  if (!before || !now || !failed || !repeated) return went_well;
  const auto failure = find_failure(**before, *failed);
  if (!failure || !failure->has_step) return went_well;
  const std::string& step = (*before)->actions[failure->action].name;
  const auto* action = (*now)->find_action(step);
  if (action == nullptr) return went_well;
  const std::string repetition_in_loops = failure->repetition();
  const auto* start = repeated->empty() ? nullptr : std::get_if<engine::RunStarted>(&repeated->front());
  if (const Value* repair = start == nullptr ? nullptr : start->trigger.find("repair")) {
    const auto correction = runtime::read_correction(*repair);
    const auto* decided = correction ? runtime::find_correction(*correction, step, repetition_in_loops) : nullptr;
    if (decided != nullptr && runtime::is_decided(*decided)) return false;
  }
  bool passed = false;
  for (const auto& [key, recorded] : engine::recorded_steps(*now, *repeated)) {
    if ((*now)->find_action(recorded.action) != action) continue;
    // A loop that was edited away, or put around the step, gives other items: then each must have gone well.
    if (recorded.repetition == repetition_in_loops) return recorded.status == engine::Status::succeeded;
    if (recorded.status != engine::Status::succeeded) return false;
    passed = true;
  }
  return passed;
}

}  // namespace flowmend::repair
