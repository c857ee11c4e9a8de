#pragma once

#include "base/time.h"

namespace flowmend::simulation {

/// The simulated time. `steady` only goes on; the wall clock, which is all that the runtime sees, may be set.
struct Clock {
  Timestamp steady = Timestamp::from_unix_milliseconds(1'795'000'000'000);
  Duration offset;
  Timestamp wall() const { return steady + offset; }
  /// When the wall clock will show `due`, unless it is set meanwhile.
  Timestamp steady_at(Timestamp due) const { return due - offset; }
};

}  // namespace flowmend::simulation
