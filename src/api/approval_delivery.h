#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "connector/approvals.h"
#include "engine/journal.h"
#include "runtime/runtime.h"
#include "store/store.h"

namespace flowmend::api {

/// Tells steps that wait for an approval what was decided, by calling their address as a service would, without the
/// network between. What is due stands in the store: a decision taken just before a crash is told after the start.
///
/// Threads: one of its own. Make it after the runtime, end it before.
class ApprovalDelivery {
 public:
  ApprovalDelivery(store::Store& store, const engine::Sealer& sealer, runtime::Runtime& runtime);
  ~ApprovalDelivery();
  ApprovalDelivery(const ApprovalDelivery&) = delete;
  ApprovalDelivery& operator=(const ApprovalDelivery&) = delete;

 private:
  void run();
  void deliver(const connector::ApprovalDelivery& one);

  store::Store& store_;
  const engine::Sealer& sealer_;
  runtime::Runtime& runtime_;
  connector::Approvals approvals_;
  std::map<std::string, int> tries_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace flowmend::api
