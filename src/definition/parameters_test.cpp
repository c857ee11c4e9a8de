#include "definition/parameters.h"

#include <gtest/gtest.h>

#include "json/parse.h"

namespace flowmend::definition {
namespace {

struct Case {
  const char* declared;
  const char* values;
  const char* pointer;  ///< of the one finding; null = none
  const char* words;    ///< that its message holds
};

class Parameters : public testing::TestWithParam<Case> {};

TEST_P(Parameters, GetAValueThatFits) {
  const Case& one = GetParam();
  const auto declared = json::parse(one.declared);
  const auto values = json::parse(one.values);
  ASSERT_TRUE(declared && values);
  Diagnostics found;
  check_parameters(json::Value::object({{"parameters", *declared}}), *values, found);
  if (one.pointer == nullptr) {
    EXPECT_TRUE(found.empty()) << found.front().message;
    return;
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].pointer, one.pointer);
  EXPECT_EQ(found[0].severity, Severity::error);
  EXPECT_NE(found[0].message.find(one.words), std::string::npos) << found[0].message;
  EXPECT_FALSE(found[0].cure.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Rules, Parameters,
    testing::Values(
        Case{R"({"a": {"type": "String", "defaultValue": "x"}})", "null", nullptr, ""},
        Case{R"({"a": {"type": "String"}})", R"({"a": {"value": "x"}})", nullptr, ""},
        Case{R"({"a": {"type": "String"}})", "null", "/parameters/a", "has no value"},
        Case{R"({"a": {"type": "String"}})", R"({"a": {"value": null}})", "/parameters/a", "has no value"},
        Case{R"({"$connections": {"type": "Object"}, "$authentication": {"type": "SecureObject"}})", "null", nullptr,
             ""},
        Case{R"({"a/b": {"type": "int", "defaultValue": "5"}})", "null", "/parameters/a~1b/defaultValue", "is \"5\""},
        Case{R"({"a": {"type": "Int", "defaultValue": 5.5}})", "null", "/parameters/a/defaultValue", "of type Int"},
        Case{R"({"a": {"type": "FLOAT", "defaultValue": 5}})", "null", nullptr, ""},
        Case{R"({"a": {"type": "Bool", "defaultValue": true}})", R"({"a": {"value": "true"}})", "/parameters/a",
             "of type Bool"},
        Case{R"({"a": {"type": "Array", "defaultValue": []}, "b": {"type": "Object", "defaultValue": {}}})", "null",
             nullptr, ""},
        Case{R"({"a": {"type": "Object", "defaultValue": "[parameters('x')]"}})", "null", nullptr, ""},
        Case{R"({"a": {"type": "Object", "defaultValue": null}})", "null", nullptr, ""},
        Case{R"({"a": {"type": "String", "defaultValue": "z", "allowedValues": ["x", "y"]}})", "null",
             "/parameters/a/defaultValue", "does not allow"},
        Case{R"({"a": {"type": "String", "defaultValue": "z", "allowedValues": ["x", "y"]}})",
             R"({"a": {"value": "x"}})", nullptr, ""},
        Case{R"({"a": {"type": "String", "defaultValue": "x"}})", R"({"b": {"value": 1}})", "/parameters/b",
             "does not declare"},
        Case{R"({"a": {"type": "String", "defaultValue": "x"}})",
             R"({"A": {"value": "y"}, "$connections": {"value": {}}})", nullptr, ""},
        Case{"5", "5", nullptr, ""}));

TEST(DeployedValue, KnowsNoCase) {
  const auto values = json::parse(R"({"Host": {"value": "a.test"}, "port": {}})");
  EXPECT_EQ(deployed_value(*values, "host"), json::Value("a.test"));
  EXPECT_TRUE(deployed_value(*values, "port").is_null());
  EXPECT_TRUE(deployed_value({}, "host").is_null());
}

TEST(DeployedValue, ASecureValueIsNotShown) {
  for (const char* declared :
       {R"({"a": {"type": "SecureString", "defaultValue": 4711}})",
        R"({"a": {"type": "SecureString", "defaultValue": "4711", "allowedValues": ["4712"]}})"}) {
    Diagnostics found;
    check_parameters(json::Value::object({{"parameters", *json::parse(declared)}}), {}, found);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ((found[0].message + found[0].cure).find("471"), std::string::npos) << found[0].message;
  }
}

}  // namespace
}  // namespace flowmend::definition
