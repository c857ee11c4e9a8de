#include <array>
#include <optional>
#include <string>
#include <vector>

#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/text.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

Outcome<Value> list_callback_url(Call& call, Arguments) {
  if (auto url = call.context().callback_url()) return Value(std::string_view(*url));
  return plain_fault(call, "The template function 'listCallbackUrl' is not expected at this location.");
}

/// The body of a form that an action or the trigger received.
Outcome<Value> body_of(Call& call, const std::optional<Value>& outputs, std::string_view name) {
  if (!outputs) {
    return plain_fault(call, "The action(s) '" + std::string(name) + "' referenced by '" +
                                 std::string(call.function_name()) + "' are not defined in the template.");
  }
  const Value* body = outputs->find_ignoring_case("body");
  return body == nullptr ? Value() : *body;
}

Outcome<Value> action_body(Call& call, const Value& name) {
  if (!name.is_string()) return not_valid(call, 0, name);
  return body_of(call, call.context().outputs(Reference{name.as_string()}), name.as_string());
}

Outcome<Value> trigger_body(Call& call) { return body_of(call, call.context().trigger_outputs(), "trigger"); }

/// The name of a part: `name` of its Content-Disposition.
std::string_view name_of_part(const Value& part) {
  const Value* headers = part.find_ignoring_case("headers");
  const Value* disposition = headers == nullptr ? nullptr : headers->find_ignoring_case("Content-Disposition");
  if (disposition == nullptr || !disposition->is_string()) return {};
  return media_type_parameter(disposition->as_string(), "name");
}

/// A field's content: a text part comes decoded, anything else as it is.
Value content_of_part(const Value& part) {
  const Value* body = part.find_ignoring_case("body");
  if (body == nullptr) return {};
  if (const auto content = content_of(*body); content && content->type.starts_with("text/")) {
    if (const auto text = text_of_content(*content)) return Value(std::string_view(*text));
  }
  return *body;
}

/// The values of that field in a form body: `$formdata` (pairs of key and value) or `$multipart` (parts).
Outcome<std::vector<Value>> form_values(Call& call, const Value& body, const Value& key, std::size_t argument) {
  if (!key.is_string()) return wrong_type(call, argument, "string", key);
  const Value* pairs = body.find_ignoring_case("$formdata");
  const Value* parts = body.find_ignoring_case("$multipart");
  const Value* fields = pairs != nullptr ? pairs : parts;
  if (fields == nullptr || !fields->is_array()) {
    return fault(call, "expects the body to be form data or multipart content. The provided value is of type '" +
                           std::string(json::type_name(body.type())) + "'.");
  }
  if (!call.charge(0, 1 + fields->size())) return call.limit_error();
  std::vector<Value> values;
  for (const Value& field : fields->as_array()) {
    if (pairs == nullptr) {
      if (name_of_part(field) == key.as_string()) values.push_back(content_of_part(field));
      continue;
    }
    if (field.text_of("key") != key.as_string()) continue;
    const Value* value = field.find_ignoring_case("value");
    values.push_back(value == nullptr ? Value() : *value);
  }
  return values;
}

Outcome<Value> single_value(Call& call, const Outcome<Value>& body, const Value& key, std::size_t argument) {
  if (body.has_error()) return body.error();
  const auto values = form_values(call, *body, key, argument);
  if (values.has_error()) return values.error();
  if (values->size() == 1) return values->front();
  const bool none = values->empty();
  ExpressionError error = fault(call, none ? "did not find a value for the key '" + std::string(key.as_string()) + "'."
                                           : "found more than one value for the key '" + std::string(key.as_string()) +
                                                 "'. Use the function for multiple values.");
  blame(error, static_cast<std::int32_t>(argument), "the key of one value", key);
  return error;
}

Outcome<Value> all_values(Call& call, const Outcome<Value>& body, const Value& key, std::size_t argument) {
  if (body.has_error()) return body.error();
  auto values = form_values(call, *body, key, argument);
  if (values.has_error()) return values.error();
  return Value::array(std::move(*values));
}

Outcome<Value> part_body(Call& call, const Outcome<Value>& body, const Value& index, std::size_t argument) {
  if (body.has_error()) return body.error();
  if (!index.is_integer()) return wrong_kind(call, argument, "an integer", index);
  const Value* parts = body->find_ignoring_case("$multipart");
  if (parts == nullptr || !parts->is_array()) {
    return fault(call, "expects the body to be multipart content. The provided value is of type '" +
                           std::string(json::type_name(body->type())) + "'.");
  }
  if (index.as_integer() < 0 || index.as_integer() >= static_cast<std::int64_t>(parts->size())) {
    ExpressionError error =
        fault(call, "was invoked with the part index '" + std::to_string(index.as_integer()) +
                        "', which is outside bounds (0, " +
                        std::to_string(static_cast<std::int64_t>(parts->size()) - 1) + ") of the parts.");
    blame(error, static_cast<std::int32_t>(argument), "the index of a part", index);
    return error;
  }
  const Value* found = parts->as_array()[static_cast<std::size_t>(index.as_integer())].find_ignoring_case("body");
  return found == nullptr ? Value() : *found;
}

Outcome<Value> form_data_value(Call& call, Arguments a) { return single_value(call, action_body(call, a[0]), a[1], 1); }
Outcome<Value> form_data_multi_values(Call& call, Arguments a) {
  return all_values(call, action_body(call, a[0]), a[1], 1);
}
Outcome<Value> multipart_body(Call& call, Arguments a) { return part_body(call, action_body(call, a[0]), a[1], 1); }
Outcome<Value> trigger_form_data_value(Call& call, Arguments a) {
  return single_value(call, trigger_body(call), a[0], 0);
}
Outcome<Value> trigger_form_data_multi_values(Call& call, Arguments a) {
  return all_values(call, trigger_body(call), a[0], 0);
}
Outcome<Value> trigger_multipart_body(Call& call, Arguments a) { return part_body(call, trigger_body(call), a[0], 0); }

Outcome<Value> appsetting(Call& call, Arguments) {
  return plain_fault(call, "The template function 'appsetting' is not expected at this location.");
}

/// A function that the evaluator knows by name: it asks the context.
constexpr FunctionEntry known(std::string_view name, std::string_view arguments, std::uint8_t count,
                              std::string_view about, std::string_view example) {
  return {.name = name,
          .arguments = arguments,
          .arguments_min = count,
          .arguments_max = count,
          .about = about,
          .example = example,
          .gives = {},
          .call = nullptr,
          .pure = false};
}

constexpr FunctionEntry asking(std::string_view name, std::string_view arguments, std::uint8_t count,
                               std::string_view about, std::string_view example, Function call) {
  return {.name = name,
          .arguments = arguments,
          .arguments_min = count,
          .arguments_max = count,
          .about = about,
          .example = example,
          .gives = {},
          .call = call,
          .pure = false};
}

constexpr std::string_view action_name = "actionName: string";

constexpr std::array entries = {
    known("parameters", "parameterName: string", 1, "The value of a parameter of the flow.",
          "parameters('Environment')"),
    known("variables", "variableName: string", 1, "The value that a variable has now.", "variables('Counter')"),
    known("actions", action_name, 1, "An action's record: its status, inputs, outputs and times.",
          "actions('Get_order').status"),
    known("action", "", 0, "The record of the action itself, in tracked properties and conditions.",
          "action().outputs"),
    known("outputs", action_name, 1, "An action's outputs.", "outputs('Get_order')?['statusCode']"),
    known("actionOutputs", action_name, 1, "An action's outputs, as outputs().", "actionOutputs('Get_order')"),
    known("body", action_name, 1, "The body of an action's outputs; null when it has none.",
          "body('Get_order')?['id']"),
    known("actionBody", action_name, 1, "The body of an action's outputs, as body().", "actionBody('Get_order')"),
    known("trigger", "", 0, "The trigger's record.", "trigger().outputs"),
    known("triggerOutputs", "", 0, "The trigger's outputs.", "triggerOutputs()?['headers']"),
    known("triggerBody", "", 0, "The body of the trigger's outputs; null when it has none.", "triggerBody()?['id']"),
    known("item", "", 0, "The current item of the innermost loop or data operation.", "item()?['name']"),
    known("items", "loopName: string", 1, "The current item of that loop.", "items('Apply_to_each')?['name']"),
    known("iterationIndexes", "loopName: string", 1, "The number of that loop's iteration, from 0.",
          "iterationIndexes('Until')"),
    known("result", "scopeName: string", 1, "The records of the actions inside a scope, loop or branch.",
          "result('Try')"),
    known("workflow", "", 0, "The flow and its run.", "workflow().run.name"),
    asking("listCallbackUrl", "", 0, "The address that continues the waiting webhook action.", "listCallbackUrl()",
           list_callback_url),
    asking("formDataValue", "actionName: string, key: string", 2, "The one value of a form field in an action's body.",
           "formDataValue('Receive', 'To')", form_data_value),
    asking("formDataMultiValues", "actionName: string, key: string", 2,
           "All values of a form field in an action's body.", "formDataMultiValues('Receive', 'To')",
           form_data_multi_values),
    asking("multipartBody", "actionName: string, index: integer", 2,
           "The body of one part of an action's multipart body.", "multipartBody('Receive', 0)", multipart_body),
    asking("triggerFormDataValue", "key: string", 1, "The one value of a form field in the trigger's body.",
           "triggerFormDataValue('feedUrl')", trigger_form_data_value),
    asking("triggerFormDataMultiValues", "key: string", 1, "All values of a form field in the trigger's body.",
           "triggerFormDataMultiValues('feedUrl')", trigger_form_data_multi_values),
    asking("triggerMultipartBody", "index: integer", 1, "The body of one part of the trigger's multipart body.",
           "triggerMultipartBody(0)", trigger_multipart_body),
    asking("appsetting", "name: string", 1, "A setting of a Logic Apps Standard host; not known here.",
           "appsetting('WEBSITE_NAME')", appsetting),
};

}  // namespace

FunctionTable workflow_functions() { return entries; }

}  // namespace flowmend::expression
