#include "expression/template.h"

#include <string>

#include <gtest/gtest.h>

#include "expression/testing.h"

namespace flowmend::expression {
namespace {

using testing::diagnosed;
using testing::evaluated;
using testing::failed;

TEST(Template, StringsOfAllKinds) {
  EXPECT_EQ(evaluated("plain"), R"("plain")");
  EXPECT_EQ(evaluated("@"), R"("@")");
  EXPECT_EQ(evaluated("@@{'a'}@{'b'}"), R"("@{'a'}@{'b'}")");
  EXPECT_EQ(evaluated("x@@{'a'}@{'b'}"), R"("x@{'a'}b")");
  EXPECT_EQ(evaluated("@{1}"), R"("1")");
  EXPECT_EQ(evaluated("@1"), "1");
  EXPECT_EQ(evaluated("a@b.c"), R"("a@b.c")");
  EXPECT_EQ(evaluated("@{concat('}')}-@{if(true, 'x', 'y')}"), R"("}-x")");
}

TEST(Template, SharesWhatHoldsNoExpression) {
  ContextFromJson context({}, 1);
  Diagnostics diagnostics;
  const Value source =
      *json::parse(R"x({"a": {"long": "a text that does not fit inside a value"}, "b": "@add(1, 2)"})x");
  const Template compiled = Template::compile(source, context, "", diagnostics);
  const auto value = compiled.evaluate(context);
  ASSERT_TRUE(value.has_value());
  EXPECT_TRUE(value->find("a")->same_node(*source.find("a")));
  EXPECT_EQ(*value->find("b"), Value(3));

  const Template constant = Template::compile(*source.find("a"), context, "", diagnostics);
  EXPECT_TRUE(constant.is_constant());
  EXPECT_TRUE(constant.evaluate(context)->same_node(*source.find("a")));
  EXPECT_TRUE(Template().is_constant());
  EXPECT_TRUE(Template().evaluate(context)->is_null());
}

TEST(Template, NamesOfMembersAreEvaluatedWhenTheyAreExpressions) {
  ContextFromJson context(*json::parse(R"({"parameters": {"p": "Name"}})"), 1);
  Diagnostics diagnostics;
  const Value source =
      *json::parse(R"x({"@{parameters('p')}1": 1, "@odata.type": 2, "@@x": 3, "@parameters('p')": "@4"})x");
  const auto value = Template::compile(source, context, "", diagnostics).evaluate(context);
  ASSERT_TRUE(value.has_value()) << value.error().message;
  EXPECT_EQ(json::write(*value), R"({"Name1":1,"@odata.type":2,"@x":3,"Name":4})");
  EXPECT_TRUE(diagnostics.empty());
}

TEST(Template, ErrorsSayWhere) {
  ContextFromJson context(*json::parse(R"({"variables": {"o": {"a": null}}})"), 1);
  Diagnostics diagnostics;
  const Value source = *json::parse(R"({"x": [1, "id @{concat('a', variables('o')['a']['b'])}"]})");
  const auto value = Template::compile(source, context, "/actions/A/inputs", diagnostics).evaluate(context);
  ASSERT_TRUE(value.has_error());
  const ExpressionError& error = value.error();
  EXPECT_EQ(error.pointer, "/x/1");
  EXPECT_EQ(error.source, "id @{concat('a', variables('o')['a']['b'])}");
  EXPECT_EQ(error.source.substr(error.range.begin, error.range.end - error.range.begin), "variables('o')['a']['b']");
  EXPECT_EQ(
      error.message,
      "The template language expression 'concat('a', variables('o')['a']['b'])' cannot be evaluated because property "
      "'b' cannot be selected.");
  EXPECT_EQ(framed_message(error, "A"),
            "Unable to process template language expressions in action 'A' inputs at line '0' and column '0': '" +
                error.message + "'.");
  EXPECT_EQ(framed_message(error, "A", true),
            "Unable to process template language expressions for action 'A' at line '0' and column '0': '" +
                error.message + "'.");
}

TEST(Template, ErrorsNameTheArgument) {
  const ExpressionError error = failed("@concat('x', toLower(5))");
  EXPECT_EQ(error.code, "InvalidTemplate");
  EXPECT_EQ(error.function, "toLower");
  EXPECT_EQ(error.argument, 0);
  EXPECT_EQ(error.expected, "a string");
  EXPECT_EQ(error.found, "Integer");
  EXPECT_EQ(error.source.substr(error.range.begin, error.range.end - error.range.begin), "5");
}

TEST(Template, DiagnosesAtSaveTime) {
  auto one = diagnosed("@{concat('a', toLowr('B'))}");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].message, "The template function 'toLowr' is not defined or not valid.");
  EXPECT_EQ(one[0].cure, "Did you mean 'toLower'?");
  EXPECT_EQ(one[0].severity, Severity::warning);
  EXPECT_EQ(one[0].pointer, "/inputs");
  EXPECT_EQ(one[0].begin, 14u);
  EXPECT_EQ(one[0].end, 20u);

  one = diagnosed("@body('Get_itms')", R"({"actions": {"Get_items": {}}})");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].severity, Severity::error);
  EXPECT_EQ(one[0].cure, "Did you mean 'Get_items'?");

  EXPECT_EQ(diagnosed("@body()")[0].severity, Severity::error);
  EXPECT_EQ(diagnosed("@variables(1)")[0].severity, Severity::error);
  EXPECT_EQ(diagnosed("@toLower('a', 'b')")[0].severity, Severity::warning);
  EXPECT_EQ(diagnosed("@concat('a'")[0].severity, Severity::error);
  one = diagnosed("@if(true, 1, int('x'))");
  ASSERT_EQ(one.size(), 1u) << "a constant that fails in every run";
  EXPECT_EQ(one[0].severity, Severity::warning);
  EXPECT_TRUE(diagnosed("@concat(triggerBody()?['a'], guid())").empty());
}

TEST(Template, KeepsTemplatesOfDeploymentsAsTheyStand) {
  const std::string arm = "[concat('/x/@{variables(''a'')}')]";
  const auto found = testing::diagnosed(arm);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().code, "UndeployedTemplate");
  EXPECT_EQ(found.front().severity, Severity::warning);
  EXPECT_EQ(testing::evaluated(arm), json::write(Value(std::string_view(arm))));
  const auto broken = testing::diagnosed("[1] @{variables(}");
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_EQ(broken.front().code, "InvalidTemplate");
}

TEST(Template, KnowsWhatItMentions) {
  ContextFromJson context(*json::parse(R"({"actions": {"A": {}}, "variables": {"v": 1}})"), 1);
  Diagnostics diagnostics;
  const Value source = *json::parse(R"x({"x": "@concat(body('A')?['b'], variables('v'), triggerBody())"})x");
  const auto mentions = Template::compile(source, context, "/inputs", diagnostics).mentions();
  ASSERT_EQ(mentions.size(), 3u);
  EXPECT_EQ(mentions[0].kind, Template::Mention::Kind::action);
  EXPECT_EQ(mentions[0].name, "A");
  EXPECT_EQ(mentions[0].function, "body");
  EXPECT_EQ(mentions[0].pointer, "/inputs/x");
  EXPECT_EQ(mentions[1].kind, Template::Mention::Kind::variable);
  EXPECT_EQ(mentions[2].kind, Template::Mention::Kind::trigger);
}

TEST(Template, LimitsAreErrorsAndNoHang) {
  EXPECT_NE(evaluated("@range(0, 2147483647)").find("error"), std::string::npos);
  const std::string growing =
      "@replace(replace(replace(replace(replace(replace(replace(variables('s'),'a',variables('s')),'a',"
      "variables('s')),'a',variables('s')),'a',variables('s')),'a',variables('s')),'a',variables('s')),"
      "'a',variables('s'))";
  const std::string context = R"({"variables": {"s": ")" + std::string(100, 'a') + R"("}})";
  EXPECT_NE(evaluated(growing, context).find("limit of 268435456 bytes of memory"), std::string::npos);
  const Limits few_steps{.bytes_max = 1 << 20, .steps_max = 10};
  EXPECT_NE(evaluated("@length(range(0, variables('n')))", R"({"variables": {"n": 100}})", few_steps)
                .find("10 steps of work"),
            std::string::npos);
  const Limits short_text{.bytes_max = 1 << 20, .steps_max = 1'000, .string_bytes_max = 5};
  EXPECT_NE(evaluated("@{item()}@{item()}", R"({"item": "abc"})", short_text).find("more than 5 bytes"),
            std::string::npos);
}

TEST(Template, DepthIsBounded) {
  std::string deep(511, '[');
  deep += std::string(511, ']');
  const std::string context = R"({"item": ")" + deep + R"("})";
  EXPECT_EQ(evaluated("@length(json(item()))", context), "1");
  EXPECT_NE(evaluated("@array(array(json(item())))", context).find("nests deeper than 512"), std::string::npos);
}

// 60 nodes that print as 2^60 texts: appending a variable to itself in a loop makes such values.
TEST(Template, SharedPartsAreBounded) {
  const auto doubled = [](Value leaf) {
    for (int i = 0; i < 60; ++i) leaf = Value::array({leaf, leaf});
    return leaf;
  };
  ContextFromJson context(
      Value::object({{"variables", Value::object({{"x", doubled(Value("a"))}, {"y", doubled(Value("a"))}})}}), 1);
  Diagnostics diagnostics;
  const Limits small{.bytes_max = 16u << 20, .steps_max = 200'000, .string_bytes_max = 1u << 20};
  for (const char* text :
       {"@string(variables('x'))", "@{variables('x')}", "@concat('a', variables('x'))", "@join(variables('x'), ',')",
        "@equals(variables('x'), variables('y'))", "@contains(array(variables('x')), variables('y'))",
        "@union(variables('x'), variables('y'))", "@intersection(variables('x'), variables('y'))"}) {
    const auto value = Template::compile(Value(text), context, "", diagnostics).evaluate(context, small);
    ASSERT_TRUE(value.has_error()) << text;
    EXPECT_TRUE(value.error().message.find("limit of") != std::string::npos ||
                value.error().message.find("a text of more than") != std::string::npos)
        << value.error().message;
  }
}

TEST(Template, ExpressionsWithoutTheirSign) {
  ContextFromJson context(*json::parse(R"({"item": {"n": 5}})"), 1);
  Diagnostics diagnostics;
  for (const char* text : {"@greater(item()?['n'], 3)", "greater(item()?['n'], 3)"}) {
    EXPECT_EQ(*Template::compile_expression(text, context, "", diagnostics).evaluate(context), Value(true)) << text;
  }
  EXPECT_TRUE(Template::compile_expression("greater(", context, "", diagnostics).evaluate(context).has_error());
}

TEST(Trace, ShowsEverySubexpressionAndTheCulprit) {
  ContextFromJson context(*json::parse(R"({"variables": {"n": 0, "s": "x"}})"), 1);
  Diagnostics diagnostics;
  const Value source =
      *json::parse(R"x({"a": "@add(1, div(10, variables('n')))", "b": "it is @{toUpper(variables('s'))}"})x");
  const Template compiled = Template::compile(source, context, "", diagnostics);
  const auto traces = trace(compiled, context);
  ASSERT_EQ(traces.size(), 2u);
  const Trace& sum = traces[0];
  EXPECT_EQ(sum.path, "/a");
  EXPECT_EQ(sum.text, "add(1, div(10, variables('n')))");
  EXPECT_TRUE(sum.failed);
  EXPECT_FALSE(sum.culprit);
  ASSERT_EQ(sum.subexpressions.size(), 1u);
  const Trace& quotient = sum.subexpressions[0];
  EXPECT_EQ(quotient.text, "div(10, variables('n'))");
  EXPECT_TRUE(quotient.culprit);
  EXPECT_EQ(quotient.error, "Attempt to divide an integral or decimal value by zero in function 'div'.");
  ASSERT_EQ(quotient.subexpressions.size(), 1u);
  EXPECT_EQ(quotient.subexpressions[0].text, "variables('n')");
  EXPECT_EQ(quotient.subexpressions[0].value, Value(0));
  EXPECT_EQ(traces[1].path, "/b");
  EXPECT_EQ(traces[1].text, "toUpper(variables('s'))");
  EXPECT_EQ(traces[1].value, Value("X"));
}

TEST(Trace, ShowsFoldedPartsAndLeavesOutWhatNeverRan) {
  ContextFromJson context({}, 1);
  Diagnostics diagnostics;
  const Template compiled =
      Template::compile(Value("@if(equals(add(1, 1), 2), 'y', int('x'))"), context, "", diagnostics);
  const auto traces = trace(compiled, context);
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(traces[0].value, Value("y"));
  ASSERT_EQ(traces[0].subexpressions.size(), 1u);
  EXPECT_EQ(traces[0].subexpressions[0].text, "equals(add(1, 1), 2)");
  ASSERT_EQ(traces[0].subexpressions[0].subexpressions.size(), 1u);
  EXPECT_EQ(traces[0].subexpressions[0].subexpressions[0].value, Value(2));
}

TEST(Selection, ALongArrayIsReadWithoutCopies) {
  json::ArrayBuilder items;
  for (int i = 0; i < 100'000; ++i) items.push(Value::object({{"id", Value(i)}}));
  const Value body = Value::object({{"value", items.finish()}});
  const Value source = Value::object(
      {{"actions", Value::object({{"X", Value::object({{"outputs", Value::object({{"body", body}})}})}})}});
  ContextFromJson context(source, 1);
  Diagnostics diagnostics;
  const Template compiled = Template::compile(Value("@body('X')?['value'][99999]"), context, "", diagnostics);
  const auto value = compiled.evaluate(context);
  ASSERT_TRUE(value.has_value());
  EXPECT_TRUE(value->same_node(body.find("value")->as_array()[99'999]));
}

}  // namespace
}  // namespace flowmend::expression
