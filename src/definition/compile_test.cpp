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

Compiled compile_triggers(const std::string& triggers, const std::string& actions, Dialect dialect = Dialect::la) {
  const auto definition = json::parse("{\"triggers\":" + triggers + ",\"actions\":" + actions + "}");
  EXPECT_TRUE(definition.has_value());
  CompileOptions options;
  options.dialect = dialect;
  return compile(*definition, options);
}

TEST(Compile, GivesTheFlowOnceForEachTrigger) {
  const char* triggers = R"j({"open": {"type": "Request"}, "secret": {"type": "Request",
    "runtimeConfiguration": {"secureData": {"properties": ["outputs"]}}}, "timer": {"type": "Recurrence",
    "recurrence": {"frequency": "Day", "interval": 1}}})j";
  const char* actions = R"j({"A": {"type": "Compose", "inputs": "@triggerBody()"}})j";
  const Compiled compiled = compile_triggers(triggers, actions);
  ASSERT_NE(compiled.flow, nullptr);
  EXPECT_TRUE(compiled.diagnostics.empty());
  EXPECT_EQ(by_trigger(compiled.flow).size(), 3U);
  EXPECT_EQ(with_trigger(compiled.flow, "open"), compiled.flow);
  EXPECT_EQ(with_trigger(compiled.flow, "none"), nullptr);
  EXPECT_EQ(with_trigger_or_first(compiled.flow, "none"), compiled.flow);
  EXPECT_EQ(with_trigger(compiled.flow, "timer")->trigger.source, TriggerSource::schedule);
  // What one trigger hides is no secret of another's runs.
  EXPECT_FALSE(compiled.flow->find_action("A")->settings.secure_inputs);
  EXPECT_TRUE(with_trigger(compiled.flow, "secret")->find_action("A")->settings.secure_inputs);
  const Compiled in_pa = compile_triggers(triggers, actions, Dialect::pa);
  ASSERT_EQ(in_pa.diagnostics.size(), 1U);
  EXPECT_EQ(in_pa.diagnostics[0].code, "WorkflowTriggerCountUnsupported");
  EXPECT_EQ(in_pa.diagnostics[0].severity, Severity::warning);
}

TEST(Compile, RefusesMoreTriggersThanTenAndABrokenOneAmongThem) {
  std::string many;
  for (int i = 0; i < 11; ++i)
    many += (many.empty() ? "{" : ",") + ("\"t" + std::to_string(i)) + R"(":{"type":"Request"})";
  const Compiled refused = compile_triggers(many + "}", "{}");
  EXPECT_EQ(refused.flow, nullptr);
  EXPECT_EQ(refused.diagnostics.at(0).code, "TriggersLimitExceeded");
  const Compiled broken = compile_triggers(R"j({"a": {"type": "Request"}, "b": {"type": "Recurrence"}})j", "{}");
  EXPECT_EQ(broken.flow, nullptr);
  EXPECT_EQ(broken.diagnostics.at(0).pointer, "/triggers/b/recurrence");
}

TEST(Compile, WarnsOfAResponseThatAnswersNobody) {
  const char* split = R"j({"t": {"type": "Request", "splitOn": "@triggerBody()"}})j";
  const auto with = compile_triggers(split, R"j({"R": {"type": "Response"}})j");
  ASSERT_EQ(with.diagnostics.size(), 1U);
  EXPECT_EQ(with.diagnostics[0].code, "WorkflowUnsupportedSplitOnTriggerForResponseAction");
  EXPECT_NE(with.flow, nullptr);
  EXPECT_TRUE(compile_triggers(split, "{}").diagnostics.empty());
}

TEST(Compile, ChecksTheBatchesOfATrigger) {
  const auto first = [](const char* inputs, const char* actions) {
    const Compiled compiled =
        compile_triggers(std::string(R"j({"b": {"type": "Batch", "inputs": )j") + inputs + "}}", actions);
    return compiled.diagnostics.empty() ? std::string()
                                        : compiled.diagnostics[0].code + " " + compiled.diagnostics[0].pointer;
  };
  EXPECT_EQ(
      first(
          R"j({"mode": "Inline", "configurations": {"x": {"releaseCriteria": {"messageCount": "@parameters('$connections')['n']",
    "recurrence": {"frequency": "Hour", "interval": 1}}}}})j",
          "{}"),
      "");
  EXPECT_EQ(first("{}", "{}"), "InvalidBatchConfiguration /triggers/b/inputs/configurations");
  EXPECT_EQ(first(R"j({"configurations": {"x": {}}})j", "{}"),
            "InvalidBatchConfiguration /triggers/b/inputs/configurations/x/releaseCriteria");
  EXPECT_EQ(first(R"j({"configurations": {"x": {"releaseCriteria": {"messageCount": 8001}}}})j", "{}"),
            "InvalidBatchConfiguration /triggers/b/inputs/configurations/x/releaseCriteria/messageCount");
  EXPECT_EQ(
      first(R"j({"configurations": {"x": {"releaseCriteria": {"recurrence": {"frequency": "Eon", "interval": 1}}}}})j",
            "{}"),
      "InvalidWorkflowTriggerRecurrence /triggers/b/inputs/configurations/x/releaseCriteria/recurrence/frequency");
  EXPECT_EQ(first(R"j({"mode": "IntegrationAccount"})j", "{}"), "TriggerTypeUnavailable /triggers/b/inputs/mode");
  EXPECT_EQ(first(R"j({"configurations": {"x": {"releaseCriteria": {"batchSize": 10}}}})j",
                  R"j({"R": {"type": "Response"}})j"),
            "WorkflowUnsupportedBatchTriggerForResponseAction /triggers/b");
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
