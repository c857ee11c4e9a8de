#include "connector/body_policy.h"

#include <functional>
#include <map>

#include "connector/text.h"

namespace flowmend::connector {
namespace {

using Change = std::function<std::optional<Value>(const Value&)>;

/// The value with what stands at the path replaced by what `change` gives; nothing changes when that is nothing, or
/// when an array's element or a member of something that is no object is meant. Objects on the way are made.
std::optional<Value> replaced(const Value& value, const PolicySteps& steps, std::size_t from, const Change& change) {
  if (from == steps.size()) return change(value);
  if (const auto* name = std::get_if<std::string>(&steps[from])) {
    if (!value.is_object() && !value.is_null()) return std::nullopt;
    const Value* member = value.is_object() ? value.find(*name) : nullptr;
    auto changed = replaced(member == nullptr ? Value() : *member, steps, from + 1, change);
    if (!changed) return std::nullopt;
    json::ObjectBuilder out = value.is_object() ? json::ObjectBuilder(value) : json::ObjectBuilder();
    out.set(*name, std::move(*changed));
    return out.finish();
  }
  const std::size_t index = std::get<std::size_t>(steps[from]);
  if (!value.is_array() || index >= value.size()) return std::nullopt;
  auto changed = replaced(value.as_array()[index], steps, from + 1, change);
  if (!changed) return std::nullopt;
  json::ArrayBuilder out;
  std::size_t at = 0;
  for (const Value& element : value.as_array()) out.push(at++ == index ? *changed : element);
  return out.finish();
}

Value with(const Value& root, const PolicySteps& steps, const Value& value) {
  return replaced(root, steps, 0, [&](const Value&) { return std::optional(value); }).value_or(root);
}

Value without(const Value& root, const PolicySteps& steps) {
  if (steps.empty() || steps.back().index() != 0) return root;
  const PolicySteps parent(steps.begin(), steps.end() - 1);
  const auto removed = replaced(root, parent, 0, [&](const Value& holder) -> std::optional<Value> {
    if (!holder.is_object()) return std::nullopt;
    json::ObjectBuilder out(holder);
    out.remove(std::get<std::string>(steps.back()));
    return out.finish();
  });
  return removed.value_or(root);
}

/// `change` for the parent, or for each element when it is an array.
Value each_parent(const Value& body, const PolicySteps& parent, const Change& change) {
  if (value_at(body, parent) == nullptr) return body;
  const auto changed = replaced(body, parent, 0, [&](const Value& holder) -> std::optional<Value> {
    if (!holder.is_array()) return change(holder);
    json::ArrayBuilder out;
    for (const Value& element : holder.as_array()) out.push(change(element).value_or(element));
    return out.finish();
  });
  return changed.value_or(body);
}

Value set_property(const BodyChange& change, const Value& body, const PolicyContext& outer) {
  if (change.sub.empty()) return body;
  return each_parent(body, change.parent.steps, [&](const Value& holder) -> std::optional<Value> {
    if (!holder.is_object()) return std::nullopt;
    const PolicyContext context{outer.fields, outer.headers, outer.query, &body, &holder};
    const auto value = expand_policy_value(change.text, context);
    return value ? std::optional(with(holder, change.sub, *value)) : std::nullopt;
  });
}

Value move_properties(const BodyChange& change, const Value& body) {
  PolicySteps from = change.parent.steps;
  from.insert(from.end(), change.sub.begin(), change.sub.end());
  const Value* found = value_at(body, from);
  if (found == nullptr || from.empty()) return body;
  const Value moved = *found;
  PolicySteps to = change.target ? change.target->steps : PolicySteps();
  if (change.only_children) {
    if (!moved.is_object()) return body;
    const Value rest = without(body, from);
    const auto merged = replaced(rest, to, 0, [&](const Value& holder) -> std::optional<Value> {
      if (!holder.is_object() && !holder.is_null()) return std::nullopt;
      json::ObjectBuilder out = holder.is_object() ? json::ObjectBuilder(holder) : json::ObjectBuilder();
      for (const json::Member& member : moved.as_object()) out.set(member.name(), member.value);
      return out.finish();
    });
    return merged.value_or(body);
  }
  if (!change.target_names_it) to.push_back(from.back());
  return to == from ? body : with(without(body, from), to, moved);
}

std::string replace_all(std::string text, const std::string& search, const std::string& by) {
  if (search.empty()) return text;
  std::string out;
  std::size_t at = 0;
  for (std::size_t found = text.find(search); found != std::string::npos; found = text.find(search, at)) {
    out.append(text, at, found - at);
    out += by;
    at = found + search.size();
  }
  return out.append(text, at);
}

std::optional<Value> array_of(const Value& object, const BodyChange& change) {
  if (!object.is_object() || change.key.empty() || change.value.empty()) return std::nullopt;
  json::ArrayBuilder out;
  for (const json::Member& member : object.as_object())
    out.push(Value::object({{change.key, Value(member.name())}, {change.value, member.value}}));
  return out.finish();
}

/// The element's key becomes the member's name, the rest its value; of two with one key the last counts.
std::optional<Value> object_of(const Value& array, const BodyChange& change) {
  if (!array.is_array()) return std::nullopt;
  const auto path = read_policy_path(change.key);
  const auto steps = path ? std::optional(path->steps) : read_policy_steps(change.key);
  if (!steps || steps->empty()) return std::nullopt;
  std::vector<std::pair<std::string, Value>> members;
  std::map<std::string, std::size_t> places;
  for (const Value& element : array.as_array()) {
    const Value* key = value_at(element, *steps);
    if (key == nullptr || key->is_null()) continue;
    const std::string name = text_of_value(*key);
    const Value rest = change.keeps_key ? element : without(element, *steps);
    if (const auto [place, added] = places.emplace(name, members.size()); added) {
      members.emplace_back(name, rest);
    } else {
      members[place->second].second = rest;
    }
  }
  json::ObjectBuilder out;
  for (const auto& [name, value] : members) out.add(name, value);
  return out.finish();
}

std::optional<Value> parts_of(const Value& text, const BodyChange& change) {
  if (!text.is_string()) return std::nullopt;
  json::ArrayBuilder out;
  std::string_view rest = text.as_string();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(change.search), rest.size());
    const std::string_view part = trim(rest.substr(0, end));
    if (!part.empty()) out.push(change.value.empty() ? Value(part) : Value::object({{change.value, Value(part)}}));
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
  return out.finish();
}

std::optional<Value> converted(const Policy& policy, const Value& value) {
  switch (policy.kind) {
    case Policy::Kind::replace_text:
      if (!value.is_string()) return std::nullopt;
      return Value(replace_all(std::string(value.as_string()), policy.change.search, policy.change.text));
    case Policy::Kind::encode_text:
      if (!value.is_string()) return std::nullopt;
      return Value(percent_encode(value.as_string()));
    case Policy::Kind::object_to_array: return array_of(value, policy.change);
    case Policy::Kind::array_to_object: return object_of(value, policy.change);
    case Policy::Kind::text_to_array: return parts_of(value, policy.change);
    default: return std::nullopt;
  }
}

/// Converts the property below each parent, and puts the result at the target: below the parent, or below the body.
Value convert_property(const Policy& policy, const Value& body) {
  const BodyChange& change = policy.change;
  std::optional<Value> of_body;
  const Value changed = each_parent(body, change.parent.steps, [&](const Value& holder) -> std::optional<Value> {
    const Value* property = value_at(holder, change.sub);
    if (property == nullptr) return std::nullopt;
    auto result = converted(policy, *property);
    if (!result) return std::nullopt;
    if (!change.target) return with(holder, change.sub, *result);
    if (change.target->of_item) return with(holder, change.target->steps, *result);
    of_body = std::move(*result);
    return std::nullopt;
  });
  return of_body ? with(changed, change.target->steps, *of_body) : changed;
}

}  // namespace

Value apply_body_policy(const Policy& policy, const Value& body, const PolicyContext& context) {
  if (policy.kind == Policy::Kind::set_property) return set_property(policy.change, body, context);
  if (policy.kind == Policy::Kind::move_properties) return move_properties(policy.change, body);
  return convert_property(policy, body);
}

}  // namespace flowmend::connector
