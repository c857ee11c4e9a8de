// Where a missing value came from, walked back over recorded journals.

#include "repair/origin.h"

#include <gtest/gtest.h>

#include "json/parse.h"
#include "repair/explanation.h"
#include "repair/reference.h"

namespace flowmend::repair {
namespace {

const Timestamp noon = *parse_timestamp("2026-11-20T12:00:00Z");

Value json_of(std::string_view text) {
  const auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

constexpr const char* people = R"json({
  "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}},
  "actions": {
    "Get_people": {"type": "Http", "runAfter": {}, "inputs": {"method": "GET", "uri": "http://shop.test/people"}},
    "Filter": {"type": "Query", "runAfter": {"Get_people": ["Succeeded"]}, "inputs": {"from": "@body('Get_people')?['value']", "where": "@equals(item()?['on'], true)"}},
    "Shape": {"type": "Select", "runAfter": {"Filter": ["Succeeded"]}, "inputs": {"from": "@body('Filter')", "select": {"Name": "@item()?['name']", "Manager": "@item()?['manager']"}}},
    "Keep": {"type": "Compose", "runAfter": {"Shape": ["Succeeded"]}, "inputs": {"people": "@body('Shape')", "count": 1}},
    "Each": {"type": "Foreach", "runAfter": {"Keep": ["Succeeded"]}, "foreach": "@outputs('Keep')?['people']", "actions": {
      "Get_profile": {"type": "Http", "runAfter": {}, "inputs": {"method": "GET", "uri": "http://shop.test/profile"}},
      "Greet": {"type": "Compose", "runAfter": {"Get_profile": ["Succeeded"]}, "inputs": "@toUpper(items('Each')?['Manager']?['Email'])"},
      "Call": {"type": "Http", "runAfter": {"Greet": ["Succeeded"]}, "inputs": {"method": "GET", "uri": "http://shop.test/mail/@{body('Get_profile')?['mail']}"}}}}}})json";

class OriginTest : public testing::Test {
 protected:
  void compile(const char* text) {
    definition::CompileOptions options;
    options.id = "11111111-2222-4333-8444-555555555555";
    auto compiled = definition::compile(json_of(text), options);
    for (const Diagnostic& one : compiled.diagnostics)
      EXPECT_NE(one.severity, Severity::error) << one.pointer << " " << one.message;
    flow_ = compiled.flow;
    engine::RunStarted started;
    started.run = "run";
    started.time = noon;
    started.trigger = json_of(R"({"name":"manual","outputs":{"body":{"id":7,"note":""}}})");
    events_ = {started};
  }
  definition::ActionId id_of(std::string_view name) const {
    for (const definition::Action& action : flow_->actions) {
      if (action.name == name) return action.id;
    }
    ADD_FAILURE() << name;
    return definition::no_action;
  }
  engine::ActionEnded& ended(std::string_view name, std::string_view outputs, engine::FrameId frame = 0,
                             std::string_view inputs = "null") {
    engine::ActionEnded made;
    made.place = {id_of(name), frame};
    made.started = made.ended = noon;
    made.inputs = json_of(inputs);
    made.has_inputs = true;
    made.outputs = json_of(outputs);
    made.has_outputs = true;
    events_.emplace_back(made);
    return std::get<engine::ActionEnded>(events_.back());
  }
  void iteration(std::string_view loop, std::uint32_t index) {
    engine::IterationStarted started;
    started.loop = {id_of(loop), 0};
    started.index = index;
    events_.emplace_back(started);
  }
  Value fail(std::string_view name, engine::FrameId frame = 0, int status = 0) {
    auto& culprit =
        ended(name, status == 0 ? "null" : R"({"statusCode":)" + std::to_string(status) + R"(,"body":{}})", frame);
    culprit.status = engine::Status::failed;
    culprit.code = status == 0 ? "BadRequest" : "NotFound";
    if (status == 0) culprit.fault = {"InvalidTemplate", "Unable to process template language expressions", {}};
    engine::RunEnded over;
    over.status = engine::Status::failed;
    over.culprit = culprit.place;
    over.time = noon;
    events_.emplace_back(over);
    const auto explained = explain_run(*flow_, events_, nullptr);
    EXPECT_TRUE(explained);
    return explained ? *explained : Value();
  }
  /// One flow of a Compose that fails on `expression`, after what `events_` holds.
  static std::string about(const Value& explained) {
    const Value* origin = explained.find("where")->find("origin");
    return origin == nullptr ? "" : std::string(origin->text_of("message"));
  }
  void people_run(std::uint32_t item) {
    compile(people);
    ended("Get_people", R"({"statusCode":200,"body":{"value":[{"on":false,"name":"Zed"},
      {"on":true,"name":"Ann","manager":{"Email":"x@y"}},{"on":true,"name":"Bob"}]}})");
    ended("Filter", R"({"body":[{"on":true,"name":"Ann","manager":{"Email":"x@y"}},{"on":true,"name":"Bob"}]})", 0,
          R"([{"on":false,"name":"Zed"},{"on":true,"name":"Ann","manager":{"Email":"x@y"}},{"on":true,"name":"Bob"}])");
    ended("Shape", R"({"body":[{"Name":"Ann","Manager":{"Email":"x@y"}},{"Name":"Bob","Manager":null}]})");
    ended("Keep", R"({"people":[{"Name":"Ann","Manager":{"Email":"x@y"}},{"Name":"Bob","Manager":null}],"count":1})");
    iteration("Each", 0);
    iteration("Each", 1);
    ended("Get_profile", R"({"statusCode":200,"body":{"phone":"1"}})", item + 1);
  }
  std::shared_ptr<const definition::Flow> flow_;
  engine::Events events_;
};

TEST_F(OriginTest, ALoopsItemLeadsThroughWhatMadeItToTheStepThatDidNotReturnIt) {
  people_run(1);
  const Value explained = fail("Greet", 2);
  EXPECT_EQ(about(explained),
            "'Manager/Email' was missing because step 'Get people' returned no 'value/manager' in item 3.");
  const Value* origin = explained.find("where")->find("origin");
  ASSERT_NE(origin, nullptr);
  EXPECT_EQ(origin->text_of("action"), "Get_people");
  EXPECT_EQ(origin->find("item")->as_integer(), 3) << "before the filter";
  EXPECT_EQ(origin->find("through")->size(), 4u);
  EXPECT_EQ(explained.text_of("title"),
            "Greet failed in item 2 of 'Each': items('Each')?['Manager']?['Email'] was null");
  EXPECT_TRUE(explained.text_of("whatHappened").find("returned no 'value/manager' in item 3.") != std::string::npos);
}

TEST_F(OriginTest, AStepInTheSameIterationIsNamedWithItsItem) {
  people_run(1);
  const Value explained = fail("Call", 2, 404);
  EXPECT_EQ(about(explained), "'mail' was missing because step 'Get profile', item 2, returned no 'mail'.");
  EXPECT_TRUE(explained.text_of("whatHappened").find("The step sent 'uri' without a value") != std::string::npos)
      << explained.text_of("whatHappened");
}

TEST_F(OriginTest, AnInputThatIsThereHasNoOrigin) {
  people_run(1);
  std::get<engine::ActionEnded>(events_.back()).outputs = json_of(R"({"body":{"mail":"bob@shop.test"}})");
  EXPECT_EQ(about(fail("Call", 2, 404)), "");
}

/// A flow of two steps: `Get` gives what a case says, `Use` fails on the case's expression.
struct Case {
  const char* about;
  const char* first;  ///< the definition of `Get`
  const char* outputs;
  const char* expression;
  const char* sentence;
};

const char* const http = R"({"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"http://shop.test"}})";
const Case cases[] = {
    {"null", http, R"({"body":{"manager":null}})", "@toUpper(body('Get')?['manager'])",
     "'manager' was missing because step 'Get' returned 'manager' as null."},
    {"below null", http, R"({"body":{"manager":null}})", "@toUpper(body('Get')?['manager']?['email'])",
     "'manager/email' was missing because step 'Get' returned 'manager' as null."},
    {"an empty list", http, R"({"body":{"value":[]}})", "@toUpper(first(body('Get')?['value'])?['id'])",
     "'value/id' was missing because step 'Get' returned no items in 'value'."},
    {"a list that is too short", http, R"({"body":{"value":[1]}})", "@toUpper(body('Get')['value'][4])",
     "'value' was missing because step 'Get' returned only one item in 'value'."},
    {"no body", http, R"({"statusCode":204})", "@toUpper(body('Get')?['id'])",
     "'id' was missing because step 'Get' returned no body."},
    {"a list where an object should be", http, R"({"body":[1]})", "@toUpper(outputs('Get')?['body']['id'])",
     "'id' was missing because step 'Get' returned no 'id': what should hold it is no object."},
    {"the trigger", http, "null", "@toUpper(triggerBody()?['surname'])",
     "'surname' was missing because the trigger returned no 'surname'."},
    {"a step made of the trigger",
     R"j({"type":"Compose","runAfter":{},"inputs":{"a":["@triggerBody()?['surname']"]}})j", R"({"a":[null]})",
     "@toUpper(outputs('Get')?['a'][0])", "'a' was missing because the trigger returned no 'surname'."},
    {"parsed text", R"j({"type":"ParseJson","runAfter":{},"inputs":{"content":"@triggerBody()","schema":{}}})j",
     R"({"body":{"id":7,"note":""}})", "@toUpper(body('Get')?['surname'])",
     "'surname' was missing because the trigger returned no 'surname'."},
    {"kept secure",
     R"({"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"http://shop.test"},
         "runtimeConfiguration":{"secureData":{"properties":["outputs"]}}})",
     R"({"body":{"pin":null}})", "@toUpper(body('Get')?['pin'])", ""},
    {"a key that another value holds", http, R"({"body":{"which":"surname"}})",
     "@toUpper(triggerBody()?[body('Get')?['which']])",
     "'surname' was missing because the trigger returned no 'surname'."},
    {"a step that only writes it otherwise",
     R"j({"type":"Compose","runAfter":{},"inputs":"@trim(string(triggerBody()?['surname']))"})j", R"("")",
     "@int(outputs('Get'))", "'outputs('Get')' was missing because the trigger returned no 'surname'."},
    {"a key that is kept secure",
     R"({"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"http://shop.test"},
         "runtimeConfiguration":{"secureData":{"properties":["outputs"]}}})",
     R"({"body":{"pin":"surname"}})", "@toUpper(triggerBody()?[body('Get')?['pin']])", ""},
    {"a key that is worked out", http, R"({"body":{}})", "@toUpper(body('Get')?[concat('a','b')])", ""},
    {"nothing is missing", http, R"({"body":{"n":1}})", "@div(1, sub(body('Get')?['n'], 1))", ""},
};

TEST_F(OriginTest, SaysWhatWasMissingAndWhere) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.about);
    const std::string text =
        R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{"Get":)" +
        std::string(one.first) + R"(,"Use":{"type":"Compose","runAfter":{"Get":["Succeeded"]},"inputs":")" +
        one.expression + R"("}}})";
    compile(text.c_str());
    ended("Get", one.outputs);
    EXPECT_EQ(about(fail("Use")), one.sentence);
  }
}

TEST_F(OriginTest, AVariableLeadsToTheStepThatSetIt) {
  compile(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Begin":{"type":"InitializeVariable","runAfter":{},"inputs":{"variables":[{"name":"who","type":"string","value":"@triggerBody()?['surname']"}]}},
    "Use":{"type":"Compose","runAfter":{"Begin":["Succeeded"]},"inputs":"@toUpper(variables('who'))"}}})j");
  events_.emplace_back(engine::VariableSet{0, Value()});
  ended("Begin", "null");
  EXPECT_EQ(about(fail("Use")), "'variables('who')' was missing because the trigger returned no 'surname'.");
}

TEST_F(OriginTest, AStepThatWasSkippedIsNamed) {
  compile(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Get":{"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"http://shop.test"}},
    "Use":{"type":"Compose","runAfter":{"Get":["Skipped"]},"inputs":"@toUpper(body('Get')?['id'])"}}})j");
  ended("Get", "null").status = engine::Status::skipped;
  EXPECT_EQ(about(fail("Use")), "'id' was missing because step 'Get' was skipped and returned nothing.");
}

TEST_F(OriginTest, WhatCoalesceMakesUpForIsNotBlamed) {
  compile(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Call":{"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"http://shop.test/@{coalesce(triggerBody()?['x'], 'y')}"}}}})j");
  EXPECT_EQ(about(fail("Call", 0, 404)), "");
}

TEST_F(OriginTest, AnInputThatCouldNotEvenBeSentIsWalkedBack) {
  compile(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Call":{"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"@triggerBody()?['link']"}}}})j");
  auto& culprit = ended("Call", "null");
  culprit.status = engine::Status::failed;
  culprit.code = "BadRequest";
  culprit.fault = {"InvalidUri", "The address is empty", json_of(R"({"where":"/inputs/uri"})")};
  engine::RunEnded over;
  over.status = engine::Status::failed;
  over.culprit = culprit.place;
  over.time = noon;
  events_.emplace_back(over);
  const auto explained = explain_run(*flow_, events_, nullptr);
  ASSERT_TRUE(explained);
  EXPECT_EQ(about(*explained), "'link' was missing because the trigger returned no 'link'.");
}

TEST(Origin, APointerIsBelowOnlyAtAWholeName) {
  EXPECT_TRUE(is_at_or_below("/a/b", ""));
  EXPECT_TRUE(is_at_or_below("/a/b", "/a"));
  EXPECT_TRUE(is_at_or_below("/a", "/a"));
  EXPECT_FALSE(is_at_or_below("/ab", "/a"));
  EXPECT_FALSE(is_at_or_below("/a", "/a/b"));
}

TEST_F(OriginTest, AValueThatWasRefusedIsWalkedBackToo) {
  compile(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Get":{"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"http://shop.test"}},
    "Keep":{"type":"Compose","runAfter":{"Get":["Succeeded"]},"inputs":"@last(body('Get')?['orders'])"},
    "Call":{"type":"Http","runAfter":{"Keep":["Succeeded"]},"inputs":{"method":"POST","uri":"http://shop.test",
      "body":{"currency":"@{outputs('Keep')?['currency']}"}}}}})j");
  ended("Get", R"({"body":{"orders":[{"currency":"EUR"},{"currency":"EURO"}]}})");
  ended("Keep", R"({"currency":"EURO"})");
  auto& culprit = ended("Call", R"({"statusCode":400,"body":{"message":"'EURO' is no currency"}})", 0,
                        R"({"method":"POST","uri":"http://shop.test","body":{"currency":"EURO"}})");
  culprit.status = engine::Status::failed;
  culprit.code = "BadRequest";
  engine::RunEnded over;
  over.status = engine::Status::failed;
  over.culprit = culprit.place;
  over.time = noon;
  events_.emplace_back(over);
  const auto explained = explain_run(*flow_, events_, nullptr);
  ASSERT_TRUE(explained);
  EXPECT_EQ(about(*explained), "It came from 'orders/currency' that step 'Get' returned in item 2.");
  ASSERT_NE(explained->find("where")->find("origin"), nullptr);
  EXPECT_EQ(explained->find("where")->find("origin")->find("through")->size(), 1u);
}

TEST_F(OriginTest, AnEmptyTextInTheAddressIsTold) {
  compile(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Call":{"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"@concat('http://shop.test/', triggerBody()?['note'])"}}}})j");
  EXPECT_EQ(about(fail("Call", 0, 404)), "'note' was missing because the trigger returned an empty 'note'.");
}

TEST(Reference, ReadsOnlyWhatIsAReference) {
  const auto read = read_reference("@first(body('Get')?['value'])?.id");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "Get");
  EXPECT_EQ(read->path.size(), 4u);
  for (const char* other : {"", "@", "plain", "@@body('x')", "@body('x') and more", "@body(concat('a'))?['b']",
                            "@body('x')[variables('y')]", "@add(1,2)", "@{body('x')}{", "@{body('x')"})
    EXPECT_FALSE(read_reference(other)) << other;
  EXPECT_TRUE(read_reference("@{triggerBody()?['a']}"));
}

}  // namespace
}  // namespace flowmend::repair
