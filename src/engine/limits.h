#pragma once

#include <cstddef>
#include <optional>

#include "base/time.h"
#include "definition/flow.h"

namespace flowmend::engine {

/// What a run may use: the limits of engine.md section 8 that bind while a run is under way, each with its default. A
/// decision is made under the limits of that moment; what it led to is journalled, so a replay needs none of them.
struct Limits {
  /// From the start of a run to its end; nothing = the dialect's own (30 days in Power Automate, 90 in Logic Apps).
  std::optional<Duration> run_duration;
  Duration call_timeout = Duration::seconds(120);  ///< of one request
  Duration poll_interval = Duration::seconds(10);  ///< of the asynchronous pattern, when the reply asks for none
  std::size_t foreach_items_max = 100'000;
  std::size_t variable_bytes_max = 104'857'600;  ///< of a text or array that grows by appending
  std::size_t outputs_bytes_max = 209'715'200;   ///< of what one action makes, as JSON text

  Duration run_duration_of(definition::Dialect dialect) const {
    return run_duration.value_or(Duration::days(dialect == definition::Dialect::la ? 90 : 30));
  }
};

}  // namespace flowmend::engine
