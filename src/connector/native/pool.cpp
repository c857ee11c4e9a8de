#include "connector/native/pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/thread_name.h"

namespace flowmend::connector {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto idle_threads_keep = std::chrono::seconds(30);

http::Reply failure(std::string code, std::string message, Timestamp started) {
  http::Reply reply;
  reply.error_code = std::move(code);
  reply.error_message = std::move(message);
  reply.started = started;
  reply.ended = now_from_system_clock();
  return reply;
}

}  // namespace

class NativePool::State {
 public:
  explicit State(NativePoolLimits limits) : limits_(limits) {}

  ~State() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (auto& [id, job] : jobs_) give_up(*job, Ending::cancelled);
    }
    work_.notify_all();
    watch_.notify_all();
    std::unique_lock lock(mutex_);
    gone_.wait(lock, [&] { return threads_ == 0; });
    lock.unlock();
    if (watcher_.joinable()) watcher_.join();
  }

  std::uint64_t add(NativeConnector& connector, Duration timeout,
                    std::function<http::Reply(std::function<bool()> cancelled)> task,
                    std::function<void(http::Reply)> done) {
    auto job = std::make_shared<Job>();
    job->connector = &connector;
    job->task = std::move(task);
    job->done = std::move(done);
    job->timeout = timeout.ticks > 0 ? timeout : Duration::seconds(120);
    job->started = now_from_system_clock();
    // A week is longer than any step may take and keeps the clock's arithmetic from running over.
    const auto wait = std::min<std::int64_t>(job->timeout.to_milliseconds(), 7LL * 86'400'000);
    job->due = Clock::now() + std::chrono::milliseconds(wait);
    std::uint64_t id = 0;
    {
      const std::lock_guard lock(mutex_);
      id = job->id = ++last_id_;
      jobs_.emplace(id, job);
      deadlines_.emplace(job->due, job);
      waiting_.push_back(job);
      if (!watcher_.joinable())
        watcher_ = std::thread([this] {
          name_thread("fm-native-time");
          watch();
        });
      if (idle_ < waiting_.size() && threads_ < limits_.threads_max) {
        ++threads_;
        std::thread([this] {
          name_thread("fm-native");
          work();
        }).detach();  // counted: the destructor waits for the last
      }
    }
    work_.notify_one();
    watch_.notify_one();
    return id;
  }

  void cancel(std::uint64_t id) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = jobs_.find(id);
      if (found == jobs_.end()) return;
      give_up(*found->second, Ending::cancelled);
    }
    watch_.notify_one();
  }

 private:
  enum class Ending : std::uint8_t { none, answered, timed_out, cancelled };
  struct Job {
    std::uint64_t id = 0;
    NativeConnector* connector = nullptr;
    std::function<http::Reply(std::function<bool()>)> task;
    std::function<void(http::Reply)> done;
    Duration timeout;
    Timestamp started;
    Clock::time_point due;
    std::atomic<Ending> ending = Ending::none;
  };
  using JobPointer = std::shared_ptr<Job>;

  /// Needs the lock. The watcher tells.
  void give_up(Job& job, Ending ending) {
    if (job.ending != Ending::none) return;
    job.ending = ending;
    given_up_.push_back(jobs_.at(job.id));
  }

  /// Needs the lock: the first job that waits and whose connector may have one more.
  JobPointer take() {
    for (auto job = waiting_.begin(); job != waiting_.end();) {
      if ((*job)->ending != Ending::none) {
        job = waiting_.erase(job);
        continue;
      }
      if (running_[(*job)->connector] < limits_.per_connector_max) {
        JobPointer taken = std::move(*job);
        waiting_.erase(job);
        ++running_[taken->connector];
        return taken;
      }
      ++job;
    }
    return nullptr;
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      JobPointer job = take();
      if (!job) {
        if (stopping_) break;
        ++idle_;
        const bool woken = work_.wait_for(lock, idle_threads_keep) == std::cv_status::no_timeout;
        --idle_;
        if (!woken && waiting_.empty() && !stopping_) break;
        continue;
      }
      lock.unlock();
      http::Reply reply;
      try {
        // Weak: the task keeps the question with the call that it holds, and the job holds the task.
        reply = job->task([weak = std::weak_ptr<Job>(job)] {
          const JobPointer asked = weak.lock();
          return !asked || asked->ending != Ending::none;
        });
      } catch (const std::exception& exception) {
        reply = native_error(500, "ConnectorFailed", std::string("The connector failed: ") + exception.what());
      }
      job->task = nullptr;  // with the connection's values
      reply.started = job->started;
      reply.ended = now_from_system_clock();
      lock.lock();
      --running_[job->connector];
      const bool answers = job->ending == Ending::none;
      if (answers) {
        job->ending = Ending::answered;
        forget(*job);
      }
      // Another job of this connector may have waited for its turn.
      if (!waiting_.empty()) work_.notify_one();
      if (!answers) continue;
      lock.unlock();
      watch_.notify_one();
      std::exchange(job->done, {})(std::move(reply));
      job.reset();
      lock.lock();
    }
    --threads_;
    gone_.notify_all();
  }

  /// Needs the lock.
  void forget(Job& job) {
    const auto range = deadlines_.equal_range(job.due);
    for (auto at = range.first; at != range.second; ++at) {
      if (at->second->id != job.id) continue;
      deadlines_.erase(at);
      break;
    }
    jobs_.erase(job.id);
  }

  /// Answers in the stead of calls that take too long or that nobody waits for.
  void watch() {
    std::unique_lock lock(mutex_);
    while (true) {
      const auto now = Clock::now();
      while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const JobPointer job = deadlines_.begin()->second;
        deadlines_.erase(deadlines_.begin());
        give_up(*job, Ending::timed_out);
      }
      if (!given_up_.empty()) {
        std::vector<JobPointer> jobs;
        jobs.swap(given_up_);
        for (const JobPointer& job : jobs) forget(*job);
        lock.unlock();
        for (const JobPointer& job : jobs) {
          std::exchange(job->done,
                        {})(job->ending == Ending::timed_out
                                ? failure("RequestTimeout",
                                          "The call of '" + std::string(job->connector->name()) +
                                              "' did not end within its timeout of " + to_string(job->timeout) + ".",
                                          job->started)
                                : failure("Cancelled", "The call was given up.", job->started));
        }
        jobs.clear();
        lock.lock();
        continue;
      }
      if (stopping_) return;
      if (deadlines_.empty()) {
        watch_.wait(lock);
      } else {
        watch_.wait_until(lock, Clock::time_point(deadlines_.begin()->first));
      }
    }
  }

  const NativePoolLimits limits_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable watch_;
  std::condition_variable gone_;
  std::list<JobPointer> waiting_;
  std::unordered_map<std::uint64_t, JobPointer> jobs_;  ///< not answered yet
  std::multimap<Clock::time_point, JobPointer> deadlines_;
  std::vector<JobPointer> given_up_;
  std::unordered_map<NativeConnector*, std::size_t> running_;
  std::uint64_t last_id_ = 0;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::thread watcher_;
};

NativePool::NativePool(NativePoolLimits limits) : state_(std::make_unique<State>(limits)) {}

NativePool::~NativePool() = default;

std::uint64_t NativePool::call(NativeConnector& connector, NativeCall call, std::function<void(http::Reply)> done) {
  const Duration timeout = call.timeout;
  return state_->add(
      connector, timeout,
      [&connector, call = std::move(call)](std::function<bool()> cancelled) mutable {
        call.cancelled = std::move(cancelled);
        return connector.call(call);
      },
      std::move(done));
}

std::uint64_t NativePool::verify(NativeConnector& connector, Value fields, Duration timeout,
                                 std::function<void(http::Reply)> done) {
  return state_->add(
      connector, timeout,
      [&connector, fields = std::move(fields), timeout](const std::function<bool()>&) {
        return connector.verify(fields, timeout);
      },
      std::move(done));
}

void NativePool::cancel(std::uint64_t id) { state_->cancel(id); }

}  // namespace flowmend::connector
