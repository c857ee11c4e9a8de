// Runs every case of the shared conformance file (its format: expressions.md section 12).
//
// Cases that we hold to be wrong stand in conformance_exceptions.json beside this file, each with the reason and a
// source; they must fail here, so that a stale entry is noticed.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "expression/context_json.h"
#include "expression/functions/function.h"
#include "expression/template.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::expression {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Numbers by value (decimals as doubles: JSON can't say more), objects without order.
bool matches(const Value& actual, const Value& expected) {
  if (actual.is_number() && expected.is_number()) {
    if (actual == expected) return true;
    const double a = actual.to_double();
    const double b = expected.to_double();
    return std::fabs(a - b) <= 1e-15 * std::fabs(b);
  }
  if (actual.type() != expected.type()) return false;
  if (actual.is_array()) {
    if (actual.size() != expected.size()) return false;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      if (!matches(actual.as_array()[i], expected.as_array()[i])) return false;
    }
    return true;
  }
  if (actual.is_object()) {
    if (actual.size() != expected.size()) return false;
    for (const json::Member& member : expected.as_object()) {
      const Value* found = actual.find(member.name());
      if (found == nullptr || !matches(*found, member.value)) return false;
    }
    return true;
  }
  return actual == expected;
}

/// Empty when the case passes, else what happened.
std::string check(const Value& test) {
  const Value* context_value = test.find("context");
  ContextFromJson context(context_value == nullptr ? Value() : *context_value, 42);
  Diagnostics diagnostics;
  const Template compiled = Template::compile(*test.find("expr"), context, "", diagnostics);
  const auto result = compiled.evaluate(context);
  const Value* error = test.find("error");
  if (error != nullptr) {
    if (result.has_value()) return "gives " + json::write(*result) + " instead of an error";
    if (error->as_string() == "InvalidTemplate") return {};
    if (result.error().message.find(error->as_string()) != std::string::npos) return {};
    return "says: " + result.error().message;
  }
  if (result.has_error()) return "fails: " + result.error().message;
  if (const Value* pattern = test.find("expectMatches")) {
    const std::string text = text_of_value(*result);
    if (std::regex_search(text, std::regex(std::string(pattern->as_string())))) return {};
    return "gives " + text;
  }
  if (matches(*result, *test.find("expect"))) return {};
  return "gives " + json::write(*result);
}

TEST(Conformance, EveryCaseOfTheSharedFile) {
  const std::string text = read_file(std::string(FLOWMEND_SOURCE_DIR) + "/../shared/conformance/expressions.json");
  if (text.empty()) GTEST_SKIP() << "../shared/conformance/expressions.json is not here";
  const auto cases = json::parse(text);
  ASSERT_TRUE(cases.has_value()) << cases.error().message;
  const auto exceptions =
      json::parse(read_file(std::string(FLOWMEND_SOURCE_DIR) + "/src/expression/conformance_exceptions.json"));
  ASSERT_TRUE(exceptions.has_value()) << exceptions.error().message;
  EXPECT_LE(exceptions->size() * 100, cases->size()) << "more than 1 % exceptions";

  std::size_t passed = 0;
  for (const Value& test : cases->as_array()) {
    const std::string id(test.text_of("id"));
    const std::string problem = check(test);
    if (exceptions->find(id) != nullptr) {
      EXPECT_FALSE(problem.empty()) << id << " passes: remove it from conformance_exceptions.json";
      continue;
    }
    if (problem.empty()) {
      ++passed;
      continue;
    }
    ADD_FAILURE() << id << ": " << test.text_of("expr") << "\n  expected " << json::write(test) << "\n  " << problem;
  }
  RecordProperty("passed", static_cast<int>(passed));
  std::cout << passed << " of " << cases->size() << " cases pass\n";
}

}  // namespace
}  // namespace flowmend::expression
