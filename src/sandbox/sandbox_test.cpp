// Jobs in the real worker process: what they give, and what ends them.

#include "sandbox/sandbox.h"

#include <cstdlib>
#include <future>

#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::sandbox {
namespace {

class SandboxTest : public testing::Test {
 protected:
  Result<Value> run(const Value& job, const Bounds& bounds = {}) {
    std::promise<Result<Value>> promise;
    sandbox_.run(job, bounds, [&](Result<Value> result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }
  Result<Value> script(std::string_view code, std::string_view context = "{}", const Bounds& bounds = {}) {
    return run(Value::object({{"kind", "script"}, {"code", Value(code)}, {"context", *json::parse(context)}}), bounds);
  }
  std::string given(std::string_view code, std::string_view context = "{}") {
    const auto result = script(code, context);
    return result ? json::write(*result) : result.error().code + ": " + result.error().message;
  }
  Sandbox sandbox_;
};

TEST_F(SandboxTest, AScriptGivesWhatItReturns) {
  EXPECT_EQ(given("return 1 + 1;"), "2");
  EXPECT_EQ(given("return;"), "null");
  EXPECT_EQ(given("var d = workflowContext.trigger.outputs.body.map(x => x * 2); return {d, text: `n${d.length}`};",
                  R"({"trigger": {"outputs": {"body": [1, 2]}}})"),
            R"({"d":[2,4],"text":"n2"})");
  EXPECT_EQ(
      given("return workflowContext.actions['Größe'].outputs + '€';", R"({"actions": {"Größe": {"outputs": "ä"}}})"),
      "\"ä€\"");
  EXPECT_EQ(given("return Promise.resolve(3).then(x => x + 1);"), "4");
  EXPECT_EQ(given("console.log('nobody reads this'); return 'a'.padStart(3, '-');"), "\"--a\"");
}

TEST_F(SandboxTest, WhatItSeesCantBeChanged) {
  EXPECT_EQ(given("workflowContext.actions.A.outputs = 2; return workflowContext.actions.A.outputs;",
                  R"({"actions": {"A": {"outputs": 1}}})"),
            "1");
}

TEST_F(SandboxTest, AFailureSaysWhatAndWhere) {
  EXPECT_EQ(given("\nthrow new Error('no order');"),
            "InlineCodeScriptRuntimeFailure: The inline code failed: Error: no order (line 2).");
  EXPECT_NE(given("return nothing.there;").find("nothing is not defined"), std::string::npos);
  EXPECT_NE(given("return (1;").find("SyntaxError"), std::string::npos);
  EXPECT_NE(given("return Promise.reject(new Error('late'));").find("late"), std::string::npos);
  EXPECT_NE(given("return new Promise(() => {});").find("never kept"), std::string::npos);
  EXPECT_NE(given("const a = {}; a.a = a; return a;").find("InlineCodeScriptRuntimeFailure"), std::string::npos);
  EXPECT_NE(given("function f() { return f() + 1; } return f();").find("too much recursion"), std::string::npos);
}

TEST_F(SandboxTest, ThereIsNoOutside) {
  EXPECT_NE(given("return require('fs');").find("require is not defined"), std::string::npos);
  EXPECT_NE(given("return fetch('http://127.0.0.1');").find("fetch is not defined"), std::string::npos);
  EXPECT_EQ(given("return typeof process + typeof load + typeof read + typeof os;"),
            "\"undefinedundefinedundefinedundefined\"");
  EXPECT_NE(given("return import('x');").find("InlineCodeScriptRuntimeFailure"), std::string::npos);
}

TEST_F(SandboxTest, TimeIsBounded) {
  Bounds bounds;
  bounds.time = Duration::milliseconds(300);
  for (const char* code : {"for (;;) {}", "try { for (;;) {} } catch (e) { for (;;) {} }",
                           "const f = () => Promise.resolve().then(f); return f();"}) {
    const auto result = script(code, "{}", bounds);
    ASSERT_FALSE(result) << code;
    EXPECT_EQ(result.error().code, "SandboxTimeLimitExceeded") << code << result.error().message;
  }
}

TEST_F(SandboxTest, MemoryIsBounded) {
#if defined(__SANITIZE_ADDRESS__)
  // A worker that is built with the sanitizer can't bound its memory: the tests name the one that ships.
  if (std::getenv("FLOWMEND_SANDBOX") == nullptr) GTEST_SKIP() << "FLOWMEND_SANDBOX names no worker that ships";
#endif
  Bounds bounds;
  bounds.memory_bytes = 64u << 20;
  bounds.time = Duration::seconds(120);  // memory is to run out first, also on a busy machine
  for (const char* code : {"const a = []; for (;;) a.push(new Array(1000).fill({}));",
                           "let s = 'x'; for (;;) { s += s; s.charCodeAt(5); }",
                           "const a = []; for (;;) a.push(new Uint8Array(1 << 20));"}) {
    const auto result = script(code, "{}", bounds);
    ASSERT_FALSE(result) << code;
    // An engine may also say itself that a string or array can't be that long.
    EXPECT_TRUE(result.error().code == "SandboxMemoryLimitExceeded" ||
                result.error().code == "InlineCodeScriptRuntimeFailure")
        << code << result.error().code << result.error().message;
  }
}

TEST_F(SandboxTest, AMissingProgramIsSaid) {
  Sandbox missing("/nowhere/flowmend-sandbox");
  std::promise<Result<Value>> promise;
  missing.run(Value(1), {}, [&](Result<Value> result) { promise.set_value(std::move(result)); });
  const auto result = promise.get_future().get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "SandboxUnavailable");
}

constexpr const char* identity = R"xml(<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="text"/><xsl:param name="p"/>
  <xsl:template match="/">n=<xsl:value-of select="count(//i)"/><xsl:text> </xsl:text><xsl:value-of select="$p"/></xsl:template></xsl:stylesheet>)xml";

Value xslt(std::string_view content, std::string_view map, std::string_view maps = "{}") {
  return Value::object({{"kind", "xslt"},
                        {"content", Value(content)},
                        {"map", Value(map)},
                        {"maps", *json::parse(maps)},
                        {"parameters", Value::object({{"p", "it's \"q\""}})}});
}

TEST_F(SandboxTest, AMapTransformsXml) {
  const auto result = run(xslt("<a><i/><i/></a>", identity));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->text_of("text"), "n=2 it's \"q\"");
}

TEST_F(SandboxTest, AMapSaysWhatIsWrongAndReadsNothing) {
  EXPECT_EQ(run(xslt("<a>", identity)).error().code, "InvalidXml");
  EXPECT_EQ(run(xslt("<a/>", "<no/>")).error().code, "InvalidXslt");
  const std::string reads = R"xml(<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
    <xsl:template match="/"><xsl:copy-of select="document('file:///etc/hostname')"/></xsl:template></xsl:stylesheet>)xml";
  const auto read = run(xslt("<a/>", reads));
  if (read) {
    EXPECT_EQ(read->text_of("text").find("debian"), std::string_view::npos);
  }
  const std::string imports = R"xml(<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
    <xsl:import href="Other.xslt"/></xsl:stylesheet>)xml";
  EXPECT_NE(run(xslt("<a/>", imports)).error().message.find("not among the stored artifacts"), std::string::npos);
  const Value maps = Value::object({{"Other", Value(identity)}});
  const auto imported = run(xslt("<a><i/></a>", imports, json::write(maps)));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_NE(imported->text_of("text").find("n=1"), std::string_view::npos);
}

TEST_F(SandboxTest, ASchemaAcceptsAndRefuses) {
  constexpr const char* schema = R"xml(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order">
    <xs:complexType><xs:sequence><xs:element name="n" type="xs:int"/></xs:sequence></xs:complexType></xs:element></xs:schema>)xml";
  const auto check = [&](std::string_view content, std::string_view by) {
    return run(Value::object({{"kind", "xmlValidation"}, {"content", Value(content)}, {"schema", Value(by)}}));
  };
  EXPECT_TRUE(check("<order><n>1</n></order>", schema));
  const auto wrong = check("<order><n>one</n></order>", schema);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "ValidationFailed");
  EXPECT_NE(wrong.error().message.find("'one'"), std::string::npos) << wrong.error().message;
  EXPECT_EQ(check("<order>", schema).error().code, "InvalidXml");
  EXPECT_EQ(check("<order/>", "<x/>").error().code, "InvalidXmlSchema");
}

TEST_F(SandboxTest, EntitiesDoNotGrow) {
  const std::string laughs = R"xml(<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;&x;&x;">
    <!ENTITY z "&y;&y;&y;&y;&y;&y;&y;&y;&y;&y;">]><a>&z;&z;&z;&z;</a>)xml";
  const auto result = run(xslt(laughs, identity));
  if (result) {
    EXPECT_LT(result->text_of("text").size(), 100000U);
  }
}

}  // namespace
}  // namespace flowmend::sandbox
