#include "engine/retry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <string>

namespace flowmend::engine {

namespace {

Error wrong(std::string_view member, std::string_view rule) {
  return make_error("InvalidRetryPolicy", "The retry policy's '" + std::string(member) + "' " + std::string(rule) + ".",
                    {}, "Correct the retry policy of this action.");
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::optional<std::int64_t> whole(const Value& value) {
  if (value.is_integer()) return value.as_integer();
  if (value.is_string() && !value.as_string().empty() && value.as_string().size() < 6 &&
      std::ranges::all_of(value.as_string(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::stoll(std::string(value.as_string()));
  }
  return std::nullopt;
}

}  // namespace

Result<RetryPolicy> read_retry_policy(const Value& evaluated, definition::Dialect dialect) {
  RetryPolicy policy;
  const Value* type = evaluated.find_ignoring_case("type");
  if (type == nullptr || (type->is_string() && same(type->as_string(), "default"))) {
    policy.kind = RetryPolicy::Kind::exponential;
    if (dialect == definition::Dialect::la) {
      policy.count = 4;
      policy.interval = Duration::milliseconds(7'500);
      policy.maximum = Duration::seconds(45);
    } else {
      policy.count = 8;
      policy.interval = Duration::seconds(7);
    }
    return policy;
  }
  if (!type->is_string()) return wrong("type", "must be a text");
  if (same(type->as_string(), "none")) return policy;
  if (same(type->as_string(), "fixed")) {
    policy.kind = RetryPolicy::Kind::fixed;
  } else if (same(type->as_string(), "exponential")) {
    policy.kind = RetryPolicy::Kind::exponential;
  } else {
    return wrong("type", "must be none, fixed, exponential or default");
  }
  const Value* count = evaluated.find_ignoring_case("count");
  const auto number = count == nullptr ? std::nullopt : whole(*count);
  if (!number || *number < 1 || *number > 90) return wrong("count", "must be a whole number from 1 to 90");
  policy.count = static_cast<std::uint32_t>(*number);
  const std::array<std::pair<const char*, Duration*>, 3> lengths{
      {{"interval", &policy.interval}, {"minimumInterval", &policy.minimum}, {"maximumInterval", &policy.maximum}}};
  for (const auto& [name, target] : lengths) {
    const Value* value = evaluated.find_ignoring_case(name);
    if (value == nullptr) {
      if (target == &policy.interval) return wrong(name, "is missing");
      continue;
    }
    const auto length = value->is_string() ? parse_duration(value->as_string()) : std::nullopt;
    if (!length || *length < Duration::seconds(5) || *length > Duration::days(1)) {
      return wrong(name, "must be an ISO 8601 duration from PT5S to P1D");
    }
    *target = *length;
  }
  return policy;
}

std::optional<Duration> next_wait(const RetryPolicy& policy, std::uint32_t attempt, double draw) {
  if (policy.kind == RetryPolicy::Kind::none || attempt > policy.count) return std::nullopt;
  if (policy.kind == RetryPolicy::Kind::fixed) return policy.interval;
  const auto scale = static_cast<double>(policy.interval.ticks);
  const double low = attempt == 1 ? 0 : std::ldexp(scale, static_cast<int>(attempt) - 2);
  const double high = std::ldexp(scale, static_cast<int>(attempt) - 1);
  const auto minimum = static_cast<double>(policy.minimum.ticks);
  const double from = std::max(low, minimum);
  const double to = std::min(high, static_cast<double>(policy.maximum.ticks));
  const double wait = from < to ? from + (to - from) * draw : std::max(to, minimum);
  return Duration{static_cast<std::int64_t>(wait) / 10'000 * 10'000};
}

bool is_retried(std::int32_t status_code) {
  return status_code == 0 || status_code == 408 || status_code == 429 || status_code >= 500;
}

std::optional<Duration> read_retry_after(std::string_view field, Timestamp now) {
  constexpr Duration longest = Duration::days(1);
  if (!field.empty() && field.size() <= 9 && std::ranges::all_of(field, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::min(Duration::seconds(std::stoll(std::string(field))), longest);
  }
  std::tm parts{};
  const std::string text(field);
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const Timestamp due = Timestamp::from_unix_milliseconds(static_cast<std::int64_t>(timegm(&parts)) * 1000);
  return std::clamp(due - now, Duration{}, longest);
}

}  // namespace flowmend::engine
