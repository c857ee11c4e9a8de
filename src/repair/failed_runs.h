#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "repair/search/search.h"
#include "store/store.h"

namespace flowmend::repair {

/// Failed runs that were not repeated since, by what is known of each; all that is said must hold.
struct FailedRunFilter {
  std::string flow;  ///< id; empty = of all flows
  std::vector<store::RunStatus> statuses{store::RunStatus::failed, store::RunStatus::timed_out};
  Timestamp from;          ///< started then or later; not set = no bound
  Timestamp until;         ///< started before; not set = no bound
  std::string code;        ///< of the failed step: `401`, `Unauthorized`; empty = any
  std::string connection;  ///< name of one that the flow binds now; empty = any
  std::string value;       ///< that the run recorded (search.h); empty = any
};

/// The runs of the filter, at most `most` + 1. A run whose repetition failed is left out, for that one is a failed run
/// itself; one whose repetitions were cancelled is not.
/// `FlowNotFound`, `InvalidSearchValue`, `SearchTookTooLong` (a value is looked for in a minute), the store's.
Result<std::vector<store::RunRow>> failed_runs(const store::Store& store, const search::RunSearch& search,
                                               const FailedRunFilter& filter, std::size_t most);

/// Whether its failed step's code has that word, without regard to case.
bool has_code(const store::RunRow& run, std::string_view code);

/// Whether the flow, as it is now, binds that connection.
bool uses_connection(const store::Store& store, const std::string& flow, std::string_view connection);

}  // namespace flowmend::repair
