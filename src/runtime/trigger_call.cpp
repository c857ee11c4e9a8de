#include "runtime/trigger_call.h"

#include "engine/limits.h"

namespace flowmend::runtime {

engine::Call trigger_call(const definition::Flow& flow, const Value& inputs) {
  engine::Call call;
  call.kind = flow.trigger.type_name.starts_with("Http") ? engine::Call::Kind::http : engine::Call::Kind::connector;
  call.inputs = inputs;
  if (inputs.is_object()) {
    if (const Value* authentication = inputs.find_ignoring_case("authentication")) call.sealed = *authentication;
  }
  call.timeout = engine::Limits().call_timeout;
  call.workflow_headers = true;
  return call;
}

Value reply_outputs(const engine::AttemptFinished& reply) {
  json::ObjectBuilder outputs;
  outputs.add("statusCode", Value(reply.status_code));
  if (!reply.headers.is_null()) outputs.add("headers", reply.headers);
  if (reply.has_body) outputs.add("body", reply.body);
  return outputs.finish();
}

}  // namespace flowmend::runtime
