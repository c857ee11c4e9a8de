#include "runtime/retention.h"

#include <filesystem>
#include <future>
#include <queue>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/ids.h"
#include "store/sqlite/open.h"

namespace flowmend::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Runs its tasks when the test says so, on a clock that jumps from task to task.
class SteppedExecutor final : public Executor {
 public:
  void post(std::function<void()> task) override { tasks.push({now_, std::move(task)}); }
  void post_at(Timestamp due, std::function<void()> task) override { tasks.push({due, std::move(task)}); }
  void stop() override {}
  Timestamp now() override { return now_; }
  std::uint64_t random() override { return 4; }
  std::string secret(std::size_t bytes) override { return std::string(bytes, 's'); }

  /// Runs tasks until the clock would pass `until`.
  void run(Timestamp until) {
    while (!tasks.empty() && tasks.front().first <= until) {
      auto [due, task] = std::move(tasks.front());
      tasks.pop();
      now_ = std::max(now_, due);
      task();
    }
  }

  std::queue<std::pair<Timestamp, std::function<void()>>> tasks;  ///< a sweep has one task at a time
  Timestamp now_ = *parse_timestamp("2026-11-23");
};

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() {
    char name[] = "/tmp/flowmend-retention-XXXXXX";
    folder_ = mkdtemp(name);
    store::sqlite::Options options;
    options.folder = folder_;
    store_ = *store::sqlite::open(options);
  }
  ~RetentionTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void put(store::RunNumber number, Duration age, store::RunStatus status) {
    store::Batch batch;
    store::RunRow run;
    run.number = number;
    run.started = executor_->now_ - age;
    run.name = make_run_name(run.started, static_cast<std::uint64_t>(number));
    run.flow = "f";
    run.version = "v";
    run.status = status;
    run.trigger = "t";
    run.client_tracking_id = run.name;
    batch.runs.push_back(run);
    batch.journal.push_back({number, 0, "record"});
    std::promise<void> durable;
    store_->commit(std::move(batch), [&] { durable.set_value(); });
    durable.get_future().wait();
  }
  std::vector<store::RunNumber> left() {
    std::vector<store::RunNumber> numbers;
    for (const auto& run : *store_->runs({})) numbers.push_back(run.number);
    return numbers;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::shared_ptr<SteppedExecutor> executor_ = std::make_shared<SteppedExecutor>();
};

TEST_F(RetentionTest, RemovesWhatIsOverAndOldAndNothingElse) {
  for (int i = 1; i <= 7; ++i) put(i, Duration::days(40 - i), store::RunStatus::failed);
  put(8, Duration::days(31), store::RunStatus::running);
  put(9, Duration::days(29), store::RunStatus::succeeded);
  RetentionSettings settings;
  settings.slice = 3;  // more than one slice, and a last one that is not full
  Retention retention(*store_, executor_, settings);
  retention.start();
  executor_->run(executor_->now_ + Duration::minutes(1));
  EXPECT_THAT(left(), ElementsAre(9, 8));
  EXPECT_THAT(*store_->journal(1), IsEmpty());
  EXPECT_FALSE(store_->journal(9)->empty());

  executor_->run(executor_->now_ + Duration::days(2));
  EXPECT_THAT(left(), ElementsAre(8));
}

TEST_F(RetentionTest, KeepsEverythingWhenToldSo) {
  put(1, Duration::days(4000), store::RunStatus::failed);
  RetentionSettings settings;
  settings.keep = {};
  Retention retention(*store_, executor_, settings);
  retention.start();
  executor_->run(executor_->now_ + Duration::days(2));
  EXPECT_THAT(left(), ElementsAre(1));
}

}  // namespace
}  // namespace flowmend::runtime
