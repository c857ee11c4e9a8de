#include "repair/silence/gap.h"

#include <algorithm>

#include "repair/silence/volume.h"

namespace flowmend::repair::silence {
namespace {

constexpr std::size_t days_least = 8;
constexpr Duration span_least = Duration::days(21);
constexpr Duration margin = Duration::days(7);
constexpr std::int64_t times_longest = 3;

}  // namespace

Verdict judge_gap(const GapFacts& facts, Timestamp now) {
  if (facts.starts.empty()) return Verdict::unknown();
  const Timestamp last = facts.starts.front();
  // Runs of one day count as one: a test that somebody made, or a batch, says nothing of how often the flow is needed.
  std::size_t days = 1;
  Timestamp counted = last;
  Duration longest;
  for (const Timestamp start : facts.starts) {
    if (counted - start < Duration::days(1)) continue;
    longest = std::max(longest, counted - start);
    counted = start;
    ++days;
  }
  if (days < days_least || last - counted < span_least) return Verdict::unknown();
  const Duration quiet = now - std::max(last, facts.on_since);
  if (quiet < Duration{longest.ticks * times_longest} || quiet < Duration{longest.ticks + margin.ticks})
    return Verdict::well();

  Silence silence;
  silence.since = silence.evidence = last;
  silence.title = "No run for " + length_words(quiet);
  silence.message = "The last run started at " + time_words(last) + ". Before it, no pause was longer than " +
                    length_words(longest) + " since " + time_words(counted) + ".";
  silence.how_to_fix = advice_on_volume(facts.source);
  return Verdict::silent(std::move(silence));
}

}  // namespace flowmend::repair::silence
