#include "connector/key_rotation.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "connector/master_key.h"
#include "connector/text.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

namespace fs = std::filesystem;
using Under = MasterKeySealer::Under;

/// A data folder with secrets of every kind: in documents at any depth, as keys of flows, in records of runs.
class KeyRotationTest : public testing::Test {
 protected:
  static constexpr int documents = 700;  // more than one page
  static constexpr int runs = 40;

  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "flowmend-rotation-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const auto store = open_store();
    const auto sealer = open_master_key(key_path()).value();
    ASSERT_TRUE(check_master_key(*store, *sealer, false));
    const auto sealed = [&](const std::string& text) { return Value(base64_encode(sealer->seal(text))); };
    ASSERT_TRUE(store->write([&](store::Transaction& transaction) -> Result<void> {
      for (int i = 0; i < documents; ++i) {
        const std::string text = "secret-" + std::to_string(i);
        const Value value = Value::object({{"sealed", sealed(text)}, {"displayName", "AQ is no seal"}});
        if (const auto put = transaction.put_document("connection", std::to_string(i), value); !put) return put.error();
      }
      const Value nested =
          Value::object({{"devices", Value::array({Value(1), Value::object({{"key", sealed("deep")}})})}});
      if (const auto put = transaction.put_document("notification", "ada", nested); !put) return put.error();
      store::FlowRow flow;
      flow.id = "f1";
      flow.workflow_id = "w1";
      flow.display_name = "Orders";
      flow.version = "v1";
      flow.primary_key = sealer->seal("primary");
      flow.secondary_key = sealer->seal("secondary");
      transaction.put_flow(flow);
      return {};
    }));
    store::Batch batch;
    for (int i = 1; i <= runs; ++i) {
      store::RunRow run;
      run.number = i;
      run.name = "0858" + std::to_string(1000 - i);
      run.flow = "f1";
      run.version = "v1";
      batch.runs.push_back(run);
      engine::ActionStarted started;
      started.sealed = Value::object({{"password", "run-secret-" + std::to_string(i)}});
      batch.journal.push_back({i, 0, engine::encode({engine::RunStarted{}}, *sealer)});
      batch.journal.push_back({i, 1, engine::encode({started, engine::ActionStarted{}}, *sealer)});
    }
    std::promise<void> durable;
    store->commit(std::move(batch), [&] { durable.set_value(); });
    durable.get_future().wait();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string key_path() const { return folder_ + "/master.key"; }
  std::unique_ptr<store::Store> open_store() const { return store::sqlite::open({.folder = folder_}).value(); }

  /// Everything is readable with the file's keys; `wanted`: and lies under the newest.
  void check_all(std::optional<Under> wanted) {
    const auto store = open_store();
    const auto opened = open_master_key(key_path(), IfKeyIsMissing::refuse);
    ASSERT_TRUE(opened);
    const MasterKeySealer& sealer = **opened;
    ASSERT_TRUE(check_master_key(*store, sealer, false));
    const auto expect = [&](std::string_view sealed, const std::string& plain) {
      const auto text = sealer.open(sealed);
      ASSERT_TRUE(text) << plain;
      EXPECT_EQ(*text, plain);
      if (wanted) {
        EXPECT_EQ(sealer.sealed_under(sealed), *wanted) << plain;
      }
    };
    for (int i = 0; i < documents; ++i) {
      const auto document = store->document("connection", std::to_string(i)).value();
      expect(base64_decode(document->value.text_of("sealed")).value(), "secret-" + std::to_string(i));
      EXPECT_EQ(document->value.text_of("displayName"), "AQ is no seal");
    }
    const auto nested = store->document("notification", "ada").value();
    expect(base64_decode(nested->value.find("devices")->as_array()[1].text_of("key")).value(), "deep");
    const auto flow = store->flow("f1").value();
    expect(flow->primary_key, "primary");
    expect(flow->secondary_key, "secondary");
    EXPECT_EQ(flow->display_name, "Orders");
    for (int i = 1; i <= runs; ++i) {
      const auto records = store->journal(i).value();
      ASSERT_EQ(records.size(), 2u);
      const auto events = engine::decode(records[1], sealer);
      ASSERT_TRUE(events);
      ASSERT_EQ(events->size(), 2u);
      EXPECT_EQ(std::get<engine::ActionStarted>(events->front()).sealed.text_of("password"),
                "run-secret-" + std::to_string(i));
    }
  }

  std::string folder_;
};

TEST_F(KeyRotationTest, SealsEverythingAnewAndDropsTheOldKey) {
  fs::copy_file(key_path(), folder_ + "/old");
  {
    const auto store = open_store();
    const auto done = rotate_master_key(*store, key_path());
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->documents, documents + 2u);  // and the mark of the key
    EXPECT_EQ(done->flows, 1u);
    EXPECT_EQ(done->records, static_cast<std::size_t>(runs)) << "records without secrets are left alone";
    EXPECT_EQ(done->unreadable, 0u);
  }
  EXPECT_EQ(open_master_key(key_path()).value()->key_count(), 1u);
  check_all(Under::newest);
  // With the old key alone nothing is readable any more.
  const auto store = open_store();
  const auto old = open_master_key(folder_ + "/old").value();
  EXPECT_EQ(check_master_key(*store, *old, false).error().code, "MasterKeyWrong");
  EXPECT_FALSE(engine::decode(store->journal(1).value()[1], *old));
  EXPECT_FALSE(old->open(store->flow("f1").value()->primary_key));
}

TEST_F(KeyRotationTest, GoesOnWhereAnEarlierOneEnded) {
  {
    const auto store = open_store();
    ASSERT_TRUE(add_master_key(key_path()));
    const auto sealer = open_master_key(key_path()).value();
    ASSERT_TRUE(store->write([&](store::Transaction& transaction) -> Result<void> {
      for (int i = 0; i < 300; ++i) {
        const Value value = Value::object(
            {{"sealed", base64_encode(sealer->seal("secret-" + std::to_string(i)))}, {"displayName", "AQ is no seal"}});
        if (const auto put = transaction.put_document("connection", std::to_string(i), value); !put) return put.error();
      }
      return {};
    }));
  }
  check_all(std::nullopt);
  {
    const auto store = open_store();
    const auto done = rotate_master_key(*store, key_path());
    ASSERT_TRUE(done);
    EXPECT_EQ(done->documents, documents - 300 + 2u);
  }
  check_all(Under::newest);
}

TEST_F(KeyRotationTest, AKillAtAnyMomentLosesNothing) {
  for (int round = 0; round < 15; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto store = open_store();
      _exit(rotate_master_key(*store, key_path()) ? 0 : 1);
    }
    ::usleep(static_cast<useconds_t>(round) * 12'000);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
    }
    check_all(std::nullopt);
    if (HasFatalFailure()) return;
  }
  {
    const auto store = open_store();
    ASSERT_TRUE(rotate_master_key(*store, key_path()));
  }
  check_all(Under::newest);
}

TEST_F(KeyRotationTest, AWrongKeyRotatesNothing) {
  fs::rename(key_path(), folder_ + "/right");
  ASSERT_TRUE(open_master_key(key_path()));  // a fresh one
  {
    const auto store = open_store();
    EXPECT_EQ(rotate_master_key(*store, key_path()).error().code, "MasterKeyWrong");
  }
  fs::remove(key_path());
  {
    const auto store = open_store();
    EXPECT_EQ(rotate_master_key(*store, key_path()).error().code, "MasterKeyMissing");
  }
  fs::rename(folder_ + "/right", key_path());
  check_all(Under::newest);
}

}  // namespace
}  // namespace flowmend::connector
