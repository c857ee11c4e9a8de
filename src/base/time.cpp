#include "base/time.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "base/digits.h"

namespace flowmend {

namespace {

using Days = std::chrono::sys_days;

constexpr std::int64_t ticks_per_second = 10'000'000;
constexpr std::int64_t ticks_per_day = 86'400 * ticks_per_second;

/// Reads digits from the front of a text.
struct Reader {
  std::string_view rest;

  bool at(char c) const { return !rest.empty() && rest.front() == c; }
  bool take(char c) {
    if (!at(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  /// Exactly `count` digits.
  std::optional<std::int64_t> digits(std::size_t count) {
    if (rest.size() < count) return std::nullopt;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest[i] < '0' || rest[i] > '9') return std::nullopt;
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(count);
    return value;
  }
};

/// The ticks of `.1234567`; the caller has seen the dot.
std::optional<std::int64_t> read_fraction(Reader& reader) {
  std::int64_t ticks = 0;
  std::int64_t weight = ticks_per_second / 10;
  std::size_t count = 0;
  while (!reader.rest.empty() && reader.rest.front() >= '0' && reader.rest.front() <= '9') {
    if (++count > 7) return std::nullopt;
    ticks += (reader.rest.front() - '0') * weight;
    weight /= 10;
    reader.rest.remove_prefix(1);
  }
  if (count == 0) return std::nullopt;
  return ticks;
}

std::optional<std::int64_t> read_offset_ticks(Reader& reader) {
  if (reader.rest.empty() || reader.take('Z') || reader.take('z')) return 0;
  const bool minus = reader.at('-');
  if (!reader.take('+') && !reader.take('-')) return std::nullopt;
  const auto hours = reader.digits(2);
  reader.take(':');
  const auto minutes = reader.digits(2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  const std::int64_t ticks = (*hours * 60 + *minutes) * 60 * ticks_per_second;
  return minus ? -ticks : ticks;
}

}  // namespace

Timestamp now_from_system_clock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {Timestamp::unix_epoch_ticks + std::chrono::duration_cast<std::chrono::nanoseconds>(since).count() / 100};
}

std::string to_string(Timestamp time) {
  const std::int64_t since_epoch = time.ticks - Timestamp::unix_epoch_ticks;
  std::int64_t day = since_epoch / ticks_per_day;
  std::int64_t in_day = since_epoch % ticks_per_day;
  if (in_day < 0) {
    in_day += ticks_per_day;
    --day;
  }
  const std::chrono::year_month_day date{Days{std::chrono::days{day}}};
  const std::int64_t second = in_day / ticks_per_second;
  std::string text = "0000-00-00T00:00:00.0000000Z";
  const auto put = [&](std::size_t at, std::int64_t number, std::size_t digits) {
    write_decimal(&text[at], static_cast<std::uint64_t>(number), digits);
  };
  put(0, static_cast<int>(date.year()), 4);
  put(5, static_cast<unsigned>(date.month()), 2);
  put(8, static_cast<unsigned>(date.day()), 2);
  put(11, second / 3600, 2);
  put(14, second / 60 % 60, 2);
  put(17, second % 60, 2);
  put(20, in_day % ticks_per_second, 7);
  return text;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  Reader reader{text};
  const auto year = reader.digits(4);
  if (!year || !reader.take('-')) return std::nullopt;
  const auto month = reader.digits(2);
  if (!month || !reader.take('-')) return std::nullopt;
  const auto day = reader.digits(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year < 1) return std::nullopt;
  std::int64_t ticks = Timestamp::unix_epoch_ticks + Days(date).time_since_epoch().count() * ticks_per_day;
  if (reader.rest.empty()) return Timestamp{ticks};
  if (!reader.take('T') && !reader.take('t') && !reader.take(' ')) return std::nullopt;
  const auto hour = reader.digits(2);
  if (!hour || *hour > 23 || !reader.take(':')) return std::nullopt;
  const auto minute = reader.digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  ticks += (*hour * 60 + *minute) * 60 * ticks_per_second;
  if (reader.take(':')) {
    const auto second = reader.digits(2);
    if (!second || *second > 59) return std::nullopt;
    ticks += *second * ticks_per_second;
    if (reader.take('.')) {
      const auto fraction = read_fraction(reader);
      if (!fraction) return std::nullopt;
      ticks += *fraction;
    }
  }
  const auto offset = read_offset_ticks(reader);
  if (!offset || !reader.rest.empty()) return std::nullopt;
  ticks -= *offset;
  if (ticks < 0 || ticks > Timestamp::max_ticks) return std::nullopt;
  return Timestamp{ticks};
}

std::optional<Duration> parse_duration(std::string_view text) {
  Reader reader{text};
  if (!reader.take('P') || reader.rest.empty()) return std::nullopt;
  constexpr std::int64_t ticks_max = 10'000LL * 365 * ticks_per_day / 12;
  std::int64_t total = 0;
  bool in_time = false;
  bool any = false;
  std::size_t order = 0;  // units must come in order: Y M D, then H M S
  while (!reader.rest.empty()) {
    if (!in_time && reader.take('T')) {
      in_time = true;
      order = 3;
      if (reader.rest.empty()) return std::nullopt;
      continue;
    }
    std::int64_t number = 0;
    std::size_t count = 0;
    while (!reader.rest.empty() && reader.rest.front() >= '0' && reader.rest.front() <= '9') {
      if (++count > 12) return std::nullopt;
      number = number * 10 + (reader.rest.front() - '0');
      reader.rest.remove_prefix(1);
    }
    if (count == 0) return std::nullopt;
    std::int64_t fraction = 0;
    const bool has_fraction = reader.take('.');
    if (has_fraction) {
      const auto ticks = read_fraction(reader);
      if (!ticks) return std::nullopt;
      fraction = *ticks;
    }
    if (reader.rest.empty()) return std::nullopt;
    const char unit = reader.rest.front();
    reader.rest.remove_prefix(1);
    const std::string_view units = "YMDHMS";
    std::size_t place = std::string_view::npos;
    for (std::size_t i = in_time ? 3 : 0; i < (in_time ? 6U : 3U); ++i) {
      if (units[i] == unit) place = i;
    }
    if (place == std::string_view::npos || place < order) return std::nullopt;
    if (has_fraction && unit != 'S') return std::nullopt;
    order = place + 1;
    constexpr std::array<std::int64_t, 6> seconds{365 * 86'400, 30 * 86'400, 86'400, 3'600, 60, 1};
    const std::int64_t weight = seconds[place] * ticks_per_second;
    if (number > ticks_max / weight) return std::nullopt;
    total += number * weight + fraction;
    if (total > ticks_max) return std::nullopt;
    any = true;
  }
  if (!any) return std::nullopt;
  return Duration{total};
}

std::string to_string(Duration duration) {
  std::int64_t ticks = duration.ticks;
  std::string out = ticks < 0 ? "-P" : "P";
  if (ticks < 0) ticks = -ticks;
  const std::int64_t days = ticks / ticks_per_day;
  ticks %= ticks_per_day;
  if (days != 0) out += std::to_string(days) + "D";
  if (ticks == 0 && days != 0) return out;
  out += 'T';
  const std::int64_t hours = ticks / (3600 * ticks_per_second);
  const std::int64_t minutes = ticks / (60 * ticks_per_second) % 60;
  const std::int64_t seconds = ticks / ticks_per_second % 60;
  std::int64_t fraction = ticks % ticks_per_second;
  if (hours != 0) out += std::to_string(hours) + "H";
  if (minutes != 0) out += std::to_string(minutes) + "M";
  if (seconds != 0 || fraction != 0 || (hours == 0 && minutes == 0)) {
    out += std::to_string(seconds);
    if (fraction != 0) {
      std::array<char, 16> digits{};
      std::snprintf(digits.data(), digits.size(), ".%07d", static_cast<int>(fraction));
      std::string text = digits.data();
      while (text.back() == '0') text.pop_back();
      out += text;
    }
    out += 'S';
  }
  return out;
}

}  // namespace flowmend
