#include "repair/search/tokens.h"

#include <algorithm>
#include <variant>

#include "connector/text.h"

namespace flowmend::repair::search {
namespace {

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

using Text = std::function<void(std::string_view, const Source&)>;

void walk(const Value& value, const Source& source, const Text& text) {
  if (value.is_string()) return text(value.as_string(), source);
  if (value.is_number()) return text(connector::text_of_value(value), source);
  if (value.is_array()) {
    for (const Value& element : value.as_array()) walk(element, source, text);
    return;
  }
  if (!value.is_object()) return;
  // The bytes of a file are nothing that anybody types.
  const bool binary = value.find("$content-type") != nullptr;
  for (const json::Member& member : value.as_object()) {
    if (!binary || member.name() != "$content") walk(member.value, source, text);
  }
}

struct Walker {
  const definition::Flow& flow;
  const Text& text;

  const definition::Action* action_at(const engine::Place& place) const {
    return place.action < flow.actions.size() ? &flow.actions[place.action] : nullptr;
  }
  void show(const Value& value, const std::string& action, std::string_view side) const {
    walk(value, {action, side}, text);
  }
  void fault(const engine::Fault& fault, const std::string& action) const {
    if (!fault.message.empty()) text(fault.message, {action, "error"});
  }

  void operator()(const engine::RunStarted& event) const {
    text(event.client_tracking_id, {"", "trackingId"});
    const Value* inputs = event.trigger.find("inputs");
    const Value* outputs = event.trigger.find("outputs");
    if (inputs != nullptr && !flow.trigger.secure_inputs) show(*inputs, "", "inputs");
    if (outputs != nullptr && !flow.trigger.secure_outputs) show(*outputs, "", "outputs");
  }
  void operator()(const engine::ActionStarted& event) const {
    const auto* action = action_at(event.place);
    if (action != nullptr && !action->settings.secure_inputs) show(event.inputs, action->name, "inputs");
  }
  void operator()(const engine::AttemptEnded& event) const {
    const auto* action = action_at(event.place);
    if (action == nullptr) return;
    if (!action->settings.secure_inputs) show(event.request, action->name, "request");
    if (action->settings.secure_outputs) return;
    show(event.response, action->name, "response");
    if (!action->settings.secure_inputs) fault(event.fault, action->name);
  }
  void operator()(const engine::ActionEnded& event) const {
    const auto* action = action_at(event.place);
    if (action == nullptr) return;
    const auto& settings = action->settings;
    if (!settings.secure_inputs) show(event.inputs, action->name, "inputs");
    if (!settings.secure_outputs) show(event.outputs, action->name, "outputs");
    // A message may quote what it is about.
    if (settings.secure_inputs || settings.secure_outputs) return;
    fault(event.fault, action->name);
    show(event.tracked_properties, action->name, "trackedProperties");
  }
  /// The rest repeats what stands in an action (variables, the run's error), or holds no value.
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

std::uint32_t hash_of(std::string_view word) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  // FNV's upper bits are poor for short words.
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15ULL;
  return static_cast<std::uint32_t>(hash >> 32);
}

void for_each_word(std::string_view text, const std::function<void(std::string_view)>& word) {
  std::string small;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word_byte(text[at])) {
      ++at;
      continue;
    }
    small.clear();
    for (; at < text.size() && is_word_byte(text[at]); ++at)
      small += text[at] >= 'A' && text[at] <= 'Z' ? static_cast<char>(text[at] + 32) : text[at];
    word(small);
  }
}

void for_each_text(const definition::Flow& flow, const engine::Events& events, const Text& text) {
  const Walker walker{flow, text};
  for (const engine::Event& event : events) std::visit(walker, event);
}

Query::Query(std::string_view text) {
  for_each_word(text, [this](std::string_view word) {
    words_.emplace_back(word);
    hashes_.push_back(hash_of(word));
  });
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

bool Query::is_in(std::string_view text) const {
  std::vector<std::string> words;
  for_each_word(text, [&](std::string_view word) { words.emplace_back(word); });
  return std::search(words.begin(), words.end(), words_.begin(), words_.end()) != words.end();
}

}  // namespace flowmend::repair::search
