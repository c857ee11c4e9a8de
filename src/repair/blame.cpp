#include "repair/blame.h"

#include <algorithm>

#include "base/diagnostic.h"
#include "connector/text.h"
#include "expression/context_json.h"
#include "expression/template.h"
#include "json/pointer.h"

namespace flowmend::repair {
namespace {

constexpr std::size_t candidates_max = 2000;
constexpr int depth_max = 8;
constexpr std::size_t parts_max = 50;

struct Candidate {
  std::string pointer;  ///< below the step's inputs
  std::string field;
  Value value;
  bool is_address = false;
};

void gather(const Value& value, const std::string& pointer, const std::string& field, int depth,
            std::vector<Candidate>& out) {
  if (out.size() >= candidates_max || depth > depth_max) return;
  if (value.is_object()) {
    for (const json::Member& member : value.as_object()) {
      gather(member.value, json::join(pointer, member.name()), std::string(member.name()), depth + 1, out);
    }
  } else if (value.is_array()) {
    std::size_t index = 0;
    for (const Value& item : value.as_array()) gather(item, json::join(pointer, index++), field, depth + 1, out);
  } else {
    out.push_back({pointer, field, value, false});
  }
}

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool holds_word(std::string_view text, std::string_view word) {
  if (word.empty()) return false;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool left = at == 0 || !is_word_character(text[at - 1]) || !is_word_character(word.front());
    const std::size_t end = at + word.size();
    const bool right = end == text.size() || !is_word_character(text[end]) || !is_word_character(word.back());
    if (left && right) return true;
  }
  return false;
}

/// The texts in quotes: 'x', "x", `x`.
std::vector<std::string> quoted_texts(std::string_view message) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < message.size() && out.size() < 20; ++at) {
    const char quote = message[at];
    if (quote != '\'' && quote != '"' && quote != '`') continue;
    const std::size_t end = message.find(quote, at + 1);
    if (end == std::string_view::npos) continue;
    if (end > at + 1 && end - at < 300) out.emplace_back(message.substr(at + 1, end - at - 1));
    at = end;
  }
  return out;
}

/// The last part of a flat name: `customer/name` -> `name`.
std::string_view last_part(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

int score(const Candidate& candidate, std::string_view message, const std::vector<std::string>& quoted) {
  const std::string text = connector::text_of_value(candidate.value);
  int points = 0;
  if (candidate.is_address) {
    // A path in the answer that is part of the address.
    for (const std::string& part : quoted) {
      if (part.size() >= 3 && part.find('/') != std::string::npos && text.find(part) != std::string::npos)
        points = std::max(points, 8);
    }
    return points;
  }
  if (text.size() >= 2 || candidate.value.is_number()) {
    if (std::find(quoted.begin(), quoted.end(), text) != quoted.end()) {
      points += 6;
    } else if (text.size() >= 3 && holds_word(message, text)) {
      points += 3;
    }
  }
  const std::string lower_message = connector::lower_case(message);
  const std::string name = connector::lower_case(last_part(candidate.field));
  if (name.size() >= 2 && holds_word(lower_message, name)) points += 4;
  return points;
}

void flatten(const std::vector<expression::Trace>& traces, std::vector<const expression::Trace*>& out,
             std::size_t depth) {
  if (depth > 64) return;
  for (const expression::Trace& trace : traces) {
    flatten(trace.subexpressions, out, depth + 1);
    if (out.size() < parts_max) out.push_back(&trace);
  }
}

}  // namespace

std::optional<BlamedInput> find_blamed_input(const definition::Action& action, const Value& inputs,
                                             std::string_view message) {
  if (!inputs.is_object() || message.empty()) return std::nullopt;
  std::vector<Candidate> candidates;
  for (const std::string_view group : {"parameters", "queries", "body", "headers"}) {
    if (const Value* part = inputs.find(group))
      gather(*part, json::join("/inputs", group), std::string(group), 0, candidates);
  }
  for (const std::string_view address : {"uri", "path"}) {
    if (const Value* text = inputs.find(address); text != nullptr && text->is_string()) {
      candidates.push_back({json::join("/inputs", address), std::string(address), *text, true});
    }
  }
  const std::vector<std::string> quoted = quoted_texts(message);
  const Candidate* best = nullptr;
  int best_score = 2;  // a name or value that stands there by chance is not enough
  for (const Candidate& candidate : candidates) {
    const int points = score(candidate, message, quoted);
    if (points > best_score) {
      best = &candidate;
      best_score = points;
    }
  }
  if (best == nullptr) return std::nullopt;
  BlamedInput blamed;
  blamed.field = best->field;
  blamed.value = best->value;
  // The evaluated inputs may be deeper than the definition: an expression that gives a whole object ends the way there.
  std::string pointer = best->pointer;
  const Value* written = json::resolve(action.definition, pointer);
  while (written == nullptr && pointer.size() > std::string_view("/inputs").size()) {
    pointer.resize(pointer.rfind('/'));
    written = json::resolve(action.definition, pointer);
  }
  blamed.pointer = action.pointer + pointer;
  if (written != nullptr && written->is_string()) {
    const std::string_view text = written->as_string();
    if ((text.starts_with('@') && !text.starts_with("@@")) || text.find("@{") != std::string_view::npos)
      blamed.expression = text;
  }
  return blamed;
}

std::optional<ExpressionFinding> find_failing_expression(const Value& part, std::string_view pointer,
                                                         const Value& context) {
  expression::ContextFromJson seen(context, 0);
  Diagnostics ignored;
  const expression::Template compiled = expression::Template::compile(part, seen, "", ignored);
  const auto outcome = compiled.evaluate(seen);
  if (outcome) return std::nullopt;
  const expression::ExpressionError error = outcome.error();
  ExpressionFinding finding;
  finding.pointer = std::string(pointer) + error.pointer;
  finding.source = error.source;
  finding.message = error.message;
  finding.begin = std::min<std::size_t>(error.range.begin, error.source.size());
  finding.end = std::clamp<std::size_t>(error.range.end, finding.begin, error.source.size());
  finding.subexpression = error.source.substr(finding.begin, finding.end - finding.begin);
  const std::vector<expression::Trace> traces = expression::trace(compiled, seen);
  std::vector<const expression::Trace*> flat;
  flatten(traces, flat, 0);
  for (const expression::Trace* trace : flat) {
    if (trace->path != error.pointer) continue;
    ExpressionFinding::Part value;
    value.text = trace->text;
    if (!trace->failed) value.value = trace->value;
    value.error = trace->error;
    value.culprit = trace->culprit;
    if (trace->culprit && trace->range.end > trace->range.begin && trace->range.end <= finding.source.size()) {
      finding.begin = trace->range.begin;
      finding.end = trace->range.end;
      finding.subexpression = finding.source.substr(finding.begin, finding.end - finding.begin);
    }
    finding.values.push_back(std::move(value));
  }
  return finding;
}

}  // namespace flowmend::repair
