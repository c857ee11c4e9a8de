#include "connector/master_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

namespace fs = std::filesystem;
using Under = MasterKeySealer::Under;

class MasterKeyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "flowmend-key-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    ::unsetenv("FLOWMEND_MASTER_KEY");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    fs::remove_all(folder_);
  }
  std::string key_path() const { return folder_ + "/master.key"; }
  std::string write(const std::string& name, const std::string& text, fs::perms mode = fs::perms(0600)) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    fs::permissions(path, mode);
    return path;
  }
  static std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::string folder_;
};

TEST_F(MasterKeyTest, SeveralKeysSealWithTheFirstAndOpenWithAny) {
  const std::string old_line = new_master_key_line();
  const std::string new_line = new_master_key_line();
  const auto old = open_master_key(write("old", old_line)).value();
  const auto both = open_master_key(write("both", new_line + "\r\n\n " + old_line + "\n")).value();
  const auto fresh = open_master_key(write("new", new_line + "\n")).value();
  EXPECT_EQ(both->key_count(), 2u);
  const std::string sealed_before = old->seal("planted");
  EXPECT_EQ(both->open(sealed_before).value(), "planted");
  EXPECT_EQ(both->sealed_under(sealed_before), Under::older);
  const std::string sealed_now = both->seal("planted");
  EXPECT_EQ(both->sealed_under(sealed_now), Under::newest);
  EXPECT_EQ(fresh->open(sealed_now).value(), "planted");
  EXPECT_FALSE(old->open(sealed_now));
  EXPECT_EQ(fresh->sealed_under(sealed_before), Under::none);
  EXPECT_EQ(fresh->sealed_under("no sealed text"), Under::none);
}

TEST_F(MasterKeyTest, AFileIsTakenWholeOrNotAtAll) {
  const std::string line = new_master_key_line();
  std::string many;
  for (std::size_t i = 0; i <= master_keys_max; ++i) many += new_master_key_line() + "\n";
  for (const std::string& text : {std::string(), std::string("\n\n"), line + "\nflowmend-key-1 short", line + "x", many,
                                  "flowmend-key-2" + line.substr(14), std::string(5000, '\n'), line + " " + line}) {
    const auto opened = open_master_key(write("bad", text));
    ASSERT_FALSE(opened) << text;
    EXPECT_EQ(opened.error().code, "MasterKeyInvalid") << text;
    EXPECT_EQ(opened.error().message.find(line.substr(15)), std::string::npos);
  }
}

TEST_F(MasterKeyTest, TheEnvironmentsKeyIsTakenOutOfIt) {
  const std::string newer = new_master_key_line();
  const std::string older = new_master_key_line();
  ASSERT_EQ(::setenv("FLOWMEND_MASTER_KEY", (newer + "," + older).c_str(), 1), 0);
  const char* place = std::getenv("FLOWMEND_MASTER_KEY");
  const auto source = find_master_key(key_path());
  EXPECT_EQ(source.kind, MasterKeySource::Kind::environment);
  EXPECT_EQ(std::getenv("FLOWMEND_MASTER_KEY"), nullptr);
  EXPECT_EQ(*place, '\0');
  const auto sealer = open_master_key(source).value();
  EXPECT_EQ(sealer->key_count(), 2u);
  EXPECT_TRUE(open_master_key(write("new", newer)).value()->open(sealer->seal("x")));
  EXPECT_FALSE(fs::exists(key_path())) << "no file is made beside it";
  ASSERT_EQ(::setenv("FLOWMEND_MASTER_KEY", "planted-nonsense", 1), 0);
  const auto invalid = open_master_key(find_master_key(key_path()));
  ASSERT_FALSE(invalid);
  EXPECT_EQ(invalid.error().code, "MasterKeyInvalid");
  EXPECT_NE(invalid.error().message.find("FLOWMEND_MASTER_KEY"), std::string::npos);
  EXPECT_EQ(invalid.error().message.find("planted"), std::string::npos);
}

TEST_F(MasterKeyTest, ASystemdCredentialStandsForTheFile) {
  ASSERT_EQ(::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1), 0);
  EXPECT_EQ(find_master_key(key_path()).kind, MasterKeySource::Kind::file) << "there is none in it";
  // systemd's files are mode 0440 or 0400, as it sees fit.
  write("flowmend-master-key", new_master_key_line() + "\n", fs::perms(0440));
  const auto source = find_master_key(key_path());
  EXPECT_EQ(source.kind, MasterKeySource::Kind::credential);
  ASSERT_TRUE(open_master_key(source));
  EXPECT_FALSE(fs::exists(key_path()));
}

TEST_F(MasterKeyTest, AddsAndDropsKeysInAFile) {
  const std::string sealed = open_master_key(key_path()).value()->seal("x");
  const std::string before = read(key_path());
  ASSERT_TRUE(add_master_key(key_path()));
  const std::string both = read(key_path());
  EXPECT_TRUE(both.ends_with(before));
  EXPECT_GT(both.size(), before.size());
  EXPECT_TRUE(open_master_key(key_path()).value()->open(sealed));
  ASSERT_TRUE(add_master_key(key_path()));
  EXPECT_EQ(read(key_path()), both) << "a rotation that was begun is gone on with";
  ASSERT_TRUE(drop_older_master_keys(key_path()));
  EXPECT_EQ(read(key_path()) + before, both);
  EXPECT_FALSE(open_master_key(key_path()).value()->open(sealed));
  struct stat status {};
  ASSERT_EQ(::stat(key_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1u) << "no temporary file stays";
  EXPECT_EQ(add_master_key(folder_ + "/none").error().code, "MasterKeyUnavailable");
}

TEST_F(MasterKeyTest, ARotatedFileStaysItsOwners) {
  ASSERT_TRUE(open_master_key(key_path()));
  struct stat status {};
  const uid_t owner = ::geteuid() == 0 ? 65534 : ::geteuid();
  ASSERT_EQ(::chown(key_path().c_str(), owner, static_cast<gid_t>(-1)), 0);
  ASSERT_TRUE(add_master_key(key_path()));
  ASSERT_EQ(::stat(key_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, owner);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(MasterKeyTest, AWrongKeyIsFoundAtTheStart) {
  const auto store = store::sqlite::open({.folder = folder_}).value();
  EXPECT_FALSE(has_master_key(*store).value());
  const auto right = open_master_key(write("right", new_master_key_line())).value();
  const auto wrong = open_master_key(write("wrong", new_master_key_line())).value();
  ASSERT_TRUE(check_master_key(*store, *right, false));
  EXPECT_TRUE(has_master_key(*store).value());
  ASSERT_TRUE(check_master_key(*store, *right, false));
  const auto refused = check_master_key(*store, *wrong, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "MasterKeyWrong");
  EXPECT_NE(refused.error().cure.find("--accept-new-master-key"), std::string::npos);
  ASSERT_TRUE(store->write([&](store::Transaction& transaction) -> Result<void> {
    store::FlowRow flow;
    flow.id = "f1";
    flow.workflow_id = "w1";
    flow.primary_key = right->seal("primary");
    flow.secondary_key = right->seal("secondary");
    transaction.put_flow(flow);
    return {};
  }));
  ASSERT_TRUE(check_master_key(*store, *wrong, true));
  const auto flow = store->flow("f1").value();
  EXPECT_EQ(wrong->open(flow->primary_key).value().size(), 32u);
  EXPECT_NE(wrong->open(flow->primary_key).value(), wrong->open(flow->secondary_key).value());
  ASSERT_TRUE(check_master_key(*store, *wrong, false));
}

}  // namespace
}  // namespace flowmend::connector
