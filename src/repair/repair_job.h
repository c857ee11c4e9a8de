#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "json/value.h"
#include "repair/bulk.h"
#include "store/rows.h"

namespace flowmend::repair {

/// A job as Bulk keeps it: what was planned, and how far it is. A plain value, guarded by who holds it; the numbers of
/// its runs are stored beside its document.
struct RepairJob {
  static constexpr std::string_view tag_prefix = "job:";  ///< of the runs that it starts: `started_by`

  std::string id;
  std::string state = "planned";  ///< planned, running, paused, cancelled, stopped, done
  std::string by;
  std::string executed_by;
  std::string incident;
  std::string reason;  ///< why it stopped by itself
  std::string version;
  Timestamp created;
  Timestamp started_at;
  Timestamp ended_at;
  Bulk::Options options;
  Value steps;                               ///< of the plan
  std::map<std::string, std::string> flows;  ///< id -> version it was planned with
  std::vector<store::RunNumber> runs;        ///< oldest first
  std::size_t total = 0;
  std::size_t cursor = 0;
  std::size_t left_out = 0;  ///< repaired meanwhile, or gone
  std::size_t parents = 0;   ///< of the runs, those that are repeated because they had called one
  std::vector<std::string> refusals;
  std::int64_t started = 0;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::unordered_set<std::string> pending;            ///< names of new runs that have not ended
  std::unordered_map<std::string, bool> ended_early;  ///< ended before they were known here; true = well

  std::set<std::size_t> stages_judged;  ///< their ends

  bool is_active() const { return state == "running" || state == "paused"; }
  std::string tag() const { return std::string(tag_prefix) + id + ":" + executed_by; }

  std::size_t stage_end() const;
  void judged(std::size_t end) { stages_judged.insert(end); }

  Value view(bool whole) const;

  Value document() const;

  static RepairJob of(const std::string& id, const Value& value);
};

}  // namespace flowmend::repair
