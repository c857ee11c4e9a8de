#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "definition/flow.h"
#include "json/value.h"

namespace flowmend::engine {

/// How often and after which waits a failed request is sent again (engine.md 3.9).
struct RetryPolicy {
  enum class Kind : std::uint8_t { none, fixed, exponential };
  Kind kind = Kind::none;
  std::uint32_t count = 0;  ///< retries after the first attempt, 0..90
  Duration interval;
  Duration minimum = Duration::seconds(5);
  Duration maximum = Duration::days(1);
};

/// Reads an evaluated policy; null, an empty object and type `default` give the dialect's own. `InvalidRetryPolicy`
/// with the member's name when a value is wrong.
Result<RetryPolicy> read_retry_policy(const Value& evaluated, definition::Dialect dialect);

/// The wait before the next attempt, or nothing when the policy allows no more.
///
/// attempt   the attempt that just failed, from 1.
/// draw      in [0, 1), journalled with the failure: a replay waits exactly as long as the original did.
/// Returns   5 s to 1 day; a `Retry-After` of the reply is the caller's to prefer.
/// Cannot fail; any thread. Rule: exponential waits are uniform in [interval * 2^(k-2), interval * 2^(k-1)], from 0 for
/// the first, kept within minimum and maximum (engine.md 3.9).
std::optional<Duration> next_wait(const RetryPolicy& policy, std::uint32_t attempt, double draw);

/// Whether an answer of that status is worth asking again: 408, 429 and 5xx; 0 stands for no answer at all.
bool is_retried(std::int32_t status_code);

/// The wait that a `Retry-After` field asks for: seconds or an HTTP date, at most a day. Nothing when it can't be read.
std::optional<Duration> read_retry_after(std::string_view field, Timestamp now);

}  // namespace flowmend::engine
