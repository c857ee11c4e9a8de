#include "connector/native/inbox.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "connector/native/queue_common.h"
#include "json/parse.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

class InboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-inbox-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = store::sqlite::open({.folder = folder_}).value();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::vector<std::int64_t> sequences(const Inbox& inbox, std::int64_t after = 0, std::size_t limit = 100) {
    std::vector<std::int64_t> out;
    const auto messages = inbox.list(after, limit);
    EXPECT_TRUE(messages);
    for (const Inbox::Message& message : *messages) out.push_back(message.sequence);
    return out;
  }
  std::string folder_;
  std::unique_ptr<store::Store> store_;
};

using Numbers = std::vector<std::int64_t>;

TEST_F(InboxTest, CountsOnWhoeverPuts) {
  Inbox first(*store_, "f1-a");
  ASSERT_TRUE(first.put({Value("one")}, 0));
  ASSERT_TRUE(first.put({Value("two"), Value("three")}, 0));
  Inbox second(*store_, "f1-a");  // after a restart
  ASSERT_TRUE(second.put({Value("four")}, 0));
  EXPECT_EQ(sequences(second), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(sequences(second, 1, 2), (Numbers{2, 3}));
  // What was given out is never given a number again, also when nothing is stored any more.
  ASSERT_TRUE(second.forget(4));
  EXPECT_EQ(sequences(second), Numbers());
  ASSERT_TRUE(second.put({Value("five")}, 4));
  ASSERT_TRUE(Inbox(*store_, "f1-a").put({Value("six")}, 4));
  EXPECT_EQ(sequences(second), (Numbers{5, 6}));
  EXPECT_EQ(sequences(Inbox(*store_, "f1-b")), Numbers());
}

TEST_F(InboxTest, ACheckGivesWhatWaitsBeforeItTakesMore) {
  Inbox inbox(*store_, inbox_name("f1", "mqtt://broker\ntopic"));
  int asked = 0;
  const TakeMessages take = [&](std::size_t limit, std::int64_t after) -> std::optional<http::Reply> {
    EXPECT_EQ(limit, 2u);
    if (++asked > 1) return std::nullopt;
    EXPECT_TRUE(inbox.put({Value("a"), Value("b"), Value("c")}, after));
    return std::nullopt;
  };
  NativeCall call;
  call.arguments.values.emplace("maximum", Value(2));
  const auto state_of = [](const http::Reply& reply) {
    return http::find_header(reply.headers, "Location").substr(native_state_scheme.size());
  };
  http::Reply reply = check_inbox(inbox, call, take);
  EXPECT_EQ(reply.body, R"(["a","b"])");
  EXPECT_EQ(check_inbox(inbox, call, take).body, reply.body) << "no run is known to stand: the same again";
  call.state = state_of(reply);
  reply = check_inbox(inbox, call, take);
  EXPECT_EQ(reply.body, R"(["c"])");
  EXPECT_EQ(asked, 1);
  call.state = state_of(reply);
  reply = check_inbox(inbox, call, take);
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(state_of(reply), call.state);
  const auto refused = check_inbox(inbox, call, [](std::size_t, std::int64_t) -> std::optional<http::Reply> {
    return native_error(401, "Unauthorized", "no");
  });
  EXPECT_EQ(refused.status, 401);
}

TEST_F(InboxTest, NamesTellSourcesApart) {
  EXPECT_EQ(inbox_name("f1", "a"), inbox_name("f1", "a"));
  EXPECT_NE(inbox_name("f1", "a"), inbox_name("f1", "b"));
  EXPECT_NE(inbox_name("f1", "a"), inbox_name("f2", "a"));
  EXPECT_NE(inbox_name("", "a"), inbox_name("test", "a"));
  EXPECT_EQ(inbox_name("f1", "planted").find("planted"), std::string::npos);
}

}  // namespace
}  // namespace flowmend::connector
