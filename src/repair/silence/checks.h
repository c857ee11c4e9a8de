#pragma once

#include <vector>

#include "definition/flow.h"
#include "repair/silence/finding.h"

namespace flowmend::repair::silence {

/// One check of a trigger: it started a run, found nothing, or failed.
struct Check {
  enum class Outcome : std::uint8_t { fired, skipped, failed };
  Timestamp time;
  Outcome outcome = Outcome::fired;
  std::string code;     ///< of skipped and failed
  std::string message;  ///< why
};

struct CheckFacts {
  definition::TriggerSource source = definition::TriggerSource::poll;
  std::vector<Check> checks;  ///< newest first; the newest few are enough
  bool has_older = false;     ///< there were checks before these
  Timestamp subscribed;       ///< of a webhook: when its service took the address; not set = never
};

/// How long checks have to fail before it is told. The first failed check and the last must both be there.
struct CheckPatience {
  std::size_t count = 3;                      ///< in a row,
  Duration length = Duration::minutes(5);     ///< over that time at least;
  std::size_t slow_count = 2;                 ///< or so many in a row
  Duration slow_length = Duration::hours(1);  ///< over that time: a trigger that asks rarely
};

Verdict judge_checks(const CheckFacts& facts, const CheckPatience& patience, Timestamp now);

}  // namespace flowmend::repair::silence
