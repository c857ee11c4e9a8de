#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "json/value.h"

namespace flowmend::sandbox {

/// What one job may use; it is ended when it uses more.
struct Bounds {
  Duration time = Duration::seconds(5);
  std::size_t memory_bytes = 256u << 20;
  std::size_t output_bytes_max = 32u << 20;
};

/// Where the worker program is: beside the running one (`flowmend-sandbox`), or what the environment names in
/// FLOWMEND_SANDBOX.
std::string worker_program();

/// Runs jobs, each in a process of its own: `job` in, `{ok: value}` or `{error: {code, message}}` out. The process has
/// no files, no network and no environment; its time and memory are bounded by itself and by this side.
///
/// Threads: `run` from any thread, never blocks; `done` is called exactly once, on a thread of the sandbox. The
/// destructor ends what runs (`done` gets `SandboxStopped`).
///
/// Errors: `SandboxUnavailable` (the program is missing or can't be started), `SandboxTimeLimitExceeded`,
/// `SandboxMemoryLimitExceeded`, `SandboxOutputLimitExceeded`, and what the job itself reports.
class Sandbox {
 public:
  explicit Sandbox(std::string program = worker_program(), std::size_t processes = 2);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  void run(const Value& job, const Bounds& bounds, std::function<void(Result<Value>)> done);

 private:
  struct Task {
    std::string input;
    Bounds bounds;
    std::function<void(Result<Value>)> done;
  };
  void work();
  Result<Value> carry_out(const Task& task);

  const std::string program_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  int stop_pipe_[2] = {-1, -1};  ///< closing its writing end wakes every thread that waits for a process
  std::vector<std::thread> threads_;
};

}  // namespace flowmend::sandbox
