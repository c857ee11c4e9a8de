#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "definition/flow.h"
#include "json/value.h"

namespace flowmend::trigger {

/// What a trigger makes of its outputs: the runs to start, or why there is none.
struct Verdict {
  enum class Kind : std::uint8_t { fire, skip };
  Kind kind = Kind::fire;
  std::string code;  ///< of a skip
  std::string message;
  std::vector<Value> outputs;                    ///< one for each run, when it fires
  std::vector<std::string> client_tracking_ids;  ///< beside `outputs`; an empty text = the run's name
};

/// The most items that splitOn may give (engine.md 8).
struct SplitLimits {
  std::size_t items = 100'000;
  std::size_t items_with_concurrency = 100;  ///< when the trigger has a concurrency
};

/// Evaluates conditions, splitOn and the tracking id of a trigger over its outputs (engine.md 2.1, 2.3). `record` is
/// the trigger's record `{name, outputs, ...}`. Errors are failed checks: the expression's own message.
Result<Verdict> judge(const definition::Flow& flow, const Value& record, Timestamp now, std::uint64_t seed,
                      const SplitLimits& limits = {});

}  // namespace flowmend::trigger
