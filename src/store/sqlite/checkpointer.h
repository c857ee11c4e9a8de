#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "store/sqlite/connection.h"

namespace flowmend::store::sqlite {

/// Copies the write-ahead log into the database beside the writer, so that no commit waits for it.
///
/// A checkpoint of another connection can't keep up with a writer that never pauses: the log begins anew only when all
/// of it has been copied (https://www.sqlite.org/wal.html, "Avoiding Excessively Large WAL Files"). So this thread
/// copies the bulk, and then asks the writer to copy the little that came in meanwhile, between two commits.
class Checkpointer {
 public:
  explicit Checkpointer(const std::string& path);
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;
  ~Checkpointer();  ///< waits for the copying under way

  /// The writer, after a commit that left the log with so many pages. True: the writer is to copy the rest now.
  bool committed(int log_pages);

 private:
  void work();

  std::unique_ptr<Connection> connection_;
  std::mutex mutex_;  ///< guards what follows
  std::condition_variable wake_;
  bool wanted_ = false;
  bool copied_ = false;
  bool stopping_ = false;
  std::thread thread_;  ///< last: starts when all else is ready
};

}  // namespace flowmend::store::sqlite
