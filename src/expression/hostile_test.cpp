// Expressions that would hang or bloat the server if nothing bounded them. Each ends by itself, with a value or with an
// error that says why: a test that does not end is the failure.

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "expression/context_json.h"
#include "expression/template.h"

namespace flowmend::expression {
namespace {

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  out.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

/// The error of an expression over variables; empty when it has a value.
std::string error_of(const std::string& expression, std::vector<std::pair<std::string, Value>> variables = {}) {
  json::ObjectBuilder builder;
  for (auto& [name, value] : variables) builder.add(name, std::move(value));
  ContextFromJson context(Value::object({{"variables", builder.finish()}}), 1);
  Diagnostics diagnostics;
  const Template compiled = Template::compile(Value(expression), context, {}, diagnostics);
  const auto value = compiled.evaluate(context);
  if (value.has_value()) return {};
  EXPECT_EQ(value.error().code, "InvalidTemplate");
  EXPECT_FALSE(value.error().message.empty());
  return value.error().message;
}

void expect_error(const std::string& message, std::string_view part) {
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Hostile, CountsAndLengths) {
  expect_error(error_of("@range(0, 2147483647)"), "from 1 to 100000");
  expect_error(error_of("@chunk(variables('t'), 1)", {{"t", Value(std::string(18'000'000, 'a'))}}), "bytes of memory");
  EXPECT_EQ(error_of("@skip(createArray(1), 9223372036854775807)"), "");
  EXPECT_EQ(error_of("@slice('abc', -9223372036854775808, 9223372036854775807)"), "");
  expect_error(error_of("@substring('abc', 9223372036854775807, 9223372036854775807)"), "out of range");
  expect_error(error_of("@addToTime('2020-01-01', 9223372036854775807, 'Year')"), "out of range");
  expect_error(error_of("@subtractFromTime('2020-01-01', -9223372036854775808, 'Month')"), "out of range");
}

TEST(Hostile, TextsThatGrow) {
  std::string nested = "'aaaaaaaaaa'";
  for (int i = 0; i < 9; ++i) nested = "replace(" + nested + ", 'a', 'aaaaaaaaaa')";
  expect_error(error_of("@" + nested), "bytes of memory");
  std::string coded = "variables('t')";
  for (int i = 0; i < 20; ++i) coded = "base64(" + coded + ")";
  expect_error(error_of("@" + coded, {{"t", Value(std::string(2'000'000, 'x'))}}), "limit of");
  expect_error(error_of("@join(range(0, 100000), variables('t'))", {{"t", Value(std::string(100'000, 'x'))}}),
               "text of more than");
}

TEST(Hostile, Nesting) {
  expect_error(error_of("@" + repeated("string(", 10'000) + "'x'" + repeated(")", 10'000)), "nests deeper");
  EXPECT_EQ(error_of("@variables('n')" + repeated("?['a']", 10'000), {{"n", Value()}}), "");
  expect_error(error_of("@json(variables('t'))", {{"t", Value(std::string(100'000, '['))}}), "cannot be parsed");
  expect_error(error_of("@xml(variables('t'))", {{"t", Value(repeated("<a>", 10'000))}}), "converted to XML");
}

TEST(Hostile, Formats) {
  EXPECT_EQ(error_of("@formatDateTime('2020-01-01', variables('f'))", {{"f", Value(repeated("MMMM ", 200'000))}}), "");
  expect_error(error_of("@utcNow(variables('f'))", {{"f", Value(std::string(500'001, '\''))}}), "format string");
  expect_error(
      error_of("@parseDateTime(variables('f'), 'en-US', variables('f'))", {{"f", Value(repeated("h ", 500'000))}}),
      "not valid");
  EXPECT_EQ(error_of("@formatNumber(1e308, variables('f'))", {{"f", Value(std::string(500'000, ',') + "0")}}), "");
  error_of("@formatNumber(1, 'N999999999')");
}

TEST(Hostile, Searches) {
  const Value text(std::string(1'000'000, 'a'));
  expect_error(error_of("@nthIndexOf(variables('t'), variables('p'), -1)",
                        {{"t", text}, {"p", Value(std::string(500'000, 'a'))}}),
               "steps of work");
  EXPECT_EQ(error_of("@indexOf(variables('t'), variables('p'))",
                     {{"t", text}, {"p", Value(std::string(500'000, 'a') + "b")}}),
            "");
}

TEST(Hostile, RowsThatDifferFarInside) {
  std::vector<Value> rows;
  for (int i = 0; i < 10'000; ++i) {
    Value row(i);
    for (int depth = 0; depth < 6; ++depth) row = Value::object({{"a", row}});
    rows.push_back(row);
  }
  EXPECT_EQ(
      error_of("@intersection(union(variables('r'), variables('r')), variables('r'))", {{"r", Value::array(rows)}}),
      "");
}

TEST(Hostile, Xml) {
  std::string bomb = "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\">";
  for (char name = 'b'; name < 'n'; ++name) {
    bomb += std::string("<!ENTITY ") + name + " \"" +
            repeated(std::string("&") + static_cast<char>(name - 1) + ";", 10) + "\">";
  }
  expect_error(error_of("@xml(variables('x'))", {{"x", Value(bomb + "]><l>&m;</l>")}}), "converted to XML");
  expect_error(error_of("@xml(variables('x'))",
                        {{"x", Value("<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><l>&x;</l>")}}),
               "converted to XML");
  const std::string deep = repeated("<a>", 30) + repeated("</a>", 30);
  expect_error(error_of("@xpath(xml(variables('x')), '//*//*//*//*//*//*//*//*//*')",
                        {{"x", Value("<r>" + repeated(deep, 300) + "</r>")}}),
               "more steps than one XPath expression may");
  EXPECT_EQ(error_of("@xpath(xml(variables('x')), '//*//*//*//*//*//*//*//*//*')",
                     {{"x", Value(repeated("<a>", 100) + repeated("</a>", 100))}}),
            "");
  expect_error(error_of("@xpath(xml('<a/>'), 'a) | (b')"), "can't be evaluated");
}

TEST(Hostile, ValuesOfSharedParts) {
  // Ten times itself, twelve times: a trillion characters of text in a kilobyte of nodes.
  Value value("xxxxxxxxxxxxxxxx");
  for (int i = 0; i < 12; ++i) value = Value::array(std::vector<Value>(10, value));
  EXPECT_GT(value.text_bytes(), 1e12);
  for (const char* expression : {"@variables('v')", "@string(variables('v'))", "@concat(variables('v'), '')",
                                 "@base64(variables('v'))", "@json(string(variables('v')))", "@{variables('v')}"}) {
    expect_error(error_of(expression, {{"v", value}}), "text of more than");
  }
  EXPECT_EQ(error_of("@length(variables('v'))", {{"v", value}}), "");
  Value other("xxxxxxxxxxxxxxxx");
  for (int i = 0; i < 12; ++i) other = Value::array(std::vector<Value>(10, other));
  expect_error(error_of("@equals(variables('v'), variables('w'))", {{"v", value}, {"w", other}}), "steps of work");
  EXPECT_EQ(error_of("@length(union(variables('v'), variables('v')))", {{"v", value}}), "");
}

TEST(Hostile, ReadingIsLinear) {
  // A body of 100,000 rows, each read by its index: copies of the list would be ten billion.
  std::vector<Value> rows;
  for (int i = 0; i < 100'000; ++i) rows.push_back(Value::object({{"id", i}}));
  const Value context_value = Value::object(
      {{"actions",
        Value::object(
            {{"X", Value::object(
                       {{"status", "Succeeded"},
                        {"outputs", Value::object({{"body", Value::object({{"value", Value::array(rows)}})}})}})}})},
       {"item", 99'999}});
  ContextFromJson context(context_value, 1);
  Diagnostics diagnostics;
  const Template compiled = Template::compile(Value("@body('X')?['value'][item()]['id']"), context, {}, diagnostics);
  for (int i = 0; i < 20'000; ++i) {
    const auto value = compiled.evaluate(context);
    ASSERT_TRUE(value.has_value());
    ASSERT_EQ(*value, Value(99'999));
  }
}

}  // namespace
}  // namespace flowmend::expression
