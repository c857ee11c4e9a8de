#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"

namespace flowmend::expression {

using json::Value;

/// What a culture says about writing numbers: .NET's NumberFormatInfo. Affixes hold the sign of percent or the
/// currency.
struct NumberCulture {
  std::string decimal_point = ".";
  std::string group = ",";
  std::size_t group_size = 3;        ///< of the last group before the point
  std::size_t later_group_size = 3;  ///< of the groups before that (2 in India)
  std::string percent_before, percent_after = "%";
  std::string currency_before = "$", currency_after;
  std::string currency_point = ".";
  std::string currency_group = ",";
  std::size_t currency_digits = 2;
};

/// The culture of a locale name in any case, from ICU's data; `''` is the invariant culture, and nothing stands for an
/// unknown name. Thread-safe; the most recent ones are kept.
std::shared_ptr<const NumberCulture> number_culture(std::string_view locale);

/// A number in a .NET standard (`N2`) or custom (`#,##0.00`) format; nothing for a format that .NET refuses for its
/// kind. Rounding begins with the 17 significant digits of a double; standard formats round half to even, custom ones
/// away from zero (expressions.md section 8).
std::optional<std::string> format_number(const Value& number, std::string_view format, const NumberCulture& culture);

}  // namespace flowmend::expression
