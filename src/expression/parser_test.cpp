#include "expression/parser.h"

#include <string>

#include <gtest/gtest.h>

#include "expression/testing.h"

namespace flowmend::expression {
namespace {

using testing::evaluated;
using testing::failed;

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Parser, TellsTheTokenThatIsWrong) {
  EXPECT_EQ(failed("@concat('a'").message,
            "Unable to parse template language expression 'concat('a'': expected token 'RightParenthesis' and actual "
            "'EndOfData'.");
  EXPECT_EQ(
      failed("@odata.type").message,
      "Unable to parse template language expression 'odata.type': expected token 'LeftParenthesis' and actual 'Dot'.");
  const ExpressionError error = failed("@concat('a' 'b')");
  EXPECT_EQ(error.expected, "RightParenthesis");
  EXPECT_EQ(error.found, "StringLiteral");
  EXPECT_EQ(error.range.begin, 12u);
  EXPECT_EQ(error.range.end, 15u);
}

TEST(Parser, RefusesWhatTheServiceRefuses) {
  for (const char* text : {"@()",
                           "@concat",
                           "@f(a)(b)",
                           "@'a','b'",
                           "@1e",
                           "@1e+",
                           "@1e1.1",
                           "@--1",
                           "@+",
                           "@5abc",
                           "@{}",
                           "@{'a'",
                           "@triggerBody()?",
                           "@triggerBody().",
                           "@length(\"a\")",
                           "@concat('a',)",
                           "@string({})",
                           "@9223372036854775808",
                           "@'abc",
                           "@createArray(1)[",
                           "@createArray(1)[]",
                           "@'a'}"}) {
    EXPECT_TRUE(evaluated(text).starts_with("error: Unable to parse template language expression"))
        << text << " " << evaluated(text);
  }
}

TEST(Parser, ReadsNumbersAsWritten) {
  EXPECT_EQ(evaluated("@-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(evaluated("@1."), "1.0");
  EXPECT_EQ(evaluated("@+.5"), "0.5");
  EXPECT_EQ(evaluated("@-01.0"), "-1.0");
  EXPECT_EQ(evaluated("@sub(10.3, .3)"), "10.0");
  EXPECT_EQ(evaluated("@9223372036854775809.5"), "9.223372036854776E+18");
}

TEST(Parser, TakesPastedSpacesForWhiteSpace) {
  EXPECT_EQ(evaluated("@concat('a',\u00A0'b'\u3000,\t'c'\r\n)"), R"("abc")");
  EXPECT_EQ(evaluated("@concat('a\u00A0b')"), "\"a\u00A0b\"");
}

TEST(Parser, NestingIsBoundedAndClear) {
  const std::string fine = "@" + repeated("string(", 300) + "1" + repeated(")", 300);
  EXPECT_EQ(evaluated(fine), R"("1")");
  const std::string deep_calls = "@" + repeated("string(", 10'000) + "1" + repeated(")", 10'000);
  EXPECT_NE(evaluated(deep_calls).find("nests deeper than 400 levels"), std::string::npos);
  const std::string deep_brackets = "@item()" + repeated("[item()", 10'000) + repeated("]", 10'000);
  EXPECT_NE(evaluated(deep_brackets).find("nests deeper than 400 levels"), std::string::npos);
  const std::string deep_open = "@" + repeated("not(", 100'000);
  EXPECT_NE(evaluated(deep_open).find("nests deeper than 400 levels"), std::string::npos);
}

TEST(Parser, LongChainsAreNoNesting) {
  std::string context = R"({"item": )" + repeated(R"({"a":)", 200) + "7" + repeated("}", 200) + "}";
  EXPECT_EQ(evaluated("@item()" + repeated("?['a']", 200), context), "7");
  EXPECT_EQ(evaluated("@item()" + repeated("?.b", 5'000), context), "null");
}

}  // namespace
}  // namespace flowmend::expression
