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

}  // namespace flowmend::runtime
