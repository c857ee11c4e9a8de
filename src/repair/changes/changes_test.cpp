// What differs between two records of a step.

#include "repair/changes/changes.h"

#include <gtest/gtest.h>

#include "json/parse.h"

namespace flowmend::repair {
namespace {

const Timestamp noon = *parse_timestamp("2026-11-20T12:00:00Z");

Value json_of(std::string_view text) {
  const auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

std::string words(const std::vector<Change>& changes) {
  std::string out;
  for (const Change& change : changes) out += (out.empty() ? "" : "|") + change.text;
  return out;
}

std::string shapes(std::string_view before, std::string_view after) {
  return words(shape_changes(Change::Kind::inputs, "Its input", json_of(before), json_of(after)));
}

TEST(ShapeChanges, NameWhatIsGoneNewNullOrOfAnotherType) {
  EXPECT_EQ(shapes(R"({"a":1,"b":"x"})", R"({"a":2,"b":"y"})"), "") << "values are no shape";
  EXPECT_EQ(shapes(R"({"a":1})", R"({"b":1})"), "Its input 'a' is not there any more.|Its input 'b' is new.");
  EXPECT_EQ(shapes(R"({"body":{"id":7}})", R"({"body":{"id":null}})"),
            "Its input 'body/id' was a number and is null now.");
  EXPECT_EQ(shapes(R"({"id":7})", R"({"id":"7"})"), "Its input 'id' was a number and is a text now.");
  EXPECT_EQ(shapes(R"({"id":"7"})", R"({"id":""})"), "Its input 'id' was a text and is empty now.");
  EXPECT_EQ(shapes(R"({"list":[{"a":1},{"a":1}]})", R"({"list":[]})"),
            "Its input 'list' had 2 items and is empty now.");
  EXPECT_EQ(shapes(R"([{"a":1}])", R"([{"a":{}},{"a":1}])"), "Its input '0/a' was a number and is an object now.");
  EXPECT_EQ(shapes(R"({"list":[{"a":1,"b":1},{"a":2}]})", R"({"list":[{"a":1},{"b":1,"a":null},{"a":2}]})"),
            "Its input 'list/a' was in each item and is missing in 1 of 3 now.");
  EXPECT_EQ(shapes("null", R"("x")"), "Its input was null and is a text now.");
}

TEST(ShapeChanges, AreFewHoweverMuchChanged) {
  json::ObjectBuilder many;
  for (int i = 0; i < 1000; ++i) many.add("name" + std::to_string(i), Value(i));
  EXPECT_EQ(shape_changes(Change::Kind::inputs, "Its input", many.finish(), Value::empty_object()).size(), 10u);
  std::string deep = "1";
  std::string other = "\"x\"";
  for (int i = 0; i < 100; ++i) {
    deep = R"({"a":)" + deep + "}";
    other = R"({"a":)" + other + "}";
  }
  EXPECT_EQ(shapes(deep, other), "") << "below the depth that is looked at";
}

TEST(DefinitionChanges, NameThePlaceWithWhatItSaid) {
  const auto changes = definition_changes(json_of(R"({"type":"Http","inputs":{"uri":"https://a","retry":1}})"),
                                          json_of(R"({"type":"Http","inputs":{"uri":"https://b","body":{}}})"));
  EXPECT_EQ(words(changes),
            "In the step 'inputs/uri' was changed.|In the step 'inputs/retry' was removed.|In the step 'inputs/body' "
            "was added.");
  EXPECT_EQ(changes[0].pointer, "/inputs/uri");
  EXPECT_EQ(changes[0].before, Value("https://a"));
  EXPECT_EQ(changes[0].after, Value("https://b"));
}

StepRecord answered(int status, std::string_view body, Duration took) {
  StepRecord record;
  record.started = noon;
  record.ended = noon + took;
  record.status_code = status;
  record.outputs = Value::object({{"statusCode", Value(status)}, {"body", json_of(body)}});
  return record;
}

TEST(ResponseChanges, TellTheStatusTheTypeTheSizeAndTheTime) {
  const auto good = answered(200, R"({"a":1})", Duration::milliseconds(120));
  EXPECT_EQ(words(response_changes(good, answered(200, R"({"b":22})", Duration::milliseconds(800)))), "");
  EXPECT_EQ(words(response_changes(good, answered(404, R"("gone")", Duration::milliseconds(100)))),
            "The service answered 200, and 404 now.|The body of the answer was an object and is a text now.");
  const std::string large = R"({"a":")" + std::string(5000, 'x') + R"("})";
  EXPECT_EQ(words(response_changes(good, answered(200, large, Duration::seconds(30)))),
            "The body of the answer had 7 bytes and has 5008 bytes now.|The step took 120 ms and takes 30 s now.");
  EXPECT_EQ(words(response_changes(answered(200, large, Duration::seconds(30)), good)),
            "The body of the answer had 5008 bytes and has 7 bytes now.")
      << "being faster is no change to look at";
  StepRecord silent;
  silent.started = silent.ended = noon;
  EXPECT_EQ(words(response_changes(good, silent)), "The service answered 200, and did not answer now.");
}

}  // namespace
}  // namespace flowmend::repair
