#include "runtime/trigger_call.h"

#include "definition/service_providers.h"
#include "engine/limits.h"

namespace flowmend::runtime {

namespace {

const definition::ServiceProviderOperation* provided(const definition::Flow& flow, const Value& inputs) {
  return flow.trigger.type_name == "ServiceProvider" ? definition::find_service_provider(inputs, true) : nullptr;
}

}  // namespace

engine::Call trigger_call(const definition::Flow& flow, const Value& inputs) {
  engine::Call call;
  call.kind = flow.trigger.type_name.starts_with("Http") ? engine::Call::Kind::http : engine::Call::Kind::connector;
  call.inputs = inputs;
  if (const auto* operation = provided(flow, inputs)) {
    // What it can't do was refused before.
    if (auto made = definition::service_provider_call(*operation, inputs, flow.connection_references))
      call.inputs = std::move(*made);
  }
  if (inputs.is_object()) {
    if (const Value* authentication = inputs.find_ignoring_case("authentication")) call.sealed = *authentication;
  }
  call.timeout = engine::Limits().call_timeout;
  call.workflow_headers = true;
  return call;
}

Result<void> check_trigger_inputs(const definition::Flow& flow, const Value& inputs) {
  const auto* operation = provided(flow, inputs);
  if (operation == nullptr) return {};
  const auto made = definition::service_provider_call(*operation, inputs, flow.connection_references);
  return made ? Result<void>() : Result<void>(made.error());
}

engine::AttemptFinished trigger_reply(const definition::Flow& flow, const Value& inputs,
                                      engine::AttemptFinished reply) {
  const auto* operation = provided(flow, inputs);
  const bool good = reply.status_code >= 200 && reply.status_code < 300;
  if (operation != nullptr && good && reply.has_body)
    reply.body = definition::service_provider_body(*operation, reply.body);
  return reply;
}

Value reply_outputs(const engine::AttemptFinished& reply) {
  json::ObjectBuilder outputs;
  outputs.add("statusCode", Value(reply.status_code));
  if (!reply.headers.is_null()) outputs.add("headers", reply.headers);
  if (reply.has_body) outputs.add("body", reply.body);
  return outputs.finish();
}

}  // namespace flowmend::runtime
