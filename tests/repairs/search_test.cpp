// Finding runs by any recorded value, over a real runtime and store.
#include <filesystem>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "connector/master_key.h"
#include "json/parse.h"
#include "repair/search/filter.h"
#include "repair/search/search.h"
#include "repair/search/tokens.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

namespace flowmend::repair::search {
namespace {

class Nothing final : public runtime::Effects {
 public:
  void send(const runtime::CallId&, const engine::Call&, const runtime::CallContext&,
            std::function<void(engine::AttemptFinished)>) override {}
  void cancel(const runtime::CallId&) override {}
};

constexpr const char* definition =
    R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Order":{"type":"Compose","inputs":{"id":"@triggerBody()?['id']","amount":"@triggerBody()?['amount']"}},
  "Secret":{"type":"Compose","inputs":"@concat('hidden', triggerBody()?['pin'])","runAfter":{"Order":["Succeeded"]},
    "runtimeConfiguration":{"secureData":{"properties":["inputs","outputs"]}}}}})j";
constexpr const char* waiting_definition =
    R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Sleep":{"type":"Wait","inputs":{"interval":{"count":1,"unit":"Hour"}}}}})j";

class SearchTest : public testing::Test {
 protected:
  SearchTest() {
    char name[] = "/tmp/flowmend-search-XXXXXX";
    folder_ = mkdtemp(name);
    start();
    flow_ = flow("Orders", definition);
  }
  ~SearchTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    store_ = store::sqlite::open({folder_}).value();
    sealer_ = connector::open_master_key(folder_ + "/master.key").value();
    runtime_ = runtime::Runtime::start({*store_, nothing_, *sealer_, runtime::make_thread_executor()}, {}).value();
    search_ = std::make_unique<RunSearch>(RunSearch::Parts{*store_, *sealer_, runtime_->flows()});
  }
  void stop() {
    search_.reset();
    runtime_->stop();
    runtime_.reset();
    store_.reset();
  }
  std::string flow(const char* name, const char* text) {
    runtime::FlowDraft draft;
    draft.display_name = name;
    draft.definition = *json::parse(text);
    return runtime_->flows().create(draft, "ann")->flow->id;
  }
  void run(const std::string& flow, const Value& body) {
    ASSERT_TRUE(runtime_->run_trigger(flow, "manual", body, "ann"));
  }
  void orders(int from, int until) {
    for (int i = from; i < until; ++i) {
      run(flow_, Value::object({{"id", Value("SO-" + std::to_string(i) + "/A")},
                                {"amount", Value(i % 2 == 0 ? 1.5 : 2.5)},
                                {"pin", Value(std::to_string(i))}}));
    }
    while (runtime_->counts().active_runs > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  RunSearch::Page find(const std::string& value, std::size_t limit = 50, store::RunNumber below = 0) {
    RunSearch::Request request;
    request.value = value;
    request.limit = limit;
    request.below = below;
    request.time_max = Duration::minutes(5);
    auto page = search_->find(request);
    EXPECT_TRUE(page);
    return page ? std::move(*page) : RunSearch::Page{};
  }
  std::set<store::RunNumber> all(const std::string& value) {
    std::set<store::RunNumber> out;
    store::RunNumber below = 0;
    do {
      const auto page = find(value, 100, below);
      for (const auto& hit : page.hits) EXPECT_TRUE(out.insert(hit.run.number).second) << "a run came twice";
      below = page.next;
    } while (below > 0);
    return out;
  }

  Nothing nothing_;
  std::string folder_;
  std::string flow_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<connector::MasterKeySealer> sealer_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<RunSearch> search_;
};

TEST_F(SearchTest, FindsEveryRunOfAnyAgeByWhatItRecorded) {
  orders(0, 1700);
  search_->index_now();
  EXPECT_GE(search_->progress().indexed_ranges, 2u);
  for (const int wanted : {0, 3, 511, 512, 1023, 1300, 1699}) {
    const auto page = find("so-" + std::to_string(wanted) + " a");
    ASSERT_EQ(page.hits.size(), 1u) << wanted;
    EXPECT_EQ(page.hits[0].side, "outputs");
    EXPECT_EQ(page.next, 0);
  }
  EXPECT_EQ(all("1.5").size(), 850u);
  EXPECT_TRUE(find("SO-1700").hits.empty());
  EXPECT_TRUE(find("so-69").hits.size() == 1) << "whole words only";
}

TEST_F(SearchTest, WhatIsSecuredIsNotFound) {
  orders(0, 1100);
  EXPECT_TRUE(find("hidden7").hits.empty()) << "not indexed yet";
  search_->index_now();
  EXPECT_TRUE(find("hidden7").hits.empty());
  EXPECT_TRUE(find("hidden1099").hits.empty());
}

TEST_F(SearchTest, ARunThatIsNotOverIsFoundAndIsIndexedOnceItIs) {
  const std::string sleeping = flow("Sleeps", waiting_definition);
  run(sleeping, Value::object({{"id", Value("EARLY-1")}}));
  orders(0, 1600);
  search_->index_now();
  ASSERT_EQ(find("EARLY-1").hits.size(), 1u);
  const auto row = find("EARLY-1").hits[0].run;
  EXPECT_FALSE(store::is_over(row.status));
  ASSERT_TRUE(runtime_->cancel(row.name, "ann"));
  while (!store::is_over((*store_->run(row.number))->status)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  search_->index_now();
  ASSERT_EQ(find("EARLY-1").hits.size(), 1u);
  EXPECT_EQ(find("EARLY-1").hits[0].action, "");
}

TEST_F(SearchTest, TheIndexSurvivesARestartAndForgetsWhatRetentionRemoved) {
  orders(0, 1700);
  search_->index_now();
  const auto before = search_->progress().indexed_ranges;
  stop();
  start();
  EXPECT_EQ(search_->progress().indexed_ranges, before);
  EXPECT_EQ(find("SO-5").hits.size(), 1u);
  std::vector<store::RunNumber> old;
  for (store::RunNumber number = 1; number < 600; ++number) old.push_back(number);
  ASSERT_TRUE(store_->write([&](store::Transaction& change) -> Result<void> {
    change.erase_runs(old);
    return {};
  }));
  EXPECT_TRUE(find("SO-5").hits.empty());
  search_->index_now();
  EXPECT_EQ(search_->progress().indexed_ranges, before - 1);
  EXPECT_EQ(find("SO-1650").hits.size(), 1u);
  EXPECT_EQ(find("SO-800").hits.size(), 1u);
}

TEST_F(SearchTest, AValueWithoutAWordIsRefused) {
  RunSearch::Request request;
  request.value = " -/% ";
  EXPECT_EQ(search_->find(request).error().code, "InvalidSearchValue");
}

TEST(SearchFilter, HoldsWhatItWasGivenAndReadsAnyBytes) {
  std::vector<std::uint32_t> hashes;
  for (std::uint32_t i = 0; i < 5000; ++i) hashes.push_back(hash_of(std::to_string(i)));
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  const auto filters = make_filters(hashes);
  for (const std::uint32_t hash : hashes) EXPECT_TRUE(holds(filters[static_cast<std::size_t>(part_of(hash))], hash));
  int wrong = 0;
  for (std::uint32_t i = 5000; i < 10'000; ++i) {
    const auto hash = hash_of(std::to_string(i));
    wrong += holds(filters[static_cast<std::size_t>(part_of(hash))], hash) ? 1 : 0;
  }
  EXPECT_LE(wrong, 1);
  EXPECT_FALSE(holds(std::string(20, '\xff'), 1));
  EXPECT_EQ(unpack_numbers(pack_numbers({512, 700, 1023}, 512), 512), (std::vector<store::RunNumber>{512, 700, 1023}));
}

TEST(SearchQuery, MatchesWordsInARowWithoutRegardToCase) {
  const Query query("so-12/A");
  EXPECT_TRUE(query.is_in("Order SO 12 a was shipped"));
  EXPECT_FALSE(query.is_in("SO-12/B"));
  EXPECT_FALSE(query.is_in("SO-123/A"));
  EXPECT_TRUE(Query("Zürich").is_in("nach Zürich"));
  EXPECT_TRUE(Query("...").empty());
}

}  // namespace
}  // namespace flowmend::repair::search
