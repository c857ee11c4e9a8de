#include "definition/condition.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "json/pointer.h"

namespace flowmend::definition {

namespace {

using expression::Context;
using expression::ExpressionError;
using expression::Outcome;
using expression::Reference;
using expression::Template;

constexpr unsigned tree_depth_max = 64;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// What the function of a comparison sees: its operands as item(), nothing else of the run.
class Operands final : public Context {
 public:
  Operands(Value operands, Context& outer) : operands_(std::move(operands)), outer_(outer) {}
  std::optional<Value> parameter(const Reference&) override { return {}; }
  std::optional<Value> variable(const Reference&) override { return {}; }
  std::optional<Value> outputs(const Reference&) override { return {}; }
  std::optional<Value> action_record(const Reference&) override { return {}; }
  std::optional<Value> current_action() override { return {}; }
  std::optional<Value> result(const Reference&) override { return {}; }
  std::optional<Value> trigger() override { return {}; }
  std::optional<Value> trigger_outputs() override { return {}; }
  std::optional<Value> item() override { return operands_; }
  std::optional<Value> items(const Reference&) override { return {}; }
  std::optional<std::int64_t> iteration_index(const Reference&) override { return {}; }
  std::optional<Value> workflow() override { return {}; }
  std::optional<std::string> callback_url() override { return {}; }
  Timestamp now() override { return outer_.now(); }
  std::uint64_t random() override { return outer_.random(); }

 private:
  Value operands_;
  Context& outer_;
};

/// Compiles one condition tree; the depth is bounded because a document may nest as deep as the reader allows.
class Compiler {
 public:
  Compiler(const expression::Names& names, Diagnostics& diagnostics) : names_(names), diagnostics_(diagnostics) {}

  Condition compile(const Value& written, const std::string& pointer, unsigned depth) {
    Condition condition;
    if (written.is_string()) {
      condition.value = Template::compile_expression(written.as_string(), names_, pointer, diagnostics_);
      return condition;
    }
    if (written.is_boolean()) {
      condition.value = Template::compile(written, names_, pointer, diagnostics_);
      return condition;
    }
    if (depth > tree_depth_max) return broken(pointer, "The condition nests too deep.", "Split it into several.");
    if (!written.is_object() || written.size() != 1) {
      return broken(pointer,
                    "A condition must be an expression or an object with one operator, as {\"equals\": [a, b]}.",
                    "Write one operator, and combine several with \"and\" or \"or\".");
    }
    const json::Member& member = written.as_object()[0];
    const std::string name = lower(member.name());
    const std::string at = json::join(pointer, member.name());
    if (name == "and" || name == "or") return group(name == "and", member.value, at, depth);
    if (name == "not") {
      condition.kind = Condition::Kind::negation;
      // The designer writes both {not: {...}} and {not: [{...}]}.
      const bool listed = member.value.is_array() && member.value.size() == 1;
      condition.children.push_back(listed
                                       ? compile(member.value.as_array()[0], json::join(at, std::size_t{0}), depth + 1)
                                       : compile(member.value, at, depth + 1));
      return condition;
    }
    return call(std::string(member.name()), member.value, at);
  }

 private:
  Condition group(bool all, const Value& parts, const std::string& at, unsigned depth) {
    if (!parts.is_array()) return broken(at, "'and' and 'or' need an array of conditions.", "Put them into [ ].");
    Condition condition;
    condition.kind = all ? Condition::Kind::all : Condition::Kind::any;
    std::size_t i = 0;
    for (const Value& part : parts.as_array())
      condition.children.push_back(compile(part, json::join(at, i++), depth + 1));
    return condition;
  }

  Condition call(const std::string& name, const Value& operands, const std::string& at) {
    const bool plain_name =
        !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0; });
    if (!plain_name)
      return broken(at, "'" + name + "' is not an operator.", "Use equals, greater, contains, and, or, not ...");
    const bool listed = operands.is_array();
    Condition condition;
    condition.kind = Condition::Kind::call;
    condition.value = Template::compile(listed ? operands : Value::array({operands}), names_, at, diagnostics_);
    const std::size_t count = listed ? operands.size() : 1;
    if (count > 64) return broken(at, "The operator '" + name + "' has too many operands.", "Give it two.");
    std::string text = name + "(";
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "item()[" : ",item()[") + std::to_string(i) + "]";
    condition.function = Template::compile_expression(text + ")", names_, at, diagnostics_);
    return condition;
  }

  Condition broken(const std::string& at, std::string message, std::string cure) {
    diagnostics_.push_back({at, Severity::error, "InvalidTemplate", std::move(message), std::move(cure), 0, 0});
    return {};
  }

  const expression::Names& names_;
  Diagnostics& diagnostics_;
};

Outcome<bool> as_boolean(const Condition& condition, Context& context, const expression::Limits& limits) {
  Outcome<Value> value = evaluate_condition(condition, context, limits);
  if (!value) return value.error();
  if (value->is_boolean()) return value->as_boolean();
  ExpressionError error;
  error.message = "The result of a part of the condition is of type '" + std::string(json::type_name(value->type())) +
                  "'. The result must be of type 'Boolean'.";
  error.expected = "Boolean";
  error.found = std::string(json::type_name(value->type()));
  return error;
}

}  // namespace

Condition compile_condition(const Value& written, const expression::Names& names, std::string_view pointer,
                            Diagnostics& diagnostics) {
  return Compiler(names, diagnostics).compile(written, std::string(pointer), 0);
}

Outcome<Value> evaluate_condition(const Condition& condition, Context& context, const expression::Limits& limits) {
  switch (condition.kind) {
    case Condition::Kind::expression: return condition.value.evaluate(context, limits);
    case Condition::Kind::negation: {
      const Outcome<bool> part = as_boolean(condition.children[0], context, limits);
      if (!part) return part.error();
      return Value(!*part);
    }
    case Condition::Kind::all:
    case Condition::Kind::any: {
      const bool decides = condition.kind == Condition::Kind::any;
      for (const Condition& child : condition.children) {
        const Outcome<bool> part = as_boolean(child, context, limits);
        if (!part) return part.error();
        if (*part == decides) return Value(decides);
      }
      return Value(!decides);
    }
    case Condition::Kind::call: {
      Outcome<Value> operands = condition.value.evaluate(context, limits);
      if (!operands) return operands;
      Operands seen(*std::move(operands), context);
      return condition.function.evaluate(seen, limits);
    }
  }
  return Value();
}

void append_mentions(const Condition& condition, std::vector<Template::Mention>& mentions) {
  for (auto& mention : condition.value.mentions()) mentions.push_back(std::move(mention));
  for (const Condition& child : condition.children) append_mentions(child, mentions);
}

}  // namespace flowmend::definition
