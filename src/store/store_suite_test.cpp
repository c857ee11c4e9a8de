// The store's conformance suite: every backend must pass it. A backend plugs itself in at the bottom.

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/ids.h"
#include "json/parse.h"
#include "store/sqlite/open.h"
#include "store/store.h"

namespace flowmend::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Timestamp start = Timestamp::from_unix_milliseconds(1'700'000'000'000);

/// What a backend must offer to be tested: a store, closed and opened again on the same data.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual Store& store() = 0;
  virtual void reopen() = 0;
};

class SqliteBackend : public Backend {
 public:
  SqliteBackend() {
    char name[] = "/tmp/flowmend-store-XXXXXX";
    folder_ = mkdtemp(name);
    reopen();
  }
  ~SqliteBackend() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    sqlite::Options options;
    options.folder = folder_;
    options.clock = [] { return start; };
    auto opened = sqlite::open(options);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }

 private:
  std::string folder_;
  std::unique_ptr<Store> store_;
};

class StoreSuite : public testing::TestWithParam<std::unique_ptr<Backend> (*)()> {
 protected:
  StoreSuite() : backend_(GetParam()()) {}
  Store& store() { return backend_->store(); }

  void commit(Batch batch) {
    std::promise<void> durable;
    store().commit(std::move(batch), [&] { durable.set_value(); });
    durable.get_future().wait();
  }
  static RunRow run_row(RunNumber number, std::string flow, RunStatus status) {
    RunRow run;
    run.number = number;
    run.started = start + Duration::seconds(number);
    run.name = make_run_name(run.started, 7);
    run.flow = std::move(flow);
    run.version = "v1";
    run.status = status;
    run.trigger = "manual";
    run.client_tracking_id = run.name;
    return run;
  }
  void put_runs(int count) {
    Batch batch;
    for (int i = 1; i <= count; ++i) {
      batch.runs.push_back(
          run_row(i, i % 2 == 0 ? "even" : "odd", i % 5 == 0 ? RunStatus::failed : RunStatus::succeeded));
    }
    commit(std::move(batch));
  }
  std::vector<RunNumber> numbers(const RunQuery& query) {
    std::vector<RunNumber> found;
    for (const auto& run : *store().runs(query)) found.push_back(run.number);
    return found;
  }

  std::unique_ptr<Backend> backend_;
};

TEST_P(StoreSuite, ARunIsReadBackAsItWasWritten) {
  auto run = run_row(3, "f", RunStatus::failed);
  run.ended = run.started + Duration::seconds(5);
  run.history_name = "h";
  run.code = "ActionFailed";
  run.error_code = "NotFound";
  run.error_message = "gone \"away\" é";
  run.failed_action = "Get_order";
  run.resubmit_of = "other";
  run.client_tracking_id = "mine";
  run.started_by = "ann";
  Batch batch;
  batch.runs.push_back(run);
  commit(std::move(batch));
  backend_->reopen();
  const auto found = store().run(run.name);
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->number, 3);
  EXPECT_EQ((*found)->flow, "f");
  EXPECT_EQ((*found)->version, "v1");
  EXPECT_EQ((*found)->status, RunStatus::failed);
  EXPECT_EQ((*found)->started, run.started);
  EXPECT_EQ((*found)->ended, run.ended);
  EXPECT_EQ((*found)->trigger, "manual");
  EXPECT_EQ((*found)->history_name, "h");
  EXPECT_EQ((*found)->code, "ActionFailed");
  EXPECT_EQ((*found)->error_code, "NotFound");
  EXPECT_EQ((*found)->error_message, run.error_message);
  EXPECT_EQ((*found)->failed_action, "Get_order");
  EXPECT_EQ((*found)->client_tracking_id, "mine");
  EXPECT_EQ((*found)->started_by, "ann");
  EXPECT_FALSE((*found)->needs_work);
  EXPECT_THAT(*store().resubmits_of("other"), SizeIs(1));
  EXPECT_EQ((*store().last_run())->number, 3);
  EXPECT_FALSE(store().run("unknown")->has_value());
  EXPECT_FALSE(store().run(99)->has_value());
}

TEST_P(StoreSuite, ListsAreNewestFirstFilteredAndPaged) {
  put_runs(20);
  RunQuery all;
  all.limit = 3;
  EXPECT_THAT(numbers(all), ElementsAre(20, 19, 18));
  all.after = run_row(18, "", RunStatus::failed).name;
  EXPECT_THAT(numbers(all), ElementsAre(17, 16, 15));
  RunQuery flow;
  flow.flow = "odd";
  flow.limit = 2;
  EXPECT_THAT(numbers(flow), ElementsAre(19, 17));
  RunQuery failed;
  failed.status = RunStatus::failed;
  EXPECT_THAT(numbers(failed), ElementsAre(20, 15, 10, 5));
  failed.flow = "even";
  EXPECT_THAT(numbers(failed), ElementsAre(20, 10));
  failed.flow = "no such flow";
  EXPECT_THAT(numbers(failed), IsEmpty());
  RunQuery window;
  window.from = start + Duration::seconds(5);
  window.until = start + Duration::seconds(8);
  EXPECT_THAT(numbers(window), ElementsAre(7, 6, 5));
  EXPECT_EQ(*store().count_runs(window), 3u);
  window.from = start + Duration::days(1);
  window.until = {};
  EXPECT_THAT(numbers(window), IsEmpty());
  RunQuery last;
  last.after = run_row(1, "", RunStatus::failed).name;
  EXPECT_THAT(numbers(last), IsEmpty());
}

TEST_P(StoreSuite, ARunChangesStatusAndKeepsItsFamily) {
  auto run = run_row(1, "f", RunStatus::running);
  run.needs_work = true;
  Batch first;
  first.runs.push_back(run);
  commit(std::move(first));
  EXPECT_THAT(*store().runs_to_resume(0, 10), SizeIs(1));
  ASSERT_TRUE(store().write([](Transaction& change) -> Result<void> {
    change.set_cause(1, {"authentication", "print", "401 Unauthorized", "Get was refused"});
    return {};
  }));
  run.needs_work = false;
  run.status = RunStatus::failed;
  Batch second;
  second.runs.push_back(run);
  commit(std::move(second));
  EXPECT_THAT(*store().runs_to_resume(0, 10), IsEmpty());
  EXPECT_EQ((*store().run(1))->cause.family, "authentication");
  RunQuery query;
  query.status = RunStatus::running;
  EXPECT_THAT(numbers(query), IsEmpty());
  query.status = RunStatus::failed;
  EXPECT_THAT(numbers(query), ElementsAre(1));
  EXPECT_EQ((*store().run(1))->cause.title, "Get was refused");
  for (const char* word : {"401", "unauthorized", "Unauthorized"}) {
    query.failed_code = word;
    EXPECT_THAT(numbers(query), ElementsAre(1)) << word;
  }
  for (const char* word : {"40", "Unauth", "%", "404"}) {
    query.failed_code = word;
    EXPECT_THAT(numbers(query), IsEmpty()) << word;
  }
}

TEST_P(StoreSuite, JournalRecordsComeBackInOrderWhateverTheirSize) {
  const std::string large(300'000, 'a');
  std::string noise;
  Random random(1);
  for (int i = 0; i < 40'000; ++i) noise.push_back(static_cast<char>(random.next()));
  Batch batch;
  batch.journal.push_back({7, 1, large});
  batch.journal.push_back({7, 0, "first"});
  batch.journal.push_back({7, 2, noise});
  batch.journal.push_back({8, 0, "other run"});
  batch.journal.push_back({7, 3, ""});
  commit(std::move(batch));
  EXPECT_THAT(*store().journal(7), ElementsAre("first", large, noise, ""));
  EXPECT_THAT(*store().journal(6), IsEmpty());
}

TEST_P(StoreSuite, TimersAreReplacedEndedAndListedByDueTime) {
  Batch batch;
  batch.timers_set = {{start + Duration::seconds(9), 1, 0, 0, 0},
                      {start + Duration::seconds(3), 1, 1, 0, 0},
                      {start + Duration::seconds(5), 2, 0, 4, 1}};
  commit(std::move(batch));
  Batch change;
  change.timers_ended = {{{}, 1, 1, 0, 0}};
  change.timers_set = {{start + Duration::seconds(1), 1, 0, 0, 0}};
  commit(std::move(change));
  const auto due = *store().timers(start + Duration::seconds(6), 10);
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_EQ(due[0].run, 1);
  EXPECT_EQ(due[1].run, 2);
  EXPECT_EQ(due[1].frame, 4u);
  EXPECT_EQ(due[1].kind, 1);
  EXPECT_THAT(*store().timers_of(1), SizeIs(1));
  EXPECT_EQ(store().next_timer(start + Duration::seconds(2))->value(), start + Duration::seconds(5));
  EXPECT_FALSE(store().next_timer(start + Duration::seconds(6))->has_value());
}

TEST_P(StoreSuite, DocumentsAreGuardedByTheirVersion) {
  EXPECT_EQ(*store().put_document("connection", "b", Value::object({{"n", 1}})), 1);
  EXPECT_EQ(*store().put_document("connection", "a/1", 2, Transaction::absent), 1);
  EXPECT_EQ(store().put_document("connection", "b", 3, Transaction::absent).error().code, "VersionConflict");
  EXPECT_EQ(*store().put_document("connection", "b", 3, 1), 2);
  EXPECT_EQ(store().erase_document("connection", "b", 1).error().code, "VersionConflict");
  const auto found = store().document("connection", "b");
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->value, Value(3));
  EXPECT_EQ((*found)->version, 2);
  EXPECT_EQ((*found)->updated, start);
  EXPECT_FALSE(store().document("user", "b")->has_value());
  store().put_document("connection", "a/2", 4).value();
  DocumentQuery query;
  query.kind = "connection";
  EXPECT_THAT(*store().documents(query), SizeIs(3));
  query.prefix = "a/";
  EXPECT_THAT(*store().documents(query), SizeIs(2));
  query.after = "a/1";
  ASSERT_THAT(*store().documents(query), SizeIs(1));
  EXPECT_TRUE(*store().erase_document("connection", "b"));
  EXPECT_FALSE(*store().erase_document("connection", "b"));
}

TEST_P(StoreSuite, ARefusedChangeLeavesNothingBehind) {
  const auto written = store().write([](Transaction& change) -> Result<void> {
    change.put_document("k", "a", 1).value();
    return make_error("No", "I changed my mind.");
  });
  EXPECT_EQ(written.error().code, "No");
  EXPECT_FALSE(store().document("k", "a")->has_value());
  const auto thrown = store().write([](Transaction& change) -> Result<void> {
    change.put_document("k", "a", 1).value();
    throw std::runtime_error("broken");
  });
  EXPECT_EQ(thrown.error().code, "InternalError");
  EXPECT_FALSE(store().document("k", "a")->has_value());
  EXPECT_TRUE(store().health());
}

TEST_P(StoreSuite, FlowsAndVersions) {
  FlowRow flow;
  flow.id = "id-1";
  flow.workflow_id = "0123";
  flow.environment = "default";
  flow.display_name = "b flow";
  flow.version = "2";
  flow.created = start;
  flow.changed = start;
  flow.properties = Value::object({{"tags", Value::empty_array()}});
  flow.primary_key = std::string("\0\x01sealed", 8);
  flow.secondary_key = "two";
  FlowVersionRow version{"id-1", "2", start, "ann", *json::parse(R"({"actions":{"A":1.0}})"), Value::empty_object(),
                         nullptr};
  ASSERT_TRUE(store().write([&](Transaction& change) -> Result<void> {
    change.put_flow(flow);
    change.put_flow_version(version);
    return {};
  }));
  backend_->reopen();
  const auto found = store().flow_by_workflow_id("0123");
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->id, "id-1");
  EXPECT_EQ((*found)->primary_key, flow.primary_key);
  EXPECT_EQ((*found)->properties, flow.properties);
  EXPECT_EQ((*found)->state, FlowState::started);
  const auto saved = store().flow_version("id-1", "2");
  ASSERT_TRUE(saved->has_value());
  EXPECT_EQ((*saved)->definition, version.definition);
  EXPECT_EQ((*saved)->connection_references, Value::empty_object());
  EXPECT_THAT(*store().flow_versions("id-1"), SizeIs(1));
  EXPECT_FALSE(store().flow_version("id-1", "1")->has_value());
  ASSERT_TRUE(store().write([&](Transaction& change) -> Result<void> {
    change.erase_flow("id-1");
    return {};
  }));
  EXPECT_THAT(*store().flows(), IsEmpty());
}

TEST_P(StoreSuite, HistoriesMixChecksThatFiredAndChecksThatDidNot) {
  put_runs(3);
  Batch batch;
  TriggerHistoryRow skipped;
  skipped.flow = "odd";
  skipped.trigger = "manual";
  skipped.started = start + Duration::seconds(2);
  skipped.name = make_run_name(skipped.started, 9);
  skipped.status = "Skipped";
  skipped.code = "ConditionsNotMet";
  skipped.outputs = Value::object({{"body", 1}});
  batch.histories.push_back(skipped);
  commit(std::move(batch));
  const auto all = *store().trigger_histories("odd", "", "", 10);
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_TRUE(all[0].fired);
  EXPECT_EQ(all[1].status, "Skipped");
  EXPECT_EQ(all[1].outputs, skipped.outputs);
  EXPECT_THAT(*store().trigger_histories("odd", "", all[1].name, 10), SizeIs(1));
  EXPECT_THAT(*store().trigger_histories("odd", "", "", 2), SizeIs(2));
  EXPECT_THAT(*store().trigger_histories("odd", "manual", "", 10), SizeIs(3));
  EXPECT_THAT(*store().trigger_histories("odd", "Every_day", "", 10), IsEmpty());
}

TEST_P(StoreSuite, ErasedRunsAreGoneWithAllTheyHad) {
  put_runs(3);
  Batch batch;
  batch.journal.push_back({2, 0, "x"});
  batch.timers_set.push_back({start, 2, 0, 0, 0});
  commit(std::move(batch));
  ASSERT_TRUE(store().write([](Transaction& change) -> Result<void> {
    change.erase_runs({2});
    return {};
  }));
  EXPECT_THAT(numbers({}), ElementsAre(3, 1));
  EXPECT_THAT(*store().journal(2), IsEmpty());
  EXPECT_THAT(*store().timers_of(2), IsEmpty());
}

TEST_P(StoreSuite, RunsThatAreOverAndOldAreListedOldestFirst) {
  put_runs(6);
  Batch batch;
  batch.runs.push_back(run_row(2, "even", RunStatus::running));
  commit(std::move(batch));
  const auto before = [](std::int64_t second) { return start + Duration::seconds(second); };
  EXPECT_THAT(*store().ended_runs(0, before(5), 10), ElementsAre(1, 3, 4));
  EXPECT_THAT(*store().ended_runs(1, before(5), 1), ElementsAre(3));
  EXPECT_THAT(*store().ended_runs(0, before(1), 10), IsEmpty());
  EXPECT_THAT(*store().ended_runs(0, before(100), 10), SizeIs(5));
}

TEST_P(StoreSuite, OldChecksAreErasedOfAllFlows) {
  for (const char* flow : {"a", "b"}) {
    Batch batch;
    for (int i = 0; i < 5; ++i) {
      TriggerHistoryRow row;
      row.flow = flow;
      row.trigger = "t";
      row.started = start + Duration::seconds(i);
      row.name = make_run_name(row.started, 9);
      row.status = "Skipped";
      batch.histories.push_back(row);
    }
    commit(std::move(batch));
  }
  const auto erase = [&](std::int64_t second, std::size_t limit) {
    std::size_t erased = 0;
    EXPECT_TRUE(store().write([&](Transaction& change) -> Result<void> {
      erased = change.erase_trigger_histories(start + Duration::seconds(second), limit);
      return {};
    }));
    return erased;
  };
  EXPECT_EQ(erase(3, 4), 4u);
  EXPECT_EQ(erase(3, 4), 2u);
  EXPECT_EQ(erase(3, 4), 0u);
  EXPECT_THAT(*store().trigger_histories("a", "", "", 10), SizeIs(2));
  EXPECT_THAT(*store().trigger_histories("b", "", "", 10), SizeIs(2));
}

TEST_P(StoreSuite, CommitsOfManyThreadsBecomeDurableInTheirOrder) {
  constexpr int per_thread = 200;
  std::atomic<int> durable{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < per_thread; ++i) {
        Batch batch;
        batch.journal.push_back({t + 1, static_cast<std::uint32_t>(i), std::to_string(i)});
        store().commit(std::move(batch), [&] { ++durable; });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(store().put_document("barrier", "", 1));  // comes behind all commits above
  EXPECT_EQ(durable, 4 * per_thread);
  backend_->reopen();
  for (int t = 0; t < 4; ++t) EXPECT_THAT(*store().journal(t + 1), SizeIs(per_thread));
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite, testing::Values(+[]() -> std::unique_ptr<Backend> {
                           return std::make_unique<SqliteBackend>();
                         }));

}  // namespace
}  // namespace flowmend::store
