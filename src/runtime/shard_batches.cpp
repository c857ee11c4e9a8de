// SendToBatch (engine.md 2.11, 3.3): a message for another flow's batch.
//
// The call's idempotency key leads to what was taken for it (document `batchSent`, committed with the message), so that
// a sender that goes on after a crash, or tries again, does not send it twice.

#include "base/ids.h"
#include "json/write.h"
#include "runtime/batches.h"
#include "runtime/called_flow.h"
#include "runtime/shard.h"

namespace flowmend::runtime {

namespace {

constexpr std::string_view sent_kind = "batchSent";
constexpr std::string_view default_partition = "DEFAULT";
constexpr std::size_t name_bytes_max = 256;

std::string text_of(const Value& inputs, std::string_view name) {
  const Value* found = inputs.find_ignoring_case(name);
  if (found == nullptr || found->is_null()) return {};
  return found->is_string() ? std::string(found->as_string()) : json::write(*found);
}

/// The flow as the Batch trigger starts it that the action names, or as its first one; null when there is none.
std::shared_ptr<const definition::Flow> batch_trigger(const std::shared_ptr<const definition::Flow>& flow,
                                                      const Value& inputs) {
  const auto is_batch = [](const definition::Flow& one) {
    return one.trigger.source == definition::TriggerSource::batch;
  };
  if (const auto named = definition::with_trigger(flow, called_trigger_name(inputs)))
    return is_batch(*named) ? named : nullptr;
  std::shared_ptr<const definition::Flow> only;
  for (const auto& one : definition::by_trigger(flow)) {
    if (!is_batch(*one)) continue;
    if (only != nullptr) return nullptr;  // which one is meant is not said
    only = one;
  }
  return only;
}

engine::AttemptFinished accepted(const engine::Call& call, Timestamp started, Timestamp ended, const Value& body) {
  engine::AttemptFinished out;
  out.place = call.place;
  out.attempt = call.attempt;
  out.started = started;
  out.ended = ended;
  out.status_code = 202;
  out.body = body;
  out.has_body = true;
  return out;
}

}  // namespace

void Shard::send_to_batch(ActiveRun& active, const engine::Call& call) {
  // With the sender's name: repetitions of one run have the same idempotency keys, and each sends its own.
  const std::string key = active.row.name + "/" + call.idempotency_key;
  const auto begun = executor_.now();
  const auto known = store_.document(sent_kind, key);
  if (!known) return call_later(active, call, &Shard::send_to_batch);
  const auto target = *known ? Result<std::shared_ptr<const LiveFlow>>(std::shared_ptr<const LiveFlow>())
                             : find_called_flow(store_, flows_, call.inputs);
  if (!target && target.error().code == "StorageUnavailable") return call_later(active, call, &Shard::send_to_batch);
  ++active.calls;
  const auto tell = [self = self_, executor = executor_owner_, sender = active.row.number,
                     key](engine::AttemptFinished finished) {
    executor->post([self, sender, key, finished = std::move(finished)] {
      if (*self == nullptr) return;
      auto& shard = **self;
      const store::Document forgotten{std::string(sent_kind), key, Value(), 0, {}};
      const auto found = shard.active_.find(sender);
      if (found == shard.active_.end()) {  // the sender ended in the meantime
        store::Batch change;
        change.documents.push_back(forgotten);
        return shard.hand_over(std::move(change), [](Shard&) {});
      }
      if (found->second->calls > 0) --found->second->calls;
      // With the sender's record of the outcome, that it was taken need not be kept.
      found->second->documents.push_back(forgotten);
      shard.give(sender, finished);
    });
  };
  if (*known) return tell(accepted(call, begun, begun, (*known)->value));
  const auto refuse = [&](const Error& error) { tell(refused_call(call, begun, error)); };
  if (!target) return refuse(target.error());
  const LiveFlow& live = **target;
  const std::string named = "'" + live.row.display_name + "'";
  if (!live.flow)
    return refuse(make_error("InvalidDefinition", "The flow " + named + " does not compile.", "/inputs/host",
                             "Correct and save it."));
  const auto flow = batch_trigger(live.flow, call.inputs);
  if (!flow)
    return refuse(make_error(
        "InvalidTriggerType",
        "The flow " + named + " has no Batch trigger '" + std::string(called_trigger_name(call.inputs)) + "'.",
        "/inputs/host/triggerName", "Name its Batch trigger."));
  if (live.row.state != store::FlowState::started)
    return refuse(
        make_error("WorkflowTriggerIsNotEnabled", "The flow " + named + " is off.", "/inputs/host", "Turn it on."));
  BatchMessage message;
  message.batch = text_of(call.inputs, "batchName");
  message.partition = text_of(call.inputs, "partitionName");
  if (message.partition.empty()) message.partition = default_partition;
  message.id = text_of(call.inputs, "messageId");
  if (message.id.empty()) {
    Random random(executor_.random());
    message.id = make_guid(random);
  }
  for (const auto* text : {&message.partition, &message.id}) {
    if (text->size() > name_bytes_max)
      return refuse(
          make_error("BatchNameTooLong",
                     "'partitionName' and 'messageId' can have " + std::to_string(name_bytes_max) + " bytes at most.",
                     "/inputs", "Shorten it."));
  }
  if (const Value* content = call.inputs.find_ignoring_case("content")) message.content = *content;
  const Value body = Value::object({{"batchName", Value(message.batch)},
                                    {"partitionName", Value(message.partition)},
                                    {"messageId", Value(message.id)}});
  std::vector<store::Document> sent{{std::string(sent_kind), key, body, 0, {}}};
  batches_->take(flow, std::move(message), std::move(sent),
                 [self = self_, call, begun, tell, body](const Result<void>& taken) {
                   if (*self == nullptr) return;
                   if (!taken) return tell(refused_call(call, begun, taken.error()));
                   tell(accepted(call, begun, (*self)->executor_.now(), body));
                 });
}

}  // namespace flowmend::runtime
