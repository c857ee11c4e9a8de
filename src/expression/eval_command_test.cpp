#include "expression/eval_command.h"

#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace flowmend::expression {
namespace {

TEST(EvalCommand, AnswersLineByLine) {
  std::istringstream in(
      "{\"id\": 1, \"expr\": \"@add(1, 2)\"}\n"
      "{\"id\": \"b\", \"expr\": \"@variables('x')\", \"context\": {\"variables\": {\"x\": [1.0, \"ä\"]}}}\n"
      "\n"
      "not json\n"
      "{\"id\": 3}\n"
      "{\"id\": 4, \"expr\": \"@nope()\"}\n"
      "{\"id\": 5, \"expr\": \"@item()\", \"context\": 7}\n");
  std::ostringstream out;
  EXPECT_EQ(run_eval_jsonl(in, out), 0);
  std::istringstream lines(out.str());
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, R"({"id":1,"value":3})");
  std::getline(lines, line);
  EXPECT_EQ(line, R"({"id":"b","value":[1.0,"ä"]})");
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with(R"({"id":null,"error":{"code":"InvalidRequest")")) << line;
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with(R"({"id":3,"error":{"code":"InvalidRequest")")) << line;
  std::getline(lines, line);
  EXPECT_EQ(
      line,
      R"({"id":4,"error":{"code":"InvalidTemplate","message":"The template function 'nope' is not defined or not valid."}})");
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with(R"({"id":5,"error":{"code":"InvalidRequest")")) << line;
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(EvalCommand, ReadsNoFileThatIsNotThere) { EXPECT_EQ(run_eval("@add(1, 2)", "/nonexistent/context.json"), 2); }

}  // namespace
}  // namespace flowmend::expression
