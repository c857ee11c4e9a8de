#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace flowmend::runtime {

/// Calls from outside that were refused because the flow is off. No run and no trigger history tells of them, so
/// whoever watches over flows asks here. In memory alone: a restart begins anew. Threads: any.
class RefusedCalls {
 public:
  struct Count {
    std::size_t count = 0;
    Timestamp first, last;  ///< not set while `count` is 0
  };

  /// `flow` must exist: the number of flows bounds what is kept.
  void note(std::string_view flow, Timestamp now) {
    const std::lock_guard hold(mutex_);
    Count& count = counts_[std::string(flow)];
    if (count.count++ == 0) count.first = now;
    count.last = now;
  }
  Count of(std::string_view flow) const {
    const std::lock_guard hold(mutex_);
    const auto found = counts_.find(std::string(flow));
    return found == counts_.end() ? Count() : found->second;
  }
  /// The flow was switched, changed or deleted.
  void forget(std::string_view flow) {
    const std::lock_guard hold(mutex_);
    counts_.erase(std::string(flow));
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Count> counts_;  ///< by the flow's id
};

}  // namespace flowmend::runtime
