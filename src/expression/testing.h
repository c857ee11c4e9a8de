#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "expression/context_json.h"
#include "expression/functions/function.h"
#include "expression/template.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::expression::testing {

/// What an evaluation gives, as text that a test can compare: the value as compact JSON, or `error: ` and the message.
inline std::string evaluated(std::string_view text, std::string_view context_json = "{}", const Limits& limits = {}) {
  ContextFromJson context(*json::parse(context_json), 7);
  Diagnostics diagnostics;
  const auto result = Template::compile(Value(text), context, "", diagnostics).evaluate(context, limits);
  return result.has_value() ? json::write(*result) : "error: " + result.error().message;
}

/// The error of an evaluation that must fail.
inline ExpressionError failed(std::string_view text, std::string_view context_json = "{}") {
  ContextFromJson context(*json::parse(context_json), 7);
  Diagnostics diagnostics;
  auto result = Template::compile(Value(text), context, "", diagnostics).evaluate(context);
  if (result.has_error()) return result.error();
  ExpressionError none;
  none.message = "no error but " + json::write(*result);
  return none;
}

inline Diagnostics diagnosed(std::string_view text, std::string_view context_json = "{}") {
  ContextFromJson context(*json::parse(context_json), 7);
  Diagnostics diagnostics;
  Template::compile(Value(text), context, "/inputs", diagnostics);
  return diagnostics;
}

/// One line of a table of rules.
struct Row {
  const char* expression;
  const char* gives;  ///< JSON, or `error: ` and a part of the message
};

inline void check(std::initializer_list<Row> rows, std::string_view context = "{}") {
  for (const Row& row : rows) {
    const std::string given = evaluated(row.expression, context);
    const std::string wanted = row.gives;
    if (wanted.starts_with("error: ")) {
      EXPECT_TRUE(given.starts_with("error: ")) << row.expression << " gives " << given;
      EXPECT_NE(given.find(wanted.substr(7)), std::string::npos) << row.expression << " says " << given;
    } else {
      EXPECT_EQ(given, wanted) << row.expression;
    }
  }
}

}  // namespace flowmend::expression::testing
