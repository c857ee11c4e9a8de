#include "connector/policy_text.h"

#include <algorithm>

#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

/// One reference behind an `@`: `headers('x', 'default')` or `body().a.b`.
struct Reference {
  enum class Source : std::uint8_t { headers, query, connection, body };
  Source source = Source::headers;
  std::string name;
  std::optional<std::string> otherwise;
  PolicyPath path;      ///< of source body
  std::size_t end = 0;  ///< behind it, its braces included
};

bool is_quote(std::string_view text, std::size_t at, std::size_t& size) {
  if (at >= text.size()) return false;
  if (text[at] == '\'' || text[at] == '"') {
    size = 1;
    return true;
  }
  for (const std::string_view quote : {"\xE2\x80\x98", "\xE2\x80\x99", "\xE2\x80\x9C", "\xE2\x80\x9D"}) {
    if (text.substr(at).starts_with(quote)) {
      size = quote.size();
      return true;
    }
  }
  return false;
}

void skip_blanks(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == ' ') ++at;
}

std::optional<std::string> read_quoted(std::string_view text, std::size_t& at) {
  skip_blanks(text, at);
  std::size_t quote = 0;
  if (!is_quote(text, at, quote)) return std::nullopt;
  at += quote;
  const std::size_t begin = at;
  while (at < text.size() && !is_quote(text, at, quote)) ++at;
  if (at >= text.size()) return std::nullopt;
  std::string out(text.substr(begin, at - begin));
  at += quote;
  return out;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         c == '-' || c == '@' || static_cast<unsigned char>(c) >= 0x80;
}

std::string read_name(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  while (at < text.size() && is_name_character(text[at])) ++at;
  return std::string(text.substr(begin, at - begin));
}

/// `[0]` or `['odd name']` at `at`; nothing, and `at` where it was, when there is none.
std::optional<std::variant<std::string, std::size_t>> read_bracket(std::string_view text, std::size_t& at) {
  std::size_t cursor = at + 1;
  std::variant<std::string, std::size_t> step;
  if (auto name = read_quoted(text, cursor)) {
    step = std::move(*name);
  } else {
    const std::size_t begin = cursor;
    std::size_t index = 0;
    constexpr std::size_t digits_max = 9;
    while (cursor < text.size() && cursor - begin < digits_max && text[cursor] >= '0' && text[cursor] <= '9')
      index = index * 10 + static_cast<std::size_t>(text[cursor++] - '0');
    if (cursor == begin) return std::nullopt;
    step = index;
  }
  skip_blanks(text, cursor);
  if (cursor >= text.size() || text[cursor] != ']') return std::nullopt;
  at = cursor + 1;
  return step;
}

PolicySteps read_steps(std::string_view text, std::size_t& at) {
  PolicySteps steps;
  while (at < text.size()) {
    std::size_t cursor = at;
    if (text[cursor] == '?') ++cursor;  // `?['x']`, as in the workflow language
    if (cursor >= text.size()) break;
    if (text[cursor] == '.') {
      ++cursor;
      std::string name = read_name(text, cursor);
      if (name.empty()) break;
      steps.emplace_back(std::move(name));
    } else if (text[cursor] == '[') {
      auto step = read_bracket(text, cursor);
      if (!step) break;
      steps.push_back(std::move(*step));
    } else {
      break;
    }
    at = cursor;
  }
  return steps;
}

std::optional<Reference> read_reference(std::string_view text, std::size_t at) {
  constexpr std::size_t source_max = 64;
  const std::size_t open = text.substr(0, std::min(text.size(), at + source_max)).find('(', at);
  if (open == std::string_view::npos) return std::nullopt;
  const std::string source = lower_case(trim(text.substr(at, open - at)));
  Reference found;
  std::size_t cursor = open + 1;
  if (source == "body" || source == "triggerbody" || source == "item") {
    skip_blanks(text, cursor);
    if (cursor >= text.size() || text[cursor] != ')') return std::nullopt;
    ++cursor;
    found.source = Reference::Source::body;
    found.path.of_item = source == "item";
    found.path.steps = read_steps(text, cursor);
    found.end = cursor;
    return found;
  }
  if (source == "headers" || source == "header") {
    found.source = Reference::Source::headers;
  } else if (source == "queryparameters" || source == "queryparameter" || source == "queryparamters") {
    found.source = Reference::Source::query;  // the last is a real file's slip
  } else if (source == "connectionparameters") {
    found.source = Reference::Source::connection;
  } else {
    return std::nullopt;
  }
  auto name = read_quoted(text, cursor);
  if (!name) return std::nullopt;
  found.name = std::move(*name);
  skip_blanks(text, cursor);
  if (cursor < text.size() && text[cursor] == ',') {
    ++cursor;
    found.otherwise = read_quoted(text, cursor);
    skip_blanks(text, cursor);
  }
  if (cursor >= text.size() || text[cursor] != ')') return std::nullopt;
  found.end = cursor + 1;
  return found;
}

/// A reference that begins at `at` with `@`, `@{` or `{@`.
std::optional<Reference> reference_at(std::string_view text, std::size_t at) {
  std::size_t start = at + 1;
  bool braces = false;
  if (text[at] == '@') {
    braces = start < text.size() && text[start] == '{';
    if (braces) ++start;
  } else if (text[at] == '{' && start < text.size() && text[start] == '@') {
    braces = true;
    ++start;
  } else {
    return std::nullopt;
  }
  auto found = read_reference(text, start);
  if (found && braces && found->end < text.size() && text[found->end] == '}') ++found->end;
  return found;
}

const std::string* find_pair(const Pairs& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const auto& pair) { return equals_ignoring_case(pair.first, name); });
  return found == pairs.end() ? nullptr : &found->second;
}

std::optional<Value> lookup(const Reference& found, const PolicyContext& context) {
  using Source = Reference::Source;
  switch (found.source) {
    case Source::headers: {
      const std::string* value = find_pair(context.headers, found.name);
      return value == nullptr ? std::nullopt : std::optional<Value>(*value);
    }
    case Source::query: {
      const std::string* value = find_pair(context.query, found.name);
      return value == nullptr ? std::nullopt : std::optional<Value>(percent_decode(*value));
    }
    case Source::connection: {
      const Value* value = context.fields.find_ignoring_case(found.name);
      if (value == nullptr) value = context.fields.find_ignoring_case("token:" + found.name);
      return value == nullptr || value->is_null() ? std::nullopt : std::optional<Value>(*value);
    }
    case Source::body: break;
  }
  const Value* root = found.path.of_item ? context.item : context.body;
  const Value* value = root == nullptr ? nullptr : value_at(*root, found.path.steps);
  return value == nullptr ? std::nullopt : std::optional<Value>(*value);
}

std::string name_of(const Reference& found) {
  if (found.source != Reference::Source::body) return found.name;
  std::string out = found.path.of_item ? "item()" : "body()";
  for (const auto& step : found.path.steps)
    out += "/" + (step.index() == 0 ? std::get<std::string>(step) : std::to_string(std::get<std::size_t>(step)));
  return out;
}

/// Calls `text(c)` for each plain character and `value(reference, its value)` for each reference.
template <class Plain, class Put>
void walk(std::string_view text, const PolicyContext& context, Plain plain, Put put) {
  for (std::size_t at = 0; at < text.size();) {
    const auto found = reference_at(text, at);
    if (!found) {
      plain(text[at++]);
      continue;
    }
    at = found->end;
    auto value = lookup(*found, context);
    if (!value && found->otherwise) value = Value(*found->otherwise);
    put(*found, value);
  }
}

/// The template as JSON with the references put in: whole outside of strings, as text inside. Nothing when it is none.
std::optional<Value> as_json(std::string_view text, const PolicyContext& context) {
  std::string written;
  bool in_string = false;
  bool escaped = false;
  walk(
      text, context,
      [&](char c) {
        if (c == '"' && !escaped) in_string = !in_string;
        escaped = c == '\\' && !escaped;
        written += c;
      },
      [&](const Reference&, const std::optional<Value>& value) {
        if (!value) return;
        if (!in_string) {
          written += json::write(*value);
        } else {
          const std::string quoted = json::write(Value(text_of_value(*value)));
          written += quoted.substr(1, quoted.size() - 2);
        }
      });
  auto parsed = json::parse(written);
  return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

}  // namespace

std::optional<PolicySteps> read_policy_steps(std::string_view text) {
  text = trim(text);
  if (text.empty() || equals_ignoring_case(text, "null")) return PolicySteps();
  // Steps begin with a dot but for the first.
  const std::string dotted = text.front() == '[' || text.front() == '.' ? std::string(text) : "." + std::string(text);
  std::size_t at = 0;
  PolicySteps steps = read_steps(dotted, at);
  if (at == dotted.size()) return steps;
  if (text.front() != '[' && text.front() != '.') return PolicySteps{std::string(text)};  // an odd name, bare
  return std::nullopt;
}

std::optional<PolicyPath> read_policy_path(std::string_view text) {
  text = trim(text);
  if (text.starts_with("{") && text.ends_with("}")) text = trim(text.substr(1, text.size() - 2));
  if (text.starts_with("@{") && text.ends_with("}")) text = trim(text.substr(2, text.size() - 3));
  if (text.starts_with("@")) text.remove_prefix(1);
  auto found = read_reference(text, 0);
  if (!found || found->source != Reference::Source::body || found->end != text.size()) return std::nullopt;
  return std::move(found->path);
}

const Value* value_at(const Value& root, const PolicySteps& steps) {
  const Value* here = &root;
  for (const auto& step : steps) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      here = here->is_object() ? here->find(*name) : nullptr;
    } else {
      const std::size_t index = std::get<std::size_t>(step);
      here = here->is_array() && index < here->size() ? &here->as_array()[index] : nullptr;
    }
    if (here == nullptr) return nullptr;
  }
  return here;
}

std::string expand_policy_text(std::string_view text, const PolicyContext& context, std::string& missing) {
  std::string out;
  walk(
      text, context, [&](char c) { out += c; },
      [&](const Reference& found, const std::optional<Value>& value) {
        if (value) {
          out += text_of_value(*value);
        } else if (missing.empty()) {
          missing = name_of(found);
        }
      });
  return out;
}

std::optional<Value> expand_policy_value(std::string_view text, const PolicyContext& context) {
  text = trim(text);
  if (text.empty()) return Value("");
  bool absent = false;
  std::size_t references = 0;
  std::size_t plain = 0;
  std::optional<Value> last;
  walk(
      text, context, [&](char) { ++plain; },
      [&](const Reference& found, const std::optional<Value>& value) {
        ++references;
        last = value;
        absent = absent || (!value && found.source == Reference::Source::body);
      });
  if (absent) return std::nullopt;
  if (references == 1 && plain == 0) return last ? last : std::optional<Value>("");
  if (text.front() == '[' || (text.front() == '{' && !text.starts_with("{@"))) {
    if (auto value = as_json(text, context)) return value;
  }
  if (text.size() > 1 && text.front() == '\'' && text.back() == '\'') text = text.substr(1, text.size() - 2);
  std::string ignored;
  return Value(expand_policy_text(text, context, ignored));
}

}  // namespace flowmend::connector
