#pragma once

#include <string>
#include <vector>

#include "repair/incidents.h"
#include "repair/trial.h"
#include "runtime/runtime.h"

namespace flowmend::repair {

/// Tries an edited definition on a flow's recorded runs before it is saved, without any effect outside.
class Trials {
 public:
  struct Parts {
    const store::Store& store;
    const engine::Sealer& sealer;
    runtime::Flows& flows;
    const connector::Registry& registry;
    const Incidents& incidents;
  };
  struct Request {
    std::string flow;
    Value definition;               ///< as edited; null: the one that is stored
    Value connection_references;    ///< null: those that are stored
    std::string incident;           ///< its failed runs of the flow; empty: the flow's latest failed runs
    std::vector<std::string> runs;  ///< these runs instead
    std::size_t failed_max = 50;
    std::size_t good_max = 20;
  };
  static constexpr std::size_t runs_max = 1'000;

  explicit Trials(Parts parts) : parts_(parts) {}

  /// `{text, failed:{tried, passes, fails, unknown}, good:{tried, same, changes, fails, unknown}, reasons:[{verdict,
  /// action, message, count}], runs:[{run, was, verdict, action?, repetition?, message?, differences}]}`. Runs that say
  /// something come first, at most 100. `FlowNotFound`, `InvalidDefinition`, `IncidentNotFound`, `InvalidTrial` (no run
  /// to try it on), the store's. Any thread; 1,000 runs of ten steps take some tenths of a second.
  Result<Value> run(const Request& request) const;

 private:
  Result<std::vector<store::RunRow>> chosen(const Request& request) const;
  Parts parts_;
};

}  // namespace flowmend::repair
