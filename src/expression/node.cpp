#include "expression/node.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

#include "expression/functions/fault.h"
#include "expression/recorder.h"
#include "expression/text.h"

namespace flowmend::expression {

namespace {

/// Appends the text of a value, or fails where `range` is.
bool append_or_fail(const Value& value, Evaluation& evaluation, SourceRange range, TextBuffer& out) {
  if (value.is_object()) {
    if (const auto wrong = content_fault(value); !wrong.empty()) {
      ExpressionError error;
      error.message =
          "The template language expression was invoked with a value that is not valid. " + std::string(wrong);
      return evaluation.fail(std::move(error), range) != nullptr;
    }
  }
  append_text_of(value, out);
  return true;
}

}  // namespace

const Value* Node::evaluate_recorded(Evaluation& evaluation, Value& room) const {
  if (!worth_recording()) return compute(evaluation, room);
  Recorder& recorder = *evaluation.recorder();
  recorder.begin(range_);
  const Value* value = compute(evaluation, room);
  recorder.end(value, evaluation);
  return value;
}

bool Node::append_text(Evaluation& evaluation, TextBuffer& out) const {
  Value room;
  const Value* value = evaluate(evaluation, room);
  if (value == nullptr) return false;
  return append_or_fail(*value, evaluation, range(), out);
}

bool ConstantNode::append_text(Evaluation& evaluation, TextBuffer& out) const {
  if (evaluation.recorder() != nullptr) return Node::append_text(evaluation, out);
  return append_or_fail(value_, evaluation, range(), out);
}

const Value* ConstantNode::compute(Evaluation& evaluation, Value& room) const {
  if (original_ != nullptr && evaluation.recorder() != nullptr) return original_->evaluate(evaluation, room);
  return &value_;
}

const Value* BrokenNode::compute(Evaluation& evaluation, Value&) const { return evaluation.fail(error_, range()); }

namespace {

/// The evaluated arguments of one call, for at most as long as the call. They are borrowed: the bits of each value are
/// laid side by side without counting a reference, because what they came from (the tree, a room in this frame, a
/// value that a room keeps) outlives the call. A function that keeps one copies it, which counts as usual.
template <std::size_t capacity>
class FixedArguments {
 public:
  Value& room(std::size_t i) { return rooms_[i]; }
  void set(std::size_t i, const Value* value) {
    std::memcpy(bits_.data() + i * sizeof(Value), static_cast<const void*>(value), sizeof(Value));
  }
  std::span<const Value> span(std::size_t count) const {
    return {std::launder(reinterpret_cast<const Value*>(bits_.data())), count};
  }

 private:
  std::array<Value, capacity> rooms_;
  alignas(Value) std::array<std::byte, capacity * sizeof(Value)> bits_;
};

class ManyArguments {
 public:
  explicit ManyArguments(std::size_t count) : rooms_(count), bits_(new std::byte[count * sizeof(Value)]) {}
  Value& room(std::size_t i) { return rooms_[i]; }
  void set(std::size_t i, const Value* value) {
    std::memcpy(bits_.get() + i * sizeof(Value), static_cast<const void*>(value), sizeof(Value));
  }
  std::span<const Value> span(std::size_t count) const {
    return {std::launder(reinterpret_cast<const Value*>(bits_.get())), count};
  }

 private:
  std::vector<Value> rooms_;
  std::unique_ptr<std::byte[]> bits_;
};

/// Bytes that a value holds by itself, without what it shares with others.
std::size_t own_bytes(const Value& value) {
  if (value.is_string()) return value.as_string().size();
  if (value.is_array()) return value.size() * sizeof(Value);
  if (value.is_object()) return value.size() * sizeof(json::Member);
  return 0;
}

const Value* accept(Evaluation& evaluation, Outcome<Value>&& outcome, const FunctionEntry& entry,
                    const std::vector<NodePointer>& arguments, SourceRange range, Value& room) {
  if (outcome.has_error()) [[unlikely]] {
    ExpressionError error = std::move(outcome).error();
    if (error.function.empty()) error.function = entry.name;
    if (error.argument >= 0 && static_cast<std::size_t>(error.argument) < arguments.size()) {
      range = arguments[static_cast<std::size_t>(error.argument)]->range();
    }
    return evaluation.fail(std::move(error), range);
  }
  room = std::move(*outcome);
  if (!room.is_string() && !room.is_array() && !room.is_object()) {
    return evaluation.spend(0, 1) ? &room : evaluation.fail_limit(range);
  }
  if (!evaluation.spend(own_bytes(room), 1)) return evaluation.fail_limit(range);
  if (room.is_string() && room.as_string().size() > evaluation.limits().string_bytes_max) {
    return evaluation.fail(text_too_long(evaluation.limits().string_bytes_max), range);
  }
  if (room.depth() > json::depth_max) return evaluation.fail(value_too_deep(), range);
  return &room;
}

template <class Arguments>
const Value* call(Evaluation& evaluation, const FunctionEntry& entry, const std::vector<NodePointer>& nodes,
                  SourceRange range, Value& room, Arguments& arguments) {
  const std::size_t count = nodes.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Value* value = nodes[i]->evaluate(evaluation, arguments.room(i));
    if (value == nullptr) return nullptr;
    arguments.set(i, value);
  }
  evaluation.enter(entry.name);
  return accept(evaluation, entry.call(evaluation, arguments.span(count)), entry, nodes, range, room);
}

}  // namespace

const Value* CallNode::compute(Evaluation& evaluation, Value& room) const {
  if (arguments_.size() <= 2) {
    FixedArguments<2> arguments;
    return call(evaluation, entry_, arguments_, range(), room, arguments);
  }
  if (arguments_.size() <= 6) {
    FixedArguments<6> arguments;
    return call(evaluation, entry_, arguments_, range(), room, arguments);
  }
  ManyArguments arguments(arguments_.size());
  return call(evaluation, entry_, arguments_, range(), room, arguments);
}

ComparisonNode::ComparisonNode(SourceRange range, const FunctionEntry& entry, std::vector<NodePointer> arguments)
    : Node(range),
      entry_(entry),
      arguments_(std::move(arguments)),
      if_less_(entry.name.starts_with("less")),
      if_equal_(entry.name.ends_with("quals")),
      if_greater_(entry.name.starts_with("greater")) {}

const Value* ComparisonNode::compute(Evaluation& evaluation, Value& room) const {
  FixedArguments<2> arguments;
  const Value* a = arguments_[0]->evaluate(evaluation, arguments.room(0));
  if (a == nullptr) return nullptr;
  const Value* b = arguments_[1]->evaluate(evaluation, arguments.room(1));
  if (b == nullptr) return nullptr;
  if (a->is_integer() && b->is_integer()) {
    const std::int64_t x = a->as_integer();
    const std::int64_t y = b->as_integer();
    room = Value(x < y ? if_less_ : x > y ? if_greater_ : if_equal_);
    return evaluation.spend(0, 1) ? &room : evaluation.fail_limit(range());
  }
  arguments.set(0, a);
  arguments.set(1, b);
  evaluation.enter(entry_.name);
  return accept(evaluation, entry_.call(evaluation, arguments.span(2)), entry_, arguments_, range(), room);
}

const Value* JunctionNode::compute(Evaluation& evaluation, Value& room) const {
  if (!evaluation.spend(0, 1)) return evaluation.fail_limit(range());
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    Value own;
    const Value* value = arguments_[i]->evaluate(evaluation, own);
    if (value == nullptr) return nullptr;
    if (!value->is_boolean()) {
      evaluation.enter(entry_.name);
      ExpressionError error =
          fault(evaluation, "expects all of its parameters to be booleans. Found invalid parameter types: '" +
                                std::string(json::type_name(value->type())) + "'.");
      blame(error, static_cast<std::int32_t>(i), "boolean", *value);
      return evaluation.fail(std::move(error), arguments_[i]->range());
    }
    if (value->as_boolean() == deciding_) {
      room = Value(deciding_);
      return &room;
    }
  }
  room = Value(!deciding_);
  return &room;
}

const Node* IfNode::branch(Evaluation& evaluation) const {
  if (!evaluation.spend(0, 1)) return evaluation.fail_limit(range());
  Value own;
  const Value* condition = arguments_[0]->evaluate(evaluation, own);
  if (condition == nullptr) return nullptr;
  if (!condition->is_boolean()) {
    evaluation.enter("if");
    return evaluation.fail(wrong_type(evaluation, 0, "boolean", *condition), arguments_[0]->range());
  }
  return arguments_[condition->as_boolean() ? 1 : 2].get();
}

const Value* IfNode::compute(Evaluation& evaluation, Value& room) const {
  const Node* taken = branch(evaluation);
  return taken == nullptr ? nullptr : taken->evaluate(evaluation, room);
}

bool IfNode::append_text(Evaluation& evaluation, TextBuffer& out) const {
  if (evaluation.recorder() != nullptr) return Node::append_text(evaluation, out);
  const Node* taken = branch(evaluation);
  return taken != nullptr && taken->append_text(evaluation, out);
}

const Value* CoalesceNode::compute(Evaluation& evaluation, Value& room) const {
  if (!evaluation.spend(0, 1)) return evaluation.fail_limit(range());
  const Value* value = nullptr;
  for (const NodePointer& argument : arguments_) {
    value = argument->evaluate(evaluation, room);
    if (value == nullptr || !value->is_null()) return value;
  }
  return value;
}

bool TextNode::append_parts(Evaluation& evaluation, TextBuffer& out) const {
  for (const NodePointer& part : parts_) {
    if (!part->append_text(evaluation, out)) return false;
  }
  if (out.overflowed()) {
    evaluation.fail(text_too_long(evaluation.limits().string_bytes_max), range());
    return false;
  }
  return true;
}

bool TextNode::append_text(Evaluation& evaluation, TextBuffer& out) const {
  if (evaluation.recorder() != nullptr) return Node::append_text(evaluation, out);
  return append_parts(evaluation, out);
}

const Value* TextNode::compute(Evaluation& evaluation, Value& room) const {
  TextBuffer buffer(evaluation.limits().string_bytes_max);
  if (!append_parts(evaluation, buffer)) return nullptr;
  if (!evaluation.spend(buffer.size(), 1 + buffer.size() / 64)) return evaluation.fail_limit(range());
  room = Value(buffer.view());
  return &room;
}

const Value* HoleNode::compute(Evaluation& evaluation, Value& room) const {
  evaluation.quote(range());
  return inner_->evaluate(evaluation, room);
}

bool HoleNode::append_text(Evaluation& evaluation, TextBuffer& out) const {
  evaluation.quote(range());
  return inner_->append_text(evaluation, out);
}

}  // namespace flowmend::expression
