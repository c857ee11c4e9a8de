#include <cctype>

#include "engine/actions/list.h"

namespace flowmend::engine {

namespace {

/// When the wait ends, or nothing with `reason` set.
std::optional<Timestamp> due_time(const Value& inputs, Timestamp now, std::string& reason) {
  if (const Value* until = inputs.find_ignoring_case("until"); until != nullptr && until->is_object()) {
    const auto text = until->text_of("timestamp");
    const auto time = parse_timestamp(text);
    if (!time) reason = "The timestamp '" + std::string(text) + "' is not an ISO 8601 time.";
    return time;
  }
  const Value* interval = inputs.find_ignoring_case("interval");
  const Value* count = interval == nullptr ? nullptr : interval->find_ignoring_case("count");
  std::string unit(interval == nullptr ? "" : interval->text_of("unit"));
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (count == nullptr || !count->is_integer() || count->as_integer() < 0 || count->as_integer() > 100'000'000) {
    reason = "'interval.count' must be a whole number of at least 0.";
    return std::nullopt;
  }
  std::int64_t seconds = 0;
  if (unit == "second") seconds = 1;
  if (unit == "minute") seconds = 60;
  if (unit == "hour") seconds = 3600;
  if (unit == "day") seconds = 86'400;
  if (unit == "week") seconds = 7 * 86'400;
  if (unit == "month") seconds = 30 * 86'400;
  if (seconds == 0) {
    reason = "'interval.unit' must be Second, Minute, Hour, Day, Week or Month.";
    return std::nullopt;
  }
  constexpr std::int64_t seconds_max = 31LL * 366 * 86'400;
  if (count->as_integer() > seconds_max / seconds) {
    reason = "The wait is longer than 31 years.";
    return std::nullopt;
  }
  return now + Duration::seconds(count->as_integer() * seconds);
}

}  // namespace

void start_wait(Step& step) {
  if (!step.evaluate_inputs()) return;
  std::string reason;
  const auto due = due_time(step.inputs, step.facts.now, reason);
  if (!due) {
    return step.fail("BadRequest", {"InvalidTemplate",
                                    "The inputs of workflow run action '" + step.action.name +
                                        "' of type 'Wait' are not valid. " + reason,
                                    {}});
  }
  if (*due <= step.facts.now) return step.succeed("OK");  // a time that has passed is no wait
  step.started();
  step.out.events.emplace_back(TimerSet{step.place, TimerKind::wait, *due});
}

}  // namespace flowmend::engine
