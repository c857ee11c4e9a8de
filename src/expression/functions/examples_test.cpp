// Executes the example of every function: what the reference page and the portal's hints show is true.

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "expression/functions/function.h"
#include "expression/testing.h"

namespace flowmend::expression {
namespace {

TEST(Functions, EveryExampleGivesWhatItSays) {
  int executed = 0;
  for (const FunctionTable& table : all_functions()) {
    for (const FunctionEntry& entry : table) {
      if (entry.gives.empty()) continue;
      ++executed;
      const std::string given = testing::evaluated("@" + std::string(entry.example));
      const auto value = json::parse(given);
      ASSERT_TRUE(value.has_value()) << entry.name << ": " << given;
      EXPECT_EQ(*value, *json::parse(entry.gives)) << entry.name << ": " << given;
    }
  }
  EXPECT_GE(executed, 60);
}

TEST(Functions, EveryEntryIsComplete) {
  std::set<std::string> names;
  for (const FunctionTable& table : all_functions()) {
    for (const FunctionEntry& entry : table) {
      EXPECT_TRUE(names.insert(std::string(entry.name)).second) << entry.name << " stands twice";
      EXPECT_FALSE(entry.about.empty()) << entry.name;
      EXPECT_FALSE(entry.example.empty()) << entry.name;
      EXPECT_TRUE(entry.arguments_max == 0 || !entry.arguments.empty()) << entry.name;
      EXPECT_LE(entry.arguments_min, entry.arguments_max) << entry.name;
      EXPECT_EQ(find_function(entry.name), &entry);
    }
  }
  EXPECT_EQ(find_function("TOLOWER"), find_function("toLower"));
  EXPECT_EQ(find_function("nope"), nullptr);
  EXPECT_EQ(find_function(std::string(100'000, 'a')), nullptr);
}

// A wrong kind in any place is an error with a text, never a crash: every function with every mix of kinds.
TEST(Functions, SurviveEveryKindOfArgument) {
  const std::string context =
      R"({"variables": {"a": null, "b": true, "c": -1, "d": 1.5, "e": "text 😀", "f": [1, "x", null],
      "g": {"a": 1, "$content-type": "application/octet-stream", "$content": "YQ=="}, "h": "", "i": 9223372036854775807,
      "j": [], "k": {}}})";
  const std::string kinds = "abcdefghijk";
  for (const FunctionTable& table : all_functions()) {
    for (const FunctionEntry& entry : table) {
      for (std::size_t count = entry.arguments_min; count <= 3u && count <= entry.arguments_max; ++count) {
        std::size_t mixes = 1;
        for (std::size_t i = 0; i < count; ++i) mixes *= kinds.size();
        for (std::size_t mix = 0; mix < mixes; ++mix) {
          std::string call = "@" + std::string(entry.name) + "(";
          std::size_t rest = mix;
          for (std::size_t i = 0; i < count; ++i) {
            call += std::string(i == 0 ? "" : ",") + "variables('" + kinds[rest % kinds.size()] + "')";
            rest /= kinds.size();
          }
          const std::string given = testing::evaluated(call + ")", context);
          EXPECT_FALSE(given.empty());
          EXPECT_TRUE(!given.starts_with("error: ") || given.size() > 20) << call << given;
        }
      }
    }
  }
}

}  // namespace
}  // namespace flowmend::expression
