#include "expression/functions/date_format.h"

#include <algorithm>

#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

void pad(std::string& out, std::int64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

std::string_view suffix(Moment::Kind kind) {
  return kind == Moment::Kind::utc ? "Z" : kind == Moment::Kind::offset ? "+00:00" : "";
}

/// How often the character at `at` is repeated. Quotes and escapes stand for themselves: to count them again at each
/// one of a row would take the square of its length.
std::size_t run_at(std::string_view pattern, std::size_t at) {
  const char c = pattern[at];
  if (c == '\'' || c == '"' || c == '\\') return 1;
  const auto end = pattern.find_first_not_of(c, at);
  return (end == std::string_view::npos ? pattern.size() : end) - at;
}

/// True when the pattern prints the day of the month as a number: month names stand in the genitive beside it.
bool has_day_number(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\'' || c == '"') {
      const auto end = pattern.find(c, i + 1);
      if (end == std::string_view::npos) return false;
      i = end + 1;
      continue;
    }
    const std::size_t run = run_at(pattern, i);
    if (c == 'd' && run <= 2) return true;
    i += c == '\\' ? 2 : run;
  }
  return false;
}

}  // namespace

std::optional<std::string> format_moment(const Moment& moment, std::string_view pattern, const DateCulture& culture) {
  if (pattern.empty()) pattern = "o";
  const DateCulture* names = &culture;
  std::string room;
  if (pattern.size() == 1) {
    if (std::string_view("oOrRsu").find(pattern.front()) != std::string_view::npos) names = &default_date_culture();
    pattern = standard_date_pattern(pattern.front(), culture, room);
    if (pattern.empty()) return std::nullopt;
  }
  const MomentParts parts = parts_of(moment.time);
  const bool beside_day = pattern.find("MMMM") != std::string_view::npos && has_day_number(pattern);
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    std::size_t run = run_at(pattern, i);
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
          const auto month = static_cast<std::size_t>(parts.month - 1);
          out += run == 3     ? names->short_months[month]
                 : beside_day ? names->month_genitives[month]
                              : names->months[month];
        }
        break;
      case 'd':
        if (run <= 2) {
          pad(out, parts.day, run);
        } else {
          const auto weekday = static_cast<std::size_t>(parts.weekday);
          out += run == 3 ? names->short_days[weekday] : names->days[weekday];
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
      case 't': {
        const std::string& half = parts.hour < 12 ? names->am : names->pm;
        out += run == 1 ? utf16_slice(half, 0, std::min<std::size_t>(1, utf16_length(half))) : half;
        break;
      }
      case ':':
        for (std::size_t k = 0; k < run; ++k) out += names->time_separator;
        break;
      case '/':
        for (std::size_t k = 0; k < run; ++k) out += names->date_separator;
        break;
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

std::string format_time_span(Duration span) {
  const bool negative = span.ticks < 0;
  auto ticks = negative ? 0 - static_cast<std::uint64_t>(span.ticks) : static_cast<std::uint64_t>(span.ticks);
  constexpr std::uint64_t second = 10'000'000;
  std::string out = negative ? "-" : "";
  if (const auto days = ticks / (86'400 * second); days != 0) out += std::to_string(days) + ".";
  pad(out, static_cast<std::int64_t>(ticks / (3'600 * second) % 24), 2);
  out += ':';
  pad(out, static_cast<std::int64_t>(ticks / (60 * second) % 60), 2);
  out += ':';
  pad(out, static_cast<std::int64_t>(ticks / second % 60), 2);
  if (ticks % second != 0) {
    out += '.';
    pad(out, static_cast<std::int64_t>(ticks % second), 7);
  }
  return out;
}

std::optional<std::string> format_time_span(Duration span, std::string_view format, std::string_view decimal_point) {
  if (format.empty() || format == "c" || format == "t" || format == "T") return format_time_span(span);
  const auto ticks =
      span.ticks < 0 ? 0 - static_cast<std::uint64_t>(span.ticks) : static_cast<std::uint64_t>(span.ticks);
  constexpr std::uint64_t per_second = 10'000'000;
  const auto days = static_cast<std::int64_t>(ticks / (86'400 * per_second));
  const auto hours = static_cast<std::int64_t>(ticks / (3'600 * per_second) % 24);
  const auto minutes = static_cast<std::int64_t>(ticks / (60 * per_second) % 60);
  const auto seconds = static_cast<std::int64_t>(ticks / per_second % 60);
  const auto fraction = static_cast<std::int64_t>(ticks % per_second);
  std::string out;
  if (format == "g" || format == "G") {
    const bool full = format == "G";
    out = span.ticks < 0 ? "-" : "";
    if (full || days != 0) out += std::to_string(days) + ":";
    pad(out, hours, full ? 2 : 1);
    out += ':';
    pad(out, minutes, 2);
    out += ':';
    pad(out, seconds, 2);
    if (full || fraction != 0) {
      std::string digits;
      pad(digits, fraction, 7);
      if (!full) digits.erase(digits.find_last_not_of('0') + 1);
      out += std::string(decimal_point) + digits;
    }
    return out;
  }
  // A custom format prints no sign, and every character that is no specifier must be quoted.
  if (format.size() == 1) return std::nullopt;
  for (std::size_t i = 0; i < format.size();) {
    const char c = format[i];
    std::size_t run = run_at(format, i);
    switch (c) {
      case 'd':
        if (run > 8) return std::nullopt;
        pad(out, days, run);
        break;
      case 'h':
      case 'm':
      case 's':
        if (run > 2) return std::nullopt;
        pad(out, c == 'h' ? hours : c == 'm' ? minutes : seconds, run);
        break;
      case 'f':
      case 'F': {
        if (run > 7) return std::nullopt;
        std::string digits;
        pad(digits, fraction, 7);
        digits.resize(run);
        if (c == 'F') digits.erase(digits.find_last_not_of('0') + 1);
        out += digits;
        break;
      }
      case '\'':
      case '"': {
        const auto end = format.find(c, i + 1);
        if (end == std::string_view::npos) return std::nullopt;
        out += format.substr(i + 1, end - i - 1);
        run = end - i + 1;
        break;
      }
      case '\\':
        if (i + 1 >= format.size()) return std::nullopt;
        out += format[i + 1];
        run = 2;
        break;
      case '%':
        if (run > 1 || i + 1 >= format.size()) return std::nullopt;
        break;
      default: return std::nullopt;
    }
    i += run;
  }
  return out;
}

std::optional<Duration> read_time_span(std::string_view text) {
  text = trim(text);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto number = [&](std::int64_t most) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    std::size_t digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9' && digits < 8) {
      value = value * 10 + (text.front() - '0');
      text.remove_prefix(1);
      ++digits;
    }
    if (digits == 0 || value > most) return std::nullopt;
    return value;
  };
  constexpr std::int64_t days_max = 10'675'199;
  const auto first = number(days_max);
  if (!first) return std::nullopt;
  std::int64_t days = 0;
  std::optional<std::int64_t> hours = first;
  const auto finish = [&](std::int64_t ticks) -> std::optional<Duration> {
    if (__builtin_add_overflow(ticks, days * Duration::days(1).ticks, &ticks)) return std::nullopt;
    return Duration{negative ? -ticks : ticks};
  };
  if (text.empty()) {
    days = *first;
    return finish(0);
  }
  if (text.starts_with('.')) {
    days = *first;
    text.remove_prefix(1);
    hours = number(23);
  }
  if (!hours || *hours > 23 || !text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  const auto minutes = number(59);
  if (!minutes) return std::nullopt;
  std::int64_t ticks = Duration::hours(*hours).ticks + Duration::minutes(*minutes).ticks;
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    const auto seconds = number(59);
    if (!seconds) return std::nullopt;
    ticks += Duration::seconds(*seconds).ticks;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      std::int64_t weight = 1'000'000;
      if (text.empty() || text.size() > 7) return std::nullopt;
      for (; !text.empty(); text.remove_prefix(1), weight /= 10) {
        if (text.front() < '0' || text.front() > '9') return std::nullopt;
        ticks += (text.front() - '0') * weight;
      }
    }
  }
  if (!text.empty()) return std::nullopt;
  return finish(ticks);
}

}  // namespace flowmend::expression
