#pragma once

#include <string>
#include <string_view>

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

}  // namespace flowmend::expression::testing
