#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/runtime.h"
#include "store/sqlite/open.h"

// What the benchmarks of the runtime share: a runtime on a real SQLite store in a folder, one flow with a Request
// trigger, and a way to start its runs and to wait until they have ended durably.

namespace flowmend::bench {

using Clock = std::chrono::steady_clock;

/// Of this process, user and system.
double cpu_seconds();
/// Of this process, to the disk.
std::uint64_t bytes_written();
/// Highest resident memory of this process so far, in bytes.
std::uint64_t peak_memory();

class PlainSealer final : public engine::Sealer {
 public:
  std::string seal(std::string_view plain) const override { return "s" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) const override {
    return {boost::system::in_place_value, sealed.substr(1)};
  }
};

/// For flows that send nothing.
class NoEffects final : public runtime::Effects {
 public:
  void send(const runtime::CallId&, const engine::Call&, const runtime::CallContext&,
            std::function<void(engine::AttemptFinished)>) override {
    std::abort();
  }
  void cancel(const runtime::CallId&) override {}
};

/// Notes when each run has ended durably, by its tracking id.
class Ends final : public runtime::RunListener {
 public:
  void run_started(const store::RunRow&) override {}
  void run_ended(const store::RunRow& run) override;
  void wait(std::size_t count);
  const std::unordered_map<std::string, Clock::time_point>& ended() const { return ended_; }
  std::size_t failed() const { return failed_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, Clock::time_point> ended_;
  std::size_t failed_ = 0;
};

/// Ends the process with a message when something can't be set up.
class Bench {
 public:
  /// Makes what the flow's calls go through; lives as long as the bench. Without one the flow may send nothing.
  using MakeEffects = std::function<std::unique_ptr<runtime::Effects>(store::Store&, const engine::Sealer&)>;

  /// `folder`: where the data folder is made.
  Bench(const std::string& folder, std::string_view definition, runtime::Settings settings = {},
        const MakeEffects& make_effects = {});
  ~Bench();

  /// Starts a run whose tracking id is `id`.
  void start(const std::string& id, std::string body);

  runtime::Runtime::Counts counts() { return runtime_->counts(); }
  store::Store& store() { return *store_; }

  Ends ends;

 private:
  std::unique_ptr<store::Store> store_;
  PlainSealer sealer_;
  std::unique_ptr<runtime::Effects> effects_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::string path_;
  std::string query_;
};

}  // namespace flowmend::bench
