#include "repair/capsule/capsule.h"

#include <gtest/gtest.h>

#include "engine/run.h"
#include "json/parse.h"
#include "json/write.h"
#include "repair/capsule/pseudonyms.h"

namespace flowmend::repair::capsule {
namespace {

const Timestamp noon = *parse_timestamp("2026-11-24T12:00:00Z");

/// A failed run of a flow, whose requests were answered with `status` and `body`.
struct Recorded {
  Source source;
  engine::Events events;

  Recorded(const char* definition, const char* trigger_body, int status, const char* body,
           const char* parameters = "null") {
    source.definition = *json::parse(definition);
    source.parameter_values = *json::parse(parameters);
    definition::CompileOptions options;
    options.display_name = "Orders";
    options.parameter_values = source.parameter_values;
    const auto compiled = definition::compile(source.definition, options);
    EXPECT_TRUE(compiled.flow) << (compiled.diagnostics.empty() ? "" : compiled.diagnostics.front().message);
    source.flow = compiled.flow;
    source.version = "test";
    engine::Run run(source.flow);
    engine::RunStarted start;
    start.run = "r1";
    start.time = noon;
    start.trigger =
        Value::object({{"name", "manual"}, {"outputs", Value::object({{"body", *json::parse(trigger_body)}})}});
    std::vector<engine::Call> calls;
    const auto take = [&](engine::Decision decision) {
      for (auto& event : decision.events) events.push_back(std::move(event));
      for (auto& command : decision.commands) {
        if (auto* call = std::get_if<engine::Call>(&command)) calls.push_back(std::move(*call));
      }
    };
    take(run.advance(start, {noon, 1}));
    while (!run.ended() && !calls.empty()) {
      const engine::Call call = calls.front();
      calls.erase(calls.begin());
      engine::AttemptFinished reply;
      reply.place = call.place;
      reply.attempt = call.attempt;
      reply.started = reply.ended = noon;
      reply.status_code = status;
      reply.headers = Value::empty_object();
      reply.body = *json::parse(body);
      reply.has_body = true;
      take(run.advance(reply, {noon, 2}));
    }
    EXPECT_TRUE(run.ended());
    source.events = &events;
  }
};

constexpr const char* orders = R"j({"parameters":{"key":{"type":"securestring","defaultValue":"the default key"}},
  "triggers":{"manual":{"type":"Request","kind":"Http"}},"actions":{
  "Ask":{"type":"Http","inputs":{"method":"POST","uri":"https://shop.test/orders","headers":{"Authorization":"Basic c2VjcmV0"},
    "body":{"id":"@concat('order-', triggerBody()?['id'])","to":"boss@shop.test"},"retryPolicy":{"type":"none"}}},
  "Paid":{"type":"If","expression":{"equals":["@body('Ask')?['state']","paid"]},"runAfter":{"Ask":["Succeeded"]},
    "actions":{"Use":{"type":"Compose","inputs":"@toUpper(body('Ask')?['manager'])"}},"else":{"actions":{}}}}})j";

constexpr const char* ada = R"({"id":"A4711","email":"Ada.Lovelace@Example.org","born":"1815-12-10","phone":5551234,
  "password":"hunter2"})";

TEST(Capsule, FailsTheSameWayAndHoldsNoValueAndNoSecret) {
  const Recorded run(orders, ada, 200, R"({"state":"paid","name":"Ada Lovelace","manager":null})",
                     R"({"key":{"value":"the real key"}})");
  const auto made = make_capsule(run.source);
  ASSERT_TRUE(made) << made.error().message;
  const std::string text = json::write(*made);
  for (const char* gone : {"4711", "Ada", "Lovelace", "5551234", "1815-12-10", "hunter2", "c2VjcmV0", "the default key",
                           "the real key", "boss@"})
    EXPECT_EQ(text.find(gone), std::string::npos) << gone;
  EXPECT_EQ(*made->find("reproduces"), Value(true));

  const auto opened = open_capsule(*json::parse(text));
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->same);
  EXPECT_EQ(opened->action, "Use");
  EXPECT_EQ(opened->code, "InvalidTemplate");
  EXPECT_EQ(opened->status, "Failed");
}

TEST(Capsule, ARefusedRequestIsRefusedAgain) {
  const Recorded run(orders, ada, 404, R"({"error":{"message":"No order A4711 of Ada"}})");
  const auto made = make_capsule(run.source);
  ASSERT_TRUE(made);
  EXPECT_EQ(json::write(*made).find("A4711"), std::string::npos);
  const auto opened = open_capsule(*made);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->same);
  EXPECT_EQ(opened->action, "Ask");
}

TEST(Capsule, NumbersAreKeptWhenTheWayDependsOnThem) {
  const Recorded run(R"j({"triggers":{"manual":{"type":"Request","kind":"Http"}},"actions":{
    "Check":{"type":"If","expression":{"equals":["@add(triggerBody()?['a'], triggerBody()?['b'])","@triggerBody()?['sum']"]},
      "actions":{"Stop":{"type":"Terminate","inputs":{"runStatus":"Failed","runError":{"code":"Sums","message":"x"}}}},"else":{"actions":{}}}}})j",
                     R"({"a":1234,"b":4321,"sum":5555})", 200, "null");
  const auto made = make_capsule(run.source);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->find("masking")->text_of("numbers"), "kept");
  EXPECT_EQ(*made->find("reproduces"), Value(true));
}

TEST(Capsule, WhatIsNoCapsuleIsRefused) {
  for (
      const char* text :
      {"null", "[]", "{}", R"({"format":"flowmend-capsule-1"})",
       R"({"format":"flowmend-capsule-1","flow":{},"steps":[],"failure":{}})",
       R"({"format":"flowmend-capsule-1","flow":{"definition":{"triggers":{"m":{"type":"Request"}},"actions":{}}},"steps":[{}],"failure":{}})"})
    EXPECT_FALSE(open_capsule(*json::parse(text))) << text;
}

TEST(Capsule, ARunThatWentWellHasNone) {
  const Recorded run(orders, ada, 200, R"({"state":"open"})");
  EXPECT_EQ(make_capsule(run.source).error().code, "RunHasNotFailed");
}

TEST(Pseudonyms, KeepShapesAndEquality) {
  Pseudonyms pseudonyms;
  pseudonyms.keep_words_of(*json::parse(R"({"status":"paid","to":"mail carol@x.test"})"));
  const std::string mail = pseudonyms.mask_text("Ada.Lovelace@Example.org");
  EXPECT_EQ(mail.size(), std::string("Ada.Lovelace@Example.org").size());
  EXPECT_EQ(mail[3], '.');
  EXPECT_EQ(mail[12], '@');
  EXPECT_TRUE(mail[0] >= 'A' && mail[0] <= 'Z');
  EXPECT_EQ(pseudonyms.mask_text("Ada.Lovelace@Example.org"), mail);
  EXPECT_EQ(pseudonyms.mask_text("paid"), "paid");
  EXPECT_NE(pseudonyms.mask_text("carol"), "carol");
  const Value number = pseudonyms.mask(Value(5551234));
  EXPECT_TRUE(number.is_integer());
  EXPECT_EQ(json::write(number).size(), 7u);
  EXPECT_EQ(json::write(number), pseudonyms.mask_text("5551234"));
  const std::string guid = pseudonyms.mask_text("7c9e6679-7425-40de-944b-e07fc1f90ae7");
  EXPECT_EQ(guid.find_first_not_of("0123456789abcdef-"), std::string::npos);
  EXPECT_EQ(pseudonyms.mask_text("2026-11-25T10:00:00Z").substr(10), "T10:00:00Z");
  EXPECT_NE(Pseudonyms().mask_text("Lovelace"), Pseudonyms().mask_text("Lovelace"));
}

}  // namespace
}  // namespace flowmend::repair::capsule
