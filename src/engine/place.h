#pragma once

#include <cstdint>
#include <functional>

#include "definition/flow.h"

namespace flowmend::engine {

using definition::ActionId;

/// The number of a frame: 0 is the run itself; each iteration of a loop is a frame of its own, numbered in the order in
/// which iterations begin.
using FrameId = std::uint32_t;

/// One occurrence of an action in a run: the action and the frame (loop iteration) it runs in.
struct Place {
  ActionId action = definition::no_action;
  FrameId frame = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

/// A run's or an action's status as records spell it (engine.md 3.1, 4.8).
enum class Status : std::uint8_t { none, waiting, running, succeeded, failed, skipped, timed_out, cancelled, aborted };

/// `Succeeded`, `TimedOut` ...
const char* status_name(Status status);
inline bool is_terminal(Status status) { return status >= Status::succeeded; }

}  // namespace flowmend::engine

template <>
struct std::hash<flowmend::engine::Place> {
  std::size_t operator()(const flowmend::engine::Place& place) const noexcept {
    return (static_cast<std::size_t>(place.frame) << 32 | place.action) * 0x9e3779b97f4a7c15ULL;
  }
};
