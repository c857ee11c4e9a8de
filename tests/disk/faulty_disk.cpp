#include "faulty_disk.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include <sqlite3.h>

namespace flowmend::disk {

namespace {

std::atomic<Mood> mood{Mood::works};
sqlite3_vfs* real_disk = nullptr;
sqlite3_vfs faulty_disk;
const sqlite3_io_methods* real_methods = nullptr;
std::mutex tables_mutex;
std::map<const sqlite3_io_methods*, std::unique_ptr<sqlite3_io_methods>> tables;

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  switch (mood.load()) {
    case Mood::write_fails: return SQLITE_IOERR_WRITE;
    case Mood::full: return SQLITE_FULL;
    default: return real_methods->xWrite(file, bytes, size, at);
  }
}

int sync(sqlite3_file* file, int flags) {
  if (mood == Mood::sync_fails) return SQLITE_IOERR_FSYNC;
  return real_methods->xSync(file, flags);
}

/// SQLite's Unix layer has a few tables of methods (with locks, without), all with the same write and sync. Each is
/// copied once, with these two changed.
int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* flags_out) {
  const int code = real_disk->xOpen(real_disk, name, file, flags, flags_out);
  if (code != SQLITE_OK || file->pMethods == nullptr) return code;
  const std::lock_guard hold(tables_mutex);
  if (real_methods == nullptr) real_methods = file->pMethods;
  auto& faulty = tables[file->pMethods];
  if (!faulty) {
    faulty = std::make_unique<sqlite3_io_methods>(*file->pMethods);
    faulty->xWrite = write;
    faulty->xSync = sync;
  }
  file->pMethods = faulty.get();
  return code;
}

}  // namespace

void set_mood(Mood now) { mood = now; }

void install() {
  if (real_disk != nullptr) return;
  real_disk = sqlite3_vfs_find(nullptr);
  faulty_disk = *real_disk;
  faulty_disk.zName = "faulty";
  faulty_disk.xOpen = open;
  faulty_disk.pNext = nullptr;
  sqlite3_vfs_register(&faulty_disk, 1);
}

}  // namespace flowmend::disk
