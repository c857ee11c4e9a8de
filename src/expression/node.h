#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "expression/error.h"
#include "expression/evaluation.h"
#include "expression/functions/function.h"
#include "expression/text_buffer.h"
#include "json/value.h"

namespace flowmend::expression {

/// A bound expression: names are looked up, argument counts are checked, constant parts are folded. Immutable, used by
/// many threads at once; all that changes lives in `Evaluation`.
///
/// Evaluating borrows instead of copying. `evaluate` answers a pointer to the value: into the tree (a constant), into
/// `room` (a new value) or into a value that `room` keeps alive (`body('X')?['value'][7]` points into the body). So no
/// intermediate value is copied or counted. nullptr means failed: `evaluation` holds the error.
class Node {
 public:
  explicit Node(SourceRange range) : range_(range) {}
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const Value* evaluate(Evaluation& evaluation, Value& room) const {
    if (evaluation.recorder() != nullptr) [[unlikely]]
      return evaluate_recorded(evaluation, room);
    return compute(evaluation, room);
  }
  /// Appends the text of the value; false when failed. Spares building a value that is only printed.
  virtual bool append_text(Evaluation& evaluation, TextBuffer& out) const;
  /// The value when it is known without a run; nothing otherwise.
  virtual const Value* constant() const { return nullptr; }
  SourceRange range() const { return range_; }

 protected:
  virtual const Value* compute(Evaluation& evaluation, Value& room) const = 0;
  /// Literals and the text around interpolations are not worth a line in a trace.
  virtual bool worth_recording() const { return true; }

 private:
  const Value* evaluate_recorded(Evaluation& evaluation, Value& room) const;

  SourceRange range_;
};

using NodePointer = std::unique_ptr<Node>;

/// A literal, or a pure call that was folded; `original` is kept for traces then.
class ConstantNode final : public Node {
 public:
  ConstantNode(SourceRange range, Value value, NodePointer original = nullptr)
      : Node(range), value_(std::move(value)), original_(std::move(original)) {}
  const Value* constant() const override { return &value_; }
  bool append_text(Evaluation& evaluation, TextBuffer& out) const override;

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;
  bool worth_recording() const override { return false; }

 private:
  Value value_;
  NodePointer original_;
};

/// An expression that could not be bound: it fails when it is evaluated, and only then.
class BrokenNode final : public Node {
 public:
  BrokenNode(SourceRange range, ExpressionError error) : Node(range), error_(std::move(error)) {}

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  ExpressionError error_;
};

/// A call of an eager function.
class CallNode final : public Node {
 public:
  CallNode(SourceRange range, const FunctionEntry& entry, std::vector<NodePointer> arguments)
      : Node(range), entry_(entry), arguments_(std::move(arguments)) {}

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  const FunctionEntry& entry_;
  std::vector<NodePointer> arguments_;
};

/// equals, greater, less ... of two values: conditions over many items are made of these, so two integers are compared
/// here; everything else is the function's.
class ComparisonNode final : public Node {
 public:
  ComparisonNode(SourceRange range, const FunctionEntry& entry, std::vector<NodePointer> arguments);

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  const FunctionEntry& entry_;
  std::vector<NodePointer> arguments_;
  bool if_less_;  ///< the answer for two integers of which the first is less, equal, greater
  bool if_equal_;
  bool if_greater_;
};

/// and, or: arguments are evaluated until one decides.
class JunctionNode final : public Node {
 public:
  JunctionNode(SourceRange range, const FunctionEntry& entry, bool deciding, std::vector<NodePointer> arguments)
      : Node(range), entry_(entry), deciding_(deciding), arguments_(std::move(arguments)) {}

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  const FunctionEntry& entry_;
  bool deciding_;  ///< the value that ends the evaluation: false for and, true for or
  std::vector<NodePointer> arguments_;
};

class IfNode final : public Node {
 public:
  IfNode(SourceRange range, std::vector<NodePointer> arguments) : Node(range), arguments_(std::move(arguments)) {}
  bool append_text(Evaluation& evaluation, TextBuffer& out) const override;

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  const Node* branch(Evaluation& evaluation) const;
  std::vector<NodePointer> arguments_;
};

class CoalesceNode final : public Node {
 public:
  CoalesceNode(SourceRange range, std::vector<NodePointer> arguments) : Node(range), arguments_(std::move(arguments)) {}

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  std::vector<NodePointer> arguments_;
};

/// concat(...) and string interpolation: the text of the parts, one after the other.
class TextNode final : public Node {
 public:
  enum class Form : std::uint8_t { concat, interpolation };
  TextNode(SourceRange range, Form form, std::vector<NodePointer> parts)
      : Node(range), form_(form), parts_(std::move(parts)) {}
  bool append_text(Evaluation& evaluation, TextBuffer& out) const override;

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;
  bool worth_recording() const override { return form_ == Form::concat; }

 private:
  bool append_parts(Evaluation& evaluation, TextBuffer& out) const;

  Form form_;
  std::vector<NodePointer> parts_;
};

/// One `@{...}` of an interpolation: tells the evaluation which expression messages must quote.
class HoleNode final : public Node {
 public:
  /// `expression` is the range between the braces.
  HoleNode(SourceRange expression, NodePointer inner) : Node(expression), inner_(std::move(inner)) {}
  bool append_text(Evaluation& evaluation, TextBuffer& out) const override;

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;
  bool worth_recording() const override { return false; }

 private:
  NodePointer inner_;
};

/// A function that names an action, loop, variable or parameter: its first argument.
class ReferenceNode final : public Node {
 public:
  enum class Form : std::uint8_t { parameters, variables, actions, outputs, body, items, iteration_indexes, result };
  /// `slot` is that of the literal name in `name`, or -1.
  ReferenceNode(SourceRange range, const FunctionEntry& entry, Form form, NodePointer name, std::int32_t slot)
      : Node(range), entry_(entry), form_(form), name_(std::move(name)), slot_(slot) {}

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  const Value* fail_unknown(Evaluation& evaluation, std::string_view name) const;

  const FunctionEntry& entry_;
  Form form_;
  NodePointer name_;
  std::int32_t slot_;
};

/// triggerBody(), triggerOutputs(), trigger(), item(), workflow(), action(): what the context answers without a name.
class SubjectNode final : public Node {
 public:
  enum class Form : std::uint8_t { trigger, trigger_outputs, trigger_body, item, workflow, action };
  SubjectNode(SourceRange range, const FunctionEntry& entry, Form form) : Node(range), entry_(entry), form_(form) {}

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  const FunctionEntry& entry_;
  Form form_;
};

/// `base.a?['b'][0]`: selecting parts (expressions.md section 3).
class SelectionNode final : public Node {
 public:
  struct Step {
    NodePointer key;
    bool safe = false;
    SourceRange range;
    const Value* constant = nullptr;  ///< the key's value when it is a literal
  };
  SelectionNode(SourceRange range, NodePointer base, std::vector<Step> steps)
      : Node(range), base_(std::move(base)), steps_(std::move(steps)) {}

 protected:
  const Value* compute(Evaluation& evaluation, Value& room) const override;

 private:
  NodePointer base_;
  std::vector<Step> steps_;
};

}  // namespace flowmend::expression
