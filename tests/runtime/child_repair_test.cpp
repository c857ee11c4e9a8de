// A failed call of another flow goes on inside the run that it had led to, and takes the runs that called it along.

#include "runtime/child_repair.h"

#include "runtime_fixture.h"

namespace flowmend::runtime {

using testing::HasSubstr;

namespace {

constexpr const char* manual = R"("triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}})";

std::string send(const char* name, const char* after) {
  return "\"" + std::string(name) + R"(":{"type":"Http","inputs":{"method":"POST","uri":"https://peer.test/)" + name +
         R"j(","body":"@triggerBody()","retryPolicy":{"type":"none"}},"runAfter":{)j" +
         (*after == '\0' ? "" : "\"" + std::string(after) + R"(":["Succeeded"])") + "}}";
}
std::string answer_after(const char* step) {
  return R"j("Response":{"type":"Response","kind":"Http","inputs":{"statusCode":200,"body":"@body(')j" +
         std::string(step) + R"j(')"},"runAfter":{")j" + step + R"j(":["Succeeded"]}})j";
}
/// One, Two, and the answer.
std::string inner_flow() {
  return "{" + std::string(manual) + R"(,"actions":{)" + send("One", "") + "," + send("Two", "One") + "," +
         answer_after("Two") + "}}";
}
std::string call_of(const std::string& flow, const char* body, const char* after) {
  return R"("Call":{"type":"Workflow","inputs":{"host":{"workflowReferenceName":")" + flow + R"("},"body":)" + body +
         R"(,"retryPolicy":{"type":"none"}},"runAfter":{)" +
         (*after == '\0' ? "" : "\"" + std::string(after) + R"(":["Succeeded"])") + "}}";
}
/// Before, the call, After, and the answer.
std::string outer_flow(const std::string& called) {
  return "{" + std::string(manual) + R"(,"actions":{)" + send("Before", "") + "," +
         call_of(called, "\"@triggerBody()\"", "Before") + "," + send("After", "Call") + "," + answer_after("After") +
         "}}";
}

}  // namespace

class ChildRepairTest : public RuntimeTest {
 protected:
  /// Starts the flow and answers its requests with these statuses; gives its run.
  std::string fail(const std::string& flow, const std::vector<int>& statuses) {
    const auto address = runtime_->callback_address(flow, "manual", KeyType::primary, {});
    auto answer = call_url(address->value, R"({"n":1})");
    for (const int status : statuses) peer_->answer(status, "{}", "{}");
    const auto answered = answer.get();
    const std::string run = header(answered, "x-ms-workflow-run-id");
    EXPECT_EQ(wait_for_end(run).status, store::RunStatus::failed);
    return run;
  }
  std::vector<store::RunRow> runs_of(const std::string& flow) { return *store_->runs({.flow = flow}); }
  /// What the requests since `from` were sent to: `One Two`.
  std::string sent_since(std::size_t from) {
    std::string out;
    const auto calls = peer_->calls();
    for (std::size_t i = from; i < calls.size(); ++i) {
      const std::string uri(calls[i].inputs.text_of("uri"));
      out += (out.empty() ? "" : " ") + uri.substr(uri.rfind('/') + 1);
    }
    return out;
  }
  RepairSources sources() { return {*store_, sealer_, runtime_->flows()}; }
  /// Repeats and answers what is asked with 200.
  store::RunRow repeat(const RunRepair& repair, std::size_t requests) {
    const auto started = runtime_->resubmit(repair.run, repair.how, "ann");
    EXPECT_TRUE(started) << started.error().message;
    if (!started) return {};
    for (std::size_t i = 0; i < requests; ++i) peer_->answer(200, "{}", R"({"ok":true})");
    return wait_for_end(started->run);
  }
};

TEST_F(ChildRepairTest, ARunThatKeepsWhatWasDoneGoesOnInsideItsChild) {
  const auto inner = save(inner_flow().c_str());
  const auto outer = save(outer_flow(inner).c_str());
  const auto parent = fail(outer, {200, 200, 500});  // Before, One, and Two fails
  const auto child = runs_of(inner).front().name;
  const auto before = peer_->calls();
  const auto row = repeat({parent, {DefinitionChoice::latest, true}}, 2);
  EXPECT_EQ(row.status, store::RunStatus::succeeded);
  EXPECT_EQ(sent_since(before.size()), "Two After") << "Before and One are not done twice";
  EXPECT_EQ(peer_->keys()[before.size()], before[2].idempotency_key) << "what is repeated keeps its key";
  ASSERT_EQ(runs_of(inner).size(), 2u);
  EXPECT_EQ(runs_of(inner).front().resubmit_of, child);
  EXPECT_EQ(runs_of(inner).front().status, store::RunStatus::succeeded);
}

TEST_F(ChildRepairTest, AWholeRepetitionDoesAllAgainUnderTheSameKeys) {
  const auto inner = save(inner_flow().c_str());
  const auto outer = save(outer_flow(inner).c_str());
  const auto parent = fail(outer, {200, 200, 500});
  const auto before = peer_->keys();
  EXPECT_EQ(repeat({parent, {}}, 4).status, store::RunStatus::succeeded);
  EXPECT_EQ(sent_since(before.size()), "Before One Two After");
  const auto after = peer_->keys();
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[before.size() + i], before[i]) << i;
}

TEST_F(ChildRepairTest, TheChildsRepairTakesItsParentsAlong) {
  const auto inner = save(inner_flow().c_str());
  const auto middle = save(outer_flow(inner).c_str());
  const auto outer = save(outer_flow(middle).c_str());
  const auto top = fail(outer, {200, 200, 200, 500});  // Before, Before, One, and Two fails
  const auto child = runs_of(inner).front().name;
  Resubmission how;
  how.correction.why = "the service is gone";
  how.correction.steps.push_back({"Two", "", StepCorrection::Kind::output, *json::parse(R"({"made":"by hand"})")});
  const auto repair = with_parents(sources(), child, how);
  ASSERT_TRUE(repair) << repair.error().message;
  EXPECT_EQ(repair->run, top);
  const auto before = peer_->calls().size();
  const auto row = repeat(*repair, 2);
  EXPECT_EQ(row.status, store::RunStatus::succeeded);
  EXPECT_EQ(sent_since(before), "After After");
  EXPECT_EQ(row.resubmit_of, top);
  const auto repaired = runs_of(inner).front();
  EXPECT_EQ(repaired.resubmit_of, child);
  const auto events = read_events(*store_, sealer_, repaired.name);
  const auto& trigger = std::get<engine::RunStarted>(events->front()).trigger;
  ASSERT_NE(trigger.find("repair"), nullptr) << "signed in the child's record too";
  EXPECT_EQ(trigger.find("repair")->text_of("by"), "ann");
  EXPECT_EQ(trigger.find("repair")->text_of("why"), "the service is gone");
  EXPECT_EQ(call_site(trigger)->action, "Call");
}

TEST_F(ChildRepairTest, OfALoopEveryFailedCallGoesOnAndOneIsCorrected) {
  const auto inner = save(inner_flow().c_str());
  const std::string loop =
      "{" + std::string(manual) +
      R"(,"actions":{"Each":{"type":"Foreach","foreach":[1,2,3],"runtimeConfiguration":{"concurrency":{"repetitions":1}},"actions":{)" +
      call_of(inner, R"j({"n":"@item()"})j", "") + R"(},"runAfter":{}}}})";
  const auto outer = save(loop.c_str());
  const auto answered = call(outer);
  for (const int status : {200, 500, 200, 200, 200, 500}) peer_->answer(status, "{}", "{}");
  const auto parent = header(answered, "x-ms-workflow-run-id");
  EXPECT_EQ(wait_for_end(parent).status, store::RunStatus::failed);
  const auto children = runs_of(inner);  // newest first
  ASSERT_EQ(children.size(), 3u);
  Resubmission how;
  how.correction.why = "not needed";
  how.correction.steps.push_back({"Two", "", StepCorrection::Kind::skip, {}});
  const auto repair = with_parents(sources(), children[2].name, how);
  ASSERT_TRUE(repair) << repair.error().message;
  EXPECT_EQ(repair->how.correction.steps[0].repetition, "000000");
  const auto before = peer_->calls().size();
  EXPECT_EQ(repeat(*repair, 1).status, store::RunStatus::succeeded);
  EXPECT_EQ(sent_since(before), "Two") << "of the third item; the second one had gone well";
  EXPECT_EQ(*peer_->calls().back().inputs.find("body")->find("n"), Value(3));
}

TEST_F(ChildRepairTest, AStepThatIsDoneAgainCallsItsFlowAnew) {
  const auto inner = save(inner_flow().c_str());
  const auto outer = save(outer_flow(inner).c_str());
  const auto parent = fail(outer, {200, 200, 500});
  Resubmission how;
  how.correction.from = "Call";
  const auto before = peer_->calls().size();
  EXPECT_EQ(repeat({parent, how}, 3).status, store::RunStatus::succeeded);
  EXPECT_EQ(sent_since(before), "One Two After");
}

TEST_F(ChildRepairTest, ARepairedChildIsTakenAsItIs) {
  const auto inner = save(inner_flow().c_str());
  const auto outer = save(outer_flow(inner).c_str());
  fail(outer, {200, 200, 500});
  const auto child = runs_of(inner).front().name;
  const auto alone = repeat({child, {DefinitionChoice::latest, true}}, 1);
  EXPECT_EQ(alone.status, store::RunStatus::succeeded);
  const auto repair = with_parents(sources(), alone.name, {DefinitionChoice::latest, true});
  ASSERT_TRUE(repair) << repair.error().message;
  const auto before = peer_->calls().size();
  EXPECT_EQ(repeat(*repair, 1).status, store::RunStatus::succeeded);
  EXPECT_EQ(sent_since(before), "After");
}

TEST_F(ChildRepairTest, AChildThatWasRepairedByItselfIsNotDoneAgainForItsParent) {
  const auto inner = save(inner_flow().c_str());
  const auto outer = save(outer_flow(inner).c_str());
  const auto parent = fail(outer, {200, 200, 500});
  const auto child = runs_of(inner).front().name;
  EXPECT_EQ(repeat({child, {DefinitionChoice::latest, true}}, 1).status, store::RunStatus::succeeded);
  const auto before = peer_->calls().size();
  EXPECT_EQ(repeat({parent, {DefinitionChoice::latest, true}}, 1).status, store::RunStatus::succeeded);
  EXPECT_EQ(sent_since(before), "After") << "Two was done when the child was repaired";
}

TEST_F(ChildRepairTest, AChildThatIsBeingRepairedIsWaitedFor) {
  const auto inner = save(inner_flow().c_str());
  const auto outer = save(outer_flow(inner).c_str());
  const auto parent = fail(outer, {200, 200, 500});
  const auto under_way = runtime_->resubmit(runs_of(inner).front().name, {DefinitionChoice::latest, true}, "ann");
  ASSERT_TRUE(under_way && peer_->wait_for_requests(4));
  const auto row = repeat({parent, {DefinitionChoice::latest, true}}, 0);
  EXPECT_EQ(row.status, store::RunStatus::failed);
  EXPECT_THAT(row.error_message, HasSubstr("is not over yet"));
  EXPECT_EQ(peer_->calls().size(), 4u) << "nothing is sent beside it";
  ASSERT_TRUE(runtime_->cancel(under_way->run, "ann"));
  static_cast<void>(wait_for_end(under_way->run));
}

TEST_F(ChildRepairTest, InABulkRepetitionTheCalledFlowFailsRatherThanWaits) {
  FlowDraft draft;
  draft.display_name = "inner";
  draft.definition = *json::parse(inner_flow());
  draft.state = store::FlowState::started;
  draft.properties = Value::object({{"onOutage", Value("hold")}});
  const auto inner = runtime_->flows().create(draft, "ann")->flow->id;
  const auto outer = save(outer_flow(inner).c_str());
  const auto parent = fail(outer, {200, 200, 400});
  peer_->target = "https://peer.test";
  const auto started = runtime_->resubmit(parent, {DefinitionChoice::latest, true}, "job:1:ann");
  ASSERT_TRUE(started);
  peer_->answer(503, "{}", "{}");
  EXPECT_EQ(wait_for_end(started->run).status, store::RunStatus::failed) << "its stop rule hears of it at once";
  EXPECT_EQ(runs_of(inner).front().status, store::RunStatus::failed);
}

TEST_F(ChildRepairTest, ACrashHalfWayChangesNothing) {
  const auto inner = save(inner_flow().c_str());
  const auto outer = save(outer_flow(inner).c_str());
  const auto parent = fail(outer, {200, 200, 500});
  const auto key = peer_->keys().back();
  const auto started = runtime_->resubmit(parent, {DefinitionChoice::latest, true}, "ann");
  ASSERT_TRUE(started);
  ASSERT_TRUE(peer_->wait_for_requests(4));
  restart();
  ASSERT_TRUE(peer_->wait_for_requests(1));
  EXPECT_EQ(sent_since(0), "Two");
  EXPECT_EQ(peer_->keys().front(), key);
  peer_->answer(200, "{}", "{}");
  peer_->answer(200, "{}", "{}");
  EXPECT_EQ(wait_for_end(started->run).status, store::RunStatus::succeeded);
  EXPECT_EQ(sent_since(0), "Two After");
  EXPECT_EQ(runs_of(inner).size(), 2u);
}

TEST_F(ChildRepairTest, WhatCanNotBeDoneIsRefusedBeforeAnythingStarts) {
  const auto inner = save(inner_flow().c_str());
  const auto outer = save(outer_flow(inner).c_str());
  const auto parent = fail(outer, {200, 200, 500});
  const auto child = runs_of(inner).front().name;
  EXPECT_EQ(with_parents(sources(), parent, {}).error().code, "NoParentRun");
  EXPECT_EQ(with_parents(sources(), "nobody", {}).error().code, "WorkflowRunNotFound");
  const auto refused = [&](const char* correction) {
    const auto read = read_correction(*json::parse(correction));
    if (!read) return read.error();
    Resubmission how;
    how.correction = *read;
    const auto started = runtime_->resubmit(parent, how, "ann");
    return started ? make_error("", "") : started.error();
  };
  EXPECT_THAT(refused(R"({"steps":[{"action":"Before","child":{}}]})").message, HasSubstr("calls no flow"));
  EXPECT_THAT(refused(R"({"steps":[{"action":"Call","child":{"run":"nobody"}}]})").message, HasSubstr("nobody"));
  EXPECT_THAT(refused(("{\"steps\":[{\"action\":\"Call\",\"child\":{\"run\":\"" + parent + "\"}}]}").c_str()).message,
              HasSubstr("not called by it"));
  EXPECT_THAT(refused(R"({"steps":[{"action":"Call","child":{"from":"Nowhere"}}]})").message, HasSubstr("Nowhere"));
  EXPECT_EQ(refused(R"({"steps":[{"action":"Call","child":{"definition":"next"}}]})").where,
            "/steps/0/child/definition");
  EXPECT_EQ(refused(R"({"steps":[{"action":"Call","child":{"steps":[{"action":"Two","skip":true}]}}]})").where, "/why");
  EXPECT_EQ(refused(R"({"why":"x","steps":[{"action":"Call","child":{"steps":[{"action":"Two"}]}}]})").where,
            "/steps/0/child/steps/0");
  EXPECT_EQ(runs_of(outer).size(), 1u);
  EXPECT_EQ(runs_of(inner).size(), 1u);
  const auto again = runtime_->resubmit(child, {}, "ann");  // it is under way
  ASSERT_TRUE(again);
  const auto site = with_parents(sources(), again->run, {});
  EXPECT_EQ(site.error().code, "WorkflowTriggerHistoryCannotBeResubmitted");
  ASSERT_TRUE(runtime_->cancel(again->run, "ann"));
  static_cast<void>(wait_for_end(again->run));
}

}  // namespace flowmend::runtime
