#include "connector/polling.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "connector/text.h"
#include "expression/template.h"
#include "json/write.h"
#include "trigger/context.h"

namespace flowmend::connector {

namespace {

class NoNames final : public expression::Names {
 public:
  std::int32_t action(std::string_view) const override { return -1; }
  std::int32_t variable(std::string_view) const override { return -1; }
  std::int32_t parameter(std::string_view) const override { return -1; }
};

/// What a policy's text gives over an answer; nothing when it can't be evaluated or gives null.
std::optional<Value> evaluate(const std::string& text, const engine::AttemptFinished& outcome) {
  Diagnostics findings;
  const auto compiled = expression::Template::compile(Value(text), NoNames(), {}, findings);
  if (std::ranges::any_of(findings, [](const Diagnostic& d) { return d.severity == Severity::error; })) return {};
  const definition::Flow none;
  const Value outputs = Value::object({{"statusCode", Value(outcome.status_code)},
                                       {"headers", outcome.headers},
                                       {"body", outcome.has_body ? outcome.body : Value()}});
  trigger::TriggerContext context(none, Value::object({{"outputs", outputs}}), outcome.ended, 0);
  auto value = compiled.evaluate(context);
  if (!value || value->is_null() || (value->is_string() && value->as_string().empty())) return {};
  return std::move(*value);
}

/// Tells one answer from another.
std::string fingerprint(const Value& value) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : json::write(value)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
  return {digits.data(), end};
}

/// The pairs of a place, still encoded.
Pairs pairs_of(std::string_view place) {
  Pairs pairs;
  place = place.substr(0, place.find('#'));
  if (place.starts_with('?')) place.remove_prefix(1);
  while (!place.empty()) {
    const auto pair = place.substr(0, place.find('&'));
    place.remove_prefix(std::min(place.size(), pair.size() + 1));
    const auto equals = std::min(pair.find('='), pair.size());
    if (equals > 0)
      pairs.emplace_back(std::string(pair.substr(0, equals)), pair.substr(std::min(equals + 1, pair.size())));
  }
  return pairs;
}

void set(Pairs& pairs, const std::string& name, std::string value) {
  const auto found = std::ranges::find(pairs, name, &Pairs::value_type::first);
  if (found == pairs.end()) {
    pairs.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

std::string text_of_pairs(const Pairs& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    text += text.empty() ? "" : "&";
    text += name;
    text += '=';
    text += value;
  }
  return text;
}

}  // namespace

const Polling* polling_of(const Connector& connector, const Operation& operation) {
  for (const Polling& polling : connector.pollings) {
    if (std::ranges::find(polling.operations, operation.id) != polling.operations.end()) return &polling;
  }
  return nullptr;
}

bool ask_after(std::string_view place, OutgoingRequest& request) {
  if (!place.starts_with('?')) return false;
  const auto fragment = std::min(request.url.find('#'), request.url.size());
  const auto question = std::min(request.url.find('?'), fragment);
  Pairs query = pairs_of(std::string_view(request.url).substr(question, fragment - question));
  for (auto& [name, value] : pairs_of(place)) set(query, name, std::move(value));
  const auto text = text_of_pairs(query);
  request.url = request.url.substr(0, question) + (text.empty() ? "" : "?" + text);
  return true;
}

void remember_place(const Polling& polling, std::string_view place, engine::AttemptFinished& outcome) {
  const bool good = outcome.fault.code.empty() && outcome.status_code >= 200 && outcome.status_code < 300;
  if (!good || outcome.status_code == 202) return;
  const auto found = polling.items.empty() ? std::optional(outcome.body) : evaluate(polling.items, outcome);
  const bool empty = !found || (found->is_array() && found->size() == 0);
  const auto mark = place.find('#');
  const std::string last(mark == std::string_view::npos ? std::string_view() : place.substr(mark + 1));
  const std::string now = empty ? last : fingerprint(*found);
  Pairs pairs = pairs_of(place);
  if (!empty) {
    for (const auto& [name, text] : polling.next) {
      if (const auto value = evaluate(text, outcome))
        set(pairs, percent_encode(name), percent_encode(text_of_value(*value)));
    }
  }
  const bool news = !place.empty() && !empty && now != last;
  json::ObjectBuilder headers;
  if (outcome.headers.is_object()) {
    for (const json::Member& member : outcome.headers.as_object()) {
      if (!equals_ignoring_case(member.name(), "Location")) headers.add(member.key, member.value);
    }
  }
  headers.add("Location", Value("?" + text_of_pairs(pairs) + (now.empty() ? "" : "#" + now)));
  outcome.headers = headers.finish();
  if (!news) outcome.status_code = 202;
}

}  // namespace flowmend::connector
