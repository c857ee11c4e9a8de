// Moments: the clock, arithmetic, parts, and .NET formats in en-US (expressions.md section 8).

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "base/time.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

/// What a timestamp said about its zone; the output says the same.
enum class Kind : std::uint8_t { utc, offset, unspecified };

struct Moment {
  Timestamp time;  ///< in UTC; of an unspecified kind, the wall time as it stands
  Kind kind = Kind::utc;
};

std::optional<Moment> read(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  const auto time = parse_timestamp(text);
  if (!time) return std::nullopt;
  Moment moment{*time, Kind::unspecified};
  if (text.back() == 'Z' || text.back() == 'z') {
    moment.kind = Kind::utc;
  } else if (text.size() > 6 && (text[text.size() - 6] == '+' || text[text.size() - 6] == '-') &&
             text[text.size() - 3] == ':') {
    moment.kind = Kind::offset;
  }
  return moment;
}

struct Parts {
  int year, month, day, hour, minute, second, weekday;
  std::int64_t fraction;  ///< ticks of the second
};

Parts parts_of(Timestamp time) {
  constexpr std::int64_t per_day = Duration::days(1).ticks;
  const std::int64_t since = time.ticks - Timestamp::unix_epoch_ticks;
  std::int64_t days = since / per_day;
  std::int64_t rest = since % per_day;
  if (rest < 0) {
    rest += per_day;
    --days;
  }
  const std::chrono::sys_days date{std::chrono::days{days}};
  const std::chrono::year_month_day ymd{date};
  const std::int64_t seconds = rest / 10'000'000;
  return {static_cast<int>(ymd.year()),
          static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day())),
          static_cast<int>(seconds / 3600),
          static_cast<int>(seconds / 60 % 60),
          static_cast<int>(seconds % 60),
          static_cast<int>(std::chrono::weekday(date).c_encoding()),
          rest % 10'000'000};
}

constexpr std::array<const char*, 7> day_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};
constexpr std::array<const char*, 12> month_names{"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};

void pad(std::string& out, std::int64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

std::string_view suffix(Kind kind) { return kind == Kind::utc ? "Z" : kind == Kind::offset ? "+00:00" : ""; }

/// A standard format's custom form; empty for a letter that is none.
std::string_view standard(char letter) {
  switch (letter) {
    case 'd': return "M/d/yyyy";
    case 'D': return "dddd, MMMM d, yyyy";
    case 'f': return "dddd, MMMM d, yyyy h:mm tt";
    case 'F': return "dddd, MMMM d, yyyy h:mm:ss tt";
    case 'g': return "M/d/yyyy h:mm tt";
    case 'G': return "M/d/yyyy h:mm:ss tt";
    case 'm':
    case 'M': return "MMMM d";
    case 'o':
    case 'O': return "yyyy-MM-ddTHH:mm:ss.fffffffK";
    case 'r':
    case 'R': return "ddd, dd MMM yyyy HH:mm:ss 'GMT'";
    case 's': return "yyyy-MM-ddTHH:mm:ss";
    case 't': return "h:mm tt";
    case 'T': return "h:mm:ss tt";
    case 'u': return "yyyy-MM-dd HH:mm:ss'Z'";
    case 'U': return "dddd, MMMM d, yyyy h:mm:ss tt";
    case 'y':
    case 'Y': return "MMMM yyyy";
    default: return {};
  }
}

/// Nothing for a format that .NET refuses.
std::optional<std::string> format(const Moment& moment, std::string_view pattern) {
  if (pattern.empty()) pattern = "o";
  if (pattern.size() == 1) {
    pattern = standard(pattern.front());
    if (pattern.empty()) return std::nullopt;
  }
  const Parts parts = parts_of(moment.time);
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    std::size_t run = 1;
    while (i + run < pattern.size() && pattern[i + run] == c) ++run;
    const int hour12 = parts.hour % 12 == 0 ? 12 : parts.hour % 12;
    switch (c) {
      case 'y':
        if (run <= 2) {
          pad(out, parts.year % 100, run);
        } else {
          pad(out, parts.year, run);
        }
        break;
      case 'M':
        if (run <= 2) {
          pad(out, parts.month, run);
        } else {
          const std::string_view name = month_names[static_cast<std::size_t>(parts.month - 1)];
          out += run == 3 ? name.substr(0, 3) : name;
        }
        break;
      case 'd':
        if (run <= 2) {
          pad(out, parts.day, run);
        } else {
          const std::string_view name = day_names[static_cast<std::size_t>(parts.weekday)];
          out += run == 3 ? name.substr(0, 3) : name;
        }
        break;
      case 'h': pad(out, hour12, std::min<std::size_t>(run, 2)); break;
      case 'H': pad(out, parts.hour, std::min<std::size_t>(run, 2)); break;
      case 'm': pad(out, parts.minute, std::min<std::size_t>(run, 2)); break;
      case 's': pad(out, parts.second, std::min<std::size_t>(run, 2)); break;
      case 'f':
      case 'F': {
        if (run > 7) return std::nullopt;
        std::string digits;
        pad(digits, parts.fraction, 7);
        digits.resize(run);
        if (c == 'F') {
          while (!digits.empty() && digits.back() == '0') digits.pop_back();
          if (digits.empty() && !out.empty() && out.back() == '.') out.pop_back();
        }
        out += digits;
        break;
      }
      case 't': out += run == 1 ? (parts.hour < 12 ? "A" : "P") : (parts.hour < 12 ? "AM" : "PM"); break;
      case 'K':
        for (std::size_t k = 0; k < run; ++k) out += suffix(moment.kind);
        break;
      case 'z': out += run == 1 ? "+0" : run == 2 ? "+00" : "+00:00"; break;
      case 'g': out += "A.D."; break;
      case '\'':
      case '"': {
        const auto end = pattern.find(c, i + 1);
        if (end == std::string_view::npos) return std::nullopt;
        out += pattern.substr(i + 1, end - i - 1);
        run = end - i + 1;
        break;
      }
      case '\\':
        if (i + 1 >= pattern.size()) return std::nullopt;
        out += pattern[i + 1];
        run = 2;
        break;
      case '%':
        if (i + 1 >= pattern.size() || pattern[i + 1] == '%') return std::nullopt;
        run = 1;
        break;
      default: out.append(run, c);
    }
    i += run;
  }
  return out;
}

ExpressionError bad_time(Call& call, std::string_view text) {
  return plain_fault(call, "In function '" + std::string(call.function_name()) +
                               "', the value provided for date time string '" + std::string(text.substr(0, 200)) +
                               "' was not valid. The datetime string must match ISO 8601 format.");
}

Outcome<Value> print(Call& call, const Moment& moment, Arguments arguments, std::size_t at) {
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
  auto text = format(moment, pattern);
  if (!text)
    return fault(call,
                 "was invoked with a format string that is not valid: '" + std::string(pattern.substr(0, 100)) + "'.");
  return Value(*text);
}

/// The timestamp in the first argument.
Outcome<Moment> timestamp(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_type(call, 0, "string", arguments[0]);
  const auto moment = read(arguments[0].as_string());
  if (!moment) return bad_time(call, arguments[0].as_string());
  return *moment;
}

Outcome<Value> utc_now(Call& call, Arguments arguments) {
  return print(call, {call.context().now(), Kind::utc}, arguments, 0);
}

Outcome<Value> add(Call& call, Arguments arguments, std::int64_t ticks_per_unit) {
  const auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  if (!arguments[1].is_integer()) return wrong_kind(call, 1, "an integer", arguments[1]);
  std::int64_t ticks = 0;
  std::int64_t sum = 0;
  if (__builtin_mul_overflow(arguments[1].as_integer(), ticks_per_unit, &ticks) ||
      __builtin_add_overflow(moment->time.ticks, ticks, &sum))
    sum = -1;
  return print(call, {{sum}, moment->kind}, arguments, 2);
}

Outcome<Value> add_seconds(Call& call, Arguments arguments) { return add(call, arguments, Duration::seconds(1).ticks); }
Outcome<Value> add_minutes(Call& call, Arguments arguments) { return add(call, arguments, Duration::minutes(1).ticks); }
Outcome<Value> add_hours(Call& call, Arguments arguments) { return add(call, arguments, Duration::hours(1).ticks); }
Outcome<Value> add_days(Call& call, Arguments arguments) { return add(call, arguments, Duration::days(1).ticks); }

/// Months clamp to the month's last day.
std::int64_t add_months(std::int64_t ticks, std::int64_t months) {
  if (months > 200'000 || months < -200'000) return -1;
  constexpr std::int64_t per_day = Duration::days(1).ticks;
  const Parts parts = parts_of({ticks});
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
  return print(call, {{sum}, moment.kind}, arguments, format_at);
}

Outcome<Value> add_to_time(Call& call, Arguments arguments) {
  const auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  return shift(call, *moment, arguments[1], arguments[2], 1, arguments, 3);
}
Outcome<Value> subtract_from_time(Call& call, Arguments arguments) {
  const auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  return shift(call, *moment, arguments[1], arguments[2], -1, arguments, 3);
}
Outcome<Value> get_future_time(Call& call, Arguments arguments) {
  return shift(call, {call.context().now(), Kind::utc}, arguments[0], arguments[1], 1, arguments, 2);
}
Outcome<Value> get_past_time(Call& call, Arguments arguments) {
  return shift(call, {call.context().now(), Kind::utc}, arguments[0], arguments[1], -1, arguments, 2);
}

Outcome<Value> start_of(Call& call, Arguments arguments, std::int64_t unit) {
  auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  if (unit == 0) {
    moment->time.ticks -= (parts_of(moment->time).day - 1) * Duration::days(1).ticks;
    unit = Duration::days(1).ticks;
  }
  moment->time.ticks -= moment->time.ticks % unit;
  return print(call, *moment, arguments, 1);
}
Outcome<Value> start_of_hour(Call& call, Arguments arguments) {
  return start_of(call, arguments, Duration::hours(1).ticks);
}
Outcome<Value> start_of_day(Call& call, Arguments arguments) {
  return start_of(call, arguments, Duration::days(1).ticks);
}
Outcome<Value> start_of_month(Call& call, Arguments arguments) { return start_of(call, arguments, 0); }

Outcome<Value> day_of_month(Call& call, Arguments arguments) {
  const auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  return Value(parts_of(moment->time).day);
}
Outcome<Value> day_of_week(Call& call, Arguments arguments) {
  const auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  return Value(parts_of(moment->time).weekday);
}
Outcome<Value> day_of_year(Call& call, Arguments arguments) {
  const auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  const Parts parts = parts_of(moment->time);
  const auto first = std::chrono::sys_days(std::chrono::year(parts.year) / 1 / 1).time_since_epoch().count();
  const std::int64_t day =
      (moment->time.ticks - Timestamp::unix_epoch_ticks - first * Duration::days(1).ticks) / Duration::days(1).ticks;
  return Value(day + 1);
}
Outcome<Value> ticks(Call& call, Arguments arguments) {
  const auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  return Value(moment->time.ticks);
}

Outcome<Value> format_date_time(Call& call, Arguments arguments) {
  const auto moment = timestamp(call, arguments);
  if (!moment) return moment.error();
  if (arguments.size() > 2 && !arguments[2].is_null()) {
    std::string locale(arguments[2].is_string() ? arguments[2].as_string() : "?");
    for (char& c : locale) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (!locale.empty() && locale != "en-us") {
      return fault(call, "knows only the locale 'en-US' in this version; the provided value is '" +
                             std::string(locale.substr(0, 40)) + "'.");
    }
  }
  return print(call, *moment, arguments, 1);
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
