#include "trigger/inputs.h"

#include "trigger/context.h"

namespace flowmend::trigger {

Result<Value> evaluate_inputs(const definition::Flow& flow, const Value& outputs, Timestamp now, std::uint64_t seed,
                              const std::string& callback_url) {
  json::ObjectBuilder record;
  record.add("name", Value(flow.trigger.name));
  if (!outputs.is_null()) record.add("outputs", outputs);
  TriggerContext context(flow, record.finish(), now, seed, callback_url);
  auto inputs = flow.trigger.inputs.evaluate(context);
  if (inputs) return std::move(*inputs);
  return make_error("InvalidTemplate", "Unable to process template language expressions in trigger '" +
                                           flow.trigger.name + "' inputs at line '0' and column '0': '" +
                                           inputs.error().message + "'.");
}

}  // namespace flowmend::trigger
