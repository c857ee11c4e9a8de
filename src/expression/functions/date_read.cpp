#include "expression/functions/date_read.h"

#include <array>

#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

/// .NET's pivot: 49 is 2049, 50 is 1950.
std::int64_t full_year(std::int64_t two_digits) { return two_digits + (two_digits < 50 ? 2000 : 1900); }

/// Reads a text from its front, without regard to case.
class Reader {
 public:
  explicit Reader(std::string_view text) : lower_(to_lower(text)), rest_(lower_) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool empty() const { return rest_.empty(); }
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }
  std::string_view rest() const { return rest_; }
  void skip(std::size_t bytes) { rest_.remove_prefix(bytes); }

  bool take(std::string_view lower) {
    if (lower.empty() || !rest_.starts_with(lower)) return false;
    rest_.remove_prefix(lower.size());
    return true;
  }
  /// `lower` when no letter follows it.
  bool take_word(std::string_view lower) {
    if (lower.empty() || !rest_.starts_with(lower)) return false;
    if (is_letter(lower.back()) && rest_.size() > lower.size() && is_letter(rest_[lower.size()])) return false;
    rest_.remove_prefix(lower.size());
    return true;
  }
  void skip_spaces() {
    for (;;) {
      const auto before = rest_.size();
      while (front() == ' ' || front() == '\t') rest_.remove_prefix(1);
      take("\xC2\xA0");
      take("\xE2\x80\xAF");
      if (rest_.size() == before) return;
    }
  }
  /// The number of `least` to `most` digits at the front.
  std::optional<std::int64_t> number(std::size_t least, std::size_t most) {
    std::int64_t value = 0;
    std::size_t count = 0;
    while (count < most && is_digit(front())) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
      ++count;
    }
    digits_ = count;
    if (count < least) return std::nullopt;
    return value;
  }
  /// How many digits the last number had.
  std::size_t digits() const { return digits_; }

  /// The place of the longest name at the front.
  template <std::size_t size>
  std::optional<int> name(const std::array<std::string, size>& names) {
    std::size_t longest = 0;
    int found = -1;
    for (std::size_t i = 0; i < size; ++i) {
      const std::string lower = to_lower(names[i]);
      if (lower.size() <= longest || !rest_.starts_with(lower)) continue;
      longest = lower.size();
      found = static_cast<int>(i);
    }
    if (found < 0 || (rest_.size() > longest && is_letter(rest_[longest]) && is_letter(rest_[longest - 1])))
      return std::nullopt;
    rest_.remove_prefix(longest);
    return found;
  }

 private:
  std::string lower_;
  std::string_view rest_;
  std::size_t digits_ = 0;
};

/// What was read of a moment.
struct Found {
  std::optional<std::int64_t> year, month, day, hour, minute, second;
  std::int64_t fraction = 0;
  std::optional<int> weekday;
  std::optional<bool> afternoon;
  std::optional<std::int64_t> offset;  ///< ticks east of UTC
  bool is_utc = false;                 ///< written `Z` or `GMT`

  std::optional<Moment> moment() const {
    if (!year || !month || !day) return std::nullopt;
    auto ticks = ticks_of_date(*year, *month, *day);
    if (!ticks) return std::nullopt;
    std::int64_t hours = hour.value_or(0);
    if (afternoon) {
      if (hours < 0 || hours > 12 || !hour) return std::nullopt;
      hours = hours % 12 + (*afternoon ? 12 : 0);
    }
    if (hours > 23 || minute.value_or(0) > 59 || second.value_or(0) > 59) return std::nullopt;
    if (weekday && *weekday != parts_of({*ticks}).weekday) return std::nullopt;
    *ticks += Duration::hours(hours).ticks + Duration::minutes(minute.value_or(0)).ticks +
              Duration::seconds(second.value_or(0)).ticks + fraction;
    Moment moment{{*ticks - offset.value_or(0)}, Moment::Kind::unspecified};
    if (is_utc) {
      moment.kind = Moment::Kind::utc;
    } else if (offset) {
      moment.kind = Moment::Kind::offset;
    }
    if (moment.time.ticks < 0 || moment.time.ticks > Timestamp::max_ticks) return std::nullopt;
    return moment;
  }
};

/// `+02:00`, `+0200`, `+02`.
std::optional<std::int64_t> read_offset(Reader& reader) {
  const bool minus = reader.front() == '-';
  if (!minus && reader.front() != '+') return std::nullopt;
  reader.skip(1);
  const auto hours = reader.number(1, 2);
  if (!hours || *hours > 14) return std::nullopt;
  std::int64_t minutes = 0;
  if (reader.take(":") || is_digit(reader.front())) {
    const auto read = reader.number(2, 2);
    if (!read || *read > 59) return std::nullopt;
    minutes = *read;
  }
  const std::int64_t ticks = Duration::minutes(*hours * 60 + minutes).ticks;
  return minus ? -ticks : ticks;
}

/// Digits behind a second's point; more than seven are rounded.
std::optional<std::int64_t> read_fraction(Reader& reader) {
  std::int64_t ticks = 0;
  std::int64_t weight = 1'000'000;
  std::size_t count = 0;
  while (is_digit(reader.front())) {
    const int digit = reader.front() - '0';
    if (count == 7 && digit >= 5) ++ticks;
    ticks += digit * weight;
    weight /= 10;
    reader.skip(1);
    if (++count > 20) return std::nullopt;
  }
  if (count == 0) return std::nullopt;
  return ticks;
}

bool read_half(Reader& reader, const DateCulture& culture, Found& found) {
  for (const bool afternoon : {false, true}) {
    if (reader.take_word(to_lower(afternoon ? culture.pm : culture.am)) || reader.take_word(afternoon ? "pm" : "am")) {
      if (found.afternoon) return false;
      found.afternoon = afternoon;
      return true;
    }
  }
  return false;
}

/// The rest of a time whose hour was read; its separator is next.
bool read_time(Reader& reader, const DateCulture& culture, std::int64_t hour, Found& found) {
  if (found.hour) return false;
  found.hour = hour;
  const auto separated = [&] { return reader.take(":") || reader.take(culture.time_separator); };
  if (!separated()) return false;
  found.minute = reader.number(1, 2);
  if (!found.minute) return false;
  if (separated()) {
    found.second = reader.number(1, 2);
    if (!found.second) return false;
    if (reader.take(".") || reader.take(",")) {
      const auto fraction = read_fraction(reader);
      if (!fraction) return false;
      found.fraction = *fraction;
    }
  }
  return true;
}

struct Number {
  std::int64_t value;
  std::size_t digits;
};

/// Which of the numbers of a date is what.
bool resolve(const std::array<Number, 3>& numbers, std::size_t count, const DateCulture& culture, Found& found) {
  const auto as_year = [](const Number& number) { return number.digits <= 2 ? full_year(number.value) : number.value; };
  if (found.month) {  // written as a name
    if (count != 2) return false;
    const bool year_first = numbers[0].digits > 2 || numbers[0].value > 31;
    found.year = as_year(numbers[year_first ? 0 : 1]);
    found.day = numbers[year_first ? 1 : 0].value;
    return true;
  }
  if (count != 3) return false;
  using Order = DateCulture::Order;
  const Order order = numbers[0].digits > 2 ? Order::year_month_day : culture.order;
  switch (order) {
    case Order::year_month_day:
      found.year = as_year(numbers[0]);
      found.month = numbers[1].value;
      found.day = numbers[2].value;
      break;
    case Order::month_day_year:
      found.month = numbers[0].value;
      found.day = numbers[1].value;
      found.year = as_year(numbers[2]);
      break;
    case Order::day_month_year:
      found.day = numbers[0].value;
      found.month = numbers[1].value;
      found.year = as_year(numbers[2]);
      break;
  }
  return true;
}

std::optional<Moment> read_iso(std::string_view text) {
  const auto time = parse_timestamp(text);
  if (!time) return std::nullopt;
  Moment moment{*time, Moment::Kind::unspecified};
  if (text.back() == 'Z' || text.back() == 'z') {
    moment.kind = Moment::Kind::utc;
  } else if (text.size() > 11) {
    const auto sign = text.find_last_of("+-");
    if (sign != std::string_view::npos && sign > 10) moment.kind = Moment::Kind::offset;
  }
  return moment;
}

}  // namespace

std::optional<Moment> read_moment(std::string_view text, const DateCulture& culture) {
  text = trim(text);
  if (text.size() >= 10 && text[4] == '-') {
    if (const auto moment = read_iso(text)) return moment;
  }
  constexpr std::size_t text_bytes_max = 100;
  if (text.empty() || text.size() > text_bytes_max) return std::nullopt;
  Reader reader(text);
  Found found;
  std::array<Number, 3> numbers{};
  std::size_t count = 0;
  for (;;) {
    reader.skip_spaces();
    if (reader.empty()) break;
    if (is_digit(reader.front())) {
      const auto number = reader.number(1, 4);
      const std::size_t digits = reader.digits();
      if (is_digit(reader.front())) return std::nullopt;
      const bool dotted_time = culture.time_separator == "." && count == 3 && !found.hour;
      if (reader.front() == ':' || (dotted_time && reader.front() == '.')) {
        if (digits > 2 || !read_time(reader, culture, *number, found)) return std::nullopt;
        continue;
      }
      if (count == 3) {  // an hour alone: 3 PM
        if (found.hour || digits > 2) return std::nullopt;
        found.hour = *number;
        reader.skip_spaces();
        if (!read_half(reader, culture, found)) return std::nullopt;
        continue;
      }
      numbers[count++] = {*number, digits};
      continue;
    }
    if (found.hour && (reader.front() == '+' || reader.front() == '-')) {
      if (found.offset || found.is_utc) return std::nullopt;
      found.offset = read_offset(reader);
      if (!found.offset) return std::nullopt;
      continue;
    }
    if (found.hour && !found.is_utc && !found.offset &&
        (reader.take_word("z") || reader.take_word("gmt") || reader.take_word("utc"))) {
      found.is_utc = true;
      continue;
    }
    if (found.hour && read_half(reader, culture, found)) continue;
    if (!found.month) {
      auto month = reader.name(culture.months);
      if (!month) month = reader.name(culture.month_genitives);
      if (!month) month = reader.name(culture.short_months);
      if (month) {
        found.month = *month + 1;
        reader.take(".");
        continue;
      }
    }
    if (!found.weekday) {
      auto weekday = reader.name(culture.days);
      if (!weekday) weekday = reader.name(culture.short_days);
      if (weekday) {
        found.weekday = *weekday;
        reader.take(".");
        continue;
      }
    }
    if (count > 0 && !found.hour && reader.front() == 't' && reader.rest().size() > 1 && is_digit(reader.rest()[1])) {
      reader.skip(1);
      continue;
    }
    bool known = false;
    for (const std::string& word : culture.words) known = known || reader.take_word(word);
    if (known) continue;
    if (std::string_view(",/-.").find(reader.front()) == std::string_view::npos ||
        (count == 0 && !found.weekday && !found.month))
      return std::nullopt;
    reader.skip(1);
  }
  if (!resolve(numbers, count, culture, found)) return std::nullopt;
  return found.moment();
}

std::optional<Moment> read_moment_exactly(std::string_view text, std::string_view format, const DateCulture& asked,
                                          Timestamp now) {
  const DateCulture* culture = &asked;
  std::string room;
  bool utc_pattern = false;
  if (format.size() == 1) {
    utc_pattern = std::string_view("rRu").find(format.front()) != std::string_view::npos;
    if (utc_pattern || std::string_view("oOs").find(format.front()) != std::string_view::npos)
      culture = &default_date_culture();
    format = standard_date_pattern(format.front(), asked, room);
  }
  if (format.empty()) return std::nullopt;
  constexpr std::size_t bytes_max = 200;
  if (text.size() > bytes_max || format.size() > bytes_max) return std::nullopt;
  Reader reader(text);
  Found found;
  for (std::size_t i = 0; i < format.size();) {
    const char c = format[i];
    std::size_t run = 1;
    while (i + run < format.size() && format[i + run] == c) ++run;
    const std::size_t least = run >= 2 ? 2 : 1;
    switch (c) {
      case 'y': {
        const auto year = run <= 2 ? reader.number(least, 2) : reader.number(run, run == 3 ? 4 : run);
        if (!year) return std::nullopt;
        found.year = run <= 2 ? full_year(*year) : *year;
        break;
      }
      case 'M':
        if (run <= 2) {
          found.month = reader.number(least, 2);
        } else {
          auto month = run == 3 ? reader.name(culture->short_months) : reader.name(culture->month_genitives);
          if (!month && run > 3) month = reader.name(culture->months);
          if (month) found.month = *month + 1;
        }
        if (!found.month) return std::nullopt;
        break;
      case 'd':
        if (run <= 2) {
          found.day = reader.number(least, 2);
          if (!found.day) return std::nullopt;
        } else {
          found.weekday = run == 3 ? reader.name(culture->short_days) : reader.name(culture->days);
          if (!found.weekday) return std::nullopt;
        }
        break;
      case 'h':
      case 'H':
        found.hour = reader.number(least, 2);
        if (!found.hour || (c == 'h' && *found.hour > 12)) return std::nullopt;
        if (c == 'h' && !found.afternoon && *found.hour == 12 && format.find('t') == std::string_view::npos)
          found.hour = 0;
        break;
      case 'm':
        found.minute = reader.number(least, 2);
        if (!found.minute) return std::nullopt;
        break;
      case 's':
        found.second = reader.number(least, 2);
        if (!found.second) return std::nullopt;
        break;
      case 'f':
      case 'F': {
        if (run > 7) return std::nullopt;
        const auto digits = reader.number(c == 'f' ? run : 0, run);
        if (!digits) return std::nullopt;
        found.fraction = *digits;
        for (std::size_t place = reader.digits(); place < 7; ++place) found.fraction *= 10;
        break;
      }
      case 't': {
        const std::string am = to_lower(culture->am);
        const std::string pm = to_lower(culture->pm);
        if (run == 1) {
          found.afternoon = reader.take(pm.substr(0, 1));
          if (!*found.afternoon && !reader.take(am.substr(0, 1))) return std::nullopt;
        } else {
          found.afternoon = reader.take(pm);
          if (!*found.afternoon && !reader.take(am)) return std::nullopt;
        }
        break;
      }
      case 'K':
        if (reader.take("z")) {
          found.is_utc = true;
        } else if (reader.front() == '+' || reader.front() == '-') {
          found.offset = read_offset(reader);
          if (!found.offset) return std::nullopt;
        }
        break;
      case 'z':
        if (reader.take("z")) {
          found.is_utc = true;
          break;
        }
        found.offset = read_offset(reader);
        if (!found.offset) return std::nullopt;
        break;
      case 'g': {
        const bool known = reader.take("a.d.") || reader.take("ad");
        if (!known) return std::nullopt;
        break;
      }
      case ':':
      case '/':
        for (std::size_t k = 0; k < run; ++k) {
          if (!reader.take(c == ':' ? culture->time_separator : culture->date_separator)) return std::nullopt;
        }
        break;
      case '\'':
      case '"': {
        const auto end = format.find(c, i + 1);
        if (end == std::string_view::npos) return std::nullopt;
        const auto literal = format.substr(i + 1, end - i - 1);
        if (!literal.empty() && !reader.take(to_lower(literal))) return std::nullopt;
        run = end - i + 1;
        break;
      }
      case '\\':
        if (i + 1 >= format.size() || !reader.take(to_lower(format.substr(i + 1, 1)))) return std::nullopt;
        run = 2;
        break;
      case '%':
        if (run > 1 || i + 1 >= format.size()) return std::nullopt;
        break;
      default:
        while (static_cast<unsigned char>(c) >= 0x80 && i + run < format.size() &&
               static_cast<unsigned char>(format[i + run]) >= 0x80)
          ++run;  // whole characters
        if (!reader.take(to_lower(format.substr(i, run)))) return std::nullopt;
    }
    i += run;
  }
  if (!reader.empty()) return std::nullopt;
  const MomentParts today = parts_of(now);
  if (!found.year && !found.month && !found.day) {
    found.month = today.month;
    found.day = today.day;
  }
  if (!found.year) found.year = today.year;
  if (!found.month) found.month = 1;
  if (!found.day) found.day = 1;
  if (utc_pattern) found.is_utc = true;
  return found.moment();
}

}  // namespace flowmend::expression
