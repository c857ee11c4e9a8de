#pragma once

#include "repair/silence/finding.h"
#include "runtime/refused_calls.h"
#include "store/rows.h"

namespace flowmend::repair::silence {

struct OffFacts {
  store::FlowState state = store::FlowState::started;
  Timestamp changed;                     ///< of the flow's row
  std::string owner;                     ///< who made it; empty = nobody in particular
  std::string switched_by;               ///< who switched it last; empty = not known
  Timestamp switched;                    ///< when; not set = not known
  std::string compile_error;             ///< why the stored definition can't be used; empty = it can
  runtime::RefusedCalls::Count refused;  ///< since it is off
};

/// Silent when a flow is suspended, when it is on but its stored definition no longer compiles (a newer version may be
/// stricter), and when somebody other than its owner switched it off. A flow that its owner switched off, and one that
/// was never on, is as somebody wished it, unless it is still called: three times over five minutes, the last time
/// within a day.
Verdict judge_off(const OffFacts& facts, Timestamp now);

}  // namespace flowmend::repair::silence
