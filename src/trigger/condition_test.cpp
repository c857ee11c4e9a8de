#include "trigger/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::trigger {
namespace {

using testing::HasSubstr;

/// A Request trigger with these members besides its type, judged over a body.
Result<Verdict> judge_body(const std::string& members, const std::string& body) {
  const auto definition = R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}})" + members +
                          R"(}},"actions":{"A":{"type":"Compose","inputs":1,"runAfter":{}}}})";
  const auto compiled = definition::compile(*json::parse(definition));
  if (!compiled.flow) return make_error("InvalidDefinition", compiled.diagnostics.at(0).message);
  const auto record = *json::parse(R"({"name":"manual","outputs":{"headers":{"h":"1"},"body":)" + body + "}}");
  return judge(*compiled.flow, record, Timestamp::from_unix_milliseconds(0), 1);
}

TEST(Judge, WithoutConditionsItFiresOnce) {
  const auto verdict = judge_body("", "1");
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_EQ(verdict->kind, Verdict::Kind::fire);
  ASSERT_EQ(verdict->outputs.size(), 1u);
  EXPECT_EQ(json::write(verdict->outputs[0]), R"({"headers":{"h":"1"},"body":1})");
}

TEST(Judge, AllConditionsMustBeTrue) {
  const std::string conditions =
      R"wdl(,"conditions":[{"expression":"@equals(triggerBody()?['a'],1)"},{"expression":"@equals(triggerBody()?['b'],2)"}])wdl";
  EXPECT_EQ(judge_body(conditions, R"({"a":1,"b":2})")->kind, Verdict::Kind::fire);
  const auto skipped = judge_body(conditions, R"({"a":1,"b":3})");
  ASSERT_TRUE(skipped);
  EXPECT_EQ(skipped->kind, Verdict::Kind::skip);
  EXPECT_EQ(skipped->code, "TriggerConditionNotMet");
  EXPECT_THAT(skipped->message, HasSubstr("Condition 2"));
}

TEST(Judge, AConditionThatIsNoBooleanOrFailsIsAFailedCheck) {
  EXPECT_THAT(judge_body(R"wdl(,"conditions":[{"expression":"@triggerBody()"}])wdl", "1").error().message,
              HasSubstr("'Integer'"));
  EXPECT_EQ(judge_body(R"wdl(,"conditions":[{"expression":"@div(1,triggerBody())"}])wdl", "0").error().code,
            "InvalidTemplate");
}

TEST(Judge, SplitOnGivesEachItemAsABody) {
  const auto verdict =
      judge_body(R"wdl(,"splitOn":"@triggerBody()?['value']")wdl", R"({"value":[1,{"x":2}],"other":3})");
  ASSERT_TRUE(verdict) << verdict.error().message;
  ASSERT_EQ(verdict->outputs.size(), 2u);
  EXPECT_EQ(json::write(verdict->outputs[1]), R"({"headers":{"h":"1"},"body":{"x":2}})");
}

TEST(Judge, AutoloadFindsTheArray) {
  const std::string split = R"wdl(,"splitOn":"@autoload()")wdl";
  EXPECT_EQ(judge_body(split, "[1,2]")->outputs.size(), 2u);
  EXPECT_EQ(judge_body(split, R"({"value":[1,2,3],"errors":[0]})")->outputs.size(), 3u);
  EXPECT_EQ(judge_body(split, R"({"next":"x","files":[1]})")->outputs.size(), 1u);
  EXPECT_EQ(judge_body(split, R"({"files":[]})")->code, "SplitOnEmpty");
  EXPECT_THAT(judge_body(split, R"({"a":[1],"b":[2]})").error().message,
              HasSubstr("'@autoload()' is of type 'Object'"));
  EXPECT_FALSE(judge_body(split, "1"));
}

TEST(Judge, SplitOnOfNoArrayFailsAndOfAnEmptyOneSkips) {
  const std::string split = R"wdl(,"splitOn":"@triggerBody()?['value']")wdl";
  EXPECT_EQ(judge_body(split, "{}").error().message,
            "The template language expression evaluation failed: 'The execution of template trigger 'manual' failed: "
            "the result of the "
            "evaluation of 'splitOn' expression '@triggerBody()?['value']' is of type 'Null'. The result must be a "
            "valid array.'.");
  EXPECT_EQ(judge_body(split, R"({"value":[]})")->kind, Verdict::Kind::skip);
}

TEST(Judge, SplitOnTakesAHundredItemsWhenRunsAreLimited) {
  const std::string limited = R"wdl(,"splitOn":"@triggerBody()","runtimeConfiguration":{"concurrency":{"runs":2}})wdl";
  std::string items = "1";
  for (int i = 1; i < 100; ++i) items += ",1";
  EXPECT_EQ(judge_body(limited, "[" + items + "]")->outputs.size(), 100u);
  EXPECT_EQ(judge_body(limited, "[" + items + ",1]").error().code, "SplitOnItemsLimitExceeded");
  EXPECT_EQ(judge_body(R"wdl(,"splitOn":"@triggerBody()")wdl", "[" + items + ",1]")->outputs.size(), 101u);
}

TEST(Judge, TheTrackingIdComesFromTheTrigger) {
  const std::string correlation = R"wdl(,"correlation":{"clientTrackingId":"@{triggerBody()?['id']}"})wdl";
  EXPECT_EQ(judge_body(correlation, R"({"id":"order-7"})")->client_tracking_ids.at(0), "order-7");
  EXPECT_EQ(judge_body(correlation, R"({"id":")" + std::string(200, 'x') + R"("})").error().code,
            "ClientTrackingIdLengthLimitExceeded");
}

}  // namespace
}  // namespace flowmend::trigger
