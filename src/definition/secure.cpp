#include "definition/secure.h"

#include <algorithm>

#include "definition/settings.h"

namespace flowmend::definition {

namespace {

/// What these give is what they were given, so hidden inputs hide the outputs too.
bool hands_on(ActionType type) {
  switch (type) {
    case ActionType::compose:
    case ActionType::parse_json:
    case ActionType::query:
    case ActionType::select:
    case ActionType::join:
    case ActionType::table:
    case ActionType::expression:
    case ActionType::xslt:
    case ActionType::xml_validation:
    case ActionType::java_script_code:
    case ActionType::response:
    case ActionType::foreach_:
    case ActionType::initialize_variable:
    case ActionType::set_variable:
    case ActionType::increment_variable:
    case ActionType::decrement_variable:
    case ActionType::append_to_array_variable:
    case ActionType::append_to_string_variable: return true;
    default: return false;
  }
}

/// The variables that an action writes.
std::vector<std::int32_t> variables_of(const Flow& flow, const Action& action) {
  std::vector<std::int32_t> slots;
  if (action.variable >= 0) slots.push_back(action.variable);
  if (action.type != ActionType::initialize_variable) return slots;
  const Value& list = member_at(action.definition, {"inputs", "variables"});
  if (!list.is_array()) return slots;
  for (const Value& variable : list.as_array()) {
    const std::int32_t slot = flow.find_variable(variable.text_of("name"));
    if (slot >= 0) slots.push_back(slot);
  }
  return slots;
}

}  // namespace

void spread_secure_data(Flow& flow, const std::vector<std::vector<Template::Mention>>& mentions,
                        const std::vector<Template::Mention>& output_mentions) {
  using Kind = Template::Mention::Kind;
  // Who uses what, so that hiding walks each edge once.
  std::vector<std::vector<ActionId>> users(flow.actions.size());
  std::vector<std::vector<ActionId>> readers(flow.variables.size());
  std::vector<bool> reached(flow.actions.size());
  std::vector<bool> tainted(flow.variables.size());
  std::vector<ActionId> waiting;

  const auto reach = [&](ActionId id) {
    if (reached[id]) return;
    reached[id] = true;
    waiting.push_back(id);
  };
  const auto hide_inputs = [&](ActionId id) {
    Action& action = flow.actions[id];
    action.settings.secure_inputs = true;
    if (!hands_on(action.type)) return;
    action.settings.secure_outputs = true;
    reach(id);
  };
  for (Action& action : flow.actions) {
    // item() names no loop: what stands in a loop may use its items.
    if (action.loop != no_action) users[action.loop].push_back(action.id);
    for (const auto& mention : mentions[action.id]) {
      if (mention.kind == Kind::variable) {
        const std::int32_t slot = flow.find_variable(mention.name);
        if (slot >= 0) readers[static_cast<std::size_t>(slot)].push_back(action.id);
      } else if (mention.kind == Kind::parameter) {
        const std::int32_t slot = flow.find_parameter(mention.name);
        const bool secure = slot >= 0 && flow.parameters[static_cast<std::size_t>(slot)].secure;
        if (secure && !mention.pointer.starts_with(action.pointer + "/inputs/authentication")) hide_inputs(action.id);
      } else if (mention.kind == Kind::trigger) {
        if (flow.trigger.secure_outputs) hide_inputs(action.id);
      } else if (const Action* used = flow.find_action(mention.name)) {
        users[used->id].push_back(action.id);
      }
    }
    if (action.settings.secure_inputs) hide_inputs(action.id);
    if (action.settings.secure_outputs) reach(action.id);
  }
  // A container's result() shows what is in it.
  while (!waiting.empty()) {
    const ActionId id = waiting.back();
    waiting.pop_back();
    for (const ActionId user : users[id]) hide_inputs(user);
    const Action& action = flow.actions[id];
    if (action.parent != no_action) {
      for (const ActionId user : users[action.parent]) {
        if (flow.actions[user].loop != action.parent) hide_inputs(user);
      }
    }
    for (const std::int32_t variable : variables_of(flow, action)) {
      const auto slot = static_cast<std::size_t>(variable);
      if (tainted[slot]) continue;
      tainted[slot] = true;
      for (const ActionId reader : readers[slot]) hide_inputs(reader);
    }
  }
  flow.secure_outputs = std::ranges::any_of(output_mentions, [&](const Template::Mention& mention) {
    if (mention.kind != Kind::variable) return shows_secured(flow, mention);
    const std::int32_t slot = flow.find_variable(mention.name);
    return slot >= 0 && tainted[static_cast<std::size_t>(slot)];
  });
}

bool shows_secured(const Flow& flow, const Template::Mention& mention) {
  using Kind = Template::Mention::Kind;
  if (mention.kind == Kind::trigger) return flow.trigger.secure_outputs;
  if (mention.kind == Kind::variable) return false;
  if (mention.kind == Kind::parameter) {
    const std::int32_t slot = flow.find_parameter(mention.name);
    return slot >= 0 && flow.parameters[static_cast<std::size_t>(slot)].secure;
  }
  const Action* used = flow.find_action(mention.name);
  if (used == nullptr) return false;
  if (used->settings.secure_outputs) return true;
  // result() and outputs() of a container show what is in it.
  return std::ranges::any_of(flow.actions, [&](const Action& inner) {
    if (!inner.settings.secure_outputs) return false;
    for (ActionId above = inner.parent; above != no_action; above = flow.actions[above].parent) {
      if (above == used->id) return true;
    }
    return false;
  });
}

}  // namespace flowmend::definition
