#include "store/sqlite/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include <utility>

namespace flowmend::store::sqlite {

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock::~FolderLock() {
  if (file_ >= 0) close(file_);
}

Result<FolderLock> take_folder(const std::string& folder) {
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0) {
    if (errno == ENOENT && mkdir(folder.c_str(), 0700) == 0) {
      found.st_mode = S_IFDIR;
    } else {
      return make_error("DataFolderMissing",
                        "The data folder '" + folder + "' can't be made: " + std::strerror(errno) + ".", {},
                        "Make the folder, owned by the user who runs Flowmend, or name another one.");
    }
  }
  if (!S_ISDIR(found.st_mode)) {
    return make_error("DataFolderMissing", "'" + folder + "' is not a folder.", {}, "Name a folder for the data.");
  }
  const auto path = folder + "/lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    const int reason = errno;
    const auto text = "The data folder '" + folder + "' can't be written: " + std::strerror(reason) + ".";
    if (reason == ENOSPC || reason == EIO || reason == EDQUOT) {
      return make_error("StorageUnavailable", text, {}, "Make room on that disk or check it, then start again.");
    }
    return make_error("DataFolderReadOnly", text, {},
                      "Give the user who runs Flowmend the right to write there, or name another folder.");
  }
  FolderLock lock(file);
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    return make_error("DataFolderInUse", "Another process already works with the data folder '" + folder + "'.", {},
                      "Stop that process first, or name another folder: two processes never share one.");
  }
  return lock;
}

}  // namespace flowmend::store::sqlite
