#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/journal.h"
#include "runtime/flows.h"
#include "store/store.h"

namespace flowmend::repair::search {

/// Finds runs by any value that they recorded.
///
/// A thread of the lowest priority reads the runs that are over, range by range, and writes which words each range
/// holds: starting and carrying out runs pays nothing for it. A search asks the index which ranges can hold the words
/// and then reads those runs' journals, so what it gives is exact; runs that are not indexed yet, or not over, are read
/// themselves, so it is complete. The index is written range by range in one transaction each: a crash loses nothing.
///
/// Threads: any. The parts must outlive it; the destructor waits for the range under way.
class RunSearch {
 public:
  struct Parts {
    store::Store& store;
    const engine::Sealer& sealer;
    runtime::Flows& flows;
  };
  explicit RunSearch(Parts parts);
  ~RunSearch();

  struct Request {
    std::string value;
    std::string flow;                        ///< id; empty = of all flows
    std::optional<store::RunStatus> status;  ///< nothing = of any
    store::RunNumber below = 0;              ///< only older runs than this number; 0 = all
    std::size_t limit = 50;
    Duration time_max = Duration::seconds(4);  ///< then what was found so far is given, and where to go on
  };
  struct Hit {
    store::RunRow run;
    std::string action;  ///< where it stands; empty: in the trigger or the run
    std::string side;    ///< inputs, outputs, error, request, response, trackedProperties, trackingId
  };
  struct Page {
    std::vector<Hit> hits;      ///< newest first
    store::RunNumber next = 0;  ///< `below` of the next page; 0: all was searched
  };
  /// `InvalidSearchValue` when the value has no letter and no digit; the store's.
  Result<Page> find(const Request& request) const;

  struct Progress {
    std::size_t indexed_ranges = 0;
    std::size_t waiting_ranges = 0;  ///< read themselves by each search
  };
  Progress progress() const;
  /// Indexes what can be, now and on this thread (for tests and benchmarks).
  void index_now();

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace flowmend::repair::search
