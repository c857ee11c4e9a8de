// Definitions with more than one trigger: each starts runs of its own and remembers for itself.

#include "runtime_fixture.h"

#include <thread>

namespace flowmend::runtime {
namespace {

using testing::HasSubstr;

class TriggersTest : public RuntimeTest {
 protected:
  std::string address(const std::string& flow, const char* trigger) {
    const auto found = runtime_->callback_address(flow, trigger, KeyType::primary, {});
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    return found ? found->value : std::string();
  }
  std::size_t count(std::string_view kind) { return store_->documents({.kind = std::string(kind)})->size(); }
};

constexpr const char* two_calls = R"j({"triggers":{
  "order":{"type":"Request","kind":"Http","inputs":{"schema":{}}},
  "refund":{"type":"Manual","inputs":{}}},
  "actions":{"Get":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/@{triggerBody()['id']}",
    "retryPolicy":{"type":"none"}},"runAfter":{}}}})j";

TEST_F(TriggersTest, EachStartsRunsAtItsOwnAddress) {
  const auto flow = save(two_calls);
  const auto order = address(flow, "order");
  const auto refund = address(flow, "refund");
  const auto first = header(call_url(order, R"({"id":"o1"})").get(), "x-ms-workflow-run-id");
  const auto second = header(call_url(refund, R"({"id":"r1"})").get(), "x-ms-workflow-run-id");
  ASSERT_TRUE(peer_->wait_for_requests(2));
  restart();  // each run goes on as its own trigger's
  ASSERT_TRUE(peer_->wait_for_requests(2));
  peer_->answer(200);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(first).trigger, "order");
  EXPECT_EQ(wait_for_end(second).trigger, "refund");
  const auto of_refund = store_->trigger_histories(flow, "refund", "", 10);
  ASSERT_EQ(of_refund->size(), 1u);
  EXPECT_EQ(of_refund->front().run, second);
  const auto again = runtime_->resubmit(second, {}, "ann");
  ASSERT_TRUE(again);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(again->run).trigger, "refund");
  // A signature is good for its trigger alone.
  auto swapped = order;
  swapped.replace(swapped.find("/triggers/order/"), 16, "/triggers/refund/");
  EXPECT_EQ(call_url(swapped, "{}").get().status_code, 401);
  EXPECT_FALSE(runtime_->callback_address(flow, "return", KeyType::primary, {}));
  const auto by_hand = runtime_->run_trigger(flow, "refund", Value::object({{"id", Value("r2")}}), "ann");
  ASSERT_TRUE(by_hand);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(by_hand->run).trigger, "refund");
}

TEST_F(TriggersTest, ALimitOfRunsIsTheTriggersOwn) {
  const auto flow = save(R"j({"triggers":{
    "narrow":{"type":"Request","kind":"Http","inputs":{"schema":{}},"runtimeConfiguration":{"concurrency":{"runs":1}}},
    "wide":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},
    "actions":{"Get":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/a",
      "retryPolicy":{"type":"none"}},"runAfter":{}}}})j");
  const auto wide = header(call_url(address(flow, "wide"), "{}").get(), "x-ms-workflow-run-id");
  const auto narrow = header(call_url(address(flow, "narrow"), "{}").get(), "x-ms-workflow-run-id");
  ASSERT_TRUE(peer_->wait_for_requests(2));  // the run of the one does not keep that of the other waiting
  const auto waits = header(call_url(address(flow, "narrow"), "{}").get(), "x-ms-workflow-run-id");
  EXPECT_EQ((*store_->run(waits))->status, store::RunStatus::waiting);
  peer_->answer(200);  // of `wide`: no place for `narrow`
  wait_for_end(wide);
  EXPECT_EQ((*store_->run(waits))->status, store::RunStatus::waiting);
  peer_->answer(200);
  wait_for_end(narrow);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(waits).status, store::RunStatus::succeeded);
}

constexpr const char* two_hooks = R"j({"triggers":{
  "a":{"type":"HttpWebhook","inputs":{
    "subscribe":{"method":"POST","uri":"https://peer.test/a","body":{"to":"@{listCallbackUrl()}"}},
    "unsubscribe":{"method":"DELETE","uri":"https://peer.test/a/1"}}},
  "b":{"type":"HttpWebhook","inputs":{
    "subscribe":{"method":"POST","uri":"https://peer.test/b","body":{"to":"@{listCallbackUrl()}"}},
    "unsubscribe":{"method":"DELETE","uri":"https://peer.test/b/1"}}}},
  "actions":{"Take":{"type":"Compose","inputs":"@triggerBody()","runAfter":{}}}})j";
constexpr const char* one_hook = R"j({"triggers":{
  "a":{"type":"HttpWebhook","inputs":{
    "subscribe":{"method":"POST","uri":"https://peer.test/a","body":{"to":"@{listCallbackUrl()}"}},
    "unsubscribe":{"method":"DELETE","uri":"https://peer.test/a/1"}}}},
  "actions":{"Take":{"type":"Compose","inputs":"@triggerBody()","runAfter":{}}}})j";

TEST_F(TriggersTest, EachWebhookIsSubscribedAndARemovedOneIsUndone) {
  const auto flow = save(two_hooks);
  ASSERT_TRUE(peer_->wait_for_requests(2));
  const std::string second(peer_->calls()[1].inputs.find("body")->text_of("to"));
  EXPECT_THAT(second, HasSubstr("/triggers/b/"));
  peer_->answer(201);
  peer_->answer(201);
  const auto heard = call_url(second, R"({"event":1})").get();
  EXPECT_EQ(wait_for_end(header(heard, "x-ms-workflow-run-id")).trigger, "b");
  ASSERT_TRUE(wait_until([&] { return count("subscription") == 2; }));
  update(flow, one_hook);
  ASSERT_TRUE(peer_->wait_for_requests(3));
  EXPECT_EQ(peer_->calls()[2].inputs.text_of("uri"), "https://peer.test/b/1");
  peer_->answer(204);
  EXPECT_TRUE(wait_until([&] { return count("subscription") == 1; }));
}

TEST_F(TriggersTest, EachScheduleAndEachPollRemembersForItself) {
  const auto flow = save(R"j({"triggers":{
    "hourly":{"type":"Recurrence","recurrence":{"frequency":"Hour","interval":1}},
    "daily":{"type":"Recurrence","recurrence":{"frequency":"Day","interval":1}},
    "news":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/news"},
      "recurrence":{"frequency":"Week","interval":1}}},
    "actions":{"Take":{"type":"Compose","inputs":1,"runAfter":{}}}})j");
  peer_->answer(200, R"({"Location":"https://peer.test/news?after=1"})", R"({"n":1})");
  ASSERT_EQ(wait_for_checks(flow, 3).size(), 3u);  // all three fire at once when the flow is saved
  ASSERT_TRUE(wait_until([&] { return runtime_->next_fire(flow, "news").is_set(); }));
  const auto now = now_from_system_clock();
  const auto hourly = runtime_->next_fire(flow, "hourly");
  const auto daily = runtime_->next_fire(flow, "daily");
  const auto weekly = runtime_->next_fire(flow, "news");
  EXPECT_LT(hourly, now + Duration::minutes(61));
  EXPECT_GT(daily, now + Duration::hours(23));
  EXPECT_GT(weekly, now + Duration::days(6));
  restart();
  EXPECT_EQ(runtime_->next_fire(flow, "hourly"), hourly);
  EXPECT_EQ(runtime_->next_fire(flow, "daily"), daily);
  auto checked = std::async(std::launch::async, [&] { return runtime_->run_trigger(flow, "news", {}, "ann"); });
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(peer_->calls()[0].poll_uri, "https://peer.test/news?after=1");
  peer_->answer(202);
  EXPECT_FALSE(checked.get());
  ASSERT_TRUE(runtime_->flows().erase(flow));
  EXPECT_TRUE(wait_until([&] { return count("triggerState") + count("pollState") == 0; }));
}

TEST_F(TriggersTest, ABuiltInConnectorsTriggerAsksTheConnectorThatStandsInForIt) {
  const auto definition = [](const char* parameters) {
    return std::string(
               R"j({"triggers":{"bus":{"type":"ServiceProvider","splitOn":"@triggerOutputs()?['body']","inputs":{
      "parameters":)j") +
           parameters +
           R"j(,"serviceProviderConfiguration":{"connectionName":"bus","operationId":"receiveQueueMessages",
      "serviceProviderId":"/serviceProviders/serviceBus"}}}},
      "actions":{"Take":{"type":"Compose","inputs":"@triggerBody()['contentData']","runAfter":{}}}})j";
  };
  const auto flow = save(definition(R"({"queueName":"orders"})").c_str());
  ASSERT_TRUE(peer_->wait_for_requests(1));
  const auto call = peer_->calls()[0];
  EXPECT_EQ(call.kind, engine::Call::Kind::connector);
  EXPECT_EQ(call.inputs.find("host")->text_of("operationId"), "OnMessage");
  EXPECT_EQ(call.inputs.find("parameters")->text_of("queue"), "orders");
  peer_->answer(200, "{}", R"([{"message":"a","messageId":"1"},{"message":"b"}])");
  const auto checks = wait_for_checks(flow, 2);
  for (const auto& check : checks) EXPECT_EQ(wait_for_end(check.run).status, store::RunStatus::succeeded);
  // What the stand-in can't do is a failed check that says so, not another answer.
  const auto other = save(definition(R"({"queueName":"orders","isSessionsEnabled":true})").c_str());
  const auto refused = wait_for_checks(other, 1);
  ASSERT_FALSE(refused.empty());
  EXPECT_EQ(refused[0].error_code, "InvalidServiceProviderInputs");
}

TEST_F(TriggersTest, WhatAnOlderVersionKeptForTheFlowIsItsFirstTriggers) {
  const auto flow =
      save(R"j({"triggers":{"news":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/news"},
    "recurrence":{"frequency":"Week","interval":1}}},"actions":{"Take":{"type":"Compose","inputs":1,"runAfter":{}}}})j");
  peer_->answer(200, R"({"Location":"https://peer.test/news?after=1"})", R"({"n":1})");
  ASSERT_EQ(wait_for_checks(flow, 1).size(), 1u);
  const auto stored = store_->document("pollState", flow + "/news");
  ASSERT_TRUE(stored && *stored);
  const Value state = (*stored)->value;
  runtime_.reset();
  ASSERT_TRUE(store_->erase_document("pollState", flow + "/news"));
  ASSERT_TRUE(store_->put_document("pollState", flow, state));
  restart();
  EXPECT_FALSE(*store_->document("pollState", flow));
  EXPECT_EQ((*store_->document("pollState", flow + "/news"))->value, state);
}

}  // namespace
}  // namespace flowmend::runtime
