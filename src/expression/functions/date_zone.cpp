// Time zones, readings in other cultures and lengths of time (expressions.md section 8).

#include <string>

#include "base/time_zone.h"
#include "expression/functions/date.h"
#include "expression/functions/date_format.h"
#include "expression/functions/date_read.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/functions/number.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

Outcome<TimeZone> zone_argument(Call& call, Arguments arguments, std::size_t at) {
  if (!arguments[at].is_string()) return wrong_type(call, at, "string", arguments[at]);
  const auto name = arguments[at].as_string();
  const auto zone = TimeZone::find(name);
  if (zone) return *zone;
  auto error = plain_fault(call, "In the template language function '" + std::string(call.function_name()) +
                                     "', the value provided for the time zone id '" + std::string(name.substr(0, 100)) +
                                     "' was not valid.");
  blame(error, static_cast<std::int32_t>(at), "a Windows or IANA time zone id", arguments[at]);
  return error;
}

/// The moment at which the zone's wall clock shows `wall`. An ambiguous reading means standard time.
Outcome<Moment> moment_of_wall(Call& call, const Value& text, Timestamp wall, const TimeZone& zone) {
  const auto instants = zone.instants_of(wall.ticks);
  if (instants.reading == TimeZone::Reading::nonexistent) {
    auto error = plain_fault(call, "In function '" + std::string(call.function_name()) +
                                       "', the value provided for date time string '" +
                                       std::string(text.as_string().substr(0, 100)) +
                                       "' was not valid. The time does not exist in the time zone '" + zone.name() +
                                       "': the clock is put forward over it.");
    blame(error, 0, "a time that exists", text);
    return error;
  }
  return Moment{instants.after, Moment::Kind::utc};
}

/// What the zone's wall clock shows: without a suffix, but in UTC with `Z`.
Moment wall_of(const Moment& moment, const TimeZone& zone) {
  if (zone.is_utc()) return {moment.time, Moment::Kind::utc};
  return {{zone.local_of(moment.time)}, Moment::Kind::unspecified};
}

Outcome<Value> convert_from_utc(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  const auto zone = zone_argument(call, arguments, 1);
  if (!zone) return zone.error();
  return print_moment(call, wall_of(*moment, *zone), arguments, 2);
}

Outcome<Value> convert_to_utc(Call& call, Arguments arguments) {
  const auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  const auto zone = zone_argument(call, arguments, 1);
  if (!zone) return zone.error();
  if (moment->kind == Moment::Kind::unspecified) {
    const auto utc = moment_of_wall(call, arguments[0], moment->time, *zone);
    if (!utc) return utc.error();
    return print_moment(call, *utc, arguments, 2);
  }
  if (moment->kind == Moment::Kind::utc && !zone->is_utc()) {
    auto error = fault(call,
                       "expects its second parameter to be a time zone matching the time zone indicated by the "
                       "timestamp. The provided value '" +
                           std::string(arguments[1].as_string()) + "' does not match.");
    blame(error, 1, "UTC, because the timestamp ends with Z", arguments[1]);
    return error;
  }
  return print_moment(call, {moment->time, Moment::Kind::utc}, arguments, 2);
}

Outcome<Value> convert_time_zone(Call& call, Arguments arguments) {
  auto moment = timestamp_argument(call, arguments, 0);
  if (!moment) return moment.error();
  const auto source = zone_argument(call, arguments, 1);
  if (!source) return source.error();
  const auto target = zone_argument(call, arguments, 2);
  if (!target) return target.error();
  if (moment->kind == Moment::Kind::unspecified) {
    const auto utc = moment_of_wall(call, arguments[0], moment->time, *source);
    if (!utc) return utc.error();
    *moment = *utc;
  }
  return print_moment(call, wall_of(*moment, *target), arguments, 3);
}

Outcome<Value> parse_date_time(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_type(call, 0, "string", arguments[0]);
  const auto culture = culture_argument(call, arguments, 1);
  if (!culture) return culture.error();
  const auto text = arguments[0].as_string();
  std::optional<Moment> moment;
  if (arguments.size() > 2 && !arguments[2].is_null()) {
    if (!arguments[2].is_string()) return wrong_type(call, 2, "string", arguments[2]);
    moment = read_moment_exactly(text, arguments[2].as_string(), **culture, call.context().now());
  } else {
    moment = read_moment(text, **culture);
  }
  if (!call.charge(200, 20)) return call.limit_error();
  if (!moment) return bad_timestamp(call, 0, arguments[0]);
  return print_moment(call, *moment, {}, 0);
}

Outcome<Value> date_difference(Call& call, Arguments arguments) {
  const auto start = timestamp_argument(call, arguments, 0);
  if (!start) return start.error();
  const auto end = timestamp_argument(call, arguments, 1);
  if (!end) return end.error();
  return Value(format_time_span(end->time - start->time));
}

Outcome<Value> format_time_span_text(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_type(call, 0, "string", arguments[0]);
  const auto span = read_time_span(arguments[0].as_string());
  if (!span) return not_convertible(call, 0, arguments[0]);
  std::string_view format;
  if (arguments.size() > 1 && !arguments[1].is_null()) {
    if (!arguments[1].is_string()) return wrong_type(call, 1, "string", arguments[1]);
    format = arguments[1].as_string();
  }
  std::string point = ".";
  if (arguments.size() > 2 && !arguments[2].is_null()) {
    const auto style = arguments[2].is_string() ? number_style(arguments[2].as_string()) : std::nullopt;
    if (!style) return not_valid(call, 2, arguments[2]);
    point = style->decimal_point;
  }
  if (!call.charge(format.size() * 4, 1 + format.size() / 8)) return call.limit_error();
  const auto text = format_time_span(*span, format, point);
  if (!text) {
    auto error = fault(
        call, "was invoked with a format string that is not valid: '" + std::string(format.substr(0, 100)) + "'.");
    blame(error, 1, "a .NET format of a time span", arguments[1]);
    return error;
  }
  return Value(*text);
}

constexpr FunctionEntry table[] = {
    {.name = "convertFromUtc",
     .arguments = "timestamp: string, zone: string, format?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "What the clocks of a time zone show at a moment given in UTC.",
     .example = "convertFromUtc('2026-01-15T10:30:00Z', 'W. Europe Standard Time')",
     .gives = R"("2026-01-15T11:30:00.0000000")",
     .call = convert_from_utc},
    {.name = "convertToUtc",
     .arguments = "timestamp: string, zone: string, format?: string",
     .arguments_min = 2,
     .arguments_max = 3,
     .about = "The moment in UTC at which the clocks of a time zone show a time.",
     .example = "convertToUtc('2026-01-15T11:30:00', 'W. Europe Standard Time')",
     .gives = R"("2026-01-15T10:30:00.0000000Z")",
     .call = convert_to_utc},
    {.name = "convertTimeZone",
     .arguments = "timestamp: string, from: string, to: string, format?: string",
     .arguments_min = 3,
     .arguments_max = 4,
     .about = "What the clocks of one time zone show when those of another show a time.",
     .example = "convertTimeZone('2026-01-15T10:30:00Z', 'UTC', 'Tokyo Standard Time')",
     .gives = R"("2026-01-15T19:30:00.0000000")",
     .call = convert_time_zone},
    {.name = "parseDateTime",
     .arguments = "text: string, locale?: string, format?: string",
     .arguments_min = 1,
     .arguments_max = 3,
     .about = "The timestamp that a text means in a culture, or by a format that it must match.",
     .example = "parseDateTime('20/10/2014', 'fr-fr')",
     .gives = R"("2014-10-20T00:00:00.0000000")",
     .call = parse_date_time,
     .pure = false},
    {.name = "dateDifference",
     .arguments = "start: string, end: string",
     .arguments_min = 2,
     .arguments_max = 2,
     .about = "How long it is from one moment to another: [-][days.]hours:minutes:seconds.",
     .example = "dateDifference('2018-01-01', '2019-01-01')",
     .gives = R"("365.00:00:00")",
     .call = date_difference},
    {.name = "formatTimeSpan",
     .arguments = "span: string, format?: string, locale?: string",
     .arguments_min = 1,
     .arguments_max = 3,
     .about = "A length of time in a .NET format.",
     .example = "formatTimeSpan('1.02:03:04', 'd\\.hh\\:mm')",
     .gives = R"("1.02:03")",
     .call = format_time_span_text},
};

}  // namespace

FunctionTable date_zone_functions() { return table; }

}  // namespace flowmend::expression
