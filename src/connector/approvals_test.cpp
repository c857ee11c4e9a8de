#include "connector/approvals.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

class ApprovalsTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/flowmend-approvals-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    open();
  }
  void TearDown() override {
    approvals_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  /// Also: a server that starts again.
  void open() {
    approvals_.reset();
    store_.reset();
    store_ = store::sqlite::open({.folder = folder_}).value();
    approvals_.emplace(*store_);
  }
  std::string ask(const std::string& type, const std::string& people, std::vector<std::string> options = {}) {
    const auto made =
        approvals_->create({.type = type, .title = "Pay?", .assigned_to = people, .options = std::move(options)}, {});
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made ? std::string(made->text_of("name")) : std::string();
  }
  /// `Pending`, an outcome, or the code of a refusal.
  std::string answer(const std::string& id, const std::string& by, const std::string& response, bool admin = false) {
    const auto done = approvals_->respond(id, {.by = by, .administrator = admin, .response = response});
    if (!done) return done.error().code;
    return std::string(done->text_of(done->text_of("status") == "Pending" ? "status" : "outcome"));
  }
  std::string refusal(const NewApproval& wanted) {
    const auto made = approvals_->create(wanted, {});
    return made ? "made" : made.error().code;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::optional<Approvals> approvals_;
};

TEST_F(ApprovalsTest, AreDecidedByTheRuleOfTheirType) {
  EXPECT_EQ(answer(ask("Basic", "ada;bo"), "bo", "reject"), "Reject") << "the first one decides";
  const std::string all = ask("basicAwaitAll", "ada; bo, ADA");
  EXPECT_EQ(answer(all, "ada", "Approve"), "Pending");
  EXPECT_EQ(answer(all, "ada", "Approve"), "ApprovalCompleted") << "once each";
  EXPECT_EQ(answer(all, "bo@example.org", "Approve"), "Approve") << "an account with its host";
  const std::string veto = ask("BasicAwaitAll", "ada;bo");
  EXPECT_EQ(answer(veto, "ada", "Reject"), "Reject") << "one refusal ends it";
  EXPECT_EQ(answer(veto, "bo", "Approve"), "ApprovalCompleted");
  const std::string custom = ask("CustomResponseAwaitAll", "ada;bo;cy", {"Now", "Later", "Now"});
  EXPECT_EQ(answer(custom, "ada", "Later"), "Pending");
  EXPECT_EQ(answer(custom, "bo", "Now"), "Pending");
  EXPECT_EQ(answer(custom, "cy", "later"), "Later, Now");
  EXPECT_EQ(answer(ask("BasicAwaitAll", "ada;bo"), "root", "Approve", true), "Approve") << "in all others' stead";
}

TEST_F(ApprovalsTest, RefuseWhoIsNotAskedAndWhatIsNoAnswer) {
  const std::string id = ask("Basic", "ada@example.org");
  EXPECT_EQ(answer(id, "eve", "Approve"), "ApprovalNotYours");
  EXPECT_EQ(answer(id, "ada@example.com", "Approve"), "ApprovalNotYours") << "another host is another person";
  EXPECT_EQ(answer(id, "ada", "Maybe"), "InvalidResponse");
  EXPECT_EQ(answer("nothing", "ada", "Approve"), "ApprovalNotFound");
  EXPECT_EQ(approvals_->find(id)->text_of("status"), "Pending");
  EXPECT_EQ(refusal({.title = " ", .assigned_to = "ada"}), "InvalidApproval");
  EXPECT_EQ(refusal({.title = "x", .assigned_to = " ; "}), "InvalidApproval");
  EXPECT_EQ(refusal({.type = "Vote", .title = "x", .assigned_to = "ada"}), "InvalidApproval");
  EXPECT_EQ(refusal({.type = "CustomResponse", .title = "x", .assigned_to = "ada"}), "InvalidApproval");
}

TEST_F(ApprovalsTest, UnderOneKeyAreMadeOnce) {
  const NewApproval wanted{.title = "Pay?", .assigned_to = "ada"};
  const auto first = approvals_->create(wanted, "run/step/1");
  open();
  EXPECT_EQ(approvals_->create(wanted, "run/step/1")->text_of("name"), first->text_of("name"));
  EXPECT_NE(approvals_->create(wanted, "run/step/2")->text_of("name"), first->text_of("name"));
  EXPECT_EQ(approvals_->list()->size(), 2U);
}

TEST_F(ApprovalsTest, TellTheStepThatWaitsAlsoAfterARestart) {
  const std::string id = ask("Basic", "ada");
  const trigger::ActionTarget target{.workflow_id = "flow1", .run = "run1", .action = "Ask"};
  const std::string address = "http://127.0.0.1" + trigger::make_action_address("", target, "a key");
  ASSERT_TRUE(approvals_->wait(id, address));
  ASSERT_TRUE(approvals_->wait(id, address)) << "asked again after a crash";
  EXPECT_EQ(approvals_->due()->size(), 0U);
  open();
  EXPECT_EQ(answer(id, "ada", "Approve"), "Approve");
  open();
  const auto due = approvals_->due();
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 1U) << "it waits once";
  EXPECT_EQ((*due)[0].target.workflow_id, "flow1");
  EXPECT_EQ((*due)[0].target.run, "run1");
  EXPECT_EQ((*due)[0].target.action, "Ask");
  EXPECT_EQ((*due)[0].body.text_of("outcome"), "Approve");
  ASSERT_TRUE(approvals_->delivered((*due)[0].key));
  EXPECT_EQ(approvals_->due()->size(), 0U);
  const auto elsewhere = approvals_->wait(id, "https://example.org/hook?x=1");
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, "InvalidApproval");
}

TEST_F(ApprovalsTest, LinksAreForOnePersonAndKeptAsAHash) {
  const std::string id = ask("BasicAwaitAll", "ada;bo");
  const auto secret = approvals_->make_link_secret(id, "ada");
  ASSERT_TRUE(secret);
  EXPECT_EQ(approvals_->person_of_link(id, *secret).value(), "ada");
  EXPECT_FALSE(approvals_->person_of_link(id, secret->substr(1)));
  EXPECT_FALSE(approvals_->person_of_link(ask("Basic", "ada"), *secret)) << "of another approval";
  EXPECT_EQ(approvals_->make_link_secret(id, "eve").error().code, "ApprovalNotYours");
  EXPECT_EQ(approvals_->find(id)->find("links"), nullptr) << "flows see nothing of links";
  ASSERT_TRUE(approvals_->cancel(id));
  EXPECT_EQ(approvals_->find(id)->text_of("outcome"), "Canceled");
  EXPECT_EQ(answer(id, "ada", "Approve"), "ApprovalCompleted");
  EXPECT_EQ(approvals_->make_link_secret(id, "ada").error().code, "ApprovalCompleted");
}

}  // namespace
}  // namespace flowmend::connector
