// The Batch trigger and SendToBatch: every message is in exactly one run, whatever happens between.

#include "runtime_fixture.h"

#include <thread>

namespace flowmend::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class BatchesTest : public RuntimeTest {
 protected:
  std::string save_as(const std::string& name, const std::string& definition,
                      store::FlowState state = store::FlowState::started) {
    FlowDraft draft;
    draft.display_name = name;
    draft.definition = *json::parse(definition);
    draft.dialect = "la";
    draft.state = state;
    const auto saved = runtime_->flows().create(draft, "ann");
    if (!saved || !saved->flow) {
      ADD_FAILURE() << (saved ? saved->diagnostics.at(0).message : saved.error().message);
      return {};
    }
    return saved->flow->id;
  }
  static std::string receiver(const std::string& criteria, const std::string& more = "") {
    return R"j({"triggers":{"Batch_messages":{"type":"Batch","inputs":{"mode":"Inline","configurations":{"orders":{
      "releaseCriteria":)j" +
           criteria + R"j(}}})j" + more +
           R"j(}},"actions":{"Take":{"type":"Compose","inputs":"@triggerBody()['items']","runAfter":{}}}})j";
  }
  static std::string sender(const std::string& more = "") {
    return R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
      "Send":{"type":"SendToBatch","inputs":{"batchName":"orders","content":"@triggerBody()",
        "host":{"triggerName":"Batch_messages","workflow":{"id":
          "/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/workflows/receiver"}})j" +
           more + R"j(},"runAfter":{}}}})j";
  }
  /// Sends one message; gives the sender's row once it has ended.
  store::RunRow send(const std::string& flow, const std::string& content) {
    return wait_for_end(header(call(flow, content), "x-ms-workflow-run-id"));
  }
  /// The trigger bodies of the flow's runs, oldest first, once there are `count`.
  std::vector<Value> bodies(const std::string& flow, std::size_t count) {
    std::vector<Value> found;
    for (int i = 0; i < 1000; ++i) {
      const auto rows = store_->runs({.flow = flow});
      if (rows && rows->size() >= count) {
        for (const auto& row : *rows) {
          const auto events = read_events(*store_, sealer_, row.name);
          const auto& trigger = std::get<engine::RunStarted>(events->front()).trigger;
          found.insert(found.begin(), *trigger.find("outputs")->find("body"));
        }
        return found;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "no " << count << " runs";
    return found;
  }
  static std::vector<std::int64_t> contents(const Value& body) {
    std::vector<std::int64_t> out;
    for (const Value& item : body.find("items")->as_array()) out.push_back(item.find("content")->as_integer());
    return out;
  }
  std::size_t count(std::string_view kind) { return store_->documents({.kind = std::string(kind)})->size(); }
};

TEST_F(BatchesTest, MessagesAreReleasedTogetherWhenThereAreEnough) {
  const auto flow = save_as("receiver", receiver(R"({"messageCount":3})"));
  const auto from = save_as("sender", sender());
  const auto first = send(from, "1");
  EXPECT_EQ(first.status, store::RunStatus::succeeded);
  send(from, "2");
  EXPECT_THAT(*store_->runs({.flow = flow}), IsEmpty());
  EXPECT_EQ(runtime_->waiting_messages(flow, "Batch_messages"), 2u);
  EXPECT_EQ(count("batchMessage"), 2u);
  restart();  // they wait on the disk
  send(from, "3");
  send(from, "4");
  const auto released = bodies(flow, 1);
  EXPECT_THAT(contents(released[0]), ElementsAre(1, 2, 3));
  EXPECT_EQ(released[0].text_of("batchName"), "orders");
  EXPECT_EQ(released[0].text_of("partitionName"), "DEFAULT");
  EXPECT_FALSE(released[0].find("items")->as_array()[0].text_of("messageId").empty());
  EXPECT_EQ(count("batchMessage"), 1u);
  EXPECT_EQ(count("batchSent"), 0u);
}

TEST_F(BatchesTest, PartitionsAreReleasedApartAndBySize) {
  const auto flow = save_as("receiver", receiver(R"({"batchSize":4})"));
  const auto from = save_as("sender", sender(R"j(,"partitionName":"@string(mod(triggerBody(), 2))",
    "messageId":"m@{triggerBody()}")j"));
  send(from, "100");
  send(from, "101");
  send(from, "102");
  const auto released = bodies(flow, 1);
  EXPECT_THAT(contents(released[0]), ElementsAre(100, 102));
  EXPECT_EQ(released[0].text_of("partitionName"), "0");
  EXPECT_EQ(released[0].find("items")->as_array()[1].text_of("messageId"), "m102");
  EXPECT_EQ(count("batchMessage"), 1u);
}

TEST_F(BatchesTest, TheTimeReleasesWhatWaitsAlsoWhenItWasMissed) {
  const auto flow =
      save_as("receiver", receiver(R"({"messageCount":100,"recurrence":{"frequency":"Second","interval":1}})"));
  const auto from = save_as("sender", sender());
  send(from, "1");
  EXPECT_THAT(contents(bodies(flow, 1)[0]), ElementsAre(1));
  // A time that passes while the flow is off is made up for.
  ASSERT_TRUE(runtime_->flows().set_state(flow, store::FlowState::stopped));
  EXPECT_EQ(send(from, "2").error_code, "ActionFailed");
  ASSERT_TRUE(runtime_->flows().set_state(flow, store::FlowState::started));
  send(from, "3");
  EXPECT_THAT(contents(bodies(flow, 2)[1]), ElementsAre(3));
}

TEST_F(BatchesTest, APersonReleasesWhatWaits) {
  const auto flow = save_as("receiver", receiver(R"({"messageCount":100})"));
  const auto from = save_as("sender", sender());
  const auto empty = runtime_->run_trigger(flow, "Batch_messages", {}, "ann");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, "BatchEmpty");
  send(from, "1");
  send(from, "2");
  const auto started = runtime_->run_trigger(flow, "Batch_messages", {}, "ann");
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(wait_for_end(started->run).status, store::RunStatus::succeeded);
  EXPECT_THAT(contents(bodies(flow, 1)[0]), ElementsAre(1, 2));
}

TEST_F(BatchesTest, ACriterionMadeEasierReleasesAndADeletedFlowTakesItsMessagesAlong) {
  const auto flow = save_as("receiver", receiver(R"({"messageCount":100})"));
  const auto from = save_as("sender", sender());
  for (const char* content : {"1", "2", "3", "4", "5"}) send(from, content);
  update(flow, receiver(R"({"messageCount":2})"));
  const auto released = bodies(flow, 2);
  EXPECT_THAT(contents(released[0]), ElementsAre(1, 2));
  EXPECT_THAT(contents(released[1]), ElementsAre(3, 4));
  ASSERT_TRUE(runtime_->flows().erase(flow));
  for (int i = 0; i < 500 && count("batchMessage") + count("batchTimes") > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(count("batchMessage"), 0u);
}

TEST_F(BatchesTest, AMessageThatCanNotBeTakenSaysWhy) {
  const auto from = save_as("sender", sender());
  const auto why = [&](const std::string& code) {
    const auto row = send(from, "1");
    EXPECT_EQ(row.status, store::RunStatus::failed);
    const auto events = read_events(*store_, sealer_, row.name);
    bool said = false;
    for (const auto& event : *events) {
      if (const auto* ended = std::get_if<engine::AttemptEnded>(&event)) said = said || ended->fault.code == code;
    }
    EXPECT_TRUE(said) << code;
  };
  why("WorkflowNotFound");
  const auto flow = save_as("receiver", R"j({"triggers":{"manual":{"type":"Request"}},"actions":{}})j");
  why("InvalidTriggerType");
  FlowDraft draft;
  draft.display_name = "receiver";
  draft.definition = *json::parse(R"j({"triggers":{"Batch_messages":{"type":"Batch","inputs":{"mode":"Inline",
    "configurations":{"other":{"releaseCriteria":{"messageCount":2}}}}}},"actions":{}})j");
  ASSERT_TRUE(runtime_->flows().update(flow, draft, "ann")->flow);
  why("BatchNotFound");
  EXPECT_EQ(count("batchMessage"), 0u);
}

TEST_F(BatchesTest, AConditionDropsABatchAndSaysSo) {
  const auto flow = save_as("receiver", receiver(R"({"messageCount":2})", R"j(,"conditions":[{"expression":
    "@greater(first(triggerBody()['items'])['content'], 6)"}])j"));
  const auto from = save_as("sender", sender());
  send(from, "1");
  send(from, "2");
  const auto checks = wait_for_checks(flow, 1);
  ASSERT_FALSE(checks.empty());
  EXPECT_EQ(checks[0].code, "TriggerConditionNotMet");
  send(from, "7");
  send(from, "8");
  EXPECT_THAT(contents(bodies(flow, 1)[0]), ElementsAre(7, 8));
  EXPECT_EQ(count("batchMessage"), 0u);
}

}  // namespace
}  // namespace flowmend::runtime
