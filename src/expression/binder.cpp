#include "expression/binder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "expression/nearest.h"

namespace flowmend::expression {

namespace {

using Kind = Template::Mention::Kind;
using ReferenceForm = ReferenceNode::Form;
using SubjectForm = SubjectNode::Form;

struct NamedReference {
  std::string_view function;
  ReferenceForm form;
  Kind kind;
};

constexpr std::array named_references = {
    NamedReference{"parameters", ReferenceForm::parameters, Kind::parameter},
    NamedReference{"variables", ReferenceForm::variables, Kind::variable},
    NamedReference{"actions", ReferenceForm::actions, Kind::action},
    NamedReference{"outputs", ReferenceForm::outputs, Kind::action},
    NamedReference{"actionOutputs", ReferenceForm::outputs, Kind::action},
    NamedReference{"body", ReferenceForm::body, Kind::action},
    NamedReference{"actionBody", ReferenceForm::body, Kind::action},
    NamedReference{"items", ReferenceForm::items, Kind::loop},
    NamedReference{"iterationIndexes", ReferenceForm::iteration_indexes, Kind::loop},
    NamedReference{"result", ReferenceForm::result, Kind::result},
};

/// Functions of forms that name an action in their first argument, but are called like any other.
constexpr std::array<std::string_view, 3> form_functions = {"formDataValue", "formDataMultiValues", "multipartBody"};

constexpr std::array<std::pair<std::string_view, SubjectForm>, 6> subjects = {{
    {"trigger", SubjectForm::trigger},
    {"triggerOutputs", SubjectForm::trigger_outputs},
    {"triggerBody", SubjectForm::trigger_body},
    {"item", SubjectForm::item},
    {"workflow", SubjectForm::workflow},
    {"action", SubjectForm::action},
}};

constexpr std::array<std::string_view, 5> comparisons = {"equals", "greater", "greaterOrEquals", "less",
                                                         "lessOrEquals"};

constexpr std::array<std::string_view, 5> trigger_functions = {"trigger", "triggerOutputs", "triggerBody",
                                                               "triggerFormDataValue", "triggerFormDataMultiValues"};

/// Folding happens while a flow is saved: it may not cost much, and its results are held as long as the flow.
constexpr Limits folding_limits{.bytes_max = 64u << 10, .steps_max = 20'000, .string_bytes_max = 16u << 10};

/// What a pure function may ask for: nothing.
class NoContext final : public Context {
 public:
  std::optional<Value> parameter(const Reference&) override { return std::nullopt; }
  std::optional<Value> variable(const Reference&) override { return std::nullopt; }
  std::optional<Value> outputs(const Reference&) override { return std::nullopt; }
  std::optional<Value> action_record(const Reference&) override { return std::nullopt; }
  std::optional<Value> current_action() override { return std::nullopt; }
  std::optional<Value> result(const Reference&) override { return std::nullopt; }
  std::optional<Value> trigger() override { return std::nullopt; }
  std::optional<Value> trigger_outputs() override { return std::nullopt; }
  std::optional<Value> item() override { return std::nullopt; }
  std::optional<Value> items(const Reference&) override { return std::nullopt; }
  std::optional<std::int64_t> iteration_index(const Reference&) override { return std::nullopt; }
  std::optional<Value> workflow() override { return std::nullopt; }
  std::optional<std::string> callback_url() override { return std::nullopt; }
  Timestamp now() override { return {}; }
  std::uint64_t random() override { return 0; }
};

std::string_view number_word(std::size_t number) {
  constexpr std::array<std::string_view, 7> words = {"no", "one", "two", "three", "four", "five", "six"};
  return number < words.size() ? words[number] : "more";
}

std::string parameters(std::size_t count) {
  return std::string(number_word(count)) + (count == 1 ? " parameter" : " parameters");
}

const NamedReference* find_reference(std::string_view function) {
  const auto* found = std::ranges::find(named_references, function, &NamedReference::function);
  return found == named_references.end() ? nullptr : found;
}

bool all_constant(const std::vector<NodePointer>& nodes) {
  return std::ranges::all_of(nodes, [](const NodePointer& node) { return node->constant() != nullptr; });
}

}  // namespace

void Binder::report(Severity severity, std::string code, std::string message, std::string cure, SourceRange range) {
  diagnostics_.push_back(Diagnostic{.pointer = std::string(pointer_),
                                    .severity = severity,
                                    .code = std::move(code),
                                    .message = std::move(message),
                                    .cure = std::move(cure),
                                    .begin = range.begin,
                                    .end = range.end});
}

void Binder::mention(Kind kind, std::string_view name, SourceRange range, std::string_view function) {
  mentions_.push_back({kind, std::string(name), std::string(pointer_), range, std::string(function)});
}

NodePointer Binder::bind(const Syntax& syntax) {
  switch (syntax.kind) {
    case Syntax::Kind::literal: return std::make_unique<ConstantNode>(syntax.range, syntax.literal);
    case Syntax::Kind::selection: return bind_selection(syntax);
    case Syntax::Kind::call: break;
  }
  return bind_call(syntax);
}

NodePointer Binder::bind_selection(const Syntax& syntax) {
  NodePointer base = bind(*syntax.base);
  std::vector<SelectionNode::Step> steps;
  steps.reserve(syntax.steps.size());
  for (const SyntaxStep& step : syntax.steps) {
    NodePointer key = bind(*step.key);
    const Value* constant = step.key->kind == Syntax::Kind::literal ? key->constant() : nullptr;
    steps.push_back({std::move(key), step.safe, step.range, constant});
  }
  return std::make_unique<SelectionNode>(syntax.range, std::move(base), std::move(steps));
}

NodePointer Binder::bind_call(const Syntax& syntax) {
  const FunctionEntry* entry = find_function(syntax.name);
  // Arguments are bound also when the call is broken: their own mistakes and mentions are worth knowing.
  std::vector<NodePointer> arguments;
  arguments.reserve(syntax.arguments.size());
  for (const SyntaxPointer& argument : syntax.arguments) arguments.push_back(bind(*argument));
  if (entry == nullptr) return unknown_function(syntax);

  if (std::ranges::find(trigger_functions, entry->name) != trigger_functions.end()) {
    mention(Kind::trigger, {}, syntax.range, entry->name);
  }
  const std::size_t count = arguments.size();
  if (count < entry->arguments_min || (entry->arguments_max != 255 && count > entry->arguments_max)) {
    return wrong_count(syntax, *entry);
  }
  if (find_reference(entry->name) != nullptr) return bind_reference(syntax, *entry, arguments);
  if (std::ranges::find(form_functions, entry->name) != form_functions.end()) {
    const Value* name = arguments[0]->constant();
    if (name != nullptr && name->is_string()) {
      mention(Kind::action, name->as_string(), arguments[0]->range(), entry->name);
    }
  }
  for (const auto& [name, form] : subjects) {
    if (name == entry->name) return std::make_unique<SubjectNode>(syntax.range, *entry, form);
  }
  if (entry->name == "and" || entry->name == "or") {
    return std::make_unique<JunctionNode>(syntax.range, *entry, entry->name == "or", std::move(arguments));
  }
  if (entry->name == "if") return std::make_unique<IfNode>(syntax.range, std::move(arguments));
  if (entry->name == "coalesce") return std::make_unique<CoalesceNode>(syntax.range, std::move(arguments));
  const bool constant = entry->pure && all_constant(arguments);
  NodePointer node;
  if (entry->name == "concat") {
    node = std::make_unique<TextNode>(syntax.range, TextNode::Form::concat, std::move(arguments));
  } else if (count == 2 && std::ranges::find(comparisons, entry->name) != comparisons.end()) {
    node = std::make_unique<ComparisonNode>(syntax.range, *entry, std::move(arguments));
  } else {
    node = std::make_unique<CallNode>(syntax.range, *entry, std::move(arguments));
  }
  return constant ? fold(std::move(node)) : std::move(node);
}

NodePointer Binder::fold(NodePointer node) {
  NoContext context;
  Evaluation evaluation(context, folding_limits);
  evaluation.begin(source_);
  evaluation.quote(node->range());
  Value room;
  if (const Value* value = node->evaluate(evaluation, room)) {
    const SourceRange range = node->range();
    Value copy = *value;
    return std::make_unique<ConstantNode>(range, std::move(copy), std::move(node));
  }
  // A call that fails in any run is worth a warning; one that is only too large to fold is not. It may stand in a
  // branch that is never taken, so it is no error.
  const ExpressionError& error = evaluation.error();
  if (error.message.find(" limit of ") == std::string::npos &&
      error.message.find("text of more than") == std::string::npos) {
    report(Severity::warning, "InvalidTemplate", error.message, "Correct the constant: this call fails in every run.",
           error.range);
  }
  return node;
}

NodePointer Binder::bind_reference(const Syntax& syntax, const FunctionEntry& entry,
                                   std::vector<NodePointer>& arguments) {
  const NamedReference& named = *find_reference(entry.name);
  std::int32_t slot = -1;
  const Value* name = arguments[0]->constant();
  const SourceRange range = arguments[0]->range();
  if (name != nullptr && name->is_string()) {
    const std::string_view text = name->as_string();
    mention(named.kind, text, range, entry.name);
    std::vector<std::string_view> known;
    const std::string quoted = "'" + std::string(text) + "'";
    std::string message;
    switch (named.kind) {
      case Kind::parameter:
        slot = names_.parameter(text);
        message = "The workflow parameter " + quoted + " is not found.";
        if (slot < 0) known = names_.parameters();
        break;
      case Kind::variable:
        slot = names_.variable(text);
        message = "The variable " + quoted + " is not found: no action initializes it.";
        if (slot < 0) known = names_.variables();
        break;
      case Kind::loop:
        slot = names_.action(text);
        message = "The repetition action(s) " + quoted + " referenced by '" + std::string(entry.name) +
                  "' are not defined in the template.";
        if (slot < 0) known = names_.actions();
        break;
      default:
        slot = names_.action(text);
        message = "The action(s) " + quoted + " referenced by '" + std::string(entry.name) +
                  "' are not defined in the template.";
        if (slot < 0) known = names_.actions();
    }
    if (slot < 0) {
      const std::string_view near = nearest(text, known);
      // `Region_#workflowname#`: a template's parameter, which the template's wizard renames and declares.
      const bool placeholder = named.kind == Kind::parameter && text.find("#workflowname#") != std::string_view::npos;
      report(placeholder ? Severity::warning : Severity::error, placeholder ? "UndeployedTemplate" : "InvalidTemplate",
             std::move(message),
             placeholder    ? "Declare the parameter that the template asks for, and use its name."
             : near.empty() ? "Correct the name, or add what it names."
                            : "Did you mean '" + std::string(near) + "'?",
             range);
    }
  } else if (name != nullptr) {
    report(Severity::error, "InvalidTemplate",
           "The provided parameters for template language function '" + std::string(entry.name) + "' are not valid.",
           "Give the name as a text in single quotes.", range);
  }
  return std::make_unique<ReferenceNode>(syntax.range, entry, named.form, std::move(arguments[0]), slot);
}

NodePointer Binder::unknown_function(const Syntax& syntax) {
  ExpressionError error;
  error.message = "The template function '" + syntax.name + "' is not defined or not valid.";
  error.function = syntax.name;
  error.range = syntax.name_range;
  std::vector<std::string_view> known;
  for (const FunctionTable& table : all_functions()) {
    for (const FunctionEntry& entry : table) known.push_back(entry.name);
  }
  const std::string_view near = nearest(syntax.name, known);
  report(Severity::warning, "InvalidTemplate", error.message,
         near.empty() ? "Use a function of the reference." : "Did you mean '" + std::string(near) + "'?",
         syntax.name_range);
  return std::make_unique<BrokenNode>(syntax.range, std::move(error));
}

NodePointer Binder::wrong_count(const Syntax& syntax, const FunctionEntry& entry) {
  const std::size_t count = syntax.arguments.size();
  const std::size_t least = entry.arguments_min;
  const std::size_t most = entry.arguments_max;
  ExpressionError error;
  error.function = entry.name;
  error.message = "The template language function '" + std::string(entry.name) + "' ";
  const bool named = find_reference(entry.name) != nullptr && count == 0;
  if (named) {
    error.message += "must have at least one parameter.";
  } else if (most == 0) {
    error.message += "must not have any parameters.";
  } else {
    std::string expected;
    if (least == most) {
      expected = parameters(least);
    } else if (most == 255) {
      expected = "at least " + parameters(least);
    } else if (most == least + 1) {
      expected = std::string(number_word(least)) + " or " + parameters(most);
    } else {
      expected = "between " + std::string(number_word(least)) + " and " + parameters(most);
    }
    error.expected = expected;
    error.message += "expects " + expected;
    if (!entry.arguments.empty()) error.message += ": " + std::string(entry.arguments);
    error.message +=
        ". The function was invoked with '" + std::to_string(count) + "' parameter" + (count == 1 ? "(s)" : "s") + ".";
  }
  error.range = syntax.range;
  // A definition with a wrong count can be saved; one that names nothing where a name must stand can't (section 3).
  report(named ? Severity::error : Severity::warning, "InvalidTemplate", error.message,
         "Give " + (error.expected.empty() ? std::string(named ? "the name" : "no parameters") : error.expected) + ".",
         syntax.range);
  return std::make_unique<BrokenNode>(syntax.range, std::move(error));
}

}  // namespace flowmend::expression
