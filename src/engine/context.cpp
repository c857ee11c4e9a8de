#include "engine/context.h"

#include "engine/idempotency.h"

namespace flowmend::engine {

using definition::Action;
using definition::ActionType;
using definition::no_action;

namespace {

const Value null_value;

Value fault_value(const Fault& fault) { return Value::object({{"code", fault.code}, {"message", fault.message}}); }

/// The items of a Foreach stand in its frame's parent; an iteration's own is picked by its index.
const Value* item_in(const RunState& state, FrameId frame) {
  const Frame& iteration = state.frames[frame];
  const Loop* loop = state.find_loop(iteration.loop);
  if (loop == nullptr || !loop->items.is_array() || iteration.index >= loop->items.size()) return nullptr;
  return &loop->items.as_array()[iteration.index];
}

}  // namespace

Value slot_record(const RunState& state, Place place, const Slot& slot) {
  const Action& action = state.flow->actions[place.action];
  json::ObjectBuilder record;
  record.reserve(10);
  record.add("name", Value(action.name));
  if (action.branches.empty()) {
    record.add_if_set("inputs", slot.inputs);
    record.add_if_set("outputs", slot.outputs);
  }
  if (slot.started.is_set()) record.add("startTime", Value(to_string(slot.started)));
  if (slot.ended.is_set()) record.add("endTime", Value(to_string(slot.ended)));
  record.add("trackingId", Value(tracking_id(state, place)));
  record.add("clientTrackingId", Value(state.start.client_tracking_id));
  if (!slot.code.is_null() && slot.code_text() != "NotSpecified") record.add("code", slot.code);
  record.add("status", Value(status_name(slot.status)));
  if (slot.detail && !slot.detail->fault.code.empty()) record.add("error", fault_value(slot.detail->fault));
  return record.finish();
}

const Action* RunContext::find(const expression::Reference& reference) const {
  const auto& flow = *state_.flow;
  if (reference.slot >= 0 && static_cast<std::size_t>(reference.slot) < flow.actions.size()) {
    return &flow.actions[static_cast<std::size_t>(reference.slot)];
  }
  return flow.find_action(reference.name);
}

const Slot* RunContext::slot_of(const Action& action) const {
  const auto frame = state_.frame_of_loop(place_.frame, action.loop);
  return frame ? state_.find({action.id, *frame}) : nullptr;
}

const Value* RunContext::borrowed_outputs(const Action& action) const {
  const Slot* slot = slot_of(action);
  return slot == nullptr ? nullptr : &slot->outputs;
}

const Value* RunContext::item_of(const Action& loop) const {
  const auto frame = state_.frame_of_loop(place_.frame, loop.id);
  return frame ? item_in(state_, *frame) : nullptr;
}

const Value* RunContext::borrow(Subject subject, const expression::Reference& reference) {
  switch (subject) {
    case Subject::outputs: {
      const Action* action = find(reference);
      return action == nullptr ? nullptr : borrowed_outputs(*action);
    }
    case Subject::variable: {
      const auto slot = reference.slot >= 0 ? reference.slot : state_.flow->find_variable(reference.name);
      if (slot < 0 || static_cast<std::size_t>(slot) >= state_.variables.size()) return nullptr;
      const Variable& variable = state_.variables[static_cast<std::size_t>(slot)];
      return variable.is_initialized() ? &variable.value() : nullptr;
    }
    case Subject::parameter: {
      const auto slot = reference.slot >= 0 ? reference.slot : state_.flow->find_parameter(reference.name);
      if (slot < 0 || static_cast<std::size_t>(slot) >= state_.flow->parameters.size()) return nullptr;
      return &state_.flow->parameters[static_cast<std::size_t>(slot)].value;
    }
    case Subject::trigger_outputs: {
      const Value* outputs = state_.start.trigger.find("outputs");
      return outputs == nullptr ? &null_value : outputs;
    }
    case Subject::item: {
      if (item_ != nullptr) return item_;
      for (FrameId at = place_.frame; at != 0; at = state_.frames[at].parent) {
        if (state_.flow->actions[state_.frames[at].loop.action].type == ActionType::foreach_)
          return item_in(state_, at);
      }
      return nullptr;
    }
    case Subject::items: {
      const Action* loop = find(reference);
      return loop == nullptr ? nullptr : item_of(*loop);
    }
  }
  return nullptr;
}

namespace {
std::optional<Value> optional_of(const Value* value) {
  return value == nullptr ? std::nullopt : std::optional<Value>(*value);
}
}  // namespace

std::optional<Value> RunContext::parameter(const expression::Reference& parameter) {
  return optional_of(borrow(Subject::parameter, parameter));
}

std::optional<Value> RunContext::variable(const expression::Reference& variable) {
  return optional_of(borrow(Subject::variable, variable));
}

std::optional<Value> RunContext::outputs(const expression::Reference& reference) {
  const Action* action = find(reference);
  if (action == nullptr) return std::nullopt;
  if (const Value* found = borrowed_outputs(*action)) return *found;
  // Read from outside of its loop: the outputs of every iteration of a Foreach, of an Until's last one (engine.md 4.4).
  const Loop* loop = loop_seen_from_outside(*action);
  if (loop == nullptr || loop->frames.empty()) return Value();
  if (state_.flow->actions[action->loop].type == ActionType::until) {
    const Slot* last = state_.find({action->id, loop->frames.back()});
    return last == nullptr ? Value() : last->outputs;
  }
  json::ArrayBuilder all;
  all.reserve(loop->frames.size());
  for (FrameId frame : loop->frames) {
    if (const Slot* slot = state_.find({action->id, frame})) all.push(slot->outputs);
  }
  return all.finish();
}

/// The loop around `action`, when it stands in a frame that this step can see; nothing for loops within loops.
const Loop* RunContext::loop_seen_from_outside(const Action& action) const {
  if (action.loop == no_action) return nullptr;
  const auto frame = state_.frame_of_loop(place_.frame, state_.flow->actions[action.loop].loop);
  return frame ? state_.find_loop({action.loop, *frame}) : nullptr;
}

std::optional<Value> RunContext::action_record(const expression::Reference& reference) {
  const Action* action = find(reference);
  if (action == nullptr) return std::nullopt;
  FrameId at = 0;
  if (const auto frame = state_.frame_of_loop(place_.frame, action->loop)) {
    at = *frame;
  } else if (const Loop* loop = loop_seen_from_outside(*action); loop != nullptr && !loop->frames.empty()) {
    at = loop->frames.back();
  } else {
    return Value();
  }
  const Slot* slot = state_.find({action->id, at});
  if (slot == nullptr || slot->status == Status::none) return Value();
  return slot_record(state_, {action->id, at}, *slot);
}

std::optional<Value> RunContext::current_action() {
  if (current_ != nullptr) return *current_;
  const Slot* slot = state_.find(place_);
  if (slot == nullptr) return std::nullopt;
  return slot_record(state_, place_, *slot);
}

std::optional<Value> RunContext::result(const expression::Reference& reference) {
  const Action* scope = find(reference);
  if (scope == nullptr || scope->branches.empty()) return std::nullopt;
  json::ArrayBuilder records;
  const bool is_loop = scope->type == ActionType::foreach_ || scope->type == ActionType::until;
  const auto frame = state_.frame_of_loop(place_.frame, scope->loop);
  if (!frame) return std::nullopt;
  const Loop* loop = is_loop ? state_.find_loop({scope->id, *frame}) : nullptr;
  for (const auto& branch : scope->branches) {
    for (definition::ActionId id : branch.actions) {
      const Action& child = state_.flow->actions[id];
      if (!is_loop) {
        const Slot* slot = state_.find({id, *frame});
        if (slot != nullptr && slot->status != Status::none) records.push(slot_record(state_, {id, *frame}, *slot));
        continue;
      }
      if (loop == nullptr || loop->frames.empty()) continue;
      if (scope->type == ActionType::until) {
        const Slot* slot = state_.find({id, loop->frames.back()});
        if (slot == nullptr) continue;
        json::ObjectBuilder record(slot_record(state_, {id, loop->frames.back()}, *slot));
        record.set("repetitionCount", Value(static_cast<std::int64_t>(loop->frames.size())));
        records.push(record.finish());
        continue;
      }
      json::ArrayBuilder each;
      Status worst = Status::skipped;
      for (FrameId at : loop->frames) {
        const Slot* slot = state_.find({id, at});
        if (slot == nullptr) continue;
        each.push(slot_record(state_, {id, at}, *slot));
        if (slot->status == Status::failed || (slot->status == Status::timed_out && worst != Status::failed) ||
            (slot->status == Status::succeeded && worst == Status::skipped)) {
          worst = slot->status;
        }
      }
      const auto count = static_cast<std::int64_t>(each.size());
      records.push(Value::object({{"name", child.name},
                                  {"outputs", each.finish()},
                                  {"status", status_name(worst)},
                                  {"repetitionCount", count}}));
    }
  }
  return records.finish();
}

std::optional<Value> RunContext::trigger() { return state_.start.trigger; }

std::optional<Value> RunContext::trigger_outputs() { return optional_of(borrow(Subject::trigger_outputs, {})); }

std::optional<Value> RunContext::item() { return optional_of(borrow(Subject::item, {})); }

std::optional<Value> RunContext::items(const expression::Reference& loop) {
  return optional_of(borrow(Subject::items, loop));
}

std::optional<std::int64_t> RunContext::iteration_index(const expression::Reference& reference) {
  const Action* loop = find(reference);
  if (loop == nullptr) return std::nullopt;
  const auto frame = state_.frame_of_loop(place_.frame, loop->id);
  if (!frame || *frame == 0) return std::nullopt;
  return state_.frames[*frame].index;
}

std::optional<std::string> RunContext::callback_url() {
  if (facts_.callbacks == nullptr || !definition::is_webhook(state_.flow->actions[place_.action].type))
    return std::nullopt;
  return facts_.callbacks->address(place_);
}

std::optional<Value> RunContext::workflow() {
  const auto& flow = *state_.flow;
  const std::string id = "/workflows/" + flow.workflow_id;
  const std::string run_id = id + "/runs/" + state_.start.run;
  return Value::object(
      {{"id", id},
       {"name", flow.id},
       {"type", "Microsoft.Logic/workflows"},
       {"location", "flowmend"},
       {"tags", Value::object({{"flowDisplayName", flow.display_name}, {"environmentName", flow.environment}})},
       {"run",
        Value::object({{"id", run_id}, {"name", state_.start.run}, {"type", "Microsoft.Logic/workflows/runs"}})}});
}

}  // namespace flowmend::engine
