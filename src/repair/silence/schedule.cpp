#include "repair/silence/schedule.h"

#include <algorithm>
#include <optional>

namespace flowmend::repair::silence {
namespace {

constexpr int times_counted_max = 1000;
constexpr Duration grace_least = Duration::minutes(2);
constexpr Duration grace_most = Duration::hours(1);

std::optional<Timestamp> next_of(const ScheduleFacts& facts, Timestamp last) {
  if (facts.window.ticks > 0) return last + facts.window;
  return trigger::next_fire(facts.recurrence, facts.saved, last, last);
}

}  // namespace

Verdict judge_schedule(const ScheduleFacts& facts, Timestamp now) {
  if (!facts.saved.is_set()) return Verdict::unknown();
  std::optional<Timestamp> expected;
  if (facts.last.is_set()) {
    expected = next_of(facts, facts.last);
  } else if (facts.window.ticks == 0) {
    expected = trigger::first_fire(facts.recurrence, facts.saved);
  } else if (facts.planned.is_set()) {
    expected = facts.planned;
  }
  if (!expected || *expected > now) return Verdict::well();

  const auto following = next_of(facts, *expected);
  const Duration period = following ? *following - *expected : grace_most;
  const Duration grace = std::clamp(Duration{period.ticks / 10}, grace_least, grace_most);
  const bool while_down = *expected < facts.server_since;
  // After a start only as much time is given as the executor needs, not a share of the period: that time is over.
  if (now < (while_down ? facts.server_since + grace_least : *expected + grace)) return Verdict::unknown();

  int missed = 0;
  Timestamp latest = *expected;
  for (std::optional<Timestamp> time = expected; time && *time <= now && missed < times_counted_max;
       time = next_of(facts, *time)) {
    latest = *time;
    ++missed;
  }
  Silence silence;
  silence.since = *expected;
  silence.evidence = latest;
  const std::string when = time_words(*expected);
  const std::string count =
      missed <= 1 ? std::string()
      : missed >= times_counted_max
          ? " Since then more than a thousand times were missed."
          : " Since then " + std::to_string(missed) + " times were missed, the last at " + time_words(latest) + ".";
  const std::string next = facts.planned > now ? " It fires next at " + time_words(facts.planned) + "." : "";
  if (while_down && latest < facts.server_since) {
    silence.title = "Its schedule was missed while the server was down";
    silence.message = "The flow should have started at " + when + ", but the server did not run" +
                      (facts.down_since.is_set() ? " from " + time_words(facts.down_since) : std::string()) +
                      " until " + time_words(facts.server_since) + "." + count + " Missed times are not made up for." +
                      next;
    silence.how_to_fix =
        "If the work can't wait for the next time, open the flow and choose Run.\n"
        "Nothing else is to be done: this incident ends by itself when the schedule fires.";
  } else {
    silence.title = "Its schedule did not fire";
    silence.message =
        "The flow should have started at " + when + " and did not, though the server was running." + count + next;
    silence.how_to_fix =
        "Open the flow and choose Run: when it does not start, the answer says why.\n"
        "Save the flow again, or switch it off and on: its schedule is planned anew.\n"
        "If this does not help, read the server's log around that time, and see whether its disk is full.";
  }
  return Verdict::silent(std::move(silence));
}

}  // namespace flowmend::repair::silence
