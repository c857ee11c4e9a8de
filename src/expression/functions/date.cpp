// Moments: the clock, arithmetic, parts and formats (expressions.md section 8).

#include <chrono>
#include <string>

#include "expression/functions/date.h"
#include "expression/functions/date_format.h"
#include "expression/functions/date_read.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"

namespace flowmend::expression {

ExpressionError bad_timestamp(Call& call, std::size_t argument, const Value& found) {
  auto error = plain_fault(call, "In function '" + std::string(call.function_name()) +
                                     "', the value provided for date time string '" +
                                     std::string(found.as_string().substr(0, 200)) +
                                     "' was not valid. The datetime string must match ISO 8601 format.");
  blame(error, static_cast<std::int32_t>(argument), "a date and time", found);
  return error;
}

Outcome<Value> print_moment(Call& call, const Moment& moment, std::span<const Value> arguments, std::size_t at,
                            const DateCulture& culture) {
  std::string_view pattern = "o";
  if (arguments.size() > at && !arguments[at].is_null()) {
    if (!arguments[at].is_string()) return wrong_type(call, at, "string", arguments[at]);
    if (!arguments[at].as_string().empty()) pattern = arguments[at].as_string();
  }
  if (!call.charge(pattern.size() * 10, 1 + pattern.size() / 8)) return call.limit_error();
  if (moment.time.ticks < 0 || moment.time.ticks > Timestamp::max_ticks) {
    return plain_fault(call,
                       "In function '" + std::string(call.function_name()) + "', the resulting date is out of range.");
  }
  auto text = format_moment(moment, pattern, culture);
  if (!text)
    return fault(call,
                 "was invoked with a format string that is not valid: '" + std::string(pattern.substr(0, 100)) + "'.");
  return Value(*text);
}

Outcome<Moment> timestamp_argument(Call& call, std::span<const Value> arguments, std::size_t at) {
  if (!arguments[at].is_string()) return wrong_type(call, at, "string", arguments[at]);
  const auto moment = read_moment(arguments[at].as_string(), default_date_culture());
  if (!moment) return bad_timestamp(call, at, arguments[at]);
  return *moment;
}

Outcome<std::shared_ptr<const DateCulture>> culture_argument(Call& call, std::span<const Value> arguments,
                                                             std::size_t at) {
  if (arguments.size() <= at || arguments[at].is_null()) return date_culture("");
  if (!arguments[at].is_string()) return wrong_type(call, at, "string", arguments[at]);
  auto culture = date_culture(arguments[at].as_string());
  if (culture == nullptr) {
    auto error = fault(call, "was invoked with a locale that is not valid: '" +
                                 std::string(arguments[at].as_string().substr(0, 40)) + "'.");
    blame(error, static_cast<std::int32_t>(at), "a locale such as 'en-US'", arguments[at]);
    return error;
  }
  return culture;
}

namespace {

using Arguments = std::span<const Value>;

Outcome<Value> utc_now(Call& call, Arguments arguments) {
  return print_moment(call, {call.context().now(), Moment::Kind::utc}, arguments, 0);
}

Outcome<Value> add(Call& call, Arguments arguments, std::int64_t ticks_per_unit) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  if (!arguments[1].is_integer()) return wrong_kind(call, 1, "an integer", arguments[1]);
  std::int64_t ticks = 0;
  std::int64_t sum = 0;
  if (__builtin_mul_overflow(arguments[1].as_integer(), ticks_per_unit, &ticks) ||
      __builtin_add_overflow(moment->time.ticks, ticks, &sum))
    sum = -1;
  return print_moment(call, {{sum}, moment->kind}, arguments, 2);
}

Outcome<Value> add_seconds(Call& call, Arguments arguments) { return add(call, arguments, Duration::seconds(1).ticks); }
Outcome<Value> add_minutes(Call& call, Arguments arguments) { return add(call, arguments, Duration::minutes(1).ticks); }
Outcome<Value> add_hours(Call& call, Arguments arguments) { return add(call, arguments, Duration::hours(1).ticks); }
Outcome<Value> add_days(Call& call, Arguments arguments) { return add(call, arguments, Duration::days(1).ticks); }

/// Months clamp to the month's last day.
std::int64_t add_months(std::int64_t ticks, std::int64_t months) {
  if (months > 200'000 || months < -200'000) return -1;
  constexpr std::int64_t per_day = Duration::days(1).ticks;
  const MomentParts parts = parts_of({ticks});
  const std::int64_t total = (parts.year * 12LL + parts.month - 1) + months;
  if (total < 12 || total >= 120'000) return -1;
  const auto year = std::chrono::year(static_cast<int>(total / 12));
  const auto month = std::chrono::month(static_cast<unsigned>(total % 12 + 1));
  const auto last = std::chrono::year_month_day_last(year, std::chrono::month_day_last(month)).day();
  const auto day = std::min(std::chrono::day(static_cast<unsigned>(parts.day)), last);
  const std::int64_t days = std::chrono::sys_days(year / month / day).time_since_epoch().count();
  return Timestamp::unix_epoch_ticks + days * per_day + ticks % per_day;
}

Outcome<Value> shift(Call& call, const Moment& moment, const Value& count, const Value& unit, std::int64_t sign,
                     Arguments arguments, std::size_t format_at) {
  if (!count.is_integer()) return wrong_kind(call, format_at - 2, "an integer", count);
  if (!unit.is_string()) return wrong_type(call, format_at - 1, "string", unit);
  std::string name(unit.as_string());
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (name.size() > 1 && name.back() == 's') name.pop_back();
  std::int64_t n = 0;
  if (__builtin_mul_overflow(count.as_integer(), sign, &n)) n = INT64_MAX;
  std::int64_t per_unit = 0;
  if (name == "second") per_unit = Duration::seconds(1).ticks;
  if (name == "minute") per_unit = Duration::minutes(1).ticks;
  if (name == "hour") per_unit = Duration::hours(1).ticks;
  if (name == "day") per_unit = Duration::days(1).ticks;
  if (name == "week") per_unit = Duration::days(7).ticks;
  std::int64_t sum = -1;
  if (name == "month") {
    sum = add_months(moment.time.ticks, n);
  } else if (name == "year") {
    sum = n > 20'000 || n < -20'000 ? -1 : add_months(moment.time.ticks, n * 12);
  } else if (per_unit == 0) {
    return not_valid(call, format_at - 1, unit);
  } else {
    std::int64_t ticks = 0;
    if (__builtin_mul_overflow(n, per_unit, &ticks) || __builtin_add_overflow(moment.time.ticks, ticks, &sum)) sum = -1;
  }
  return print_moment(call, {{sum}, moment.kind}, arguments, format_at);
}

Outcome<Value> add_to_time(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  return shift(call, *moment, arguments[1], arguments[2], 1, arguments, 3);
}
Outcome<Value> subtract_from_time(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  return shift(call, *moment, arguments[1], arguments[2], -1, arguments, 3);
}
Outcome<Value> get_future_time(Call& call, Arguments arguments) {
  return shift(call, {call.context().now(), Moment::Kind::utc}, arguments[0], arguments[1], 1, arguments, 2);
}
Outcome<Value> get_past_time(Call& call, Arguments arguments) {
  return shift(call, {call.context().now(), Moment::Kind::utc}, arguments[0], arguments[1], -1, arguments, 2);
}

Outcome<Value> start_of(Call& call, Arguments arguments, std::int64_t unit) {
  auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  if (unit == 0) {
    moment->time.ticks -= (parts_of(moment->time).day - 1) * Duration::days(1).ticks;
    unit = Duration::days(1).ticks;
  }
  moment->time.ticks -= moment->time.ticks % unit;
  return print_moment(call, *moment, arguments, 1);
}
Outcome<Value> start_of_hour(Call& call, Arguments arguments) {
  return start_of(call, arguments, Duration::hours(1).ticks);
}
Outcome<Value> start_of_day(Call& call, Arguments arguments) {
  return start_of(call, arguments, Duration::days(1).ticks);
}
Outcome<Value> start_of_month(Call& call, Arguments arguments) { return start_of(call, arguments, 0); }

Outcome<Value> day_of_month(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  return Value(parts_of(moment->time).day);
}
Outcome<Value> day_of_week(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  return Value(parts_of(moment->time).weekday);
}
Outcome<Value> day_of_year(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  const MomentParts parts = parts_of(moment->time);
  const auto first = std::chrono::sys_days(std::chrono::year(parts.year) / 1 / 1).time_since_epoch().count();
  const std::int64_t day =
      (moment->time.ticks - Timestamp::unix_epoch_ticks - first * Duration::days(1).ticks) / Duration::days(1).ticks;
  return Value(day + 1);
}
Outcome<Value> ticks(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  return Value(moment->time.ticks);
}

Outcome<Value> format_date_time(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  const auto culture = culture_argument(call, arguments, 2);
  if (!culture) return culture.error();
  return print_moment(call, *moment, arguments, 1, **culture);
}

constexpr FunctionEntry table[] = {
    {.name = "utcNow",
     .arguments = "format?: string",
     .arguments_min = 0,
     .arguments_max = 1,
     .about = "The current moment in UTC.",
     .example = "utcNow()",
     .gives = "",
     .call = utc_now,
     .pure = false},
    {.name = "addSeconds",
     .arguments = "timestamp: string, seconds: integer, format?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "The moment so many seconds later.",
     .example = "addSeconds('2026-01-01T00:00:00Z', 10)",
     .gives = R"("2026-01-01T00:00:10.0000000Z")",
     .call = add_seconds},
    {.name = "addMinutes",
     .arguments = "timestamp: string, minutes: integer, format?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "The moment so many minutes later.",
     .example = "addMinutes('2026-01-01T00:00:00Z', 10)",
     .gives = R"("2026-01-01T00:10:00.0000000Z")",
     .call = add_minutes},
    {.name = "addHours",
     .arguments = "timestamp: string, hours: integer, format?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "The moment so many hours later.",
     .example = "addHours('2026-01-01T00:00:00Z', 10)",
     .gives = R"("2026-01-01T10:00:00.0000000Z")",
     .call = add_hours},
    {.name = "addDays",
     .arguments = "timestamp: string, days: integer, format?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "The moment so many days later.",
     .example = "addDays('2026-01-01T00:00:00Z', -1)",
     .gives = R"("2025-12-31T00:00:00.0000000Z")",
     .call = add_days},
    {.name = "addToTime",
     .arguments = "timestamp: string, count: integer, unit: string, format?: string",
     .arguments_min = 3,
     .arguments_max = 4,
     .about = "The moment so many units later.",
     .example = "addToTime('2026-01-31T00:00:00Z', 1, 'Month')",
     .gives = R"("2026-02-28T00:00:00.0000000Z")",
     .call = add_to_time},
    {.name = "subtractFromTime",
     .arguments = "timestamp: string, count: integer, unit: string, format?: string",
     .arguments_min = 3,
     .arguments_max = 4,
     .about = "The moment so many units earlier.",
     .example = "subtractFromTime('2026-01-02T00:00:00Z', 1, 'Day')",
     .gives = R"("2026-01-01T00:00:00.0000000Z")",
     .call = subtract_from_time},
    {.name = "getFutureTime",
     .arguments = "count: integer, unit: string, format?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "The current moment plus so many units.",
     .example = "getFutureTime(5, 'Day')",
     .gives = "",
     .call = get_future_time,
     .pure = false},
    {.name = "getPastTime",
     .arguments = "count: integer, unit: string, format?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "The current moment minus so many units.",
     .example = "getPastTime(5, 'Day')",
     .gives = "",
     .call = get_past_time,
     .pure = false},
    {.name = "startOfHour",
     .arguments = "timestamp: string, format?: string",
     .arguments_min = 1,
     .arguments_max = 2,
     .about = "The beginning of the hour.",
     .example = "startOfHour('2026-01-02T03:04:05Z')",
     .gives = R"("2026-01-02T03:00:00.0000000Z")",
     .call = start_of_hour},
    {.name = "startOfDay",
     .arguments = "timestamp: string, format?: string",
     .arguments_min = 1,
     .arguments_max = 2,
     .about = "The beginning of the day.",
     .example = "startOfDay('2026-01-02T03:04:05Z')",
     .gives = R"("2026-01-02T00:00:00.0000000Z")",
     .call = start_of_day},
    {.name = "startOfMonth",
     .arguments = "timestamp: string, format?: string",
     .arguments_min = 1,
     .arguments_max = 2,
     .about = "The beginning of the month.",
     .example = "startOfMonth('2026-01-02T03:04:05Z')",
     .gives = R"("2026-01-01T00:00:00.0000000Z")",
     .call = start_of_month},
    {.name = "dayOfMonth",
     .arguments = "timestamp: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The day of the month, from 1.",
     .example = "dayOfMonth('2026-03-15')",
     .gives = "15",
     .call = day_of_month},
    {.name = "dayOfWeek",
     .arguments = "timestamp: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The day of the week; Sunday is 0.",
     .example = "dayOfWeek('2026-03-15')",
     .gives = "0",
     .call = day_of_week},
    {.name = "dayOfYear",
     .arguments = "timestamp: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The day of the year, from 1.",
     .example = "dayOfYear('2026-03-15')",
     .gives = "74",
     .call = day_of_year},
    {.name = "ticks",
     .arguments = "timestamp: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "100-nanosecond units since the year 1.",
     .example = "ticks('1970-01-01')",
     .gives = "621355968000000000",
     .call = ticks},
    {.name = "formatDateTime",
     .arguments = "timestamp: string, format?: string, locale?: string",
     .arguments_min = 1,
     .arguments_max = 3,
     .about = "The moment in a .NET format.",
     .example = "formatDateTime('2026-03-05T14:07:09Z', 'yyyy-MM-dd')",
     .gives = R"("2026-03-05")",
     .call = format_date_time},
};

}  // namespace

FunctionTable date_functions() { return table; }

}  // namespace flowmend::expression
