#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "store/store.h"

namespace flowmend::store::sqlite {

struct Options {
  std::string folder;                                        ///< data folder; made (0700) when its parent exists
  std::function<Timestamp()> clock = now_from_system_clock;  ///< for `Document::updated`
  std::size_t readers_max = 4;                               ///< read connections kept open
};

/// Opens (or makes) `flowmend.db` in the data folder, brings its schema up to date and locks the folder for this
/// process until the store is destroyed.
///
/// Errors, each with its cure: `DataFolderMissing`, `DataFolderReadOnly`, `DataFolderInUse` (another process has it),
/// `StoreCorrupt`, `StoreIsNewer` (written by a newer Flowmend), `StorageUnavailable` (disk full, I/O error).
Result<std::unique_ptr<Store>> open(const Options& options);

}  // namespace flowmend::store::sqlite
