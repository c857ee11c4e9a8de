#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "connector/row_watch.h"
#include "runtime/runtime.h"
#include "store/store.h"

namespace flowmend::api {

/// Starts the runs that changes of rows are due to start (connector/row_watch.h), in the order of the changes. A run's
/// start and the end of its delivery are one commit. A flow whose trigger takes no more runs just now holds up its own
/// deliveries, not those of others; a trigger that is off or gone drops them.
///
/// Threads: one of its own. Make it after the runtime, end it before.
class RowDelivery {
 public:
  RowDelivery(store::Store& store, runtime::Runtime& runtime);
  ~RowDelivery();
  RowDelivery(const RowDelivery&) = delete;
  RowDelivery& operator=(const RowDelivery&) = delete;

 private:
  void run();
  /// Gives true when at least one run was started or delivery dropped.
  bool round();
  bool deliver(const connector::RowDelivery& one, std::set<std::string>& held_up, std::set<std::string>& judged);

  runtime::Runtime& runtime_;
  connector::RowWatches watches_;
  std::set<std::string> judged_;  ///< started nothing, and about to be erased with the record that says so
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace flowmend::api
