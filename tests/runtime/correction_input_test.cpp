// A step's inputs changed by expressions: what they may see, and that they say the same when asked again.

#include "runtime/correction_input.h"

#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::runtime {
namespace {

constexpr const char* definition = R"j({
  "parameters": {"host": {"type": "String", "defaultValue": "a.test"}},
  "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {}}},
  "actions": {
    "Count": {"type": "InitializeVariable", "runAfter": {}, "inputs": {"variables": [{"name": "n", "type": "Integer", "value": 1}]}},
    "Send": {"type": "Http", "runAfter": {"Count": ["Succeeded"]}, "inputs": {"method": "POST", "uri": "https://a.test/"}}}})j";

engine::RunState state_of() {
  engine::RunState state;
  const auto compiled = definition::compile(*json::parse(definition));
  EXPECT_TRUE(compiled.flow);
  state.flow = compiled.flow;
  state.start.run = "08584";
  state.start.time = *parse_timestamp("2026-11-26T10:00:00Z");
  state.start.trigger = *json::parse(R"j({"name": "manual", "outputs": {"body": {"mail": " a@x.test "}}})j");
  return state;
}

StepCorrection correction(const char* expressions) {
  return {"Send", "", StepCorrection::Kind::expressions, *json::parse(expressions)};
}

std::string corrected(const char* expressions, const char* inputs = R"j({"uri":"x","body":{"a":[1,2]}})j") {
  const auto result = corrected_inputs(correction(expressions), state_of(), {1, 0}, *json::parse(inputs));
  return result.fault.code.empty() ? json::write(result.inputs) : result.fault.code;
}

TEST(CorrectionInput, ExpressionsStandAtTheirPlaces) {
  EXPECT_EQ(corrected(R"j({"/uri": "@trim(triggerBody()['mail'])"})j"), R"j({"uri":"a@x.test","body":{"a":[1,2]}})j");
  EXPECT_EQ(corrected(R"j({"/body/a/1": 5})j"), R"j({"uri":"x","body":{"a":[1,5]}})j");
  EXPECT_EQ(corrected(R"j({"/headers/x~1y~0z": "@parameters('host')"})j"),
            R"j({"uri":"x","body":{"a":[1,2]},"headers":{"x/y~z":"a.test"}})j");
  EXPECT_EQ(corrected(R"j({"/uri": {"host": "@{parameters('host')}!"}})j"),
            R"j({"uri":{"host":"a.test!"},"body":{"a":[1,2]}})j");
}

TEST(CorrectionInput, AskedAgainTheySayTheSame) {
  const char* changing = R"j({"/uri": "@{utcNow()} @{guid()} @{rand(1, 1000000)}"})j";
  const std::string first = corrected(changing);
  EXPECT_NE(first.find("2026-11-26T10:00:00"), std::string::npos) << first;
  EXPECT_EQ(first, corrected(changing));
}

TEST(CorrectionInput, AFailureIsTheStepsAndFinal) {
  const auto result =
      corrected_inputs(correction(R"j({"/uri": "@trim(triggerBody()?['none'])"})j"), state_of(), {1, 0}, {});
  EXPECT_EQ(result.fault.code, "InvalidTemplate");
  EXPECT_NE(result.fault.message.find("trim"), std::string::npos) << result.fault.message;
  EXPECT_EQ(result.fault.details.text_of("kind"), "inputs");
}

TEST(CorrectionInput, WhatDoesNotStandStillIsRefused) {
  const auto state = state_of();
  for (const char* expressions : {R"j({"/uri": "@variables('n')"})j", R"j({"/uri": "@outputs('Nowhere')"})j",
                                  R"j({"/uri": "@trim("})j", R"j({"uri": "x"})j"}) {
    const auto compiled = compile_correction(correction(expressions), *state.flow, "/steps/0/inputExpressions");
    ASSERT_FALSE(compiled) << expressions;
    EXPECT_EQ(compiled.error().code, "InvalidCorrection");
    EXPECT_TRUE(compiled.error().where.starts_with("/steps/0/inputExpressions")) << compiled.error().where;
    EXPECT_FALSE(compiled.error().cure.empty());
  }
}

TEST(CorrectionInput, WhatIsKeptSecureIsNotRead) {
  const auto compiled = definition::compile(*json::parse(R"j({
    "parameters": {"key": {"type": "SecureString", "defaultValue": "k"}, "host": {"type": "String", "defaultValue": "h"}},
    "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {},
      "runtimeConfiguration": {"secureData": {"properties": ["outputs"]}}}},
    "actions": {
      "Scope": {"type": "Scope", "runAfter": {}, "actions": {
        "Secret": {"type": "Http", "inputs": {"method": "GET", "uri": "https://a.test/"},
          "runtimeConfiguration": {"secureData": {"properties": ["outputs"]}}}}},
      "Open": {"type": "Http", "runAfter": {"Scope": ["Succeeded"]}, "inputs": {"method": "GET", "uri": "https://a.test/"}},
      "Send": {"type": "Http", "runAfter": {"Open": ["Succeeded"]}, "inputs": {"method": "POST", "uri": "https://a.test/"}}}})j"));
  ASSERT_TRUE(compiled.flow);
  for (const char* expressions : {R"j({"/uri": "@parameters('key')"})j", R"j({"/uri": "@{triggerBody()}"})j",
                                  R"j({"/uri": "@body('Secret')"})j", R"j({"/uri": "@{result('Scope')}"})j"}) {
    const auto refused = compile_correction(correction(expressions), *compiled.flow, "");
    ASSERT_FALSE(refused) << expressions;
    EXPECT_NE(refused.error().message.find("keeps secure"), std::string::npos) << refused.error().message;
  }
  EXPECT_TRUE(
      compile_correction(correction(R"j({"/uri": "@{body('Open')}@{parameters('host')}"})j"), *compiled.flow, ""));
}

}  // namespace
}  // namespace flowmend::runtime
