#include "definition/order.h"

#include <unordered_map>
#include <unordered_set>

namespace flowmend::definition {

namespace {

/// Lists longer than this are not checked: the cost grows with the square of their length, and the cloud's limit is 500
/// actions.
constexpr std::size_t siblings_max = 2'000;

class OrderCheck {
 public:
  OrderCheck(const Flow& flow, Diagnostics& diagnostics) : flow_(flow), diagnostics_(diagnostics) {}

  void check(const Action& action, const Template::Mention& mention) {
    const Action* used = flow_.find_action(mention.name);
    if (used == nullptr || used->id == action.id) return;
    const auto path = path_of(action.id);
    const auto used_path = path_of(used->id);
    std::size_t common = 0;
    while (common < path.size() && common < used_path.size() && path[common] == used_path[common]) ++common;
    if (common == used_path.size()) return;  // a container around the action: its items, its iteration
    if (common == path.size()) {
      // An Until's condition is evaluated after its actions; every other container's inputs before them.
      if (action.type == ActionType::until || mention.pointer.find("/trackedProperties") != std::string::npos) return;
      return error(mention, action, *used, "runs inside it, after its inputs are evaluated",
                   "Refer to it from an action behind it in '" + action.name + "', or after it.");
    }
    const Action& here = flow_.action(path[common]);
    const Action& there = flow_.action(used_path[common]);
    if (here.branch != there.branch) {
      return error(mention, action, *used, "is in another branch of '" + flow_.action(here.parent).name + "'",
                   "Only one branch runs. Move the reference behind '" + flow_.action(here.parent).name + "'.");
    }
    if (siblings_of(here) > siblings_max) return;
    if (predecessors(here.id).contains(there.id)) return;
    if (predecessors(there.id).contains(here.id)) {
      return error(mention, action, *used, "runs after it",
                   "Refer to an action that runs before '" + action.name + "', or change the order.");
    }
    diagnostics_.push_back({.pointer = mention.pointer,
                            .severity = Severity::warning,
                            .code = "ReferenceToParallelAction",
                            .message = "Action '" + action.name + "' refers to '" + used->name +
                                       "', which runs in parallel: it may not have run by then.",
                            .cure = "Let '" + here.name + "' run after '" + there.name + "'.",
                            .begin = mention.range.begin,
                            .end = mention.range.end});
  }

 private:
  /// From the top level down to the action.
  std::vector<ActionId> path_of(ActionId id) const {
    std::vector<ActionId> path;
    for (; id != no_action; id = flow_.action(id).parent) path.insert(path.begin(), id);
    return path;
  }

  std::size_t siblings_of(const Action& action) const {
    if (action.parent == no_action) return flow_.root.actions.size();
    return flow_.action(action.parent).branches[action.branch].actions.size();
  }

  /// All siblings that have ended when this one runs.
  const std::unordered_set<ActionId>& predecessors(ActionId id) {
    const auto [found, added] = predecessors_.try_emplace(id);
    if (!added) return found->second;
    auto& reached = found->second;
    std::vector<ActionId> open{id};
    while (!open.empty()) {
      const Action& next = flow_.action(open.back());
      open.pop_back();
      for (const RunAfter& edge : next.run_after) {
        if (reached.insert(edge.action).second) open.push_back(edge.action);
      }
    }
    return reached;
  }

  void error(const Template::Mention& mention, const Action& action, const Action& used, const std::string& why,
             std::string cure) {
    diagnostics_.push_back({.pointer = mention.pointer,
                            .severity = Severity::error,
                            .code = "InvalidTemplate",
                            .message = "Action '" + action.name + "' refers to '" + used.name +
                                       "', which can't have run by then: it " + why + ".",
                            .cure = std::move(cure),
                            .begin = mention.range.begin,
                            .end = mention.range.end});
  }

  const Flow& flow_;
  Diagnostics& diagnostics_;
  std::unordered_map<ActionId, std::unordered_set<ActionId>> predecessors_;
};

}  // namespace

void check_order(const Flow& flow, const std::vector<std::vector<Template::Mention>>& mentions,
                 Diagnostics& diagnostics) {
  using Kind = Template::Mention::Kind;
  OrderCheck order(flow, diagnostics);
  for (const Action& action : flow.actions) {
    for (const auto& mention : mentions[action.id]) {
      if (mention.kind == Kind::action || mention.kind == Kind::result) order.check(action, mention);
    }
  }
}

}  // namespace flowmend::definition
