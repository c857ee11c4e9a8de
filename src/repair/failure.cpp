#include "repair/failure.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/diagnostic.h"
#include "engine/variable.h"
#include "expression/context_json.h"
#include "expression/template.h"

namespace flowmend::repair {
namespace {

using definition::Action;
using definition::ActionId;
using definition::ActionType;
using engine::FrameId;
using engine::Place;
using engine::Status;

constexpr std::size_t skipped_max = 200;

struct PlaceLess {
  bool operator()(const Place& a, const Place& b) const {
    return a.frame != b.frame ? a.frame < b.frame : a.action < b.action;
  }
};

std::string status_text(Status status) {
  switch (status) {
    case Status::failed: return "Failed";
    case Status::timed_out: return "TimedOut";
    case Status::cancelled: return "Cancelled";
    case Status::aborted: return "Aborted";
    case Status::skipped: return "Skipped";
    case Status::succeeded: return "Succeeded";
    case Status::waiting: return "Waiting";
    default: return "Running";
  }
}

class Reader {
 public:
  Reader(const definition::Flow& flow, const engine::Events& events) : flow_(flow), events_(events) {}

  std::optional<Failure> run() {
    gather();
    if (ended_ == nullptr || ended_->status == Status::succeeded) return std::nullopt;
    Failure failure;
    failure.run = started_ == nullptr ? std::string() : started_->run;
    failure.run_status = status_text(ended_->status);
    failure.run_code = ended_->fault.code.empty() ? ended_->code : ended_->fault.code;
    failure.run_message = ended_->fault.message;
    failure.run_started = started_ == nullptr ? Timestamp() : started_->time;
    failure.run_ended = ended_->time;
    const engine::ActionEnded* culprit = find_culprit();
    if (culprit != nullptr) fill(failure, *culprit);
    return failure;
  }

 private:
  bool known(ActionId action) const { return action < flow_.actions.size(); }

  void gather() {
    FrameId next_frame = 1;
    for (const engine::Event& event : events_) {
      if (const auto* run_started = std::get_if<engine::RunStarted>(&event)) {
        started_ = run_started;
      } else if (const auto* action_started = std::get_if<engine::ActionStarted>(&event)) {
        starts_[action_started->place] = action_started;
      } else if (const auto* action_ended = std::get_if<engine::ActionEnded>(&event)) {
        if (!known(action_ended->place.action)) continue;
        ends_[action_ended->place] = action_ended;
        order_.push_back(action_ended);
      } else if (const auto* attempt = std::get_if<engine::AttemptEnded>(&event)) {
        attempts_[attempt->place].push_back(attempt);
      } else if (const auto* iteration = std::get_if<engine::IterationStarted>(&event)) {
        frames_[next_frame++] = iteration;
      } else if (const auto* run_ended = std::get_if<engine::RunEnded>(&event)) {
        ended_ = run_ended;
      }
    }
  }

  bool failed(const engine::ActionEnded& ended) const {
    return ended.status == Status::failed || ended.status == Status::timed_out;
  }

  bool is_container(ActionId action) const { return !flow_.actions[action].branches.empty(); }

  const engine::ActionEnded* find_culprit() const {
    if (ended_->culprit.action != definition::no_action) {
      if (const auto found = ends_.find(ended_->culprit); found != ends_.end()) return found->second;
    }
    // Containers that failed only because of what is in them say so with the generic code.
    const engine::ActionEnded* container = nullptr;
    for (const engine::ActionEnded* ended : order_) {
      if (!failed(*ended)) continue;
      if (!is_container(ended->place.action) || ended->fault.code != "ActionFailed") return ended;
      if (container == nullptr) container = ended;
    }
    return container;
  }

  /// The frames around a place, outermost first, without the run's own.
  std::vector<std::pair<FrameId, const engine::IterationStarted*>> chain_of(FrameId frame) const {
    std::vector<std::pair<FrameId, const engine::IterationStarted*>> chain;
    while (frame != 0 && chain.size() < 64) {
      const auto found = frames_.find(frame);
      if (found == frames_.end() || !known(found->second->loop.action)) break;
      chain.emplace_back(frame, found->second);
      if (found->second->loop.frame >= frame) break;  // damaged: a frame begins before those inside it
      frame = found->second->loop.frame;
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
  }

  void fill(Failure& failure, const engine::ActionEnded& culprit) {
    const Action& action = flow_.actions[culprit.place.action];
    failure.has_step = true;
    failure.action = action.id;
    failure.status = status_text(culprit.status);
    failure.code = culprit.code;
    failure.fault_code = culprit.fault.code;
    failure.fault_message = culprit.fault.message;
    failure.fault_details = culprit.fault.details;
    failure.ended = culprit.ended;
    failure.started = culprit.started;
    failure.inputs = culprit.inputs;
    failure.outputs = culprit.outputs;
    if (const auto start = starts_.find(culprit.place); start != starts_.end()) {
      failure.started = start->second->time;
      if (start->second->has_inputs && !culprit.has_inputs) failure.inputs = start->second->inputs;
    }
    for (const auto& [frame, iteration] : chain_of(culprit.place.frame)) {
      failure.iterations.push_back({flow_.actions[iteration->loop.action].name, iteration->index});
    }
    std::size_t guard = 0;
    for (ActionId id = culprit.place.action; known(id) && guard < 64; id = flow_.actions[id].parent, ++guard) {
      failure.path.insert(failure.path.begin(), flow_.actions[id].name);
    }
    if (const auto found = attempts_.find(culprit.place); found != attempts_.end()) {
      for (const engine::AttemptEnded* ended : found->second) {
        failure.attempts.push_back({ended->attempt, ended->started, ended->ended, ended->status_code, ended->fault.code,
                                    ended->fault.message, ended->retry_at, ended->request, ended->response});
      }
    }
    failure.skipped = skipped_by(culprit.place);
    failure.context = context_of(culprit);
    failure.variable_setters = setters_before(culprit.place);
  }

  std::vector<std::string> skipped_by(const Place& culprit) const {
    std::set<ActionId> blocked;
    for (ActionId id = culprit.action; known(id) && blocked.insert(id).second; id = flow_.actions[id].parent) {
    }
    std::vector<std::string> out;
    std::set<ActionId> skipped;
    // Skips are journalled in the order in which they follow from each other.
    for (const engine::ActionEnded* ended : order_) {
      if (ended->status != Status::skipped || out.size() >= skipped_max) continue;
      const Action& action = flow_.actions[ended->place.action];
      const bool because =
          std::any_of(action.run_after.begin(), action.run_after.end(), [&](const definition::RunAfter& after) {
            return blocked.contains(after.action) || skipped.contains(after.action);
          });
      const bool inside = skipped.contains(action.parent);
      if ((!because && !inside) || !skipped.insert(action.id).second) continue;
      if (because) out.push_back(action.name);
    }
    return out;
  }

  std::map<std::string, std::string, std::less<>> setters_before(const Place& culprit) const {
    std::map<std::string, std::string, std::less<>> setters;
    std::set<std::uint32_t> set;  // by the step that ends next
    for (const engine::Event& event : events_) {
      if (const auto* variable = std::get_if<engine::VariableSet>(&event)) {
        set.insert(variable->variable);
      } else if (const auto* ended = std::get_if<engine::ActionEnded>(&event)) {
        if (ended->place == culprit) break;
        if (!known(ended->place.action)) continue;
        for (const std::uint32_t slot : set) {
          if (slot < flow_.variables.size())
            setters[flow_.variables[slot].name] = flow_.actions[ended->place.action].name;
        }
        set.clear();
      }
    }
    return setters;
  }

  /// What the step's expressions saw: trigger, outputs of the steps that had ended, variables, items, parameters.
  Value context_of(const engine::ActionEnded& culprit) {
    const auto chain = chain_of(culprit.place.frame);
    std::set<FrameId> visible = {0};
    for (const auto& [frame, iteration] : chain) visible.insert(frame);
    std::map<std::string, Value> actions;
    std::map<std::string, engine::Variable> held;
    for (const engine::Event& event : events_) {
      if (const auto* ended = std::get_if<engine::ActionEnded>(&event)) {
        if (ended->place == culprit.place) break;
        if (!known(ended->place.action) || !visible.contains(ended->place.frame)) continue;
        const Action& action = flow_.actions[ended->place.action];
        actions[action.name] = Value::object({{"name", Value(action.name)},
                                              {"status", Value(status_text(ended->status))},
                                              {"code", Value(ended->code)},
                                              {"inputs", ended->inputs},
                                              {"outputs", ended->outputs}});
      } else if (const auto* set = std::get_if<engine::VariableSet>(&event)) {
        if (set->variable < flow_.variables.size()) held[flow_.variables[set->variable].name].set(set->value);
      } else if (const auto* more = std::get_if<engine::VariableAppended>(&event)) {
        if (more->variable < flow_.variables.size()) held[flow_.variables[more->variable].name].append(more->value);
      }
    }
    std::map<std::string, Value> variables;
    for (const auto& [name, variable] : held) variables[name] = variable.value();
    const auto object_of = [](const std::map<std::string, Value>& values) {
      json::ObjectBuilder builder;
      for (const auto& [name, value] : values) builder.add(name, value);
      return builder.finish();
    };
    json::ObjectBuilder context;
    context.add("now", Value(to_string(culprit.started.is_set() ? culprit.started : culprit.ended)));
    if (started_ != nullptr && started_->trigger.is_object()) {
      context.add("trigger", started_->trigger);
      if (const Value* outputs = started_->trigger.find("outputs")) context.add("triggerOutputs", *outputs);
    }
    context.add("actions", object_of(actions));
    context.add("variables", object_of(variables));
    json::ObjectBuilder parameters;
    for (const definition::Parameter& parameter : flow_.parameters) {
      if (!parameter.secure) parameters.add(parameter.name, parameter.value);
    }
    context.add("parameters", parameters.finish());
    json::ObjectBuilder workflow;
    workflow.add("name", Value(flow_.id));
    workflow.add("run", Value::object({{"name", Value(started_ == nullptr ? std::string() : started_->run)}}));
    context.add("workflow", workflow.finish());

    json::ObjectBuilder items;
    json::ObjectBuilder indexes;
    for (const auto& [frame, iteration] : chain) {
      const Action& loop = flow_.actions[iteration->loop.action];
      indexes.add(loop.name, Value(static_cast<std::int64_t>(iteration->index)));
      const Value* each = loop.definition.find("foreach");
      if (each == nullptr) continue;
      json::ObjectBuilder outer(context);
      outer.set("items", json::ObjectBuilder(items).finish());
      expression::ContextFromJson seen(outer.finish(), 0);
      Diagnostics ignored;
      const auto list = expression::Template::compile(*each, seen, "", ignored).evaluate(seen);
      if (list && list->is_array() && iteration->index < list->size()) {
        items.add(loop.name, list->as_array()[iteration->index]);
        context.set("item", list->as_array()[iteration->index]);
      }
    }
    context.add("items", items.finish());
    context.add("iterationIndexes", indexes.finish());
    return context.finish();
  }

  const definition::Flow& flow_;
  const engine::Events& events_;
  const engine::RunStarted* started_ = nullptr;
  const engine::RunEnded* ended_ = nullptr;
  std::map<Place, const engine::ActionStarted*, PlaceLess> starts_;
  std::map<Place, const engine::ActionEnded*, PlaceLess> ends_;
  std::map<Place, std::vector<const engine::AttemptEnded*>, PlaceLess> attempts_;
  std::map<FrameId, const engine::IterationStarted*> frames_;
  std::vector<const engine::ActionEnded*> order_;
};

}  // namespace

int Failure::status_code() const {
  if (const Value* answered = outputs.find("statusCode"); answered != nullptr && answered->is_integer())
    return static_cast<int>(answered->as_integer());
  return attempts.empty() ? 0 : attempts.back().status_code;
}

std::string Failure::repetition() const {
  std::string out;
  for (const Iteration& iteration : iterations) {
    std::string digits = std::to_string(iteration.index);
    if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
    out += (out.empty() ? "" : "-") + digits;
  }
  return out;
}

std::optional<Failure> find_failure(const definition::Flow& flow, const engine::Events& events) {
  return Reader(flow, events).run();
}

}  // namespace flowmend::repair
