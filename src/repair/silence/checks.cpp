#include "repair/silence/checks.h"

#include <algorithm>

#include "repair/rules/list.h"

namespace flowmend::repair::silence {
namespace {

using definition::TriggerSource;

bool is_refusal_of_credentials(const std::string& code) {
  return code == "Unauthorized" || code == "Forbidden" || code == "401" || code == "403";
}

struct Words {
  std::string title;
  std::string happened;
  std::string how_to_fix;
};

Words words_for(TriggerSource source, const std::string& count, const Check& latest) {
  switch (source) {
    case TriggerSource::poll:
      return {"Its trigger's checks keep failing", "The trigger asked its service " + count + " in a row and failed.",
              std::string(is_refusal_of_credentials(latest.code)
                              ? "The service refused the credentials: verify the trigger's connection.\n"
                              : "") +
                  "Open the flow and choose Run: the trigger asks at once, and Trigger checks shows what the service "
                  "says.\n"
                  "Correct the trigger's inputs, or mend the service. What is new at the service by then is not lost: "
                  "the trigger asks again by itself."};
    case TriggerSource::webhook:
      return {"Its service can't be subscribed",
              "The trigger gave its service the flow's address " + count +
                  " in a row and was refused, so the service tells the flow of nothing.",
              "Correct the trigger's inputs, or mend the service.\n"
              "Save the flow, or switch it off and on: it subscribes again at once."};
    case TriggerSource::call:
      return {"Calls of the flow keep being refused",
              "The flow was called " + count + " in a row with content that its trigger refuses.",
              "Tell whoever calls the flow what is wrong with the content.\n"
              "Or correct the trigger's schema, when the new content is right."};
    case TriggerSource::batch:
      return {"Its batches start no run",
              "The messages of a batch were complete " + count + " in a row and could not start a run.",
              "Correct the trigger, and save the flow: the messages wait."};
    case TriggerSource::schedule:
      return {"Its trigger keeps failing", "The trigger was due " + count + " in a row and could not start a run.",
              "Correct the trigger, and save the flow."};
  }
  return {};
}

}  // namespace

Verdict judge_checks(const CheckFacts& facts, const CheckPatience& patience, Timestamp now) {
  std::size_t failed = 0;
  for (const Check& check : facts.checks) {
    if (check.outcome != Check::Outcome::failed) break;
    // What the service took after the failure ends it; nothing is recorded of that but the time.
    if (facts.source == TriggerSource::webhook && facts.subscribed >= check.time) break;
    ++failed;
  }
  if (failed == 0) return Verdict::well();
  const Check& latest = facts.checks.front();
  const Check& first = facts.checks[failed - 1];
  const Duration length = now - first.time;
  const bool enough = (failed >= patience.count && length >= patience.length) ||
                      (failed >= patience.slow_count && latest.time - first.time >= patience.slow_length);
  if (!enough) return Verdict::unknown();
  const bool maybe_more = failed == facts.checks.size() && facts.has_older;
  Words words = words_for(facts.source, (maybe_more ? "at least " : "") + std::to_string(failed) + " times", latest);
  Silence silence;
  silence.title = std::move(words.title);
  silence.message = words.happened + " This began at " + time_words(first.time) +
                    ". The last time: " + sentence(shortened(latest.message.empty() ? latest.code : latest.message));
  silence.how_to_fix = std::move(words.how_to_fix);
  silence.since = first.time;
  // So many failures after a fix show that it was none.
  silence.evidence = facts.checks[std::min(failed, patience.slow_count) - 1].time;
  return Verdict::silent(std::move(silence));
}

}  // namespace flowmend::repair::silence
