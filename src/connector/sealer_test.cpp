#include "connector/master_key.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace flowmend::connector {
namespace {

namespace fs = std::filesystem;

class SealerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "flowmend-sealer-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string key_path() const { return (folder_ / "master.key").string(); }
  fs::path folder_;
};

TEST_F(SealerTest, OpensWhatItSealedAlsoAfterARestart) {
  auto first = open_master_key(key_path());
  ASSERT_TRUE(first) << first.error().message;
  const std::string sealed = (*first)->seal("winter-2026");
  EXPECT_EQ(sealed.find("winter"), std::string::npos);
  EXPECT_NE(sealed, (*first)->seal("winter-2026")) << "a nonce of its own each time";

  auto again = open_master_key(key_path());
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->open(sealed).value(), "winter-2026");
  EXPECT_EQ((*again)->open((*again)->seal("")).value(), "");
}

TEST_F(SealerTest, MakesTheKeyFileForItsOwnerOnly) {
  ASSERT_TRUE(open_master_key(key_path()));
  struct stat status {};
  ASSERT_EQ(::stat(key_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1u) << "no temporary file stays";
}

TEST_F(SealerTest, RefusesAKeyThatOthersMayRead) {
  ASSERT_TRUE(open_master_key(key_path()));
  fs::permissions(key_path(), fs::perms(0640));
  auto opened = open_master_key(key_path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "MasterKeyExposed");
  EXPECT_NE(opened.error().cure.find("chmod 600"), std::string::npos);
}

TEST_F(SealerTest, FindsEveryChangedByteAndAnyOtherKey) {
  auto one = open_master_key(key_path());
  auto other = open_master_key((folder_ / "other.key").string());
  ASSERT_TRUE(one && other);
  const std::string sealed = (*one)->seal("secret");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE((*one)->open(changed)) << "byte " << i;
    EXPECT_FALSE((*one)->open(sealed.substr(0, i))) << "cut at " << i;
  }
  auto stolen = (*other)->open(sealed);
  ASSERT_FALSE(stolen);
  EXPECT_EQ(stolen.error().code, "SecretUnreadable");
}

TEST_F(SealerTest, SaysWhatIsWrongWithTheFile) {
  std::ofstream(key_path()) << "not a key\n";
  fs::permissions(key_path(), fs::perms(0600));
  EXPECT_EQ(open_master_key(key_path()).error().code, "MasterKeyInvalid");
  EXPECT_EQ(open_master_key((folder_ / "no/such/key").string()).error().code, "MasterKeyUnavailable");
  EXPECT_EQ(open_master_key((folder_ / "absent").string(), IfKeyIsMissing::refuse).error().code, "MasterKeyMissing");
  fs::create_symlink(key_path(), folder_ / "link");
  EXPECT_FALSE(open_master_key((folder_ / "link").string())) << "a link could point anywhere";
}

TEST_F(SealerTest, TwoThatStartAtOnceAgreeOnOneKey) {
  std::vector<std::string> sealed(8);
  std::vector<std::thread> threads;
  for (std::string& text : sealed) {
    threads.emplace_back([&] { text = open_master_key(key_path()).value()->seal("x"); });
  }
  for (std::thread& thread : threads) thread.join();
  auto sealer = open_master_key(key_path());
  ASSERT_TRUE(sealer);
  for (const std::string& text : sealed) EXPECT_TRUE((*sealer)->open(text));
}

}  // namespace
}  // namespace flowmend::connector
