#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace flowmend {

/// A deterministic stream of 64-bit numbers (splitmix64): the same seed gives the same ids and draws in a replay.
/// Not for secrets: those come from libsodium.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Uniform in [0, 1).
  double draw() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

/// A version-4 GUID in lower case with dashes, drawn from `random`.
std::string make_guid(Random& random);

/// A run's name: 20 digits of `Int64.Max - ticks`, 9 digits of `salt`, `CU` and two digits of the scale unit, so that
/// newer runs sort first (engine.md 6.1, seen in the cloud: 08584640926573727105946217888CU00).
std::string make_run_name(Timestamp started, std::uint64_t salt, unsigned scale_unit = 0);

/// A version's name: 20 digits of `Int64.Max - ticks`; newer versions sort first.
std::string make_version_name(Timestamp saved);

}  // namespace flowmend
