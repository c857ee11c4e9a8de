#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flowmend::expression {

/// What a culture says about writing dates: .NET's DateTimeFormatInfo of the Gregorian calendar. Names in UTF-8.
struct DateCulture {
  std::array<std::string, 7> days;  ///< from Sunday
  std::array<std::string, 7> short_days;
  std::array<std::string, 12> months;  ///< by themselves
  std::array<std::string, 12> short_months;
  std::array<std::string, 12> month_genitives;  ///< beside a day's number
  std::string am, pm;
  std::string date_separator = "/";  ///< what `/` of a format prints
  std::string time_separator = ":";
  // .NET patterns
  std::string short_date, long_date, short_time, long_time, month_day, year_month;
  /// The order of numbers in a date.
  enum class Order { month_day_year, day_month_year, year_month_day };
  Order order = Order::month_day_year;
  std::vector<std::string> words;  ///< literal words of the long pattern, in lower case (`de` of Spanish)
};

/// en-US, which stands when a flow names no locale.
const DateCulture& default_date_culture();

/// The culture of a locale name in any case, from ICU's data; `''` and `en-US` are the default one. Nothing for an
/// unknown name. Thread-safe; the most recent ones are kept.
std::shared_ptr<const DateCulture> date_culture(std::string_view locale);

/// The custom pattern of a one-letter standard format; empty when there is none.
std::string_view standard_date_pattern(char letter, const DateCulture& culture, std::string& room);

}  // namespace flowmend::expression
