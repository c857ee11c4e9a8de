#include "engine/actions/list.h"
#include "engine/schema.h"
#include "expression/lenient_json.h"

namespace flowmend::engine {

// Rules and texts: engine.md 3.5.
void start_parse_json(Step& step) {
  if (!step.evaluate_inputs()) return;
  const Value* given = step.inputs.find_ignoring_case("content");
  Value content = given == nullptr ? Value() : *given;
  if (content.is_null() || content == Value("")) {
    expression::ExpressionError error;
    error.message = "Required property 'content' expects a value but got null. Path ''.";
    error.pointer = step.action.pointer + "/inputs/content";
    const Value kept = step.inputs;
    step.fail(error);
    return;
  }
  if (const Value* type = content.find("$content-type"); type != nullptr && content.find("$content") != nullptr) {
    return step.fail(
        "BadRequest",
        {"BadRequest",
         "The property 'content' must be of type JSON in the 'ParseJson' action inputs, but was of type '" +
             std::string(type->is_string() ? type->as_string() : "unknown") + "'.",
         {}});
  }
  if (content.is_string()) {
    const auto text = content.as_string();
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      content = Value();
    } else {
      auto parsed = expression::parse_lenient_json(text);
      if (!parsed) {
        return step.fail("InvalidJSON", {"InvalidJSON",
                                         "The 'content' property of actions of type 'ParseJson' must be valid JSON. "
                                         "The provided value cannot be parsed: '" +
                                             parsed.error().message + "'.",
                                         {}});
      }
      content = std::move(*parsed);
    }
  }
  const Value* schema = step.inputs.find_ignoring_case("schema");
  if (schema != nullptr && has_unsupported_schema_word(*schema)) {
    return step.fail("ActionSchemaNotSupported",
                     {"ActionSchemaNotSupported",
                      "The schema of action '" + step.action.name +
                          "' of type 'ParseJson' uses 'pattern' or 'patternProperties', which are not supported.",
                      {}});
  }
  const Value findings = schema == nullptr ? Value::empty_array() : check_json_schema(*schema, content);
  if (findings.size() > 0) {
    return step.fail("ValidationFailed", {"ValidationFailed", "The schema validation failed.", {}},
                     Value::object({{"errors", findings}}));
  }
  step.succeed_with(Value::object({{"body", content}}), "OK");
}

}  // namespace flowmend::engine
