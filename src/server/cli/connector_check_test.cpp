#include "server/cli/connector_check.h"

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "json/parse.h"

namespace flowmend::server {
namespace {

std::vector<Value> answers(const std::string& lines) {
  std::istringstream in(lines);
  std::ostringstream out;
  EXPECT_EQ(run_connector_check_jsonl(in, out), 0);
  std::vector<Value> list;
  std::istringstream replies(out.str());
  for (std::string line; std::getline(replies, line);) {
    const auto value = json::parse(line);
    EXPECT_TRUE(value.has_value()) << line;
    if (value) list.push_back(*value);
  }
  return list;
}

constexpr const char* orders =
    R"({"swagger":"2.0","info":{"title":"Orders","version":"1"},"host":"orders.test","paths":{)"
    R"("/orders":{"get":{"operationId":"List","responses":{"200":{"description":"ok"}}},)"
    R"("post":{"operationId":"Add","responses":{"200":{"description":"ok"}}}}}})";

TEST(ConnectorCheck, AnswersLineByLineWhateverALineHolds) {
  const auto replies = answers(std::string("{\"id\":1,\"swagger\":") + orders +
                               ",\"properties\":{\"properties\":{\"scriptOperations\":[\"Add\"]}}}\n"
                               "\nno json\n"
                               "{\"id\":\"b\"}\n"
                               "{\"id\":3,\"swagger\":7}\n"
                               "{\"id\":4,\"swagger\":\"{ cut off\"}\n"
                               "[]\n");
  ASSERT_EQ(replies.size(), 6u);
  EXPECT_EQ(*replies[0].find("id"), Value(1));
  EXPECT_EQ(*replies[0].find("operations"), Value(2));
  EXPECT_EQ(*replies[0].find("usable"), Value(1));
  const Value& unusable = *replies[0].find("unusable");
  ASSERT_EQ(unusable.size(), 1u);
  EXPECT_EQ(unusable.as_array()[0].text_of("id"), "Add");
  EXPECT_EQ(unusable.as_array()[0].text_of("code"), "ConnectorScriptUnsupported");
  for (std::size_t i = 1; i < replies.size(); ++i) {
    const Value& findings = *replies[i].find("diagnostics");
    ASSERT_GE(findings.size(), 1u) << i;
    EXPECT_EQ(findings.as_array()[0].text_of("severity"), "error") << i;
    EXPECT_FALSE(findings.as_array()[0].text_of("cure").empty()) << i;
    EXPECT_EQ(*replies[i].find("operations"), Value(0)) << i;
  }
  EXPECT_EQ(*replies[2].find("id"), Value("b"));
}

TEST(ConnectorCheck, SaysWhenAFileCannotBeRead) {
  std::ostringstream out;
  EXPECT_EQ(run_connector_check({"/nonexistent/apiDefinition.swagger.json"}, out), 2);
  EXPECT_NE(out.str().find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace flowmend::server
