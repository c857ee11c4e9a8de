#pragma once

#include <string>

namespace flowmend::crash {

/// The process that is killed: the runtime on a real SQLite file in `folder`, driven over pipes.
///
/// Reads lines from standard input: `fire FLOW ID` calls the flow's signed address with body `{"id":ID}`; `drain`
/// prints `idle` once no run is active and no timer is near. Prints `ready`, then `accepted ID` for each call that was
/// answered with 202. Every request that a run sends is one line `KEY PAYLOAD` on descriptor `witness`, outside of this
/// process and its death; its answer comes 0 to 2 ms later. Returns when standard input ends.
int drive(const std::string& folder, int witness);

/// The flows it makes at its first start, by name.
inline constexpr const char* flow_names[] = {"chain", "sleeper"};

}  // namespace flowmend::crash
