#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "definition/flow.h"
#include "json/parse.h"

namespace flowmend::definition {
namespace {

Compiled compile_actions(const std::string& actions) {
  const auto definition = json::parse(R"j({"triggers":{"manual":{"type":"Request"}},"actions":)j" + actions + "}");
  EXPECT_TRUE(definition.has_value());
  return compile(*definition);
}

TEST(Compile, BuildsTheGraph) {
  const Compiled compiled = compile_actions(R"j({
    "A": {"type": "compose", "inputs": 1},
    "L": {"type": "foreach", "foreach": "@createArray(1)", "runAfter": {"a": ["SUCCEEDED"]},
          "actions": {"B": {"type": "Compose", "inputs": "@items('L')"}}},
    "I": {"type": "If", "expression": {"and": [{"equals": ["@outputs('A')", 1]}]}, "runAfter": {"L": ["Failed"]},
          "actions": {}, "else": {"actions": {"C": {"type": "Compose", "inputs": 2}}}}})j");
  ASSERT_NE(compiled.flow, nullptr);
  const Flow& flow = *compiled.flow;
  ASSERT_EQ(flow.actions.size(), 5U);
  const Action& loop = *flow.find_action("l");
  EXPECT_EQ(loop.run_after.at(0).statuses, succeeded_bit);
  EXPECT_EQ(flow.find_action("B")->loop, loop.id);
  EXPECT_EQ(loop.frame_slots, 1U);
  EXPECT_EQ(flow.root_slots, 4U);
  EXPECT_EQ(flow.root.roots, std::vector<ActionId>{0});
  EXPECT_EQ(flow.root.leaves, std::vector<ActionId>{flow.find_action("I")->id});
  EXPECT_EQ(flow.find_action("I")->branches.size(), 2U);
  EXPECT_EQ(flow.find_action("C")->branch, 1U);
}

TEST(Compile, HidesWhatUsesSecuredOutputs) {
  const Compiled compiled = compile_actions(R"j({
    "S": {"type": "Http", "inputs": {"method": "GET", "uri": "https://a.test"},
          "runtimeConfiguration": {"secureData": {"properties": ["outputs"]}}},
    "C": {"type": "Compose", "inputs": "@body('S')", "runAfter": {"S": ["Succeeded"]}},
    "D": {"type": "Compose", "inputs": "@outputs('C')", "runAfter": {"C": ["Succeeded"]}},
    "E": {"type": "Compose", "inputs": 1}})j");
  ASSERT_NE(compiled.flow, nullptr);
  EXPECT_TRUE(compiled.flow->find_action("C")->settings.secure_outputs);
  EXPECT_TRUE(compiled.flow->find_action("D")->settings.secure_inputs);
  EXPECT_FALSE(compiled.flow->find_action("E")->settings.secure_inputs);
}

TEST(Compile, RefusesWithCodeAndPlace) {
  struct Case {
    const char* actions;
    const char* code;
    const char* pointer;
  };
  const Case cases[] = {
      {R"j({"A": {"type": "Nope"}})j", "WorkflowRunActionTypeUnsupported", "/actions/A/type"},

      {R"j({"A": {"type": "Http", "inputs": {"method": "GET"}}})j", "MissingRequiredProperty", "/actions/A/inputs"},
      {R"j({"A": {"type": "Compose", "inputs": 1, "runAfter": {"B": ["Succeeded"]}}})j", "InvalidTemplate",
       "/actions/A/runAfter/B"},
      {R"j({"A": {"type": "Compose", "inputs": 1, "runAfter": {"A": ["Succeeded"]}}})j", "InvalidTemplate",
       "/actions/A/runAfter"},
      {R"j({"A": {"type": "Compose", "inputs": "@outputs('A')"}})j", "InvalidTemplate", "/actions/A"},
      {R"j({"A": {"type": "SetVariable", "inputs": {"name": "x", "value": 1}}})j", "InvalidVariableOperation",
       "/actions/A/inputs/name"},
      {R"j({"A": {"type": "Until", "expression": "@true", "limit": {"count": 5001}}})j",
       "WorkflowRunActionUntilLimitInvalid", "/actions/A/limit/count"},
      {R"j({"A": {"type": "Scope", "actions": {"a": {"type": "Compose", "inputs": 1}}}})j", "DuplicateActionName",
       "/actions/A/actions/a"},
  };
  for (const Case& one : cases) {
    const Compiled compiled = compile_actions(one.actions);
    EXPECT_EQ(compiled.flow, nullptr) << one.actions;
    EXPECT_TRUE(std::ranges::any_of(compiled.diagnostics, [&](const Diagnostic& d) {
      return d.code == one.code && d.pointer == one.pointer && !d.cure.empty();
    })) << one.actions;
  }
}

TEST(Compile, TakesAnyValue) {
  for (const char* text :
       {"null", "1", "[]", "{}", R"j({"triggers":1,"actions":[]})j", R"j({"actions":{"A":1,"B":{"type":2}}})j"}) {
    EXPECT_EQ(compile(*json::parse(text)).flow, nullptr) << text;
    EXPECT_FALSE(compile(*json::parse(text)).diagnostics.empty()) << text;
  }
}

}  // namespace
}  // namespace flowmend::definition
