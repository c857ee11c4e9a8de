#include <iterator>

#include "runtime/runtime.h"

namespace flowmend::runtime {

Result<engine::Events> read_events(const store::Store& store, const engine::Sealer& sealer, store::RunNumber run) {
  const auto records = store.journal(run);
  if (!records) return records.error();
  engine::Events events;
  for (const auto& record : *records) {
    auto decoded = engine::decode(record, sealer);
    if (!decoded) return decoded.error();
    std::move(decoded->begin(), decoded->end(), std::back_inserter(events));
  }
  return events;
}

Result<engine::Events> read_events(const store::Store& store, const engine::Sealer& sealer, std::string_view run) {
  const auto row = store.run(run);
  if (!row) return row.error();
  if (!*row) {
    return make_error("WorkflowRunNotFound", "There is no run '" + std::string(run) + "'.", {},
                      "Check the run's name; it may have been removed by retention.");
  }
  return read_events(store, sealer, (*row)->number);
}

}  // namespace flowmend::runtime
