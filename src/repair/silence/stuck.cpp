#include "repair/silence/stuck.h"

#include <algorithm>
#include <map>

namespace flowmend::repair::silence {
namespace {

constexpr std::size_t history_least = 20;
constexpr std::int64_t factor = 10;
constexpr Duration margin = Duration::minutes(10);

struct PlaceLess {
  bool operator()(const engine::Place& a, const engine::Place& b) const {
    return a.frame != b.frame ? a.frame < b.frame : a.action < b.action;
  }
};

bool in_until(const definition::Flow& flow, const definition::Action& action) {
  using definition::ActionType;
  std::size_t guard = 0;
  for (auto id = action.parent; id < flow.actions.size() && guard < 64; id = flow.actions[id].parent, ++guard) {
    if (flow.actions[id].type == ActionType::until) return true;
  }
  return false;
}

bool rightly_waits(const definition::Flow& flow, const definition::Action& action) {
  using definition::ActionType;
  if (definition::is_webhook(action.type) || action.type == ActionType::workflow) return true;
  return action.type == ActionType::wait && !in_until(flow, action);
}

}  // namespace

std::optional<Duration> patience_for(std::vector<Duration> history) {
  if (history.size() < history_least) return std::nullopt;
  const std::size_t at = (history.size() * 95 + 99) / 100 - 1;
  std::nth_element(history.begin(), history.begin() + static_cast<std::ptrdiff_t>(at), history.end());
  const std::int64_t usual = std::max<std::int64_t>(history[at].ticks, 0);
  // A year: above it no product is needed, nor would it fit.
  if (usual > Duration::days(366).ticks) return Duration{usual + margin.ticks};
  return Duration{std::max(usual * factor, usual + margin.ticks)};
}

Verdict judge_stuck(const StuckFacts& facts, Timestamp now) {
  if (facts.open.empty()) return Verdict::well();
  const auto patience = patience_for(facts.history);
  if (!patience) return Verdict::unknown();
  std::vector<const OpenRun*> stuck;
  for (const OpenRun& run : facts.open) {
    if (now - run.started > *patience) stuck.push_back(&run);
  }
  if (stuck.empty()) return Verdict::well();
  const OpenRun& longest = **std::min_element(
      stuck.begin(), stuck.end(), [](const OpenRun* a, const OpenRun* b) { return a->started < b->started; });
  const OpenRun& latest = **std::max_element(
      stuck.begin(), stuck.end(), [](const OpenRun* a, const OpenRun* b) { return a->started < b->started; });
  Silence silence;
  silence.title = stuck.size() == 1 ? "A run takes far longer than usual"
                                    : std::to_string(stuck.size()) + " runs take far longer than usual";
  silence.message = "A run that started at " + time_words(longest.started) + " has been running for " +
                    length_words(now - longest.started) +
                    ". Runs of this flow that went well were over sooner: nearly all of them within a tenth of " +
                    length_words(*patience) + ".";
  if (!longest.step.empty()) {
    std::string step = longest.step;
    std::replace(step.begin(), step.end(), '_', ' ');
    silence.message += " It has been at the step '" + step + "' since " + time_words(longest.at_step_since) + ".";
  }
  silence.how_to_fix =
      "Open the run: it shows the step that it is at, and the answers that it got so far.\n"
      "If it will not end by itself, cancel it there and resubmit it.\n"
      "If the step waits for a service, give it a shorter timeout; if it is a loop, see whether its condition can "
      "still "
      "come true.";
  silence.since = longest.started + *patience;
  silence.evidence = latest.started + *patience;
  silence.run = longest.name;
  silence.action = longest.step;
  return Verdict::silent(std::move(silence));
}

std::optional<OpenStep> find_open_step(const definition::Flow& flow, const engine::Events& events) {
  std::map<engine::Place, Timestamp, PlaceLess> open;
  for (const engine::Event& event : events) {
    if (const auto* started = std::get_if<engine::ActionStarted>(&event)) {
      if (started->place.action < flow.actions.size()) open[started->place] = started->time;
    } else if (const auto* ended = std::get_if<engine::ActionEnded>(&event)) {
      open.erase(ended->place);
    }
  }
  std::optional<OpenStep> found;
  bool all_wait = true;
  for (const auto& [place, since] : open) {
    const definition::Action& action = flow.actions[place.action];
    if (!action.branches.empty()) continue;  // what it holds says more
    const bool waits = rightly_waits(flow, action);
    all_wait = all_wait && waits;
    // Of branches side by side the one that does not rightly wait is meant, and of those the oldest.
    if (!found || (found->rightly_waits && !waits) || (found->rightly_waits == waits && since < found->since))
      found = OpenStep{action.name, since, waits};
  }
  if (found) found->rightly_waits = all_wait;
  return found;
}

}  // namespace flowmend::repair::silence
