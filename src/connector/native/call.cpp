#include "connector/native/call.h"

#include "connector/http_call.h"
#include "connector/mask.h"
#include "connector/text.h"

namespace flowmend::connector {

Result<OutgoingRequest> build_native_call(const engine::Call& call, const Connector& connector,
                                          const Operation& operation, const Value& parameters, const Value& fields,
                                          NativeCall& native) {
  if (!operation.unavailable.code.empty()) {
    return make_error(operation.unavailable.code,
                      "Operation '" + operation.id + "' can't run here. " + operation.unavailable.message, {},
                      "Use another operation of this connector.");
  }
  auto arguments = bind_arguments(connector, operation, parameters);
  if (!arguments) return arguments.error();
  native.operation = &operation;
  native.fields = native_fields(connector, fields);
  native.idempotency_key = call.idempotency_key;
  native.timeout = call.timeout;
  native.callback_url = call.callback_url;
  if (call.get_poll) {
    if (!call.poll_uri.starts_with(native_state_scheme)) {
      return make_error("PollLocationInvalid",
                        "The connector '" + connector.title + "' is asked for an address that it did not give.", {},
                        "Switch the flow off and on; the trigger then begins anew.");
    }
    native.state = call.poll_uri.substr(native_state_scheme.size());
  }
  OutgoingRequest shown;
  shown.method = operation.method;
  shown.url = connector.native->address(native.fields);
  if (shown.url.empty()) shown.url = connector.name;
  shown.secrets = secrets_of(connector, native.fields);
  for (const OperationParameter& parameter : operation.parameters) {
    const auto given = arguments->values.find(parameter.name);
    if (parameter.secret && given != arguments->values.end()) shown.secrets.push_back(text_of_value(given->second));
  }
  native.arguments = std::move(*arguments);
  return shown;
}

engine::AttemptFinished to_native_outcome(const engine::Call& call, const OutgoingRequest& shown, http::Reply reply,
                                          Keep keep) {
  if (reply.status >= 400) reply.body = mask_secrets(reply.body, shown.secrets);
  const std::string said = mask_secrets(reply.error_message, shown.secrets);
  engine::AttemptFinished outcome = to_outcome(call, shown, std::move(reply), keep);
  // A native connector names its service better than a URL's host does.
  if (!outcome.fault.code.empty() && !said.empty()) outcome.fault.message = said;
  return outcome;
}

Value native_fields(const Connector& connector, const Value& fields) {
  json::ObjectBuilder builder(fields.is_object() ? fields : Value::empty_object());
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    if (!parameter.default_value.is_null() && fields.find(parameter.name) == nullptr)
      builder.add(parameter.name, parameter.default_value);
  }
  return builder.finish();
}

}  // namespace flowmend::connector
