#include "trigger/recurrence.h"

#include <algorithm>
#include <array>

#include <date/date.h>

#include "base/time_zone.h"

namespace flowmend::trigger {

namespace {

constexpr std::int64_t day_ticks = Duration::days(1).ticks;
constexpr std::int64_t minute_ticks = Duration::minutes(1).ticks;
constexpr std::array<std::string_view, 7> week_day_names{"sunday",   "monday", "tuesday", "wednesday",
                                                         "thursday", "friday", "saturday"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return result;
}

Error invalid(std::string message, std::string where) {
  return make_error("InvalidRecurrence", std::move(message), std::move(where), "Correct the trigger's recurrence.");
}

/// The instant of a wall clock reading. In a gap the offset before it applies, in an overlap the first pass (both: the
/// offset before the change).
Timestamp instant_of(const TimeZone& zone, std::int64_t local_ticks) { return zone.instants_of(local_ticks).before; }

std::int64_t local_of(const TimeZone& zone, Timestamp time) { return zone.local_of(time); }

std::int64_t day_number(std::int64_t local_ticks) { return local_ticks / day_ticks; }  // since 0001-01-01, a Monday
int week_day(std::int64_t day) { return static_cast<int>((day + 1) % 7); }

struct Date {
  int year;
  unsigned month;
  unsigned day;
};

date::local_days local_days_of(std::int64_t day) {
  return date::local_days(date::days(day - Timestamp::unix_epoch_ticks / day_ticks));
}
Date date_of(std::int64_t day) {
  const date::year_month_day ymd(local_days_of(day));
  return {static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day())};
}
std::int64_t day_of(int year, unsigned month, unsigned day) {
  return date::local_days(date::year(year) / date::month(month) / date::day(day)).time_since_epoch().count() +
         Timestamp::unix_epoch_ticks / day_ticks;
}
unsigned month_length(int year, unsigned month) {
  return static_cast<unsigned>(date::year_month_day_last(date::year(year) / date::month(month) / date::last).day());
}

/// Text as WDL writes a moment: with `Z` or an offset it is an instant, without it is the wall clock.
struct Moment {
  std::int64_t ticks;
  bool utc;
};
std::optional<Moment> read_moment(std::string_view text) {
  const auto time = parse_timestamp(text);
  if (!time) return std::nullopt;
  const auto t = text.find('T');
  const bool utc =
      !text.empty() && (text.back() == 'Z' || text.back() == 'z' ||
                        (t != std::string_view::npos && text.find_first_of("+-", t) != std::string_view::npos));
  return Moment{time->ticks, utc};
}

std::optional<Timestamp> start_of(const Recurrence& r) {
  if (!r.start_local) return std::nullopt;
  return r.start_is_utc ? Timestamp{*r.start_local} : instant_of(r.time_zone, *r.start_local);
}

std::optional<Timestamp> within_end(const Recurrence& r, std::optional<Timestamp> fire) {
  if (!fire || !r.end_local) return fire;
  const auto end = r.end_is_utc ? Timestamp{*r.end_local} : instant_of(r.time_zone, *r.end_local);
  if (end < *fire) return std::nullopt;
  return fire;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/// The wall clock reading `count` months later; a day that the month does not have becomes its last.
std::int64_t add_months(std::int64_t local, std::int64_t count) {
  const auto day = day_number(local);
  const auto date = date_of(day);
  const auto months = static_cast<std::int64_t>(date.year) * 12 + static_cast<std::int64_t>(date.month) - 1 + count;
  const auto year = static_cast<int>(floor_divide(months, 12));
  const auto month = static_cast<unsigned>(months - static_cast<std::int64_t>(year) * 12) + 1;
  return day_of(year, month, std::min(date.day, month_length(year, month))) * day_ticks + local % day_ticks;
}

/// `anchor` + n intervals; n counts from 0.
Timestamp nth(const Recurrence& r, Timestamp anchor, std::int64_t n) {
  const auto count = n * r.interval;
  switch (r.frequency) {
    case Frequency::second: return anchor + Duration::seconds(count);
    case Frequency::minute: return anchor + Duration::minutes(count);
    case Frequency::hour: return anchor + Duration::hours(count);
    default: break;
  }
  const auto local = local_of(r.time_zone, anchor);
  switch (r.frequency) {
    case Frequency::day: return instant_of(r.time_zone, local + count * day_ticks);
    case Frequency::week: return instant_of(r.time_zone, local + count * 7 * day_ticks);
    case Frequency::month: return instant_of(r.time_zone, add_months(local, count));
    default: return instant_of(r.time_zone, add_months(local, count * 12));
  }
}

/// The first time of `anchor` + n intervals (n >= 0) that is after `after`.
Timestamp multiple_after(const Recurrence& r, Timestamp anchor, Timestamp after) {
  if (after < anchor) return anchor;
  std::int64_t shortest = 0;  // of one interval, so that the estimate is never short of the answer by much
  switch (r.frequency) {
    case Frequency::second: shortest = Duration::seconds(1).ticks; break;
    case Frequency::minute: shortest = minute_ticks; break;
    case Frequency::hour: shortest = Duration::hours(1).ticks; break;
    case Frequency::day: shortest = day_ticks; break;
    case Frequency::week: shortest = 7 * day_ticks; break;
    case Frequency::month: shortest = 31 * day_ticks; break;
    case Frequency::year: shortest = 366 * day_ticks; break;
  }
  auto n = std::max<std::int64_t>(0, (after - anchor).ticks / (shortest * r.interval) - 2);
  while (nth(r, anchor, n) <= after) ++n;
  return nth(r, anchor, n);
}

bool occurs(const Recurrence& r, std::int64_t day, std::int64_t anchor_day) {
  const auto date = date_of(day);
  switch (r.frequency) {
    case Frequency::day: return floor_divide(day - anchor_day, 1) % r.interval == 0 && day >= anchor_day;
    case Frequency::week: {
      // Weeks begin on Sunday; the anchor's week counts as the first.
      const auto week = floor_divide(day + 1, 7);
      const auto first = floor_divide(anchor_day + 1, 7);
      if ((week - first) % r.interval != 0) return false;
      if (r.week_days.empty()) return week_day(day) == week_day(anchor_day);
      return std::find(r.week_days.begin(), r.week_days.end(), week_day(day)) != r.week_days.end();
    }
    case Frequency::month: {
      const auto anchor = date_of(anchor_day);
      const auto months =
          (date.year - anchor.year) * 12 + static_cast<int>(date.month) - static_cast<int>(anchor.month);
      if (months < 0 || months % r.interval != 0) return false;
      const auto length = month_length(date.year, date.month);
      for (const int wanted : r.month_days) {
        if (wanted > 0 ? static_cast<unsigned>(wanted) == date.day
                       : date.day == length + 1 + static_cast<unsigned>(wanted))
          return true;
      }
      for (const auto& occurrence : r.occurrences) {
        if (occurrence.week_day != week_day(day)) continue;
        const int number = static_cast<int>((date.day - 1) / 7) + 1;
        const bool last = date.day + 7 > length;
        if (occurrence.number == number || (occurrence.number == -1 && last)) return true;
      }
      if (r.month_days.empty() && r.occurrences.empty()) return date.day == std::min(anchor.day, length);
      return false;
    }
    default: return true;
  }
}

/// The first mark of a schedule that is after `after`, and not before `least`.
std::optional<Timestamp> mark_after(const Recurrence& r, std::int64_t anchor_local, Timestamp after, Timestamp least) {
  const auto anchor_day = day_number(anchor_local);
  const auto anchor_minute = static_cast<int>(anchor_local % day_ticks / minute_ticks);
  const auto second_ticks = anchor_local % minute_ticks / Duration::seconds(1).ticks * Duration::seconds(1).ticks;
  const auto minutes = r.minutes.empty() ? std::vector<int>{anchor_minute % 60} : r.minutes;
  const auto hours = r.hours.empty() ? std::vector<int>{anchor_minute / 60} : r.hours;
  const auto from = std::max(after, least);
  // Look from the day before: a zone may be behind UTC. The longest pause is 16 months, or a 29 February.
  constexpr int days_max = 366 * 33;
  const auto first = std::max(day_number(local_of(r.time_zone, from)) - 1, anchor_day - 1);
  for (auto day = first; day < first + days_max; ++day) {
    if (!occurs(r, day, anchor_day)) continue;
    for (const int hour : hours) {
      for (const int minute : minutes) {
        const auto local = day * day_ticks + hour * Duration::hours(1).ticks + minute * minute_ticks +
                           (r.minutes.empty() ? second_ticks : 0);
        const auto time = instant_of(r.time_zone, local);
        if (time > after && time >= least) return time;
      }
    }
  }
  return std::nullopt;
}

Result<std::vector<int>> read_numbers(const Value& schedule, const char* name, int low, int high) {
  std::vector<int> numbers;
  const auto* list = schedule.find(name);
  if (list == nullptr || list->is_null()) return numbers;
  const auto where = "/recurrence/schedule/" + std::string(name);
  if (!list->is_array()) return invalid("'" + std::string(name) + "' must be a list of whole numbers.", where);
  for (const auto& item : list->as_array()) {
    std::optional<std::int64_t> number;
    if (item.is_integer()) {
      number = item.as_integer();
    } else if (item.is_string()) {  // the designer writes hours as texts
      const auto text = item.as_string();
      if (!text.empty() && text.size() <= 3 && text.find_first_not_of("-0123456789") == std::string_view::npos)
        number = std::atoi(std::string(text).c_str());
    }
    if (!number || *number < low || *number > high) {
      return invalid("'" + std::string(name) + "' holds a value that is no whole number from " + std::to_string(low) +
                         " to " + std::to_string(high) + ".",
                     where);
    }
    numbers.push_back(static_cast<int>(*number));
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

std::optional<int> read_week_day(const Value& value) {
  if (!value.is_string()) return std::nullopt;
  const auto found = std::find(week_day_names.begin(), week_day_names.end(), lower(value.as_string()));
  if (found == week_day_names.end()) return std::nullopt;
  return static_cast<int>(found - week_day_names.begin());
}

}  // namespace

Result<Recurrence> read_recurrence(const Value& recurrence) {
  if (!recurrence.is_object()) return invalid("The trigger needs a 'recurrence'.", "/recurrence");
  Recurrence r;
  constexpr std::array<std::string_view, 7> names{"second", "minute", "hour", "day", "week", "month", "year"};
  constexpr std::array<std::int64_t, 7> most{9'999'999, 72'000, 12'000, 500, 71, 16, 1};
  const auto frequency = std::find(names.begin(), names.end(), lower(recurrence.text_of("frequency")));
  if (frequency == names.end()) {
    return invalid("'frequency' must be Second, Minute, Hour, Day, Week or Month.", "/recurrence/frequency");
  }
  r.frequency = static_cast<Frequency>(frequency - names.begin());
  const auto* interval = recurrence.find("interval");
  if (interval == nullptr || !interval->is_integer() || interval->as_integer() < 1 ||
      interval->as_integer() > most[static_cast<std::size_t>(r.frequency)]) {
    return invalid("'interval' must be a whole number from 1 to " +
                       std::to_string(most[static_cast<std::size_t>(r.frequency)]) + ".",
                   "/recurrence/interval");
  }
  r.interval = interval->as_integer();
  if (const auto zone = recurrence.text_of("timeZone"); !zone.empty()) {
    const auto known = TimeZone::find(zone);
    if (!known) return invalid("'" + std::string(zone) + "' is not a known time zone.", "/recurrence/timeZone");
    r.time_zone = *known;
  }
  if (const auto start = recurrence.text_of("startTime"); !start.empty()) {
    const auto moment = read_moment(start);
    if (!moment) return invalid("'startTime' is not an ISO 8601 time.", "/recurrence/startTime");
    r.start_local = moment->ticks;
    r.start_is_utc = moment->utc;
  }
  if (const auto end = recurrence.text_of("endTime"); !end.empty()) {
    const auto moment = read_moment(end);
    if (!moment) return invalid("'endTime' is not an ISO 8601 time.", "/recurrence/endTime");
    r.end_local = moment->ticks;
    r.end_is_utc = moment->utc;
  }
  const auto* schedule = recurrence.find("schedule");
  if (schedule == nullptr || schedule->is_null()) return r;
  if (!schedule->is_object()) return invalid("'schedule' must be an object.", "/recurrence/schedule");
  auto minutes = read_numbers(*schedule, "minutes", 0, 59);
  if (!minutes) return minutes.error();
  auto hours = read_numbers(*schedule, "hours", 0, 23);
  if (!hours) return hours.error();
  auto month_days = read_numbers(*schedule, "monthDays", -31, 31);
  if (!month_days) return month_days.error();
  if (std::find(month_days->begin(), month_days->end(), 0) != month_days->end()) {
    return invalid("'monthDays' must not hold 0.", "/recurrence/schedule/monthDays");
  }
  r.minutes = std::move(*minutes);
  r.hours = std::move(*hours);
  r.month_days = std::move(*month_days);
  if (const auto* days = schedule->find("weekDays"); days != nullptr && !days->is_null()) {
    if (!days->is_array()) return invalid("'weekDays' must be a list of day names.", "/recurrence/schedule/weekDays");
    for (const auto& day : days->as_array()) {
      const auto number = read_week_day(day);
      if (!number)
        return invalid("'weekDays' holds a value that is no day's name (Monday ...).", "/recurrence/schedule/weekDays");
      r.week_days.push_back(*number);
    }
  }
  if (const auto* list = schedule->find("monthlyOccurrences"); list != nullptr && !list->is_null()) {
    if (!list->is_array())
      return invalid("'monthlyOccurrences' must be a list.", "/recurrence/schedule/monthlyOccurrences");
    for (const auto& item : list->as_array()) {
      const auto* day = item.find("day");
      if (day == nullptr) day = item.find("dayOfWeek");
      const auto number = day == nullptr ? std::nullopt : read_week_day(*day);
      const auto* occurrence = item.find("occurrence");
      if (!number || occurrence == nullptr || !occurrence->is_integer() || occurrence->as_integer() == 0 ||
          occurrence->as_integer() < -1 || occurrence->as_integer() > 5) {
        return invalid("'monthlyOccurrences' needs a day's name and an occurrence from 1 to 5, or -1.",
                       "/recurrence/schedule/monthlyOccurrences");
      }
      r.occurrences.push_back({*number, static_cast<int>(occurrence->as_integer())});
    }
  }
  const bool days_at_least = r.frequency >= Frequency::day && r.frequency <= Frequency::month;
  if (r.has_schedule() && !days_at_least) {
    return invalid("'schedule' needs the frequency Day, Week or Month.", "/recurrence/schedule");
  }
  if (!r.week_days.empty() && r.frequency != Frequency::week) {
    return invalid("'weekDays' needs the frequency Week.", "/recurrence/schedule/weekDays");
  }
  if ((!r.month_days.empty() || !r.occurrences.empty()) && r.frequency != Frequency::month) {
    return invalid("'monthDays' and 'monthlyOccurrences' need the frequency Month.", "/recurrence/schedule");
  }
  return r;
}

std::optional<Timestamp> first_fire(const Recurrence& r, Timestamp saved) {
  const auto start = start_of(r);
  if (!r.has_schedule()) {
    if (!start) return within_end(r, saved);
    if (*start >= saved) return within_end(r, start);
    return within_end(r, multiple_after(r, *start, saved));
  }
  // Without a start the first run is immediate, unless hours and minutes name the marks (engine.md 9, point 8).
  if (!start && (r.hours.empty() || r.minutes.empty())) return within_end(r, saved);
  const auto anchor = start.value_or(saved);
  const auto anchor_local = local_of(r.time_zone, anchor);
  if (start && *start > saved) return within_end(r, mark_after(r, anchor_local, {start->ticks - 1}, *start));
  return within_end(r, mark_after(r, anchor_local, saved, anchor));
}

std::optional<Timestamp> next_fire(const Recurrence& r, Timestamp saved, Timestamp last, Timestamp now) {
  const auto start = start_of(r);
  const auto after = std::max(last, now);
  if (!r.has_schedule()) {
    // With a start the times are multiples counted from it; without one they count from the last fire.
    if (start) return within_end(r, multiple_after(r, *start, after));
    return within_end(r, multiple_after(r, last, after));
  }
  const auto anchor = start.value_or(saved);
  return within_end(r, mark_after(r, local_of(r.time_zone, anchor), after, start.value_or(saved)));
}

}  // namespace flowmend::trigger
