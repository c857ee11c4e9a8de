#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.h"

namespace flowmend::runtime {

/// Where a shard gets its thread, its time and its randomness: the only door to the three, so that the whole runtime
/// can run under a simulated scheduler with a seed.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Runs `task` on the executor's thread, in the order of posting. Any thread; never runs it before returning.
  virtual void post(std::function<void()> task) = 0;
  /// Runs `task` when `now()` has reached `due`, never earlier. Any thread.
  virtual void post_at(Timestamp due, std::function<void()> task) = 0;

  /// Runs no further task and waits for the one under way; what is posted later is dropped. Not from a task.
  virtual void stop() = 0;

  /// The calling thread is about to wait until `ready`, which posted tasks bring about. Nothing to do for an executor
  /// with a thread of its own; one without works here until it is so.
  virtual void before_waiting(const std::function<bool()>& ready) { static_cast<void>(ready); }

  virtual Timestamp now() = 0;                        ///< wall clock; may be set back
  virtual std::uint64_t random() = 0;                 ///< for ids, draws and seeds; any thread
  virtual std::string secret(std::size_t bytes) = 0;  ///< unpredictable bytes for keys; any thread
};

/// A real thread, the system's clock, and random numbers of the operating system. Its destructor runs no further task
/// and waits for the one under way.
std::shared_ptr<Executor> make_thread_executor();

}  // namespace flowmend::runtime
