#include "repair/silence/volume.h"

#include <algorithm>
#include <cmath>

#include "repair/rules/list.h"

namespace flowmend::repair::silence {
namespace {

constexpr const char* advice_on_skips =
    "See whether the service really has nothing new.\n"
    "See whether the trigger's condition still fits what the service sends: a renamed or missing field makes it false.";
constexpr const char* advice_when_less_is_right =
    "\nIf less is right from now on, switch the watch for silence off in the flow's notifications for some weeks: the "
    "norm follows.";
constexpr std::size_t weeks_least = 3;
constexpr double deviations = 5.0;

/// The square root of a Poisson count has a standard deviation of a half, whatever its mean.
bool beyond_chance(std::size_t count, double usual) {
  return 2.0 * (std::sqrt(usual) - std::sqrt(static_cast<double>(count))) >= deviations;
}

double median(const std::vector<std::size_t>& sorted) {
  const std::size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return static_cast<double>(sorted[middle]);
  return static_cast<double>(sorted[middle - 1] + sorted[middle]) / 2.0;
}

}  // namespace

Verdict judge_volume(const VolumeFacts& facts) {
  std::vector<std::size_t> known;
  for (const auto& week : facts.weeks) {
    if (week) known.push_back(*week);
  }
  if (known.size() < weeks_least) return Verdict::unknown();
  std::sort(known.begin(), known.end());
  const double usual = median(known);
  const std::size_t quiet = known[1];
  if (!beyond_chance(0, usual) || quiet == 0) return Verdict::unknown();
  const bool low =
      static_cast<double>(facts.count) <= usual / 4 && facts.count * 2 <= quiet && beyond_chance(facts.count, usual);
  if (!low) return Verdict::well();

  Silence silence;
  silence.since = facts.from;
  silence.evidence = facts.from;
  const std::string window = "From " + time_words(facts.from) + " to " + time_words(facts.until);
  const std::string norm = std::to_string(static_cast<std::int64_t>(std::llround(usual)));
  const std::string count = facts.count == 0   ? "no run"
                            : facts.count == 1 ? "one run"
                                               : std::to_string(facts.count) + " runs";
  const bool only_skips = facts.count == 0 && facts.skipped > 0 && facts.failed == 0;
  silence.title = only_skips ? "Its trigger is always skipped, though it used to fire" : "Far fewer runs than usual";
  silence.message = window + " " + count + " started; at this time of the weeks before it was about " + norm + ".";
  if (only_skips) {
    silence.message +=
        " The trigger was checked and skipped each time. The last time: " + sentence(shortened(facts.skip_reason));
  }
  silence.how_to_fix =
      only_skips ? std::string(advice_on_skips) + advice_when_less_is_right : advice_on_volume(facts.source);
  return Verdict::silent(std::move(silence));
}

std::string advice_on_volume(definition::TriggerSource source) {
  using definition::TriggerSource;
  std::string advice;
  if (source == TriggerSource::call || source == TriggerSource::batch) {
    advice =
        "See whether whoever calls the flow still does, and has its address with a key that is valid.\n"
        "See whether something before this server (a proxy, a firewall) refuses the calls.";
  } else if (source == TriggerSource::webhook) {
    advice =
        "See whether the service still holds the subscription. Switch the flow off and on to subscribe anew.\n"
        "See whether the service can reach this server's public address.";
  } else {
    advice =
        "Open the flow and look at its trigger checks.\n"
        "See whether the service that the trigger asks still gets what it used to.";
  }
  return advice + advice_when_less_is_right;
}

}  // namespace flowmend::repair::silence
