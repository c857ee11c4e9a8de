#include "repair/origin.h"

#include <algorithm>

#include "connector/text.h"
#include "expression/parser.h"
#include "repair/reference.h"

namespace flowmend::repair {
namespace {

using definition::Action;
using definition::ActionType;
using Keys = std::vector<Reference::Key>;

constexpr int hops_max = 30;
constexpr std::size_t name_bytes_max = 200;

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// The members of a way without places in lists and without the `body` that every reply has: `Manager/Email`.
std::string way_of(const Keys& path, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count && i < path.size(); ++i) {
    const auto* name = std::get_if<std::string>(&path[i]);
    if (name == nullptr || (i == 0 && connector::lower_case(*name) == "body")) continue;
    out += (out.empty() ? "" : "/") + *name;
  }
  if (out.size() > name_bytes_max) {
    std::size_t end = name_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    out = out.substr(0, end) + " ...";
  }
  return out;
}

/// The place that `last(...)` stands for, when its list is known.
void settle_lasts(const Value& from, Keys& path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto* index = std::get_if<std::int64_t>(&path[i]);
    if (index == nullptr || *index >= 0) continue;
    const Walk list = walk(from, Keys(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i)));
    if (list.end == Walk::End::there && list.value->is_array() && list.value->size() > 0)
      *index += static_cast<std::int64_t>(list.value->size());
  }
}

/// Counted from 1: the innermost list item on the way to the key at `until`.
std::size_t item_of(const Keys& path, std::size_t until) {
  for (std::size_t i = std::min(until, path.size()); i-- > 0;) {
    if (const auto* index = std::get_if<std::int64_t>(&path[i]); index != nullptr && *index >= 0)
      return static_cast<std::size_t>(*index) + 1;
  }
  return 0;
}

class Tracer {
 public:
  /// `there`: looks for where a value came from that was there; else for one that was missing.
  Tracer(const definition::Flow& flow, const Failure& failure, bool there)
      : flow_(flow), failure_(failure), there_(there) {}

  /// The reference, with keys that recorded values hold.
  std::optional<Reference> read(std::string_view text) const {
    return read_reference(text, [this](const Reference& key) { return recorded(key); });
  }

  std::optional<Origin> trace(Reference reference) {
    // What `item()` means inside a Select's template; outside it is the innermost loop's.
    for (int hop = 0; hop < hops_max; ++hop) {
      if (reference.root == Reference::Root::item) {
        if (failure_.iterations.empty()) return std::nullopt;
        reference.root = Reference::Root::loop;
        reference.name = failure_.iterations.back().loop;
      }
      std::optional<Reference> next;
      switch (reference.root) {
        case Reference::Root::loop: next = before_loop(reference); break;
        case Reference::Root::variable: next = before_variable(reference); break;
        case Reference::Root::action: next = before_action(reference); break;
        default: break;
      }
      if (!next) return end_at(reference);
      reference = std::move(*next);
    }
    return std::nullopt;
  }

 private:
  const Action* action_of(std::string_view name) const {
    const std::string wanted = connector::lower_case(name);
    for (const Action& action : flow_.actions) {
      if (connector::lower_case(action.name) == wanted) return &action;
    }
    return nullptr;
  }

  const Value* in_context(std::string_view group, std::string_view name) const {
    const Value* members = failure_.context.find(group);
    return members == nullptr ? nullptr : members->find_ignoring_case(name);
  }

  /// What a reference leads to, outside of what is kept secure.
  std::optional<Value> recorded(const Reference& reference) const {
    const Value* value = nullptr;
    switch (reference.root) {
      case Reference::Root::action: {
        const Action* action = action_of(reference.name);
        const Value* record =
            action == nullptr || action->settings.secure_outputs ? nullptr : in_context("actions", action->name);
        value = record == nullptr ? nullptr : record->find("outputs");
        break;
      }
      case Reference::Root::trigger:
        value = flow_.trigger.secure_outputs ? nullptr : failure_.context.find("triggerOutputs");
        break;
      case Reference::Root::loop: value = in_context("items", reference.name); break;
      case Reference::Root::item:
        value = failure_.iterations.empty() ? nullptr : in_context("items", failure_.iterations.back().loop);
        break;
      case Reference::Root::variable: value = in_context("variables", reference.name); break;
      case Reference::Root::parameter: {
        const std::int32_t slot = flow_.find_parameter(reference.name);
        const bool shown = slot >= 0 && !flow_.parameters[static_cast<std::size_t>(slot)].secure;
        value = shown ? in_context("parameters", reference.name) : nullptr;
        break;
      }
    }
    if (value == nullptr) return std::nullopt;
    const Walk walked = walk(*value, reference.path);
    return walked.end == Walk::End::there ? std::optional<Value>(*walked.value) : std::nullopt;
  }

  void went_through(const std::string& name) {
    if (std::find(through_.begin(), through_.end(), name) == through_.end()) through_.push_back(name);
  }

  /// Follows a template down to the expression that gives `path`, with what is left of it.
  std::optional<Reference> into(const Value& written, const Keys& path, std::size_t from) const {
    const Value* at = &written;
    std::size_t i = from;
    for (; i < path.size() && !at->is_string(); ++i) {
      if (const auto* name = std::get_if<std::string>(&path[i])) {
        at = at->is_object() ? at->find_ignoring_case(*name) : nullptr;
      } else {
        const std::int64_t index = std::get<std::int64_t>(path[i]);
        const bool holds = at->is_array() && index >= 0 && static_cast<std::size_t>(index) < at->size();
        at = holds ? &at->as_array()[static_cast<std::size_t>(index)] : nullptr;
      }
      if (at == nullptr) return std::nullopt;
    }
    if (!at->is_string() || !at->as_string().starts_with('@')) return std::nullopt;
    auto reference = read(at->as_string());
    if (reference)
      reference->path.insert(reference->path.end(), path.begin() + static_cast<std::ptrdiff_t>(i), path.end());
    return reference;
  }

  std::optional<Reference> before_loop(const Reference& reference) {
    const std::string wanted = connector::lower_case(reference.name);
    for (const Iteration& iteration : failure_.iterations) {
      if (connector::lower_case(iteration.loop) != wanted) continue;
      const Action* loop = action_of(iteration.loop);
      const Value* each = loop == nullptr ? nullptr : loop->definition.find("foreach");
      if (each == nullptr) return std::nullopt;
      auto list = into(*each, {}, 0);
      if (!list) return std::nullopt;
      list->path.emplace_back(static_cast<std::int64_t>(iteration.index));
      list->path.insert(list->path.end(), reference.path.begin(), reference.path.end());
      went_through(iteration.loop);
      return list;
    }
    return std::nullopt;
  }

  /// To what the step that set it made it of, when that step's own references are still what they were: outside of
  /// loops, or in the same iteration.
  std::optional<Reference> before_variable(const Reference& reference) {
    const auto setter = std::find_if(
        failure_.variable_setters.begin(), failure_.variable_setters.end(),
        [&](const auto& entry) { return connector::lower_case(entry.first) == connector::lower_case(reference.name); });
    if (setter == failure_.variable_setters.end()) return std::nullopt;
    const Action* action = action_of(setter->second);
    if (action == nullptr || in_context("actions", action->name) == nullptr) return std::nullopt;
    const Value* inputs = action->definition.find("inputs");
    const Value* written = nullptr;
    if (action->type == ActionType::set_variable && inputs != nullptr) written = inputs->find("value");
    if (action->type == ActionType::initialize_variable && inputs != nullptr) {
      const Value* list = inputs->find("variables");
      if (list != nullptr && list->is_array() && list->size() == 1) written = list->as_array()[0].find("value");
    }
    if (written == nullptr) return std::nullopt;
    auto next = into(*written, reference.path, 0);
    // A variable that is made of itself leads nowhere.
    if (!next || next->root == Reference::Root::variable) return std::nullopt;
    went_through(action->name);
    return next;
  }

  std::optional<Reference> before_action(const Reference& reference) {
    const Action* action = action_of(reference.name);
    if (action == nullptr || action->settings.secure_outputs) return std::nullopt;
    const Value* record = in_context("actions", action->name);
    const Value* inputs = action->definition.find("inputs");
    if (record == nullptr || record->text_of("status") != "Succeeded" || inputs == nullptr) return std::nullopt;
    std::optional<Reference> next;
    const bool body = !reference.path.empty() && std::holds_alternative<std::string>(reference.path[0]) &&
                      connector::lower_case(std::get<std::string>(reference.path[0])) == "body";
    switch (action->type) {
      case ActionType::compose: next = into(*inputs, reference.path, 0); break;
      case ActionType::parse_json:
        if (const Value* content = inputs->find_ignoring_case("content"); body && content != nullptr)
          next = into(*content, reference.path, 1);
        break;
      case ActionType::select:
      case ActionType::query:
        if (body && reference.path.size() >= 2) next = before_item(*action, *inputs, *record, reference.path);
        break;
      default: break;
    }
    if (next) went_through(action->name);
    return next;
  }

  /// From an item of a Select's or Query's result to the item that it was made of.
  std::optional<Reference> before_item(const Action& action, const Value& inputs, const Value& record,
                                       const Keys& path) {
    const auto* place = std::get_if<std::int64_t>(&path[1]);
    const Value* from = inputs.find_ignoring_case("from");
    const Value* outputs = record.find("outputs");
    const Value* body = outputs == nullptr ? nullptr : outputs->find("body");
    if (place == nullptr || from == nullptr || body == nullptr || !body->is_array()) return std::nullopt;
    std::int64_t index = *place < 0 ? *place + static_cast<std::int64_t>(body->size()) : *place;
    if (index < 0 || index >= static_cast<std::int64_t>(body->size())) return std::nullopt;
    auto list = into(*from, {}, 0);
    if (!list) return std::nullopt;
    if (action.type == ActionType::query) {
      index = place_before_filter(record, *body, index);
      if (index < 0) return std::nullopt;
      list->path.emplace_back(index);
      list->path.insert(list->path.end(), path.begin() + 2, path.end());
      return list;
    }
    const Value* select = inputs.find_ignoring_case("select");
    auto chosen = select == nullptr ? std::nullopt : into(*select, path, 2);
    if (!chosen || chosen->root != Reference::Root::item) return chosen;
    list->path.emplace_back(index);
    list->path.insert(list->path.end(), chosen->path.begin(), chosen->path.end());
    return list;
  }

  /// The place that the `index`th kept item had in the list before: the kept ones are in the same order.
  static std::int64_t place_before_filter(const Value& record, const Value& kept, std::int64_t index) {
    const Value* from = record.find("inputs");  // a Query's record shows its list
    if (from == nullptr || !from->is_array()) return -1;
    std::int64_t at = -1;
    std::size_t next = 0;
    for (std::int64_t i = 0; i <= index; ++i) {
      const Value& wanted = kept.as_array()[static_cast<std::size_t>(i)];
      while (next < from->size() && from->as_array()[next] != wanted) ++next;
      if (next >= from->size()) return -1;
      at = static_cast<std::int64_t>(next++);
    }
    return at;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Where the way ends

  std::optional<Origin> end_at(Reference reference) {
    Origin origin;
    origin.through = through_;
    std::string who;
    const Value* value = nullptr;
    switch (reference.root) {
      case Reference::Root::action: {
        const Action* action = action_of(reference.name);
        if (action == nullptr) return std::nullopt;
        origin.step = action->name;
        who = "step '" + spaced(action->name) + "'";
        const std::size_t ran_in = item_of_loop_around(*action);
        if (ran_in != 0) {
          who += ", item " + std::to_string(ran_in) + ",";
          origin.item = ran_in;
        }
        const Value* record = in_context("actions", action->name);
        if (there_ && (record == nullptr || record->text_of("status") == "Skipped")) return std::nullopt;
        if (record == nullptr) {
          origin.sentence = who + " did not run before.";
          return origin;
        }
        const std::string status(record->text_of("status"));
        if (status == "Skipped") {
          origin.sentence = who + " was skipped and returned nothing.";
          return origin;
        }
        value = record->find("outputs");
        // Its values are nobody's business, and so is what is missing among them.
        if (action->settings.secure_outputs) return std::nullopt;
        break;
      }
      case Reference::Root::trigger:
        who = "the trigger";
        if (flow_.trigger.secure_outputs) return std::nullopt;
        value = failure_.context.find("triggerOutputs");
        break;
      case Reference::Root::loop:
        origin.step = reference.name;
        who = "the list of '" + spaced(reference.name) + "'";
        for (const Iteration& iteration : failure_.iterations) {
          if (connector::lower_case(iteration.loop) == connector::lower_case(reference.name))
            origin.item = iteration.index + std::size_t{1};
        }
        value = in_context("items", reference.name);
        break;
      case Reference::Root::variable: {
        who = "the variable '" + reference.name + "'";
        value = in_context("variables", reference.name);
        for (const auto& [name, setter] : failure_.variable_setters) {
          if (connector::lower_case(name) != connector::lower_case(reference.name)) continue;
          origin.step = setter;
          who += ", set by step '" + spaced(setter) + "',";
        }
        break;
      }
      case Reference::Root::parameter:
        who = "the flow's parameter '" + reference.name + "'";
        value = in_context("parameters", reference.name);
        if (value == nullptr) return std::nullopt;
        break;
      case Reference::Root::item: return std::nullopt;
    }
    static const Value nothing;
    if (value != nullptr) settle_lasts(*value, reference.path);
    const Walk walked = walk(value == nullptr ? nothing : *value, reference.path);
    if ((walked.end == Walk::End::there) != there_) return std::nullopt;
    if (there_) return say_source(std::move(origin), who, reference);
    return say(std::move(origin), who, reference, walked);
  }

  static Origin say_source(Origin origin, const std::string& who, const Reference& reference) {
    const std::size_t item = item_of(reference.path, reference.path.size());
    if (item != 0) origin.item = item;
    origin.property = way_of(reference.path, reference.path.size());
    const bool returns = reference.root == Reference::Root::action || reference.root == Reference::Root::trigger;
    origin.sentence = "It came from ";
    if (!origin.property.empty()) {
      origin.sentence += "'" + origin.property + "' " + (returns ? "that " + who + " returned" : "of " + who);
    } else {
      origin.sentence += returns ? "what " + who + " returned" : who;
    }
    if (item != 0 || (reference.root == Reference::Root::loop && origin.item != 0))
      origin.sentence += " in item " + std::to_string(origin.item);
    if (origin.sentence.ends_with(',')) origin.sentence.pop_back();
    origin.sentence += ".";
    return origin;
  }

  std::optional<Origin> say(Origin origin, const std::string& who, const Reference& reference, const Walk& walked) {
    const bool returns = reference.root == Reference::Root::action || reference.root == Reference::Root::trigger;
    const std::string verb = returns ? " returned " : " held ";
    const std::size_t item = item_of(reference.path, walked.keys);
    if (item != 0) origin.item = item;
    const std::string in_item = item == 0 && reference.root != Reference::Root::loop
                                    ? std::string()
                                    : " in item " + std::to_string(origin.item);
    const bool whole = walked.end == Walk::End::absent || walked.end == Walk::End::not_a_container;
    origin.property = way_of(reference.path, whole ? walked.keys + 1 : walked.keys);
    const std::string named = "'" + origin.property + "'";
    switch (walked.end) {
      case Walk::End::absent:
        origin.sentence = who + verb + "no " + (origin.property.empty() ? "body" : named) + in_item + ".";
        break;
      case Walk::End::not_a_container:
        if (!std::holds_alternative<std::string>(reference.path[walked.keys])) return std::nullopt;
        origin.sentence = who + verb + "no " + named + in_item + ": what should hold it is no object.";
        break;
      case Walk::End::null:
        origin.sentence = origin.property.empty() ? who + verb + "nothing" + in_item + "."
                                                  : who + verb + named + " as null" + in_item + ".";
        break;
      case Walk::End::empty_text:
        origin.sentence = origin.property.empty() ? who + verb + "an empty text" + in_item + "."
                                                  : who + verb + "an empty " + named + in_item + ".";
        break;
      case Walk::End::short_list: {
        const std::size_t size = walked.value->size();
        const std::string list = origin.property.empty() ? std::string() : " in " + named;
        origin.sentence = who + verb +
                          (size == 0   ? "no items"
                           : size == 1 ? "only one item"
                                       : "only " + std::to_string(size) + " items") +
                          list + in_item + ".";
        break;
      }
      case Walk::End::there: return std::nullopt;
    }
    return origin;
  }

  /// Counted from 1; 0 = it ran outside of the loops that the failure is in.
  std::size_t item_of_loop_around(const Action& action) const {
    std::size_t guard = 0;
    for (auto id = action.loop; id < flow_.actions.size() && guard < 64; id = flow_.actions[id].loop, ++guard) {
      for (const Iteration& iteration : failure_.iterations) {
        if (iteration.loop == flow_.actions[id].name) return iteration.index + std::size_t{1};
      }
    }
    return 0;
  }

  const definition::Flow& flow_;
  const Failure& failure_;
  bool there_;
  std::vector<std::string> through_;
};

}  // namespace

std::optional<Origin> find_origin(const definition::Flow& flow, const Failure& failure, std::string_view text) {
  Tracer tracer(flow, failure, false);
  const auto reference = tracer.read(text);
  if (!reference) return std::nullopt;
  auto origin = tracer.trace(*reference);
  if (!origin) return std::nullopt;
  origin->text = text.starts_with('@') ? text.substr(1) : text;
  const std::string shown = way_of(reference->path, reference->path.size());
  origin->sentence = "'" + (shown.empty() ? origin->text : shown) + "' was missing because " + origin->sentence;
  return origin;
}

std::optional<Origin> find_source(const definition::Flow& flow, const Failure& failure, std::string_view written) {
  Tracer tracer(flow, failure, true);
  auto reference = tracer.read(written);
  std::string_view text = written;
  if (const auto opens = written.find("@{"); !reference && opens != std::string_view::npos) {
    const auto parsed = expression::parse(written, opens + 2, expression::Ending::right_curly_bracket);
    if (!parsed || written.find("@{", parsed->end) != std::string_view::npos) return std::nullopt;
    text = written.substr(opens, parsed->end - opens);
    reference = tracer.read(text);
  }
  if (!reference) return std::nullopt;
  auto origin = tracer.trace(*reference);
  if (origin) origin->text = text;
  return origin;
}

}  // namespace flowmend::repair
