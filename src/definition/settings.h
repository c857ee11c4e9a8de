#pragma once

#include <string>

#include "base/diagnostic.h"
#include "definition/flow.h"

namespace flowmend::definition {

/// `limit`, `runtimeConfiguration` and `operationOptions` of an action, checked (engine.md 3.8). `retry_policy` is the
/// caller's: it needs the names. Findings get pointers that begin with `pointer`.
ActionSettings read_settings(const Value& action, ActionType type, const std::string& pointer, const Limits& limits,
                             Diagnostics& diagnostics);

/// Checks a retry policy that is written out (engine.md 3.9); an expression is checked when it is evaluated.
void check_retry_policy(const Value& policy, const std::string& pointer, const Limits& limits,
                        Diagnostics& diagnostics);

/// Checks a `recurrence` (engine.md 2.6); what is an expression is checked when it is used.
void check_recurrence(const Value& recurrence, const std::string& pointer, Diagnostics& diagnostics);

/// A whole number, written as one or as a text of digits; nothing otherwise.
std::optional<std::int64_t> whole_number(const Value& value);

/// The comma-separated `operationOptions` name that option.
bool has_option(const Value& operation, std::string_view option);

/// `runtimeConfiguration.secureData.properties` name `inputs` or `outputs`.
bool is_secured(const Value& operation, std::string_view side);

/// The member of `value` along `path`, names without regard to case; null when there is none.
const Value& member_at(const Value& value, std::initializer_list<std::string_view> path);

}  // namespace flowmend::definition
