// Expression: the date actions of the designer, each a function of the language under another name (engine.md 3.5).

#include "engine/actions/list.h"

namespace flowmend::engine {

namespace {

/// Resolves nothing: the calls made here have constant arguments.
struct NoNames final : expression::Names {
  std::int32_t action(std::string_view) const override { return -1; }
  std::int32_t variable(std::string_view) const override { return -1; }
  std::int32_t parameter(std::string_view) const override { return -1; }
};

std::string literal(const Value& value) {
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (!value.is_string()) return "null";
  std::string out = "'";
  for (char c : value.as_string()) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

struct Kind {
  std::string_view name;
  std::string_view function;
  std::string_view arguments;  ///< members of the inputs, in the function's order
};

constexpr Kind kinds[] = {
    {"AddToTime", "addToTime", "baseTime interval timeUnit formatString"},
    {"SubtractFromTime", "subtractFromTime", "baseTime interval timeUnit formatString"},
    {"ConvertTimeZone", "convertTimeZone", "baseTime sourceTimeZone destinationTimeZone formatString"},
    {"CurrentTime", "utcNow", "formatString"},
    {"GetFutureTime", "getFutureTime", "interval timeUnit formatString"},
    {"GetPastTime", "getPastTime", "interval timeUnit formatString"},
};

}  // namespace

void start_expression(Step& step) {
  if (!step.evaluate_inputs()) return;
  for (const Kind& kind : kinds) {
    if (step.action.kind != kind.name) continue;
    std::string text = std::string(kind.function) + "(";
    bool first = true;
    for (std::string_view rest = kind.arguments; !rest.empty();) {
      const auto end = rest.find(' ');
      const Value* argument = step.inputs.find_ignoring_case(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      if (argument == nullptr || argument->is_null() || *argument == Value("")) continue;
      text += (first ? "" : ",") + literal(*argument);
      first = false;
    }
    text += ")";
    Diagnostics ignored;  // what is wrong shows when it is evaluated
    const NoNames names;
    const auto compiled =
        expression::Template::compile_expression(text, names, step.action.pointer + "/inputs", ignored);
    auto result = compiled.evaluate(step.context);
    if (!result) return step.fail(result.error());
    return step.succeed_with(Value::object({{"body", std::move(*result)}}), "OK");
  }
  step.fail("BadRequest", {"InvalidExpressionActionKind",
                           "The action '" + step.action.name + "' of type 'Expression' has the kind '" +
                               step.action.kind + "', which is not known.",
                           {}});
}

}  // namespace flowmend::engine
