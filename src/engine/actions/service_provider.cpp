// ServiceProvider: a built-in connector of Logic Apps Standard, done by a connector of this server (engine.md 3.3).

#include "definition/service_providers.h"
#include "engine/actions/list.h"

namespace flowmend::engine {

bool check_service_provider(Step& step) {
  const auto* operation = definition::find_service_provider(step.inputs, false);
  if (operation == nullptr) {
    step.fail("ActionTypeUnavailable",
              {"ActionTypeUnavailable",
               definition::service_provider_missing(step.inputs, false) + " Replace '" + step.action.name +
                   "' by that connector, by an Http call, or give it static results.",
               {}});
    return false;
  }
  const auto call = definition::service_provider_call(*operation, step.inputs, step.flow.connection_references);
  if (!call) step.fail("BadRequest", {call.error().code, call.error().message, {}});
  return static_cast<bool>(call);
}

Value service_provider_inputs(const definition::Flow& flow, const Value& inputs) {
  const auto* operation = definition::find_service_provider(inputs, false);
  if (operation == nullptr) return inputs;
  auto call = definition::service_provider_call(*operation, inputs, flow.connection_references);
  return call ? std::move(*call) : inputs;
}

AttemptFinished as_service_provider(const AttemptFinished& finished, const Value& inputs) {
  const auto* operation = definition::find_service_provider(inputs, false);
  const bool good = finished.status_code >= 200 && finished.status_code < 300;
  if (operation == nullptr || !good || !finished.has_body) return finished;
  AttemptFinished out = finished;
  out.body = definition::service_provider_body(*operation, finished.body);
  return out;
}

}  // namespace flowmend::engine
