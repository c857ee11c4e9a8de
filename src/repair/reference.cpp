#include "repair/reference.h"

#include <algorithm>
#include <array>

#include "connector/text.h"
#include "expression/parser.h"

namespace flowmend::repair {
namespace {

using expression::Syntax;

constexpr int depth_max = 50;

/// What is missing in their argument is missing in what they give.
constexpr std::array<std::string_view, 12> looked_through{"trim",         "tolower",
                                                          "toupper",      "string",
                                                          "int",          "float",
                                                          "bool",         "decimal",
                                                          "base64",       "encodeuricomponent",
                                                          "uricomponent", "decodeuricomponent"};

std::optional<std::string> literal_text(const expression::SyntaxPointer& syntax) {
  if (!syntax || syntax->kind != Syntax::Kind::literal || !syntax->literal.is_string()) return std::nullopt;
  return std::string(syntax->literal.as_string());
}

bool is_looked_through(std::string_view name) {
  return std::ranges::find(looked_through, name) != looked_through.end();
}

std::optional<Reference> read(const Syntax& syntax, const Recorded& recorded, int depth);

std::optional<Reference> read_call(const Syntax& call, const Recorded& recorded, int depth) {
  const std::string name = connector::lower_case(call.name);
  Reference out;
  const auto named = [&](Reference::Root root) -> std::optional<Reference> {
    const auto argument = call.arguments.size() == 1 ? literal_text(call.arguments.front()) : std::nullopt;
    if (!argument) return std::nullopt;
    out.root = root;
    out.name = *argument;
    return out;
  };
  const auto plain = [&](Reference::Root root) -> std::optional<Reference> {
    if (!call.arguments.empty()) return std::nullopt;
    out.root = root;
    return out;
  };
  if (name == "body" || name == "actionbody") {
    out.path.emplace_back("body");
    return named(Reference::Root::action);
  }
  if (name == "outputs" || name == "actionoutputs") return named(Reference::Root::action);
  if (name == "triggerbody") {
    out.path.emplace_back("body");
    return plain(Reference::Root::trigger);
  }
  if (name == "triggeroutputs") return plain(Reference::Root::trigger);
  if (name == "items") return named(Reference::Root::loop);
  if (name == "item") return plain(Reference::Root::item);
  if (name == "variables") return named(Reference::Root::variable);
  if (name == "parameters") return named(Reference::Root::parameter);
  if ((name == "first" || name == "last") && call.arguments.size() == 1) {
    auto inner = read(*call.arguments.front(), recorded, depth + 1);
    if (inner) inner->path.emplace_back(name == "first" ? std::int64_t{0} : std::int64_t{-1});
    return inner;
  }
  if (is_looked_through(name) && call.arguments.size() == 1) return read(*call.arguments.front(), recorded, depth + 1);
  return std::nullopt;
}

/// A key that is written, or that another recorded value holds.
std::optional<json::Value> key_of(const expression::SyntaxStep& step, const Recorded& recorded, int depth) {
  if (!step.key) return std::nullopt;
  if (step.key->kind == Syntax::Kind::literal) return step.key->literal;
  if (!recorded) return std::nullopt;
  const auto reference = read(*step.key, recorded, depth + 1);
  return reference ? recorded(*reference) : std::nullopt;
}

std::optional<Reference> read(const Syntax& syntax, const Recorded& recorded, int depth) {
  if (depth > depth_max) return std::nullopt;
  if (syntax.kind == Syntax::Kind::call) return read_call(syntax, recorded, depth);
  if (syntax.kind != Syntax::Kind::selection || !syntax.base) return std::nullopt;
  // A text that was made of the value has no members.
  if (syntax.base->kind == Syntax::Kind::call && is_looked_through(connector::lower_case(syntax.base->name)))
    return std::nullopt;
  auto out = read(*syntax.base, recorded, depth + 1);
  if (!out) return std::nullopt;
  for (const expression::SyntaxStep& step : syntax.steps) {
    const auto found = key_of(step, recorded, depth);
    if (!found) return std::nullopt;
    const json::Value& key = *found;
    if (key.is_string()) {
      out->path.emplace_back(std::string(key.as_string()));
    } else if (key.is_integer() && key.as_integer() >= 0) {
      out->path.emplace_back(key.as_integer());
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

std::optional<Reference> read_reference(std::string_view text, const Recorded& recorded) {
  if (text.starts_with("@@")) return std::nullopt;
  if (text.starts_with("@{")) {
    const auto parsed = expression::parse(text, 2, expression::Ending::right_curly_bracket);
    if (!parsed || parsed->end != text.size() || !parsed->root) return std::nullopt;
    return read(*parsed->root, recorded, 0);
  }
  const auto parsed = expression::parse(text, text.starts_with('@') ? 1 : 0, expression::Ending::end_of_text);
  if (!parsed || !parsed->root) return std::nullopt;
  return read(*parsed->root, recorded, 0);
}

Walk walk(const json::Value& from, const std::vector<Reference::Key>& path) {
  const json::Value* at = &from;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (at->is_null()) return {Walk::End::null, i, at};
    if (const auto* name = std::get_if<std::string>(&path[i])) {
      if (!at->is_object()) return {Walk::End::not_a_container, i, at};
      const json::Value* member = at->find_ignoring_case(*name);
      if (member == nullptr) return {Walk::End::absent, i, at};
      at = member;
    } else {
      if (!at->is_array()) return {Walk::End::not_a_container, i, at};
      std::int64_t index = std::get<std::int64_t>(path[i]);
      const auto size = static_cast<std::int64_t>(at->size());
      if (index < 0) index += size;
      if (index < 0 || index >= size) return {Walk::End::short_list, i, at};
      at = &at->as_array()[static_cast<std::size_t>(index)];
    }
  }
  if (at->is_null()) return {Walk::End::null, path.size(), at};
  if (at->is_string() && at->as_string().empty()) return {Walk::End::empty_text, path.size(), at};
  return {Walk::End::there, path.size(), at};
}

}  // namespace flowmend::repair
