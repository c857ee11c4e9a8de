#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connector/chunks.h"
#include "repair/silence/watcher.h"
#include "runtime/runtime.h"
#include "sandbox/effects.h"

namespace flowmend::server {

/// What an operator may set with `--limit NAME=VALUE` (engine.md 8), with the defaults where each is used.
struct ServerLimits {
  runtime::Settings runtime;
  connector::MessageLimits messages;
  sandbox::EffectsSettings sandbox;
  repair::silence::WatchSettings silence;
};

/// One line for each: its name, its default, its range and what it means; docs/operating.md shows the same.
std::string describe_limits();

/// Sets what `settings` say, each `NAME=VALUE`. `LimitUnknown`, `LimitInvalid` with the range.
Result<void> set_limits(const std::vector<std::string>& settings, ServerLimits& limits);

}  // namespace flowmend::server
