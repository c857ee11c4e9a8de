#include "definition/order.h"

#include <gtest/gtest.h>

#include "json/parse.h"

namespace flowmend::definition {
namespace {

/// Codes and first quoted names of what the checker says about a definition's actions.
std::string findings(std::string_view actions) {
  const auto definition = json::parse(R"j({"triggers": {"manual": {"type": "Request", "kind": "Http"}}, "actions": )j" +
                                      std::string(actions) + "}");
  if (!definition) return definition.error().message;
  std::string out;
  for (const Diagnostic& d : compile(*definition).diagnostics)
    out += d.code + "|" + d.message.substr(0, d.message.find(',')) + "\n";
  return out;
}

std::string compose(std::string_view value, std::string_view after = "{}") {
  return R"j({"type": "Compose", "inputs": ")j" + std::string(value) + R"j(", "runAfter": )j" + std::string(after) +
         "}";
}

/// `%1`, `%2` ... in `actions` stand for the parts.
void expect_findings(std::string actions, const std::vector<std::string>& parts, const std::string& wanted) {
  for (std::size_t i = 0; i < parts.size(); ++i)
    actions.replace(actions.find("%" + std::to_string(i + 1)), 2, parts[i]);
  EXPECT_EQ(findings(actions), wanted) << actions;
}

TEST(Order, AcceptsWhatRanBefore) {
  expect_findings(R"j({"A": %1, "B": %2, "C": %3})j",
                  {compose("1"), compose("@outputs('A')", R"j({"A": ["Succeeded"]})j"),
                   compose("@outputs('A')", R"j({"B": ["Succeeded"]})j")},
                  "");
  expect_findings(R"j({"Until": {"type": "Until", "expression": "@equals(outputs('A'), 1)", "actions": {"A": %1}}})j",
                  {compose("1")}, "");
}

TEST(Order, RefusesWhatCannotHaveRun) {
  expect_findings(R"j({"A": %1, "B": %2})j", {compose("@outputs('B')"), compose("1", R"j({"A": ["Succeeded"]})j")},
                  "InvalidTemplate|Action 'A' refers to 'B'\n");
  expect_findings(
      R"j({"If": {"type": "If", "expression": {"equals": [1, 1]}, "actions": {"A": %1}, "else": {"actions": {"B": %2}}}})j",
      {compose("1"), compose("@outputs('A')")}, "InvalidTemplate|Action 'B' refers to 'A'\n");
  expect_findings(R"j({"Loop": {"type": "Foreach", "foreach": "@outputs('A')", "actions": {"A": %1}}})j",
                  {compose("1")}, "InvalidTemplate|Action 'Loop' refers to 'A'\n");
}

TEST(Order, WarnsOfParallelActions) {
  expect_findings(R"j({"A": %1, "B": %2})j", {compose("1"), compose("@outputs('A')")},
                  "ReferenceToParallelAction|Action 'B' refers to 'A'\n");
}

}  // namespace
}  // namespace flowmend::definition
