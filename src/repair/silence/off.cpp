#include "repair/silence/off.h"

#include "repair/rules/list.h"

namespace flowmend::repair::silence {
namespace {

constexpr std::size_t calls_least = 3;
constexpr Duration calls_length = Duration::minutes(5);  ///< one caller that tries again at once is no habit
constexpr Duration calls_forgotten = Duration::days(1);

Verdict judge_calls(const runtime::RefusedCalls::Count& refused, Timestamp now) {
  if (refused.count < calls_least || refused.last - refused.first < calls_length ||
      now - refused.last > calls_forgotten)
    return Verdict::well();
  Silence silence;
  silence.since = refused.first;
  silence.evidence = refused.last;
  silence.title = "The flow is off, but is still called";
  silence.message = std::to_string(refused.count) + " calls were refused since " + time_words(refused.first) +
                    ", the last one at " + time_words(refused.last) + ": a flow that is off starts no runs.";
  silence.how_to_fix =
      "Open the flow and switch it on, if the calls are right.\n"
      "Or tell whoever calls it to stop. Callers get the status 400 and the code WorkflowTriggerIsNotEnabled.";
  return Verdict::silent(std::move(silence));
}

}  // namespace

Verdict judge_off(const OffFacts& facts, Timestamp now) {
  Silence silence;
  silence.since = silence.evidence = facts.switched.is_set() ? facts.switched : facts.changed;
  if (facts.state == store::FlowState::suspended) {
    silence.title = "The flow is suspended";
    silence.message = "The flow was suspended at " + time_words(silence.since) + ": its trigger starts no runs.";
    silence.how_to_fix = "When the reason is gone, open the flow and switch it on.";
    return Verdict::silent(std::move(silence));
  }
  if (facts.state == store::FlowState::stopped) {
    if (!facts.switched.is_set() || facts.switched_by.empty() || facts.owner.empty() ||
        facts.switched_by == facts.owner)
      return judge_calls(facts.refused, now);
    silence.title = "The flow was switched off by " + facts.switched_by;
    silence.message = facts.switched_by + " switched the flow off at " + time_words(facts.switched) +
                      ". It belongs to " + facts.owner + ". Its trigger starts no runs until it is on again.";
    silence.how_to_fix =
        "Open the flow and switch it on.\n"
        "If it is to stay off, mark this incident as fixed: it does not come back for this.";
    return Verdict::silent(std::move(silence));
  }
  if (!facts.compile_error.empty()) {
    silence.since = silence.evidence = facts.changed;
    silence.title = "The flow is on, but can't start";
    silence.message = "Its stored definition can't be used by this version of the server, so no trigger starts it. " +
                      sentence(shortened(facts.compile_error));
    silence.how_to_fix = "Open the flow in the editor: it shows what is wrong and where. Correct it and save.";
    return Verdict::silent(std::move(silence));
  }
  return Verdict::well();
}

}  // namespace flowmend::repair::silence
