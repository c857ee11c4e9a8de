#pragma once

#include <string>

#include "base/error.h"

namespace flowmend::store::sqlite {

/// Holds a data folder for this process: an advisory lock (flock) on its file `lock`, given back by the kernel when the
/// process ends, however it ends.
class FolderLock {
 public:
  FolderLock() = default;
  explicit FolderLock(int file) : file_(file) {}
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  int file_ = -1;
};

/// Makes the folder if only it is missing (0700), checks that it can be written, and locks it.
/// Errors: `DataFolderMissing`, `DataFolderReadOnly`, `DataFolderInUse`, `StorageUnavailable`.
Result<FolderLock> take_folder(const std::string& folder);

}  // namespace flowmend::store::sqlite
