#include "expression/template.h"

#include <algorithm>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include "expression/binder.h"
#include "expression/compiled.h"
#include "expression/functions/fault.h"
#include "expression/parser.h"
#include "expression/recorder.h"
#include "json/pointer.h"

namespace flowmend::expression {

namespace {

/// The designer's limit; longer expressions still run here.
constexpr std::size_t expression_bytes_max = 8'192;

/// Compiles the strings of one template.
class Compiler {
 public:
  Compiler(const Names& names, std::string_view prefix, Diagnostics& diagnostics,
           std::vector<Template::Mention>& mentions)
      : names_(names), prefix_(prefix), diagnostics_(diagnostics), mentions_(mentions) {}

  Part compile(const Value& value, const std::string& pointer) {
    if (value.is_string()) return text(value, pointer, Role::value);
    if (value.depth() > json::depth_max || !may_hold_expression(value)) return constant(value);
    Part part;
    if (value.is_array()) {
      part.kind = Part::Kind::array;
      std::size_t i = 0;
      for (const Value& element : value.as_array()) part.children.push_back(compile(element, json::join(pointer, i++)));
    } else {
      part.kind = Part::Kind::object;
      for (const json::Member& member : value.as_object()) {
        const std::string at = json::join(pointer, member.name());
        part.names.push_back(text(member.key, at, Role::name));
        if (part.names.back().kind != Part::Kind::constant) part.fixed_names = false;
        part.children.push_back(compile(member.value, at));
      }
    }
    return simplified(std::move(part), value);
  }

  /// A string that is one expression, with or without its `@`.
  Part expression(const Value& value, const std::string& pointer) {
    const std::string_view source = value.as_string();
    if (source.starts_with('@')) return text(value, pointer, Role::value);
    return whole(value, 0, pointer);
  }

 private:
  enum class Role : std::uint8_t { value, name };

  static Part constant(Value value) {
    Part part;
    part.constant = std::move(value);
    return part;
  }

  static bool text_may_hold_expression(std::string_view text) { return text.find('@') != std::string_view::npos; }

  static bool may_hold_expression(const Value& value) {
    if (value.is_string()) return text_may_hold_expression(value.as_string());
    if (value.is_array()) return std::ranges::any_of(value.as_array(), may_hold_expression);
    if (!value.is_object()) return false;
    return std::ranges::any_of(value.as_object(), [](const json::Member& member) {
      return text_may_hold_expression(member.name()) || may_hold_expression(member.value);
    });
  }

  /// An array or object whose parts all turned out constant and unchanged is shared as it was written.
  static Part simplified(Part part, const Value& value) {
    const auto unchanged = [](const Part& child, const Value& written) {
      return child.kind == Part::Kind::constant && child.constant.same_node(written);
    };
    for (std::size_t i = 0; i < part.children.size(); ++i) {
      if (part.kind == Part::Kind::array) {
        if (!unchanged(part.children[i], value.as_array()[i])) return part;
      } else {
        const json::Member& member = value.as_object()[i];
        if (!unchanged(part.children[i], member.value) || !unchanged(part.names[i], member.key)) return part;
      }
    }
    return constant(value);
  }

  Part text(const Value& value, const std::string& pointer, Role role) {
    const std::string_view source = value.as_string();
    if (source.size() < 2 || !text_may_hold_expression(source)) return constant(value);
    if (source.starts_with("@@")) return constant(Value(source.substr(1)));
    if (source.front() == '@' && source[1] != '{') {
      // `@odata.type` and its like stand as names in bodies of web services; what does not read as an expression
      // there is a name and no mistake.
      if (role == Role::name && parse(source, 1, Ending::end_of_text).has_error()) return constant(value);
      return whole(value, 1, pointer);
    }
    if (source.find("@{") == std::string_view::npos) return constant(value);
    if (role == Role::name && interpolates_badly(source)) return constant(value);
    return interpolation(value, pointer);
  }

  static bool interpolates_badly(std::string_view source) {
    for (std::size_t at = source.find("@{"); at != std::string_view::npos; at = source.find("@{", at)) {
      if (at > 0 && source[at - 1] == '@') {
        at += 2;
        continue;
      }
      auto parsed = parse(source, at + 2, Ending::right_curly_bracket);
      if (parsed.has_error()) return true;
      at = parsed->end;
    }
    return false;
  }

  Part whole(const Value& value, std::size_t begin, const std::string& pointer) {
    const std::string_view source = value.as_string();
    Part part = new_text(value, pointer);
    part.quoted = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(source.size())};
    auto parsed = parse(source, begin, Ending::end_of_text);
    if (parsed.has_error()) {
      part.root = broken(std::move(parsed).error(), part.quoted, pointer);
      return part;
    }
    const std::string full = prefix_ + pointer;
    part.root = Binder(names_, full, source, diagnostics_, mentions_).bind(*parsed->root);
    return part;
  }

  Part interpolation(const Value& value, const std::string& pointer) {
    const std::string_view source = value.as_string();
    const std::string full = prefix_ + pointer;
    std::vector<NodePointer> parts;
    std::string literal;
    std::size_t literal_begin = 0;
    bool any_hole = false;
    const auto flush = [&](std::size_t end) {
      if (literal.empty()) return;
      const SourceRange range{static_cast<std::uint32_t>(literal_begin), static_cast<std::uint32_t>(end)};
      parts.push_back(std::make_unique<ConstantNode>(range, Value(std::string_view(literal))));
      literal.clear();
    };
    const SourceRange everything{0, static_cast<std::uint32_t>(source.size())};
    std::size_t at = 0;
    while (at < source.size()) {
      const std::size_t mark = source.find("@{", at);
      if (mark == std::string_view::npos) break;
      if (mark > at && source[mark - 1] == '@') {  // `@@{` prints `@{`
        literal.append(source, at, mark - 1 - at);
        literal += "@{";
        at = mark + 2;
        continue;
      }
      literal.append(source, at, mark - at);
      flush(mark);
      auto parsed = parse(source, mark + 2, Ending::right_curly_bracket);
      if (parsed.has_error()) {
        if (is_arm_expression(source)) return undeployed(value, pointer);
        Part part = new_text(value, pointer);
        part.root = broken(std::move(parsed).error(), everything, pointer);
        return part;
      }
      const SourceRange inside{static_cast<std::uint32_t>(mark + 2), static_cast<std::uint32_t>(parsed->end - 1)};
      warn_when_long(inside, pointer);
      NodePointer inner = Binder(names_, full, source, diagnostics_, mentions_).bind(*parsed->root);
      parts.push_back(std::make_unique<HoleNode>(inside, std::move(inner)));
      any_hole = true;
      at = literal_begin = parsed->end;
    }
    literal.append(source, at, source.size() - at);
    if (!any_hole) return constant(Value(std::string_view(literal)));
    flush(source.size());
    Part part = new_text(value, pointer);
    part.root = std::make_unique<TextNode>(everything, TextNode::Form::interpolation, std::move(parts));
    return part;
  }

  static Part new_text(const Value& value, const std::string& pointer) {
    Part part;
    part.kind = Part::Kind::text;
    part.constant = value;
    part.pointer = pointer;
    return part;
  }

  /// `[concat('...', parameters('x'))]`: an Azure Resource Manager template that was not deployed.
  static bool is_arm_expression(std::string_view source) {
    if (source.size() < 4 || source.front() != '[' || source.back() != ']' || source[source.size() - 2] != ')')
      return false;
    const auto word = source.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 1);
    return word != std::string_view::npos && word > 1 && source[word] == '(';
  }

  /// Kept as it stands: what a deployment would make of it is not known here.
  Part undeployed(const Value& value, const std::string& pointer) {
    diagnostics_.push_back(Diagnostic{
        .pointer = prefix_ + pointer,
        .severity = Severity::warning,
        .code = "UndeployedTemplate",
        .message = "This text is an expression of an Azure Resource Manager template; it is used as it stands.",
        .cure = "Write the value that a deployment puts in its place, or import the deployed flow.",
        .begin = 0,
        .end = static_cast<std::uint32_t>(value.as_string().size())});
    return constant(value);
  }

  NodePointer broken(ExpressionError error, SourceRange range, const std::string& pointer) {
    diagnostics_.push_back(Diagnostic{.pointer = prefix_ + pointer,
                                      .severity = Severity::error,
                                      .code = "InvalidTemplate",
                                      .message = error.message,
                                      .cure = "Correct the expression at the marked place.",
                                      .begin = error.range.begin,
                                      .end = error.range.end});
    return std::make_unique<BrokenNode>(range, std::move(error));
  }

  void warn_when_long(SourceRange range, const std::string& pointer) {
    if (range.end - range.begin <= expression_bytes_max) return;
    diagnostics_.push_back(Diagnostic{.pointer = prefix_ + pointer,
                                      .severity = Severity::warning,
                                      .code = "ExpressionTooLong",
                                      .message = "The expression has " + std::to_string(range.end - range.begin) +
                                                 " characters; designers accept at most 8,192.",
                                      .cure = "Move a part of it into a Compose action or a variable.",
                                      .begin = range.begin,
                                      .end = range.end});
  }

  const Names& names_;
  std::string prefix_;
  Diagnostics& diagnostics_;
  std::vector<Template::Mention>& mentions_;
};

/// Evaluates the parts of one template. nullopt = failed; `failed_part` says where.
class Evaluator {
 public:
  explicit Evaluator(Evaluation& evaluation) : evaluation_(evaluation) {}

  std::optional<Value> evaluate(const Part& part) {
    switch (part.kind) {
      case Part::Kind::constant: return part.constant;
      case Part::Kind::text: return text(part);
      case Part::Kind::array: return array(part);
      case Part::Kind::object: return object(part);
    }
    return std::nullopt;
  }

  const Part* failed_part() const { return failed_part_; }

 private:
  std::optional<Value> text(const Part& part) {
    evaluation_.begin(part.constant.as_string());
    evaluation_.quote(part.quoted);
    Value room;
    const Value* value = part.root->evaluate(evaluation_, room);
    if (value == nullptr) {
      failed_part_ = &part;
      return std::nullopt;
    }
    if (value == &room) return room;
    return *value;
  }

  std::optional<Value> array(const Part& part) {
    json::ArrayBuilder builder;
    builder.reserve(part.children.size());
    for (const Part& child : part.children) {
      auto value = evaluate(child);
      if (!value) return std::nullopt;
      builder.push(std::move(*value));
    }
    return checked(builder.finish(), part);
  }

  std::optional<Value> object(const Part& part) {
    json::ObjectBuilder builder;
    builder.reserve(part.children.size());
    for (std::size_t i = 0; i < part.children.size(); ++i) {
      auto name = evaluate(part.names[i]);
      if (!name) return std::nullopt;
      auto value = evaluate(part.children[i]);
      if (!value) return std::nullopt;
      if (part.fixed_names) {
        builder.add(std::move(*name), std::move(*value));
      } else {
        // A computed name may repeat another one: the later member stands.
        builder.set(text_of_value(*name), std::move(*value));
      }
    }
    return checked(builder.finish(), part);
  }

  std::optional<Value> checked(Value value, const Part& part) {
    const std::size_t bytes = value.size() * sizeof(json::Member);
    if (value.depth() <= json::depth_max && evaluation_.spend(bytes, 1)) return value;
    failed_part_ = &part;
    if (value.depth() > json::depth_max) {
      ExpressionError error;
      error.message =
          "The value cannot be made because it would nest deeper than " + std::to_string(json::depth_max) + " levels.";
      evaluation_.fail(std::move(error), {});
    } else {
      evaluation_.fail_limit({});
    }
    return std::nullopt;
  }

  Evaluation& evaluation_;
  const Part* failed_part_ = nullptr;
};

ExpressionError located(ExpressionError error, const Part* part) {
  if (part == nullptr) return error;
  error.pointer = part->pointer;
  if (part->constant.is_string()) error.source = part->constant.as_string();
  return error;
}

/// Results are recorded and sent. Built of shared parts, a small one can print as endless text.
bool is_too_large(const Value& value, const Limits& limits) {
  return value.text_bytes() > static_cast<double>(std::min(limits.string_bytes_max, text_bytes_max)) + 2;
}

ExpressionError too_large(const Limits& limits) {
  return text_too_long(std::min(limits.string_bytes_max, text_bytes_max));
}

Outcome<Value> evaluate_part(const Part& root, Context& context, const Limits& limits) {
  Evaluation evaluation(context, limits);
  if (root.kind == Part::Kind::text) {  // the usual case, without the detours of the general one
    evaluation.begin(root.constant.as_string());
    evaluation.quote(root.quoted);
    Value room;
    const Value* value = root.root->evaluate(evaluation, room);
    if (value != nullptr && is_too_large(*value, limits)) return located(too_large(limits), &root);
    if (value == &room) return room;
    if (value != nullptr) return *value;
    return located(evaluation.take_error(), &root);
  }
  Evaluator evaluator(evaluation);
  auto value = evaluator.evaluate(root);
  if (value && is_too_large(*value, limits)) return located(too_large(limits), &root);
  if (value) return std::move(*value);
  return located(evaluation.take_error(), evaluator.failed_part());
}

template <class Visit>
void visit_texts(const Part& part, Visit&& visit) {
  if (part.kind == Part::Kind::text) visit(part);
  for (const Part& name : part.names) visit_texts(name, visit);
  for (const Part& child : part.children) visit_texts(child, visit);
}

const std::shared_ptr<const Template::Compiled>& constant_null() {
  static const auto null = std::make_shared<const Template::Compiled>();
  return null;
}

}  // namespace

Template::Template() : compiled_(constant_null()) {}

Template Template::compile(const Value& value, const Names& names, std::string_view pointer, Diagnostics& diagnostics) {
  auto compiled = std::make_shared<Compiled>();
  compiled->source = value;
  compiled->root = Compiler(names, pointer, diagnostics, compiled->mentions).compile(value, {});
  Template result;
  result.compiled_ = std::move(compiled);
  return result;
}

Template Template::compile_expression(std::string_view text, const Names& names, std::string_view pointer,
                                      Diagnostics& diagnostics) {
  auto compiled = std::make_shared<Compiled>();
  compiled->source = Value(text);
  compiled->root = Compiler(names, pointer, diagnostics, compiled->mentions).expression(compiled->source, {});
  Template result;
  result.compiled_ = std::move(compiled);
  return result;
}

bool Template::is_constant() const { return compiled_->root.kind == Part::Kind::constant; }

const Value& Template::source() const { return compiled_->source; }

std::vector<Template::Mention> Template::mentions() const { return compiled_->mentions; }

Outcome<Value> Template::evaluate(Context& context, const Limits& limits) const {
  const Part& root = compiled_->root;
  if (root.kind == Part::Kind::constant) return root.constant;
  try {
    return evaluate_part(root, context, limits);
  } catch (const std::length_error&) {
    return located(text_too_long(std::min(limits.string_bytes_max, text_bytes_max)), &root);
  } catch (const std::bad_alloc&) {
    ExpressionError error;
    error.message =
        "The template language expression cannot be evaluated because the server has no memory left for it.";
    return located(std::move(error), &root);
  }
}

std::vector<Trace> trace(const Template& compiled, Context& context, const Limits& limits) {
  std::vector<Trace> traces;
  for (const Part* part : compiled.texts()) {
    Recorder recorder(part->pointer, part->constant.as_string());
    Evaluation evaluation(context, limits, &recorder);
    evaluation.begin(part->constant.as_string());
    evaluation.quote(part->quoted);
    Value room;
    try {
      part->root->evaluate(evaluation, room);
    } catch (const std::length_error&) {  // what was seen before the text grew too long is worth showing
    }
    for (Trace& trace : recorder.take()) traces.push_back(std::move(trace));
  }
  return traces;
}

std::vector<const Part*> Template::texts() const {
  std::vector<const Part*> texts;
  visit_texts(compiled_->root, [&](const Part& part) { texts.push_back(&part); });
  return texts;
}

std::string framed_message(const ExpressionError& error, std::string_view action, bool for_condition) {
  std::string message = "Unable to process template language expressions ";
  message += for_condition ? "for action '" : "in action '";
  message += action;
  message += for_condition ? "' at line '0' and column '0': '" : "' inputs at line '0' and column '0': '";
  message += error.message;
  message += "'.";
  return message;
}

}  // namespace flowmend::expression
