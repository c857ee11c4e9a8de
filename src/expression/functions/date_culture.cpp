#include "expression/functions/date_culture.h"

#include <unicode/dtfmtsym.h>
#include <unicode/dtptngen.h>
#include <unicode/smpdtfmt.h>

#include "expression/functions/culture_cache.h"
#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

constexpr std::string_view narrow_space = "\xE2\x80\xAF";

/// ICU writes a narrow no-break space before AM since version 72; .NET prints a plain one.
std::string plain_spaces(std::string text) {
  for (auto at = text.find(narrow_space); at != std::string::npos; at = text.find(narrow_space))
    text.replace(at, narrow_space.size(), " ");
  return text;
}

std::string utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return plain_spaces(std::move(out));
}

/// An ICU (UTS 35) pattern in .NET's letters.
std::string net_pattern(const std::string& icu) {
  std::string out;
  for (std::size_t i = 0; i < icu.size();) {
    const char c = icu[i];
    std::size_t run = 1;
    while (i + run < icu.size() && icu[i + run] == c) ++run;
    switch (c) {
      case 'y':
      case 'u': out += run == 1 ? "yyyy" : std::string(run, 'y'); break;
      case 'M':
      case 'L': out.append(std::min<std::size_t>(run, 4), 'M'); break;
      case 'd': out.append(std::min<std::size_t>(run, 2), 'd'); break;
      case 'E':
      case 'e':
      case 'c': out += run <= 3 ? "ddd" : "dddd"; break;
      case 'a':
      case 'b':
      case 'B': out += "tt"; break;
      case 'K': out.append(run, 'h'); break;
      case 'k': out.append(run, 'H'); break;
      case 'h':
      case 'H':
      case 'm':
      case 's': out.append(std::min<std::size_t>(run, 2), c); break;
      case 'G': out += "g"; break;
      case 'z':
      case 'v':
      case 'V': break;
      case '\'': {
        if (run >= 2) {
          out += "\\'";
          run = 2;
          break;
        }
        const auto end = icu.find('\'', i + 1);
        const auto length = (end == std::string::npos ? icu.size() : end + 1) - i;
        out.append(icu, i, length);
        if (end == std::string::npos) out += '\'';
        run = length;
        break;
      }
      default: out.append(icu, i, run);
    }
    i += run;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string style_pattern(const std::unique_ptr<icu::DateFormat>& format) {
  const auto* simple = dynamic_cast<const icu::SimpleDateFormat*>(format.get());
  if (simple == nullptr) return {};
  icu::UnicodeString pattern;
  simple->toPattern(pattern);
  return net_pattern(utf8(pattern));
}

/// What stands between the first two fields of a pattern.
std::string separator(const std::string& pattern, std::string_view fields, std::string_view otherwise) {
  const auto first = pattern.find_first_of(fields);
  if (first == std::string::npos) return std::string(otherwise);
  const auto begin = pattern.find_first_not_of(pattern[first], first);
  if (begin == std::string::npos) return std::string(otherwise);
  const auto end = pattern.find_first_of(fields, begin);
  if (end == std::string::npos || end == begin) return std::string(otherwise);
  std::string found = pattern.substr(begin, end - begin);
  return found.find('\'') != std::string::npos ? std::string(otherwise) : found;
}

template <std::size_t size>
void take(std::array<std::string, size>& into, const icu::UnicodeString* names, std::int32_t count, std::int32_t from) {
  for (std::size_t i = 0; i < size && static_cast<std::int32_t>(i) + from < count; ++i)
    into[i] = utf8(names[static_cast<std::int32_t>(i) + from]);
}

DateCulture made(const icu::Locale& asked) {
  DateCulture culture;
  // .NET's default calendar of most cultures, and the only one here.
  icu::Locale locale = asked;
  UErrorCode failure = U_ZERO_ERROR;
  locale.setKeywordValue("calendar", "gregorian", failure);
  locale.setKeywordValue("numbers", "latn", failure);
  const icu::DateFormatSymbols symbols(locale, failure);
  std::int32_t count = 0;
  using Symbols = icu::DateFormatSymbols;
  const icu::UnicodeString* names = symbols.getWeekdays(count, Symbols::STANDALONE, Symbols::WIDE);
  take(culture.days, names, count, 1);
  names = symbols.getWeekdays(count, Symbols::STANDALONE, Symbols::ABBREVIATED);
  take(culture.short_days, names, count, 1);
  names = symbols.getMonths(count, Symbols::STANDALONE, Symbols::WIDE);
  take(culture.months, names, count, 0);
  names = symbols.getMonths(count, Symbols::FORMAT, Symbols::WIDE);
  take(culture.month_genitives, names, count, 0);
  names = symbols.getMonths(count, Symbols::FORMAT, Symbols::ABBREVIATED);
  take(culture.short_months, names, count, 0);
  names = symbols.getAmPmStrings(count);
  if (count >= 2) {
    culture.am = utf8(names[0]);
    culture.pm = utf8(names[1]);
  }
  const auto date = [&](icu::DateFormat::EStyle style) {
    return style_pattern(std::unique_ptr<icu::DateFormat>(icu::DateFormat::createDateInstance(style, locale)));
  };
  const auto time = [&](icu::DateFormat::EStyle style) {
    return style_pattern(std::unique_ptr<icu::DateFormat>(icu::DateFormat::createTimeInstance(style, locale)));
  };
  const std::unique_ptr<icu::DateTimePatternGenerator> generator(
      icu::DateTimePatternGenerator::createInstance(locale, failure));
  const auto skeleton = [&](const char* fields) {
    UErrorCode unknown = U_ZERO_ERROR;
    return generator == nullptr
               ? std::string()
               : net_pattern(utf8(generator->getBestPattern(icu::UnicodeString::fromUTF8(fields), unknown)));
  };
  culture.short_date = skeleton("yMd");
  culture.long_date = date(icu::DateFormat::kFull);
  culture.short_time = time(icu::DateFormat::kShort);
  culture.long_time = time(icu::DateFormat::kMedium);
  culture.month_day = skeleton("MMMMd");
  culture.year_month = skeleton("yMMMM");
  culture.date_separator = separator(culture.short_date, "dMy", "/");
  culture.time_separator = separator(culture.short_time, "hHm", ":");
  const auto day = culture.short_date.find('d');
  const auto month = culture.short_date.find('M');
  const auto year = culture.short_date.find('y');
  culture.order = year < day && year < month ? DateCulture::Order::year_month_day
                  : month < day              ? DateCulture::Order::month_day_year
                                             : DateCulture::Order::day_month_year;
  std::string word;
  bool quoted = false;
  for (const char c : culture.long_date + " ") {
    if (c == '\'') quoted = !quoted;
    if (quoted && c != '\'' && c != ' ') {
      word += c;
    } else if (!word.empty()) {
      culture.words.push_back(to_lower(word));
      word.clear();
    }
  }
  return culture;
}

DateCulture english() {
  DateCulture c;
  c.days = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  c.months = {"January", "February", "March",     "April",   "May",      "June",
              "July",    "August",   "September", "October", "November", "December"};
  for (std::size_t i = 0; i < 7; ++i) c.short_days[i] = c.days[i].substr(0, 3);
  for (std::size_t i = 0; i < 12; ++i) c.short_months[i] = c.months[i].substr(0, 3);
  c.month_genitives = c.months;
  c.am = "AM";
  c.pm = "PM";
  c.short_date = "M/d/yyyy";
  c.long_date = "dddd, MMMM d, yyyy";
  c.short_time = "h:mm tt";
  c.long_time = "h:mm:ss tt";
  c.month_day = "MMMM d";
  c.year_month = "MMMM yyyy";
  return c;
}

}  // namespace

const DateCulture& default_date_culture() {
  static const DateCulture culture = english();
  return culture;
}

std::shared_ptr<const DateCulture> date_culture(std::string_view name) {
  const std::string key = to_lower(name);
  if (key.empty() || key == "en-us" || key == "en") {
    return {std::shared_ptr<const DateCulture>(), &default_date_culture()};  // not owned: it is never destroyed
  }
  static CultureCache<DateCulture> cache;
  return cache.get(key, made);
}

std::string_view standard_date_pattern(char letter, const DateCulture& culture, std::string& room) {
  const auto joined = [&](const std::string& date, const std::string& time) {
    room = date + " " + time;
    return std::string_view(room);
  };
  switch (letter) {
    case 'd': return culture.short_date;
    case 'D': return culture.long_date;
    case 'f': return joined(culture.long_date, culture.short_time);
    case 'F':
    case 'U': return joined(culture.long_date, culture.long_time);
    case 'g': return joined(culture.short_date, culture.short_time);
    case 'G': return joined(culture.short_date, culture.long_time);
    case 'm':
    case 'M': return culture.month_day;
    case 'o':
    case 'O': return "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK";
    case 'r':
    case 'R': return "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'";
    case 's': return "yyyy'-'MM'-'dd'T'HH':'mm':'ss";
    case 't': return culture.short_time;
    case 'T': return culture.long_time;
    case 'u': return "yyyy'-'MM'-'dd HH':'mm':'ss'Z'";
    case 'y':
    case 'Y': return culture.year_month;
    default: return {};
  }
}

}  // namespace flowmend::expression
