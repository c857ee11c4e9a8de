// The real store and runtime on a disk that fails: it stops accepting, says why, loses nothing, and goes on by itself
// once the cause is gone. And on files that were damaged: it refuses them with the cure.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "faulty_disk.h"
#include "json/parse.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

namespace flowmend::disk {
namespace {

class PlainSealer final : public engine::Sealer {
 public:
  std::string seal(std::string_view plain) const override { return "s" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) const override {
    return {boost::system::in_place_value, sealed.substr(1)};
  }
};

class NoEffects final : public runtime::Effects {
 public:
  void send(const runtime::CallId&, const engine::Call&, const runtime::CallContext&,
            std::function<void(engine::AttemptFinished)>) override {}
  void cancel(const runtime::CallId&) override {}
};

class DiskTest : public testing::TestWithParam<Mood> {
 protected:
  DiskTest() {
    install();
    char name[] = "/tmp/flowmend-disk-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~DiskTest() override {
    set_mood(Mood::works);
    std::filesystem::remove_all(folder_);
  }
  Result<std::unique_ptr<store::Store>> open() const {
    store::sqlite::Options options;
    options.folder = folder_;
    return store::sqlite::open(options);
  }
  static bool wait_for(const std::function<bool()>& what) {
    for (int i = 0; i < 1000 && !what(); ++i) usleep(10'000);
    return what();
  }
  static void put(store::Store& store, std::int64_t run, std::atomic<int>& durable) {
    store::Batch batch;
    batch.journal.push_back({run, 0, std::string(4000, 'j')});
    store.commit(std::move(batch), [&] { ++durable; });
  }
  std::string file(const char* name) const { return folder_ + "/" + name; }
  std::string folder_;
};

TEST_P(DiskTest, NothingIsReportedDurableAndNothingIsLost) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  auto& store = **opened;
  std::atomic<int> durable{0};
  put(store, 1, durable);
  ASSERT_TRUE(wait_for([&] { return durable == 1; }));

  set_mood(GetParam());
  for (int i = 2; i <= 30; ++i) put(store, i, durable);
  ASSERT_TRUE(wait_for([&] { return !store.health(); }));
  EXPECT_EQ(store.health().error().code, "StorageUnavailable");
  EXPECT_FALSE(store.health().error().cure.empty());
  EXPECT_EQ(durable, 1);
  EXPECT_EQ(store.put_document("k", "a", 1).error().code, "StorageUnavailable");
  EXPECT_TRUE(store.journal(2)->empty()) << "what is not durable can't be read";

  set_mood(Mood::works);
  ASSERT_TRUE(wait_for([&] { return durable == 30; }));
  EXPECT_TRUE(store.health());
  opened->reset();
  opened = open();
  ASSERT_TRUE(opened);
  for (int i = 1; i <= 30; ++i) EXPECT_EQ((*opened)->journal(i)->size(), 1u) << i;
}

TEST_P(DiskTest, ATriggerIsRefusedWithTheReasonAndAcceptedAgainLater) {
  auto opened = open();
  ASSERT_TRUE(opened);
  const PlainSealer sealer;
  NoEffects effects;
  auto started = runtime::Runtime::start({**opened, effects, sealer, runtime::make_thread_executor()}, {});
  ASSERT_TRUE(started);
  auto& runtime = **started;
  runtime::FlowDraft draft;
  draft.display_name = "disk";
  draft.definition = *json::parse(
      R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
          "One":{"type":"Compose","inputs":1,"runAfter":{}}}})");
  const auto flow = runtime.flows().create(draft, "ann")->flow->id;
  ASSERT_TRUE(runtime.run_trigger(flow, "manual", {}, "ann"));

  set_mood(GetParam());
  // The call that meets the failure first waits for the disk; it is told when its run is durable, not before.
  auto first = std::async(std::launch::async, [&] { return runtime.run_trigger(flow, "manual", {}, "ann"); });
  ASSERT_TRUE(wait_for([&] { return !(*opened)->health(); }));
  const auto refused = runtime.run_trigger(flow, "manual", {}, "ann");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "StorageUnavailable");
  EXPECT_FALSE(refused.error().cure.empty());

  set_mood(Mood::works);
  EXPECT_TRUE(first.get());
  ASSERT_TRUE(wait_for([&] { return static_cast<bool>((*opened)->health()); }));
  EXPECT_TRUE(runtime.run_trigger(flow, "manual", {}, "ann"));
  EXPECT_TRUE(wait_for([&] { return runtime.counts().active_runs == 0; }));
  EXPECT_EQ((*opened)->runs({.flow = flow})->size(), 3u) << "the refused call has no run";
}

INSTANTIATE_TEST_SUITE_P(Moods, DiskTest, testing::Values(Mood::write_fails, Mood::sync_fails, Mood::full));

class DamagedFile : public DiskTest {
 protected:
  void fill() {
    auto opened = open();
    ASSERT_TRUE(opened);
    std::atomic<int> durable{0};
    for (int i = 1; i <= 500; ++i) put(**opened, i, durable);
    ASSERT_TRUE(wait_for([&] { return durable == 500; }));
  }
};

TEST_F(DamagedFile, ATornLogLosesOnlyWhatIsTorn) {
  std::uintmax_t log_bytes = 0;
  const std::string copy = folder_ + "/copy";
  {
    auto opened = open();
    ASSERT_TRUE(opened);
    std::atomic<int> durable{0};
    for (int i = 1; i <= 20; ++i) {
      put(**opened, i, durable);
      ASSERT_TRUE(wait_for([&] { return durable == i; }));
    }
    // What a power cut leaves: the files as they are, the last page of the log only in part.
    std::filesystem::create_directory(copy);
    for (const char* name : {"flowmend.db", "flowmend.db-wal"})
      std::filesystem::copy_file(file(name), copy + "/" + name);
    log_bytes = std::filesystem::file_size(copy + "/flowmend.db-wal");
  }
  std::filesystem::resize_file(copy + "/flowmend.db-wal", log_bytes - 3000);
  store::sqlite::Options options;
  options.folder = copy;
  const auto reopened = store::sqlite::open(options);
  ASSERT_TRUE(reopened) << reopened.error().message;
  for (int i = 1; i <= 19; ++i) EXPECT_EQ((*reopened)->journal(i)->size(), 1u) << i;
  EXPECT_TRUE((*reopened)->journal(20)->empty());
}

TEST_F(DamagedFile, AFileThatIsCutOffIsRefusedWithTheCure) {
  fill();
  std::filesystem::resize_file(file("flowmend.db"), std::filesystem::file_size(file("flowmend.db")) / 2);
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "StoreCorrupt");
  EXPECT_NE(refused.error().cure.find("backup"), std::string::npos);
}

TEST_F(DamagedFile, ADamagedSchemaIsRefusedWithTheCure) {
  fill();
  std::fstream damaged(file("flowmend.db"), std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(100);
  damaged << std::string(8000, '\x5a');
  damaged.close();
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "StoreCorrupt");
  EXPECT_FALSE(refused.error().cure.empty());
}

}  // namespace
}  // namespace flowmend::disk
