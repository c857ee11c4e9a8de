#include "repair/trial.h"

#include <gtest/gtest.h>

#include "engine/run.h"
#include "json/parse.h"

namespace flowmend::repair {
namespace {

const Timestamp noon = *parse_timestamp("2026-11-24T12:00:00Z");

std::shared_ptr<const definition::Flow> flow_of(const std::string& actions) {
  const auto definition =
      json::parse(R"j({"triggers": {"manual": {"type": "Request", "kind": "Http"}}, "actions": )j" + actions + "}");
  EXPECT_TRUE(definition) << definition.error().message;
  const auto compiled = definition::compile(*definition);
  EXPECT_TRUE(compiled.flow) << (compiled.diagnostics.empty() ? "" : compiled.diagnostics.front().message);
  return compiled.flow;
}

/// Runs a flow to its end, each request answered with `status` and `body`; gives what it recorded.
engine::Events recorded(const std::shared_ptr<const definition::Flow>& flow, const char* trigger_body, int status,
                        const char* body) {
  engine::Run run(flow);
  engine::RunStarted start;
  start.run = "r1";
  start.flow = "f1";
  start.time = noon;
  start.trigger =
      Value::object({{"name", "manual"}, {"outputs", Value::object({{"body", *json::parse(trigger_body)}})}});
  engine::Events events;
  std::vector<engine::Call> calls;
  Timestamp now = noon;
  const auto take = [&](engine::Decision decision) {
    for (auto& event : decision.events) events.push_back(std::move(event));
    for (auto& command : decision.commands) {
      if (auto* call = std::get_if<engine::Call>(&command)) calls.push_back(std::move(*call));
    }
  };
  take(run.advance(start, {now, 1}));
  while (!run.ended() && !calls.empty()) {
    const engine::Call call = calls.front();
    calls.erase(calls.begin());
    now = now + Duration::seconds(1);
    engine::AttemptFinished reply;
    reply.place = call.place;
    reply.attempt = call.attempt;
    reply.started = reply.ended = now;
    reply.status_code = status;
    reply.headers = Value::empty_object();
    reply.body = *json::parse(body);
    reply.has_body = true;
    take(run.advance(reply, {now, 2}));
  }
  EXPECT_TRUE(run.ended());
  return events;
}

std::string http(const std::string& uri, const std::string& after = "{}") {
  return R"j({"type": "Http", "inputs": {"method": "POST", "uri": ")j" + uri +
         R"j(", "body": {"n": "@triggerBody()?['n']"}, "retryPolicy": {"type": "none"}}, "runAfter": )j" + after + "}";
}
std::string compose(const std::string& value, const std::string& after) {
  return R"j({"type": "Compose", "inputs": ")j" + value + R"j(", "runAfter": )j" + after + "}";
}
const std::string after_ask = R"j({"Ask": ["Succeeded"]})j";

TEST(Trial, ACorrectedExpressionPassesWithTheRecordedReply) {
  const auto before = flow_of(R"j({"Ask": )j" + http("https://a.test/") + R"j(, "Use": )j" +
                              compose("@toUpper(body('Ask')?['name'])", after_ask) + "}");
  const auto events = recorded(before, R"({"n": 1})", 200, R"({"title": "x"})");
  const auto same = try_run(*before, before, events, nullptr);
  EXPECT_EQ(same.verdict, TrialRun::Verdict::fails);
  EXPECT_EQ(same.action, "Use");
  const auto after = flow_of(R"j({"Ask": )j" + http("https://a.test/") + R"j(, "Use": )j" +
                             compose("@toUpper(coalesce(body('Ask')?['name'], ''))", after_ask) + "}");
  const auto tried = try_run(*before, after, events, nullptr);
  EXPECT_EQ(tried.verdict, TrialRun::Verdict::passes) << tried.message;
  EXPECT_EQ(tried.run, "r1");
}

TEST(Trial, ARequestThatDiffersIsShownAndNeverGuessed) {
  const auto before = flow_of(R"j({"Ask": )j" + http("https://a.test/") + "}");
  const auto events = recorded(before, R"({"n": 1})", 404, "{}");
  const auto after = flow_of(R"j({"Ask": )j" + http("https://a.test/v2") + "}");
  const auto tried = try_run(*before, after, events, nullptr);
  EXPECT_EQ(tried.verdict, TrialRun::Verdict::unknown);
  EXPECT_EQ(tried.action, "Ask");
  ASSERT_EQ(tried.differences.size(), 1u);
  EXPECT_EQ(tried.differences[0].pointer, "/inputs/uri");
  EXPECT_EQ(tried.differences[0].before, Value("https://a.test/"));
  EXPECT_EQ(tried.differences[0].after, Value("https://a.test/v2"));
}

TEST(Trial, AStepThatWasNeverReachedIsUnknownButWhatFailedPasses) {
  const auto before = flow_of(R"j({"Use": )j" + compose("@toUpper(triggerBody()?['none'])", "{}") + R"j(, "Ask": )j" +
                              http("https://a.test/", R"j({"Use": ["Succeeded"]})j") + "}");
  const auto events = recorded(before, R"({"n": 1})", 200, "{}");
  const auto after = flow_of(R"j({"Use": )j" + compose("@toUpper('x')", "{}") + R"j(, "Ask": )j" +
                             http("https://a.test/", R"j({"Use": ["Succeeded"]})j") + "}");
  const auto tried = try_run(*before, after, events, nullptr);
  EXPECT_EQ(tried.verdict, TrialRun::Verdict::passes) << "the step that failed would succeed";
  EXPECT_EQ(tried.action, "Ask");
  EXPECT_NE(tried.message.find("not reached"), std::string::npos);
}

TEST(Trial, AGoodRunThatWouldChangeSaysWhere) {
  const auto before = flow_of(R"j({"Ask": )j" + http("https://a.test/") + R"j(, "Use": )j" +
                              compose("@body('Ask')?['name']", after_ask) + "}");
  const auto events = recorded(before, R"({"n": 1})", 200, R"({"name": "x"})");
  EXPECT_EQ(try_run(*before, before, events, nullptr).verdict, TrialRun::Verdict::passes);
  const auto after = flow_of(R"j({"Ask": )j" + http("https://a.test/") + R"j(, "Use": )j" +
                             compose("@toUpper(body('Ask')?['name'])", after_ask) + "}");
  const auto tried = try_run(*before, after, events, nullptr);
  EXPECT_EQ(tried.verdict, TrialRun::Verdict::changes);
  EXPECT_EQ(tried.action, "Use");
  ASSERT_FALSE(tried.differences.empty());
  EXPECT_EQ(tried.differences[0].after, Value("X"));
}

TEST(Trial, LoopsWaitsAndRetriesTakeNoTime) {
  const auto before =
      flow_of(R"j({"Wait": {"type": "Wait", "inputs": {"interval": {"count": 5, "unit": "Day"}}, "runAfter": {}},
    "Each": {"type": "Foreach", "foreach": "@triggerBody()?['list']", "runAfter": {"Wait": ["Succeeded"]}, "actions": {
      "Use": {"type": "Compose", "inputs": "@toUpper(item())", "runAfter": {}}}}})j");
  const auto after =
      flow_of(R"j({"Wait": {"type": "Wait", "inputs": {"interval": {"count": 5, "unit": "Day"}}, "runAfter": {}},
    "Each": {"type": "Foreach", "foreach": "@triggerBody()?['list']", "runAfter": {"Wait": ["Succeeded"]}, "actions": {
      "Use": {"type": "Compose", "inputs": "@toUpper(string(item()))", "runAfter": {}}}}})j");
  engine::Run run(before);
  engine::RunStarted start;
  start.run = "r2";
  start.time = noon;
  start.trigger = *json::parse(R"({"name": "manual", "outputs": {"body": {"list": ["a", 7, "c"]}}})");
  engine::Events events = run.advance(start, {noon, 1}).events;
  const Timestamp later = noon + Duration::days(5);
  for (auto& event : run.advance(engine::TimerFired{{0, 0}, engine::TimerKind::wait}, {later, 2}).events)
    events.push_back(std::move(event));
  ASSERT_TRUE(run.ended());
  const auto same = try_run(*before, before, events, nullptr);
  EXPECT_EQ(same.verdict, TrialRun::Verdict::fails);
  EXPECT_EQ(same.repetition, "000001");
  EXPECT_EQ(try_run(*before, after, events, nullptr).verdict, TrialRun::Verdict::passes);
}

}  // namespace
}  // namespace flowmend::repair
