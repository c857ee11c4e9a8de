#include "store/sqlite/checkpointer.h"

#include "base/thread_name.h"
#include "store/sqlite/schema.h"

namespace flowmend::store::sqlite {

namespace {

/// 4 MiB. Less is copied more often; more fills the disk's queue, and the commits behind it wait: with 16 MiB the 99th
/// percentile of bench/webhook at 32 connections was twice as long, at 64 MiB the same.
constexpr int log_pages_enough = 512;

}  // namespace

Checkpointer::Checkpointer(const std::string& path)
    : connection_(std::make_unique<Connection>(path, Connection::Mode::checkpoint)) {
  prepare_connection(*connection_, Connection::Mode::checkpoint);
  thread_ = std::thread([this] { work(); });
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool Checkpointer::committed(int log_pages) {
  if (log_pages < log_pages_enough) return false;
  const std::lock_guard hold(mutex_);
  if (copied_) {
    copied_ = false;
    return true;
  }
  if (!wanted_) {
    wanted_ = true;
    wake_.notify_one();
  }
  return false;
}

void Checkpointer::work() {
  name_thread("fm-checkpoint");
  std::unique_lock hold(mutex_);
  while (true) {
    wake_.wait(hold, [&] { return stopping_ || wanted_; });
    if (stopping_) return;
    hold.unlock();
    // A full or broken disk is found, told and waited for by the writer; what is not copied now is copied later.
    connection_->checkpoint();
    // SQLite syncs the database only when all of the log was copied: without this the writer would wait for it.
    connection_->sync_database();
    hold.lock();
    wanted_ = false;
    copied_ = true;
  }
}

}  // namespace flowmend::store::sqlite
