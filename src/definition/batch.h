#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "json/value.h"

namespace flowmend::definition {

/// The most that one run of a Batch trigger gets.
inline constexpr std::int64_t batch_messages_max = 8'000;
inline constexpr std::int64_t batch_bytes_max = 83'886'080;  // 80 MiB

/// One batch of a Batch trigger (engine.md 2.11): its messages are released when any of the criteria is met.
struct BatchConfiguration {
  std::string name;
  std::optional<std::int64_t> message_count;  ///< 1 .. batch_messages_max
  std::optional<std::int64_t> bytes;          ///< of the messages' contents as JSON text: 1 .. batch_bytes_max
  Value recurrence;                           ///< null = not by time
};

/// Reads `inputs` of a Batch trigger, as written or evaluated. A criterion that is still an expression is left out.
/// Findings (`InvalidBatchConfiguration`, those of a recurrence) get pointers that begin with `pointer`.
std::vector<BatchConfiguration> read_batches(const Value& inputs, const std::string& pointer, Diagnostics& diagnostics);

}  // namespace flowmend::definition
