// Each limit of a definition: at its value nothing is said, one above gives one error that names the place.

#include "definition/limits.h"

#include <string>

#include <gtest/gtest.h>

#include "definition/flow.h"
#include "json/parse.h"

namespace flowmend::definition {
namespace {

std::string repeated(int count, const std::string& separator, auto one) {
  std::string out;
  for (int i = 0; i < count; ++i) out += (i == 0 ? "" : separator) + one(std::to_string(i));
  return out;
}

std::string composes(int count) {
  return "{" +
         repeated(count, ",", [](const std::string& n) { return "\"C" + n + R"(":{"type":"Compose","inputs":1})"; }) +
         "}";
}

/// Scopes inside each other, a Compose in the innermost: `depth` levels in all.
std::string nested(int depth) {
  std::string out = R"({"Leaf":{"type":"Compose","inputs":1}})";
  for (int i = depth; i > 1; --i) out = R"({"S)" + std::to_string(i) + R"(":{"type":"Scope","actions":)" + out + "}}";
  return out;
}

std::string definition_with(const std::string& members) {
  return R"({"triggers":{"manual":{"type":"Request","kind":"Http"}},)" + members + "}";
}

Diagnostics findings(const std::string& definition, const Limits& limits = {}) {
  Diagnostics found;
  check_limits(*json::parse(definition), limits, found);
  return found;
}

void expect_bound(const std::string& allowed, const std::string& refused, const std::string& code,
                  const std::string& pointer) {
  EXPECT_TRUE(findings(allowed).empty()) << code << ": " << findings(allowed).front().message;
  const Diagnostics found = findings(refused);
  ASSERT_EQ(found.size(), 1u) << code;
  EXPECT_EQ(found.front().code, code);
  EXPECT_EQ(found.front().pointer, pointer);
  EXPECT_EQ(found.front().severity, Severity::error);
  EXPECT_NE(found.front().cure.find("flowmend limits"), std::string::npos);
  EXPECT_TRUE(findings(refused, Limits::none()).empty());
}

TEST(DefinitionLimits, CountsOfTheWhole) {
  const auto actions = [](int n) { return definition_with("\"actions\":" + composes(n)); };
  expect_bound(actions(500), actions(501), "ActionsLimitExceeded", "/actions");
  const auto depth = [](int n) { return definition_with("\"actions\":" + nested(n)); };
  expect_bound(depth(9), depth(10), "NestingLimitExceeded",
               "/actions/S2/actions/S3/actions/S4/actions/S5/actions/S6/actions/S7/actions/S8/actions/S9/actions/S10/"
               "actions/Leaf");
  const auto parameters = [](int n) {
    return definition_with(R"("parameters":{)" +
                           repeated(n, ",", [](const std::string& i) { return "\"p" + i + R"(":{"type":"String"})"; }) +
                           "}");
  };
  expect_bound(parameters(50), parameters(51), "ParametersLimitExceeded", "/parameters");
  const auto outputs = [](int n) {
    return definition_with(
        R"("outputs":{)" +
        repeated(n, ",", [](const std::string& i) { return "\"o" + i + R"(":{"type":"String","value":"x"})"; }) + "}");
  };
  expect_bound(outputs(10), outputs(11), "OutputsLimitExceeded", "/outputs");
  const auto variables = [](int n) {
    return definition_with(
        R"("actions":{"I":{"type":"InitializeVariable","inputs":{"variables":[)" +
        repeated(n, ",", [](const std::string& i) { return R"({"name":"v)" + i + R"(","type":"integer"})"; }) + "]}}}");
  };
  expect_bound(variables(250), variables(251), "VariablesLimitExceeded", "/actions");
}

TEST(DefinitionLimits, SizesOfOneAction) {
  const auto cases = [](int n) {
    return definition_with(
        R"--("actions":{"S":{"type":"Switch","expression":"@triggerBody()","cases":{)--" +
        repeated(n, ",",
                 [](const std::string& i) { return "\"k" + i + R"--(":{"case":)--" + i + R"--(,"actions":{}})--"; }) +
        "}}}");
  };
  expect_bound(cases(25), cases(26), "SwitchCasesLimitExceeded", "/actions/S/cases");
  const auto named = [](int n) {
    return definition_with("\"actions\":{\"" + std::string(static_cast<std::size_t>(n), 'n') +
                           R"--(":{"type":"Compose","inputs":1}})--");
  };
  expect_bound(named(80), named(81), "NameLimitExceeded", "/actions/" + std::string(81, 'n'));
  const auto described = [](int n) {
    // Characters, not bytes: each of these takes two.
    std::string words;
    for (int i = 0; i < n; ++i) words += "ü";
    return definition_with(R"--("actions":{"C":{"type":"Compose","inputs":1,"description":")--" + words + "\"}}");
  };
  expect_bound(described(256), described(257), "DescriptionLimitExceeded", "/actions/C/description");
  const std::string long_text(257, 'x');
  const Diagnostics found =
      findings(R"--({"description":")--" + long_text + R"--(","triggers":{"t":{"type":"Request","description":")--" +
               long_text + "\"}}}");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].pointer, "/triggers/t/description");
  EXPECT_EQ(found[1].pointer, "/description");
  const auto expression = [](int n) {
    return definition_with(R"--("actions":{"C":{"type":"Compose","inputs":{"a":["@concat(')--" +
                           std::string(static_cast<std::size_t>(n) - 11, 'x') + R"--(')"]}}})--");
  };
  expect_bound(expression(8'192), expression(8'193), "ExpressionLimitExceeded", "/actions/C/inputs/a/0");
}

TEST(DefinitionLimits, ATextThatHoldsExpressionsMayBeLong) {
  const std::string mail(100'000, 'x');
  const std::string definition =
      definition_with(R"--("actions":{"C":{"type":"Compose","inputs":")--" + mail + R"--(@{utcNow()}"}})--");
  EXPECT_TRUE(findings(definition).empty());
}

TEST(DefinitionLimits, SettingsOfOneAction) {
  const auto loop =
      *json::parse(definition_with(R"--("actions":{"F":{"type":"Foreach","foreach":"@triggerBody()","actions":{},
                                           "runtimeConfiguration":{"concurrency":{"repetitions":60}}}})--"));
  CompileOptions options;
  ASSERT_FALSE(compile(loop, options).flow);
  EXPECT_EQ(compile(loop, options).diagnostics.front().message, "The concurrency of a Foreach must be from 1 to 50.");
  options.limits.foreach_concurrency = 60;
  EXPECT_TRUE(compile(loop, options).flow);
}

TEST(DefinitionLimits, AnyValueIsRead) {
  for (const char* text : {"null", "[]", "{\"actions\":[]}", "{\"actions\":{\"a\":null},\"triggers\":1}",
                           "{\"actions\":{\"s\":{\"cases\":[1],\"else\":3,\"description\":{}}}}"}) {
    EXPECT_TRUE(findings(text).empty()) << text;
  }
}

}  // namespace
}  // namespace flowmend::definition
