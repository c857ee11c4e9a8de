#include "runtime/executor.h"

#include <atomic>
#include <future>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace flowmend::runtime {
namespace {

TEST(ThreadExecutor, RunsTasksInTheOrderOfPosting) {
  const auto executor = make_thread_executor();
  std::vector<int> seen;
  for (int i = 0; i < 1000; ++i) executor->post([&seen, i] { seen.push_back(i); });
  std::promise<void> done;
  executor->post([&] { done.set_value(); });
  done.get_future().wait();
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(ThreadExecutor, IsNeverEarly) {
  const auto executor = make_thread_executor();
  for (int i = 0; i < 20; ++i) {
    const auto due = executor->now() + Duration::milliseconds(i);
    std::promise<Timestamp> ran;
    executor->post_at(due, [&] { ran.set_value(executor->now()); });
    EXPECT_GE(ran.get_future().get(), due);
  }
}

TEST(ThreadExecutor, ALaterTimerDoesNotHoldUpAnEarlierOne) {
  const auto executor = make_thread_executor();
  std::atomic<bool> late{false};
  executor->post_at(executor->now() + Duration::hours(1), [&] { late = true; });
  std::promise<void> early;
  executor->post_at(executor->now() + Duration::milliseconds(5), [&] { early.set_value(); });
  EXPECT_EQ(early.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_FALSE(late);
}

TEST(ThreadExecutor, RunsNothingAfterItStopped) {
  const auto executor = make_thread_executor();
  executor->stop();
  std::atomic<bool> ran{false};
  executor->post([&] { ran = true; });
  executor->post_at(executor->now(), [&] { ran = true; });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(ran);
}

TEST(ThreadExecutor, DropsWhatWaitsWhenItStops) {
  const auto executor = make_thread_executor();
  std::promise<void> begun;
  std::promise<void> go;
  executor->post([&] {
    begun.set_value();
    go.get_future().wait();
  });
  begun.get_future().wait();
  auto held = std::make_shared<std::promise<int>>();
  auto answer = held->get_future();
  executor->post([held] { held->set_value(1); });
  executor->post_at(executor->now() + Duration::hours(1), [held] { held->set_value(2); });
  held.reset();
  std::thread stopping([&] { executor->stop(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  go.set_value();
  stopping.join();
  EXPECT_THROW(answer.get(), std::future_error) << "who waits for a dropped task is told";
}

TEST(ThreadExecutor, GivesEveryThreadNumbersOfItsOwn) {
  const auto executor = make_thread_executor();
  std::vector<std::vector<std::uint64_t>> drawn(4);
  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) mine.push_back(executor->random());
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::uint64_t> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 4000u);
  EXPECT_NE(executor->secret(32), executor->secret(32));
}

}  // namespace
}  // namespace flowmend::runtime
