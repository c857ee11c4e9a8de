#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/sqlite/connection.h"
#include "store/sqlite/open.h"

namespace flowmend::store::sqlite {
namespace {

class OpenTest : public testing::Test {
 protected:
  OpenTest() {
    char name[] = "/tmp/flowmend-open-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~OpenTest() override { std::filesystem::remove_all(folder_); }
  Result<std::unique_ptr<Store>> open_folder(const std::string& folder) {
    Options options;
    options.folder = folder;
    return open(options);
  }
  std::string folder_;
};

TEST_F(OpenTest, TwoNeverShareAFolder) {
  auto first = open_folder(folder_);
  ASSERT_TRUE(first);
  EXPECT_EQ(open_folder(folder_).error().code, "DataFolderInUse");
  first->reset();
  EXPECT_TRUE(open_folder(folder_));
}

TEST_F(OpenTest, AMissingParentIsNamed) {
  const auto refused = open_folder(folder_ + "/no/such");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "DataFolderMissing");
  EXPECT_FALSE(refused.error().cure.empty());
  EXPECT_TRUE(open_folder(folder_ + "/new"));
}

TEST_F(OpenTest, AReadOnlyFolderIsNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const auto refused = open_folder(folder_);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
  EXPECT_EQ(refused.error().code, "DataFolderReadOnly");
}

TEST_F(OpenTest, AFileThatIsNoDatabaseIsRefusedWithTheCure) {
  std::ofstream(folder_ + "/flowmend.db") << std::string(5000, 'x');
  const auto refused = open_folder(folder_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "StoreCorrupt");
  EXPECT_NE(refused.error().cure.find("backup"), std::string::npos);
}

TEST_F(OpenTest, AnotherProgramsDatabaseIsRefused) {
  {
    Connection other(folder_ + "/flowmend.db", Connection::Mode::write);
    other.execute("CREATE TABLE mine (x)");
  }
  EXPECT_EQ(open_folder(folder_).error().code, "StoreCorrupt");
}

TEST_F(OpenTest, ANewerSchemaIsRefused) {
  ASSERT_TRUE(open_folder(folder_));
  {
    Connection newer(folder_ + "/flowmend.db", Connection::Mode::write);
    newer.execute("PRAGMA user_version = 1000");
  }
  EXPECT_EQ(open_folder(folder_).error().code, "StoreIsNewer");
}

// A file size limit of the process stands for a full disk: writes fail in the same place, and the cause can be taken
// away.
TEST_F(OpenTest, AFullDiskStopsTheStoreUntilThereIsRoomAgain) {
  std::signal(SIGXFSZ, SIG_IGN);
  auto opened = open_folder(folder_);
  ASSERT_TRUE(opened);
  auto& store = **opened;
  struct rlimit before {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit tight = before;
  tight.rlim_cur = std::filesystem::file_size(folder_ + "/flowmend.db-wal") + 10'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);

  std::atomic<int> durable{0};
  for (int i = 0; i < 50; ++i) {
    Batch batch;
    batch.journal.push_back({i + 1, 0, std::string(4000, 'j')});
    store.commit(std::move(batch), [&] { ++durable; });
  }
  for (int i = 0; i < 200 && store.health(); ++i) usleep(20'000);
  ASSERT_FALSE(store.health());
  EXPECT_EQ(store.health().error().code, "StorageUnavailable");
  EXPECT_FALSE(store.health().error().cure.empty());
  EXPECT_EQ(store.put_document("k", "a", 1).error().code, "StorageUnavailable");
  EXPECT_LT(durable, 50);

  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  for (int i = 0; i < 500 && durable < 50; ++i) usleep(20'000);
  EXPECT_EQ(durable, 50);
  EXPECT_TRUE(store.health());
  EXPECT_TRUE(store.put_document("k", "a", 1));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(store.journal(i + 1)->size(), 1u);
}

TEST_F(OpenTest, TheLogStaysSmallUnderAWriterThatNeverPauses) {
  auto opened = open_folder(folder_);
  ASSERT_TRUE(opened);
  auto& store = **opened;
  constexpr int batches = 20'000;
  std::atomic<int> durable{0};
  for (int i = 0; i < batches; ++i) {
    Batch batch;
    std::string record(4000, 'j');  // of its own for each, and not one that shrinks
    for (std::size_t at = 0; at < record.size(); ++at) record[at] = static_cast<char>((i * 31 + at * at) % 251);
    batch.journal.push_back({i + 1, 0, std::move(record)});
    store.commit(std::move(batch), [&] { ++durable; });
    while (i - durable > 100) usleep(100);
  }
  while (durable < batches) usleep(1000);
  EXPECT_GT(std::filesystem::file_size(folder_ + "/flowmend.db"), 30'000'000u);
  EXPECT_LT(std::filesystem::file_size(folder_ + "/flowmend.db-wal"), 64'000'000u);
}

}  // namespace
}  // namespace flowmend::store::sqlite
