#include "runtime_fixture.h"

#include <filesystem>
#include <functional>
#include <future>
#include <thread>

namespace flowmend::runtime {
namespace {

using testing::HasSubstr;

constexpr const char* with_response =
    R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "One":{"type":"Compose","inputs":1,"runAfter":{}},
  "Response":{"type":"Response","kind":"Http","inputs":{"statusCode":200,"body":{"ok":true}},"runAfter":{"One":["Succeeded"]}}}})";
constexpr const char* with_request =
    R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Get":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/a","retryPolicy":{"type":"none"}},"runAfter":{}}}})";
constexpr const char* with_wait =
    R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Wait":{"type":"Wait","inputs":{"interval":{"count":2,"unit":"Second"}},"runAfter":{}}}})";

TEST_F(RuntimeTest, AResponseActionAnswersTheCallerAndTheRunIsDurable) {
  const auto flow = save(with_response);
  const auto answer = call(flow);
  EXPECT_EQ(answer.status_code, 200);
  EXPECT_EQ(answer.body, R"({"ok":true})");
  const auto name = header(answer, "x-ms-workflow-run-id");
  EXPECT_EQ(header(answer, "x-ms-workflow-name"), flow);
  wait_for_end(name);
  restart();
  const auto row = store_->run(name);
  ASSERT_TRUE(row && *row);
  EXPECT_EQ((*row)->status, store::RunStatus::succeeded);
  EXPECT_FALSE((*row)->needs_work);
  const auto events = read_events(*store_, sealer_, name);
  ASSERT_TRUE(events);
  EXPECT_TRUE(std::holds_alternative<engine::RunStarted>(events->front()));
}

TEST_F(RuntimeTest, AnAsynchronousResponseIsAskedForLaterAlsoOverARestart) {
  const auto flow = save(R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Get":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/a","retryPolicy":{"type":"none"}},"runAfter":{}},
    "Response":{"type":"Response","kind":"Http","operationOptions":"Asynchronous","inputs":{"statusCode":201,
      "headers":{"x-a":"b"},"body":{"ok":true}},"runAfter":{"Get":["Succeeded"]}}}})");
  const auto answer = call(flow);
  EXPECT_EQ(answer.status_code, 202);
  EXPECT_EQ(answer.body, "");
  const auto location = header(answer, "Location");
  EXPECT_FALSE(header(answer, "Retry-After").empty());
  const auto name = header(answer, "x-ms-workflow-run-id");
  const auto ask = [&](const std::string& url) { return call_url(url, "", "", "GET").get(); };
  const auto pending = ask(location);
  EXPECT_EQ(pending.status_code, 202);
  EXPECT_EQ(header(pending, "Location"), location);
  restart();
  EXPECT_EQ(ask(location).status_code, 202);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(name).status, store::RunStatus::succeeded);
  const auto told = ask(location);
  EXPECT_EQ(told.status_code, 201);
  EXPECT_EQ(told.body, R"({"ok":true})");
  EXPECT_EQ(header(told, "x-a"), "b");
  EXPECT_EQ(call_url(location, "").get().status_code, 405);
  auto forged = location;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  EXPECT_EQ(ask(forged).status_code, 401);
}

TEST_F(RuntimeTest, AnAsynchronousResponseThatNeverCameIsA502) {
  const auto flow = save(R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Get":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/a","retryPolicy":{"type":"none"}},"runAfter":{}},
    "Response":{"type":"Response","kind":"Http","operationOptions":"Asynchronous","inputs":{},"runAfter":{"Get":["Succeeded"]}}}})");
  const auto answer = call(flow);
  peer_->answer(404);
  wait_for_end(header(answer, "x-ms-workflow-run-id"));
  const auto told = call_url(header(answer, "Location"), "", "", "GET").get();
  EXPECT_EQ(told.status_code, 502);
  EXPECT_NE(told.body.find("NoResponse"), std::string::npos);
}

TEST_F(RuntimeTest, WithoutAResponseActionTheCallerGets202) {
  const auto answer = call(save(with_request));
  EXPECT_EQ(answer.status_code, 202);
  EXPECT_EQ(answer.body, "");
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(header(answer, "x-ms-workflow-run-id")).status, store::RunStatus::succeeded);
}

TEST_F(RuntimeTest, AFailedRequestFailsTheRunAndNamesTheAction) {
  const auto answer = call(save(with_request));
  peer_->answer(404);
  const auto row = wait_for_end(header(answer, "x-ms-workflow-run-id"));
  EXPECT_EQ(row.status, store::RunStatus::failed);
  EXPECT_EQ(row.failed_action, "Get");
}

TEST_F(RuntimeTest, ARequestUnderWayIsSentAgainAfterACrashUnderItsKey) {
  const auto answer = call(save(with_request));
  const auto name = header(answer, "x-ms-workflow-run-id");
  ASSERT_TRUE(peer_->wait_for_requests(1));
  const auto key = peer_->keys().at(0);
  restart();
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(peer_->keys().at(0), key);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(name).status, store::RunStatus::succeeded);
  EXPECT_EQ(ends_[name], 1);
}

TEST_F(RuntimeTest, ASleepingRunWakesAtItsTimeNeverEarlierAlsoAfterARestart) {
  const auto before = now_from_system_clock();
  const auto name = header(call(save(with_wait)), "x-ms-workflow-run-id");
  restart();
  const auto row = wait_for_end(name);
  EXPECT_EQ(row.status, store::RunStatus::succeeded);
  EXPECT_GE(row.ended, before + Duration::seconds(2));
  EXPECT_LT(row.ended, before + Duration::seconds(6));
  EXPECT_TRUE(store_->timers_of(row.number)->empty());
}

TEST_F(RuntimeTest, ACancelledRunEndsAndGivesUpItsRequest) {
  const auto name = header(call(save(with_request)), "x-ms-workflow-run-id");
  ASSERT_TRUE(peer_->wait_for_requests(1));
  ASSERT_TRUE(runtime_->cancel(name, "ann"));
  EXPECT_EQ(wait_for_end(name).status, store::RunStatus::cancelled);
  EXPECT_EQ(peer_->cancelled(), 1u);
  EXPECT_EQ(runtime_->cancel(name, "ann").error().code, "WorkflowRunAlreadyCompleted");
  EXPECT_EQ(runtime_->cancel("unknown", "ann").error().code, "WorkflowRunNotFound");
}

TEST_F(RuntimeTest, ResubmitStartsANewRunFromTheRecordedTrigger) {
  const auto flow = save(with_request);
  const auto first = header(call(flow, R"({"order":7})"), "x-ms-workflow-run-id");
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(runtime_->resubmit(first, DefinitionChoice::latest, "ann").error().code,
            "WorkflowTriggerHistoryCannotBeResubmitted");
  peer_->answer(404);
  wait_for_end(first);
  FlowDraft draft;
  draft.display_name = "test";
  draft.definition = *json::parse(with_response);
  const auto saved = runtime_->flows().update(flow, draft, "ann");
  ASSERT_TRUE(saved && saved->flow);
  const auto again = runtime_->resubmit(first, DefinitionChoice::latest, "ann");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->version, saved->flow->version);
  EXPECT_EQ(wait_for_end(again->run).status, store::RunStatus::succeeded);
  const auto events = read_events(*store_, sealer_, again->run);
  const auto& start = std::get<engine::RunStarted>(events->front());
  EXPECT_EQ(start.resubmit_of, first);
  EXPECT_EQ(start.trigger.find("outputs")->find("body")->find("order")->as_integer(), 7);
  const auto original = runtime_->resubmit(first, DefinitionChoice::original, "ann");
  ASSERT_TRUE(original);
  EXPECT_NE(original->version, saved->flow->version);
  EXPECT_EQ(store_->resubmits_of(first)->size(), 2u);
  EXPECT_EQ(runtime_->resubmit("unknown", DefinitionChoice::latest, "ann").error().code, "WorkflowRunNotFound");
}

TEST_F(RuntimeTest, CallsThatMustNotStartARunSaySo) {
  const auto flow = save(with_response);
  const auto url = runtime_->callback_address(flow, "manual", KeyType::primary, {})->value;
  EXPECT_EQ(call_url(url + "x", "{}").get().status_code, 401);
  EXPECT_EQ(call_url(url.substr(0, url.find('?')), "{}").get().status_code, 401);
  EXPECT_EQ(
      call_url("http://x.test/workflows/00000000000000000000000000000000/triggers/manual/paths/invoke?sig=x", "{}")
          .get()
          .status_code,
      404);
  const auto broken = call_url(url, "{").get();
  EXPECT_EQ(broken.status_code, 400);
  EXPECT_THAT(broken.body, HasSubstr("InvalidJSON"));
  ASSERT_TRUE(runtime_->flows().regenerate_key(flow, KeyType::primary));
  EXPECT_EQ(call_url(url, "{}").get().status_code, 401) << "its key was regenerated";
  ASSERT_TRUE(runtime_->flows().set_state(flow, store::FlowState::stopped));
  const auto off = call_url(runtime_->callback_address(flow, "manual", KeyType::secondary, {})->value, "{}").get();
  EXPECT_EQ(off.status_code, 400);
  EXPECT_THAT(off.body, HasSubstr("WorkflowTriggerIsNotEnabled"));
  EXPECT_TRUE(store_->runs({})->empty());
  // The caller has its answer before the record is stored.
  ASSERT_TRUE(wait_until([&] { return !store_->trigger_histories(flow, "", "", 10)->empty(); }));
  const auto histories = *store_->trigger_histories(flow, "", "", 10);
  ASSERT_EQ(histories.size(), 1u);
  EXPECT_EQ(histories[0].status, "Failed");
}

TEST_F(RuntimeTest, ConditionsAndSplitOnDecideHowManyRunsStart) {
  const auto conditional = save(R"wdl({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}},
    "conditions":[{"expression":"@equals(triggerBody()?['go'],true)"}]}},"actions":{"One":{"type":"Compose","inputs":1,"runAfter":{}}}})wdl");
  EXPECT_EQ(call(conditional, R"({"go":false})").status_code, 202);
  const auto ran = call(conditional, R"({"go":true})");
  wait_for_end(header(ran, "x-ms-workflow-run-id"));
  EXPECT_EQ(store_->runs({})->size(), 1u);
  EXPECT_EQ(store_->trigger_histories(conditional, "", "", 10)->size(), 2u);
  const auto split = save(R"wdl({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}},
    "splitOn":"@triggerBody()?['items']"}},"actions":{"One":{"type":"Compose","inputs":1,"runAfter":{}}}})wdl");
  EXPECT_EQ(call(split, R"({"items":[1,2,3]})").status_code, 202);
  store::RunQuery query;
  query.flow = split;
  EXPECT_EQ(store_->runs(query)->size(), 3u);
  EXPECT_EQ(call(split, R"({"items":7})").status_code, 400);
}

TEST_F(RuntimeTest, ARecurrenceFiresOnceAtSaveAndIsNotDoubledByARestart) {
  const auto flow =
      save(R"({"triggers":{"Recurrence":{"type":"Recurrence","recurrence":{"frequency":"Hour","interval":1}}},
    "actions":{"One":{"type":"Compose","inputs":1,"runAfter":{}}}})");
  store::RunQuery query;
  query.flow = flow;
  for (int i = 0; i < 100 && store_->runs(query)->empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_EQ(store_->runs(query)->size(), 1u);
  const auto next = runtime_->next_fire(flow, "Recurrence");
  EXPECT_GT(next, now_from_system_clock() + Duration::minutes(58));
  restart();
  EXPECT_EQ(runtime_->next_fire(flow, "Recurrence"), next);
  EXPECT_EQ(store_->runs(query)->size(), 1u);
  ASSERT_TRUE(runtime_->flows().set_state(flow, store::FlowState::stopped));
  EXPECT_FALSE(runtime_->next_fire(flow, "Recurrence").is_set());
}

TEST_F(RuntimeTest, ADeletedFlowsRunsAreCancelled) {
  const auto asking = header(call(save(with_request)), "x-ms-workflow-run-id");
  const auto flow = save(R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}},
    "runtimeConfiguration":{"concurrency":{"runs":1}}}},"actions":{
    "Wait":{"type":"Wait","inputs":{"interval":{"count":1,"unit":"Hour"}},"runAfter":{}}}})");
  const auto sleeps = header(call(flow), "x-ms-workflow-run-id");
  const auto waits = header(call(flow), "x-ms-workflow-run-id");
  EXPECT_EQ((*store_->run(waits))->status, store::RunStatus::waiting);
  ASSERT_TRUE(runtime_->flows().erase(flow));
  EXPECT_EQ(wait_for_end(sleeps).status, store::RunStatus::cancelled);
  EXPECT_EQ(wait_for_end(waits).status, store::RunStatus::cancelled);
  EXPECT_EQ((*store_->run(asking))->status, store::RunStatus::running);  // another flow's
}

TEST_F(RuntimeTest, RunsBeyondTheConcurrencyWaitForTheirTurn) {
  const auto flow = save(R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}},
    "runtimeConfiguration":{"concurrency":{"runs":1,"maximumWaitingRuns":2}}}},"actions":{
    "Get":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/a","retryPolicy":{"type":"none"}},"runAfter":{}}}})");
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) names.push_back(header(call(flow), "x-ms-workflow-run-id"));
  EXPECT_EQ(call(flow).status_code, 429);
  EXPECT_EQ((*store_->run(names[1]))->status, store::RunStatus::waiting);
  ASSERT_TRUE(runtime_->cancel(names[1], "ann"));
  EXPECT_EQ(wait_for_end(names[1]).status, store::RunStatus::cancelled);
  restart();
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(names[0]).status, store::RunStatus::succeeded);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(names[2]).status, store::RunStatus::succeeded);
}

constexpr const char* child =
    R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Get":{"type":"Http","inputs":{"method":"GET","uri":"https://peer.test/a","retryPolicy":{"type":"none"}},"runAfter":{}},
  "Response":{"type":"Response","kind":"Http","inputs":{"statusCode":201,"body":{"got":"@triggerBody()?['x']"}},
    "runAfter":{"Get":["Succeeded"]}}}})";

std::string parent_of(const std::string& flow, const std::string& then = "Succeeded") {
  return R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Call":{"type":"Workflow","inputs":{"host":{"workflowReferenceName":")j" +
         flow + R"j("},"body":{"x":"@triggerBody()?['y']"}},"runAfter":{}},
  "Response":{"type":"Response","kind":"Http","inputs":{"statusCode":200,"body":"@outputs('Call')?['body']"},
    "runAfter":{"Call":[")j" +
         then + R"j("]}}}})j";
}

TEST_F(RuntimeTest, AWorkflowActionRunsTheOtherFlowAndTakesItsAnswer) {
  const auto callee = save(child);
  const auto caller = save(parent_of(callee).c_str());
  const auto address = runtime_->callback_address(caller, "manual", KeyType::primary, {});
  auto answer = call_url(address->value, R"({"y":7})");
  peer_->answer(200);
  const auto answered = answer.get();
  EXPECT_EQ(answered.status_code, 200);
  EXPECT_EQ(answered.body, R"({"got":7})");
  const auto row = wait_for_end(header(answered, "x-ms-workflow-run-id"));
  EXPECT_EQ(row.status, store::RunStatus::succeeded);
  EXPECT_EQ(ends_.size(), 2u);
  EXPECT_TRUE(store_->documents({.kind = "childRun"})->empty());
}

TEST_F(RuntimeTest, AParentThatGoesOnAfterACrashFindsItsChildAgain) {
  const auto callee = save(child);
  const auto caller = save(parent_of(callee).c_str());
  const auto address = runtime_->callback_address(caller, "manual", KeyType::primary, {});
  auto answer = call_url(address->value, R"({"y":7})");
  ASSERT_TRUE(peer_->wait_for_requests(1));
  restart();
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(peer_->keys().size(), 1u) << "taken up for its parent and for itself, the child asks once";
  peer_->answer(200);
  const auto runs = store_->runs({.flow = caller});
  ASSERT_EQ(runs->size(), 1u);
  static_cast<void>(wait_for_end(runs->front().name));
  const auto children = store_->runs({.flow = callee});
  ASSERT_EQ(children->size(), 1u) << "one child, not one for each start of the server";
  EXPECT_EQ(wait_for_end(children->front().name).status, store::RunStatus::succeeded);
  const auto events = read_events(*store_, sealer_, runs->front().name);
  ASSERT_TRUE(events);
  bool called = false;
  for (const auto& event : *events) {
    const auto* ended = std::get_if<engine::ActionEnded>(&event);
    if (ended == nullptr || ended->place.action != 0) continue;
    called = true;
    EXPECT_EQ(ended->status, engine::Status::succeeded) << ended->fault.message;
    EXPECT_EQ(*ended->outputs.find("statusCode"), Value(201));
  }
  EXPECT_TRUE(called);
}

TEST_F(RuntimeTest, AChildThatNeverAnswersOrIsOffFailsTheAction) {
  const auto callee = save(child);
  const auto caller = save(parent_of(callee, "Failed").c_str());
  const auto address = runtime_->callback_address(caller, "manual", KeyType::primary, {});
  auto answer = call_url(address->value, "{}");
  peer_->answer(500);  // the child fails before its Response
  EXPECT_THAT(answer.get().body, HasSubstr("NoResponse"));
  ASSERT_TRUE(runtime_->flows().set_state(callee, store::FlowState::stopped));
  const auto off = call(caller);
  const auto events = read_events(*store_, sealer_, header(off, "x-ms-workflow-run-id"));
  ASSERT_TRUE(events);
  bool said = false;
  for (const auto& event : *events) {
    const auto* ended = std::get_if<engine::ActionEnded>(&event);
    said = said || (ended != nullptr && ended->fault.code == "WorkflowTriggerIsNotEnabled");
  }
  EXPECT_TRUE(said);
}

TEST_F(RuntimeTest, AFlowThatCallsItselfForEverIsEnded) {
  const auto flow = save(with_response);
  FlowDraft draft;
  draft.display_name = "endless";
  draft.definition = *json::parse(parent_of(flow));
  const auto saved = runtime_->flows().update(flow, draft, "ann");
  ASSERT_TRUE(saved && saved->flow);
  const auto answered = call(flow);
  EXPECT_EQ(answered.status_code, 502);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

std::string polling(const char* more = "") {
  return std::string(R"j({"triggers":{"news":{"type":"Http","recurrence":{"frequency":"Second","interval":1},
  "inputs":{"method":"GET","uri":"https://peer.test/news","retryPolicy":{"type":"none"}})j") +
         more + R"j(}},"actions":{"Take":{"type":"Compose","inputs":"@triggerBody()","runAfter":{}}}})j";
}

TEST_F(RuntimeTest, APollStartsARunForNewDataAndGoesOnWhereTheServiceSays) {
  const auto flow = save(polling().c_str());
  peer_->answer(202);
  peer_->answer(200, R"({"Location":"/news?after=1"})", R"({"n":1})");
  auto checks = wait_for_checks(flow, 2);
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_EQ(checks[1].status, "Skipped");
  EXPECT_EQ(checks[1].code, "NoNewData");
  EXPECT_EQ(checks[0].status, "Succeeded");
  EXPECT_EQ(wait_for_end(store_->runs({.flow = flow})->front().name).status, store::RunStatus::succeeded);
  ASSERT_TRUE(peer_->wait_for_requests(3));
  EXPECT_TRUE(peer_->calls()[2].get_poll);
  EXPECT_EQ(peer_->calls()[2].poll_uri, "/news?after=1");
  restart();  // while the third is under way: the place is kept, nothing is run twice
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(peer_->calls()[0].poll_uri, "/news?after=1");
  EXPECT_EQ(store_->runs({.flow = flow})->size(), 1u);
}

TEST_F(RuntimeTest, APollSaysWhyNothingStarted) {
  const auto flow = save(polling(R"j(,"conditions":[{"expression":"@greater(triggerBody()?['n'], 1)"}])j").c_str());
  peer_->answer(404);
  peer_->answer(200, "{}", R"({"n":1})");
  peer_->answer(200, "{}", R"({"n":2})");
  const auto checks = wait_for_checks(flow, 3);
  ASSERT_GE(checks.size(), 3u);
  EXPECT_EQ(checks[2].status, "Failed");
  EXPECT_EQ(checks[2].error_code, "NotFound");
  EXPECT_EQ(checks[1].status, "Skipped");
  EXPECT_EQ(checks[1].code, "TriggerConditionNotMet");
  EXPECT_EQ(checks[0].status, "Succeeded");
}

TEST_F(RuntimeTest, APollCanBeMadeNow) {
  auto definition = polling();
  definition = replaced(definition, R"("Second","interval":1)", R"("Day","interval":1)");
  const auto flow = save(definition.c_str());
  peer_->answer(202);
  static_cast<void>(wait_for_checks(flow, 1));
  auto run = std::async(std::launch::async, [&] { return runtime_->run_trigger(flow, "news", {}, "ann"); });
  peer_->answer(200, "{}", R"({"n":1})");
  const auto started = run.get();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(wait_for_end(started->run).status, store::RunStatus::succeeded);
}

constexpr const char* webhook =
    R"j({"triggers":{"hook":{"type":"HttpWebhook","inputs":{
  "subscribe":{"method":"POST","uri":"https://peer.test/hooks","body":{"to":"@{listCallbackUrl()}"}},
  "unsubscribe":{"method":"DELETE","uri":"https://peer.test/hooks/@{triggerBody()?['id']}"}}}},
  "actions":{"Take":{"type":"Compose","inputs":"@triggerBody()","runAfter":{}}}})j";

TEST_F(RuntimeTest, AWebhookIsSubscribedCalledAndUndone) {
  const auto flow = save(webhook);
  ASSERT_TRUE(peer_->wait_for_requests(1));
  const auto subscribe = peer_->calls()[0];
  const std::string address(subscribe.inputs.find("body")->text_of("to"));
  EXPECT_THAT(address, HasSubstr("/workflows/"));
  peer_->answer(201, "{}", R"({"id":7})");
  const auto heard = call_url(address, R"({"event":1})").get();
  EXPECT_EQ(heard.status_code, 200);
  EXPECT_EQ(wait_for_end(header(heard, "x-ms-workflow-run-id")).status, store::RunStatus::succeeded);
  const auto asked = call_url(address + "&validationToken=abc", "").get();
  EXPECT_EQ(asked.body, "abc");
  EXPECT_EQ(store_->runs({.flow = flow})->size(), 1u);

  // Other inputs: the new subscription comes first, then the old one is undone.
  update(flow, replaced(webhook, "peer.test/hooks\"", "peer.test/other\""));
  peer_->answer(201, "{}", R"({"id":8})");
  ASSERT_TRUE(peer_->wait_for_requests(3));
  EXPECT_EQ(peer_->calls()[1].inputs.text_of("uri"), "https://peer.test/other");
  EXPECT_EQ(peer_->calls()[2].inputs.text_of("uri"), "https://peer.test/hooks/7");
  EXPECT_EQ(peer_->calls()[2].inputs.text_of("method"), "DELETE");
  peer_->answer(204);
  restart();  // what is subscribed stays so
  ASSERT_TRUE(runtime_->flows().set_state(flow, store::FlowState::stopped));
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(peer_->calls()[0].inputs.text_of("uri"), "https://peer.test/hooks/8");
  peer_->answer(404);  // gone already is as good
  for (int i = 0; i < 500 && !store_->documents({.kind = "subscription"})->empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(store_->documents({.kind = "subscription"})->empty());
}

TEST_F(RuntimeTest, ARefusedSubscriptionIsSaidAndTriedAgainWhenTheFlowIsSaved) {
  const auto flow = save(webhook);
  peer_->answer(401);
  const auto checks = wait_for_checks(flow, 1);
  ASSERT_FALSE(checks.empty());
  EXPECT_EQ(checks[0].status, "Failed");
  EXPECT_THAT(checks[0].error_message, HasSubstr("it answered 401"));
  update(flow, replaced(webhook, "peer.test/hooks\"", "peer.test/other\""));
  ASSERT_TRUE(peer_->wait_for_requests(2));
}

TEST_F(RuntimeTest, ADeletedFlowTakesItsSubscriptionBack) {
  const auto flow = save(webhook);
  peer_->answer(201, "{}", R"({"id":9})");
  for (int i = 0; i < 500 && store_->documents({.kind = "subscription"})->empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_TRUE(runtime_->flows().erase(flow));
  ASSERT_TRUE(peer_->wait_for_requests(2));
  EXPECT_EQ(peer_->calls()[1].inputs.text_of("uri"), "https://peer.test/hooks/9");
}

TEST_F(RuntimeTest, SlidingWindowsFollowEachOtherFromTheStartTime) {
  const auto now = now_from_system_clock();
  const std::string start = to_string(now - Duration::minutes(150)).substr(0, 19) + "Z";
  const auto flow =
      save((R"j({"triggers":{"window":{"type":"SlidingWindow","recurrence":{"frequency":"Hour","interval":1,
  "startTime":")j" +
            start + R"j("}}},"actions":{"Take":{"type":"Compose","inputs":"@triggerOutputs()","runAfter":{}}}})j")
               .c_str());
  static_cast<void>(wait_for_checks(flow, 2));  // two windows are over, both are made up for
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto runs = store_->runs({.flow = flow});
  ASSERT_EQ(runs->size(), 2u);
  const auto events = read_events(*store_, sealer_, runs->back().name);
  const auto& trigger = std::get<engine::RunStarted>(events->front()).trigger;
  EXPECT_EQ(trigger.find("outputs")->text_of("windowStartTime").substr(0, 19), start.substr(0, 19));
}

constexpr const char* approval =
    R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Ask":{"type":"HttpWebhook","inputs":{
    "subscribe":{"method":"POST","uri":"https://peer.test/ask","body":{"to":"@{listCallbackUrl()}"}},
    "unsubscribe":{"method":"DELETE","uri":"https://peer.test/ask/1"}},"runAfter":{}},
  "Use":{"type":"Compose","inputs":"@body('Ask')?['answer']","runAfter":{"Ask":["Succeeded"]}}}})j";

TEST_F(RuntimeTest, AWebhookActionWaitsForItsAnswerAlsoOverARestart) {
  const auto flow = save(approval);
  const auto run = header(call(flow), "x-ms-workflow-run-id");
  ASSERT_TRUE(peer_->wait_for_requests(1));
  const std::string address(peer_->calls()[0].inputs.find("body")->text_of("to"));
  EXPECT_THAT(address, HasSubstr("/actions/Ask/"));
  const auto sig = address.substr(address.find("sig=") + 4);
  peer_->answer(202);  // accepted; for a webhook that is all
  for (int i = 0; i < 500 && read_events(*store_, sealer_, run)->size() < 3; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  restart();
  EXPECT_EQ(call_url(replaced(address, sig, std::string(sig.size(), 'A')), "{}").get().status_code, 401);
  EXPECT_EQ(call_url(address, R"({"answer":"yes"})").get().status_code, 200);
  EXPECT_EQ(wait_for_end(run).status, store::RunStatus::succeeded);
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(peer_->calls()[0].inputs.text_of("method"), "DELETE") << "the subscription is taken back";
  EXPECT_EQ(call_url(address, "{}").get().status_code, 410) << "answered already";
  bool used = false;
  for (const auto& event : *read_events(*store_, sealer_, run)) {
    if (const auto* ended = std::get_if<engine::ActionEnded>(&event); ended != nullptr && ended->place.action == 1)
      used = ended->outputs == Value("yes");
    if (const auto* started = std::get_if<engine::ActionStarted>(&event)) {
      EXPECT_EQ(json::write(started->inputs).find(sig), std::string::npos) << "the record holds the signature";
    }
  }
  EXPECT_TRUE(used);
}

TEST_F(RuntimeTest, ACancelledWebhookActionTakesItsSubscriptionBack) {
  const auto flow = save(approval);
  const auto run = header(call(flow), "x-ms-workflow-run-id");
  peer_->answer(200);
  for (int i = 0; i < 500 && read_events(*store_, sealer_, run)->size() < 3; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_TRUE(runtime_->cancel(run, "ann"));
  ASSERT_TRUE(peer_->wait_for_requests(2));
  EXPECT_EQ(peer_->calls()[1].inputs.text_of("uri"), "https://peer.test/ask/1");
}

TEST_F(RuntimeTest, EveryListenerHearsOfAChangedFlow) {
  std::atomic<int> heard{0};
  runtime_->flows().on_change([&](const std::string&) { ++heard; });
  runtime_->flows().on_change([&](const std::string&) { ++heard; });
  const auto flow = save(polling().c_str());
  EXPECT_EQ(heard, 2);
  ASSERT_TRUE(peer_->wait_for_requests(1)) << "the runtime itself was not told";
}

constexpr const char* two_requests =
    R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Pay":{"type":"Http","inputs":{"method":"POST","uri":"https://peer.test/pay","body":{"n":"@triggerBody()?['n']"}},"runAfter":{}},
  "Ship":{"type":"Http","inputs":{"method":"POST","uri":"https://peer.test/ship","body":"@body('Pay')","retryPolicy":{"type":"none"}},
    "runAfter":{"Pay":["Succeeded"]}}}})j";

TEST_F(RuntimeTest, ARepetitionCanKeepWhatHadSucceeded) {
  const auto flow = save(two_requests);
  const auto first = header(call(flow, R"({"n":1})"), "x-ms-workflow-run-id");
  peer_->answer(200, "{}", R"({"receipt":9})");
  peer_->answer(500);
  EXPECT_EQ(wait_for_end(first).failed_action, "Ship");
  const auto again = runtime_->resubmit(first, {DefinitionChoice::latest, true}, "ann");
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_TRUE(peer_->wait_for_requests(3));
  EXPECT_EQ(peer_->calls()[2].inputs.text_of("uri"), "https://peer.test/ship") << "paying is not done twice";
  EXPECT_EQ(*peer_->calls()[2].inputs.find("body"), *json::parse(R"({"receipt":9})"));
  restart();  // what is kept is kept over a crash as well
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(peer_->calls()[0].inputs.text_of("uri"), "https://peer.test/ship");
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(again->run).status, store::RunStatus::succeeded);

  // A step that would send something else is done again; so is everything without the wish to keep.
  update(flow, replaced(two_requests, "peer.test/pay", "peer.test/v2/pay"));
  const auto changed = runtime_->resubmit(first, {DefinitionChoice::latest, true}, "ann");
  ASSERT_TRUE(changed);
  ASSERT_TRUE(peer_->wait_for_requests(2));
  EXPECT_EQ(peer_->calls()[1].inputs.text_of("uri"), "https://peer.test/v2/pay");
  const auto whole = runtime_->resubmit(again->run, DefinitionChoice::original, "ann");
  ASSERT_TRUE(whole);
  ASSERT_TRUE(peer_->wait_for_requests(3));
  EXPECT_EQ(peer_->calls()[2].inputs.text_of("uri"), "https://peer.test/pay");
}

TEST_F(RuntimeTest, ARepetitionCanGoOnFromAStepOrWithACorrectedOne) {
  const auto flow = save(two_requests);
  const auto first = header(call(flow, R"({"n":1})"), "x-ms-workflow-run-id");
  peer_->answer(200, "{}", R"({"receipt":9})");
  peer_->answer(500);
  EXPECT_EQ(wait_for_end(first).status, store::RunStatus::failed);
  const auto correct = [&](const char* text) {
    Resubmission how;
    how.correction = read_correction(*json::parse(text)).value();
    return runtime_->resubmit(first, how, "ann");
  };

  // The output is supplied: nothing is sent, and the run shows for ever who did that and why.
  auto again = correct(R"({"why":"shipped by hand","steps":[{"action":"Ship","output":{"parcel":"P-1"}}]})");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(wait_for_end(again->run).status, store::RunStatus::succeeded);
  EXPECT_EQ(peer_->calls().size(), 2u);
  const auto events = read_events(*store_, sealer_, again->run).value();
  const auto& start = std::get<engine::RunStarted>(events.front());
  EXPECT_EQ(start.trigger.find("repair")->text_of("by"), "ann");
  EXPECT_EQ(start.trigger.find("repair")->text_of("why"), "shipped by hand");

  // Skipped: it succeeds without an output, and nothing is sent.
  again = correct(R"({"why":"not needed","steps":[{"action":"Ship","skip":true}]})");
  ASSERT_TRUE(again);
  EXPECT_EQ(wait_for_end(again->run).status, store::RunStatus::succeeded);
  EXPECT_EQ(peer_->calls().size(), 2u);

  // Its input is corrected: another request under another key, also after a crash.
  again = correct(
      R"({"why":"typo","steps":[{"action":"Ship","input":{"method":"POST","uri":"https://peer.test/ship/2","body":1}}]})");
  ASSERT_TRUE(again);
  ASSERT_TRUE(peer_->wait_for_requests(3));
  EXPECT_EQ(peer_->calls()[2].inputs.text_of("uri"), "https://peer.test/ship/2");
  EXPECT_NE(peer_->keys()[2], peer_->keys()[1]);
  const auto key = peer_->keys()[2];
  restart();
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(peer_->calls()[0].inputs.text_of("uri"), "https://peer.test/ship/2");
  EXPECT_EQ(peer_->keys()[0], key);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(again->run).status, store::RunStatus::succeeded);

  // From the first step: what had succeeded there is done again under its key.
  again = correct(R"({"from":"Pay"})");
  ASSERT_TRUE(again);
  ASSERT_TRUE(peer_->wait_for_requests(2));
  EXPECT_EQ(peer_->calls()[1].inputs.text_of("uri"), "https://peer.test/pay");
  peer_->answer(200, "{}", R"({"receipt":9})");
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(again->run).status, store::RunStatus::succeeded);

  // What was decided for one run is not decided for its repetitions.
  const auto whole = runtime_->resubmit(again->run, DefinitionChoice::latest, "ann");
  ASSERT_TRUE(whole);
  const auto next = read_events(*store_, sealer_, whole->run).value();
  EXPECT_TRUE(std::get<engine::RunStarted>(next.front()).trigger.find("repair")->is_null());

  EXPECT_EQ(correct(R"({"from":"Nobody"})").error().code, "InvalidCorrection");
  EXPECT_EQ(correct(R"({"why":"x","steps":[{"action":"Nobody","skip":true}]})").error().where, "/steps/0/action");
  EXPECT_EQ(read_correction(*json::parse(R"({"steps":[{"action":"Ship","skip":true}]})")).error().where, "/why");
  EXPECT_EQ(read_correction(*json::parse(R"({"why":"x","steps":[{"action":"Ship"}]})")).error().where, "/steps/0");
  EXPECT_EQ(
      read_correction(*json::parse(R"({"why":"x","steps":[{"action":"Ship","skip":true,"output":1}]})")).error().code,
      "InvalidCorrection");
}

TEST_F(RuntimeTest, GoingOnFromOneItemLeavesTheOthers) {
  const auto flow = save(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{}}},"actions":{
    "Each":{"type":"Foreach","foreach":[1,2,3],"runAfter":{},"actions":{
      "Send":{"type":"Http","inputs":{"method":"POST","uri":"https://peer.test/@{items('Each')}","retryPolicy":{"type":"none"}},"runAfter":{}}}},
    "After":{"type":"Http","inputs":{"method":"POST","uri":"https://peer.test/after","retryPolicy":{"type":"none"}},"runAfter":{"Each":["Succeeded"]}}}})j");
  const auto first = header(call(flow), "x-ms-workflow-run-id");
  for (int i = 0; i < 4; ++i) peer_->answer(200);
  EXPECT_EQ(wait_for_end(first).status, store::RunStatus::succeeded);
  Resubmission how;
  how.correction.from = "Send";
  how.correction.from_repetition = "000001";
  const auto again = runtime_->resubmit(first, how, "ann");
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_TRUE(peer_->wait_for_requests(5));
  EXPECT_EQ(peer_->calls()[4].inputs.text_of("uri"), "https://peer.test/2");
  peer_->answer(200);
  ASSERT_TRUE(peer_->wait_for_requests(6));
  EXPECT_EQ(peer_->calls()[5].inputs.text_of("uri"), "https://peer.test/after");
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(again->run).status, store::RunStatus::succeeded);
  EXPECT_EQ(peer_->calls().size(), 6u);
}

/// A flow whose owner wants runs to wait for a service that does not work.
constexpr const char* held_definition =
    R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{}}},"actions":{
  "Get":{"type":"Http","inputs":{"method":"POST","uri":"https://peer.test/a","retryPolicy":{"type":"none"}},"runAfter":{}}}})";

class HeldRuns : public RuntimeTest {
 protected:
  std::string save_holding() {
    FlowDraft draft;
    draft.display_name = "held";
    draft.definition = *json::parse(held_definition);
    draft.properties = Value::object({{"onOutage", Value("hold")}});
    const auto saved = runtime_->flows().create(draft, "ann");
    return saved && saved->flow ? saved->flow->id : std::string();
  }
  std::string start_one(const std::string& flow) { return header(call(flow), "x-ms-workflow-run-id"); }
  void wait_for_held(std::size_t steps) {
    for (int i = 0; i < 1000; ++i) {
      std::size_t now = 0;
      for (const auto& one : runtime_->held()) now += one.steps;
      if (now == steps) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "there are not " << steps << " held steps";
  }
};

TEST_F(HeldRuns, WaitSayWhyAndGoOnInTheirOrderWhenTheServiceWorks) {
  peer_->target = "shared_orders/orders";
  const auto flow = save_holding();
  std::vector<std::string> runs;
  for (int i = 0; i < 3; ++i) {
    runs.push_back(start_one(flow));
    peer_->answer(401, "{}", R"({"message":"password expired"})");
    wait_for_held(static_cast<std::size_t>(i) + 1);
  }
  const auto row = **store_->run(runs.front());
  EXPECT_TRUE(row.is_held());
  EXPECT_EQ(row.error_code, "Unauthorized");
  EXPECT_EQ(row.error_message, "password expired");
  EXPECT_EQ(row.failed_action, "Get");
  const auto held = runtime_->held();
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].target, "shared_orders/orders");
  EXPECT_EQ(held[0].runs, 3u);
  EXPECT_EQ(held[0].flows, std::vector<std::string>{flow});
  EXPECT_EQ(held[0].first_run, runs[0]);

  EXPECT_EQ(runtime_->release_held("shared_orders/orders", "ann"), 3u);
  ASSERT_TRUE(peer_->wait_for_requests(4));
  EXPECT_EQ(peer_->keys().at(3), peer_->keys().at(0)) << "the oldest first, under its key";
  EXPECT_EQ(peer_->keys().size(), 4u) << "one is tried before the others go";
  peer_->answer(200);
  peer_->answer(200);
  peer_->answer(200);
  for (const auto& run : runs) EXPECT_EQ(wait_for_end(run).status, store::RunStatus::succeeded);
  EXPECT_EQ(peer_->keys().at(4), peer_->keys().at(1));
  EXPECT_EQ(peer_->keys().at(5), peer_->keys().at(2));
  EXPECT_TRUE(runtime_->held().empty());
  EXPECT_TRUE((**store_->run(runs.front())).error_code.empty());
}

TEST_F(HeldRuns, AreRememberedOverARestart) {
  peer_->target = "https://peer.test";
  const auto flow = save_holding();
  const auto run = start_one(flow);
  peer_->answer(503);
  wait_for_held(1);
  restart();
  peer_->target = "https://peer.test";
  wait_for_held(1);
  EXPECT_TRUE((**store_->run(run)).is_held());
  EXPECT_TRUE(peer_->keys().empty()) << "a held step is not sent again by a restart";
  runtime_->release_held("https://peer.test", "ann");
  ASSERT_TRUE(peer_->wait_for_requests(1));
  restart();  // sent, not answered: sent again under its key, and held no more
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_TRUE(runtime_->held().empty());
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(run).status, store::RunStatus::succeeded);
  store::DocumentQuery query;
  query.kind = "held_step";
  EXPECT_TRUE(store_->documents(query)->empty());
  EXPECT_TRUE(store_->timers_of((**store_->run(run)).number)->empty());
}

TEST_F(HeldRuns, WaitOnWhenTheFirstFailsAgainAndCanBeGivenUpOrCancelled) {
  peer_->target = "https://peer.test";
  const auto flow = save_holding();
  const auto first = start_one(flow);
  peer_->answer(503);
  const auto second = start_one(flow);
  peer_->answer(503);
  const auto third = start_one(flow);
  peer_->answer(503);
  wait_for_held(3);
  runtime_->release_held("https://peer.test", "ann");
  ASSERT_TRUE(peer_->wait_for_requests(4));
  peer_->answer(502);
  wait_for_held(3);
  EXPECT_EQ(peer_->keys().size(), 4u);
  ASSERT_TRUE(runtime_->cancel(third, "ann"));
  EXPECT_EQ(wait_for_end(third).status, store::RunStatus::cancelled);
  wait_for_held(2);
  EXPECT_EQ(runtime_->fail_held("https://peer.test", "ann"), 2u);
  EXPECT_EQ(wait_for_end(first).status, store::RunStatus::failed);
  const auto row = wait_for_end(second);
  EXPECT_EQ(row.status, store::RunStatus::failed);
  EXPECT_EQ(row.failed_action, "Get");
  EXPECT_TRUE(row.cause.fingerprint.empty());
  EXPECT_TRUE(runtime_->held().empty());
}

TEST_F(HeldRuns, TheOwnerOfTheConnectionHasTheLastWord) {
  peer_->target = "shared_orders/orders";
  const auto flow = save_holding();
  HoldChoice choice;
  choice.kind = HoldChoice::Kind::fail;
  ASSERT_TRUE(runtime_->set_hold_choice("shared_orders/orders", choice));
  auto run = start_one(flow);
  peer_->answer(401);
  EXPECT_EQ(wait_for_end(run).status, store::RunStatus::failed);

  choice.kind = HoldChoice::Kind::hold;
  choice.steps_max = 1;
  ASSERT_TRUE(runtime_->set_hold_choice("shared_orders/orders", choice));
  const auto plain = save(held_definition);  // this one's own choice is to fail
  run = start_one(plain);
  peer_->answer(401);
  wait_for_held(1);
  const auto beyond = start_one(plain);
  peer_->answer(401);
  EXPECT_EQ(wait_for_end(beyond).status, store::RunStatus::failed) << "no more than the limit wait";

  restart();
  EXPECT_EQ(runtime_->hold_choice("shared_orders/orders").steps_max, 1u);
  choice.limit = Duration::seconds(1);
  EXPECT_EQ(runtime_->set_hold_choice("shared_orders/orders", choice).error().code, "InvalidHoldChoice");
}

TEST_F(HeldRuns, LiveTrafficThatGoesWellLetsTheOthersGo) {
  peer_->target = "https://peer.test";
  const auto flow = save_holding();
  const auto held = start_one(flow);
  peer_->answer(503);
  wait_for_held(1);
  const auto live = start_one(flow);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(live).status, store::RunStatus::succeeded);
  peer_->answer(200);
  EXPECT_EQ(wait_for_end(held).status, store::RunStatus::succeeded);
}

}  // namespace
}  // namespace flowmend::runtime
