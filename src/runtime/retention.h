#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/executor.h"
#include "store/store.h"

namespace flowmend::runtime {

struct RetentionSettings {
  /// Age, counted from its start, at which a run that is over is removed with its history (engine.md 8: 30 days in
  /// Power Automate, 90 in Logic Apps). 0 = never.
  Duration keep = Duration::days(30);
  Duration every = Duration::minutes(10);  ///< between two sweeps
  std::size_t slice = 100;                 ///< runs removed in one transaction
  /// After a slice the sweep rests so many times as long as the slice took: live runs come first.
  std::int64_t rest = 1;
};

/// Removes what is older than it is to be kept: runs that are over with their journals, and the history of trigger
/// checks. The freed pages of the database are used again; its file does not shrink.
///
/// A run that is not over stays however old it is.
///
/// Threads: uses the store from `executor`'s thread, which must not be a shard's: it waits for the disk.
class Retention {
 public:
  Retention(store::Store& store, std::shared_ptr<Executor> executor, RetentionSettings settings);
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;
  ~Retention();  ///< waits for the slice under way

  /// Begins to sweep now and then at the settings' pace.
  void start();

 private:
  void sweep(store::RunNumber after, Timestamp before);
  void sweep_checks(Timestamp before);
  void later(Duration wait, std::function<void()> task);

  store::Store& store_;
  std::shared_ptr<Executor> executor_;
  RetentionSettings settings_;
};

}  // namespace flowmend::runtime
