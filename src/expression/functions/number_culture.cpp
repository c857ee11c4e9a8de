#include <unicode/decimfmt.h>

#include "expression/functions/culture_cache.h"
#include "expression/functions/number_format.h"
#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

constexpr std::string_view no_break_space = "\xC2\xA0";

/// A separator; newer data has the narrow no-break space where .NET on Windows prints the wide one.
std::string separator(const icu::DecimalFormatSymbols& symbols, icu::DecimalFormatSymbols::ENumberFormatSymbol which) {
  std::string text = utf8(symbols.getConstSymbol(which));
  replace_all(text, "\xE2\x80\xAF", no_break_space);
  return text;
}

/// What stands before and behind the digits of a pattern. .NET's patterns have plain spaces there.
void affixes(const icu::DecimalFormat& format, std::string_view sign, std::string_view symbol, std::string& before,
             std::string& after) {
  icu::UnicodeString icu_pattern;
  format.toPattern(icu_pattern);
  std::string pattern = utf8(icu_pattern);
  pattern = pattern.substr(0, pattern.find(';'));
  const auto first = pattern.find_first_of("#0");
  const auto last = pattern.find_last_of("#0");
  if (first == std::string::npos) return;
  before = pattern.substr(0, first);
  after = pattern.substr(last + 1);
  for (std::string* affix : {&before, &after}) {
    replace_all(*affix, "'", "");
    replace_all(*affix, no_break_space, " ");
    replace_all(*affix, "\xE2\x80\xAF", " ");
    for (const std::string_view mark : {"\xE2\x80\x8E", "\xE2\x80\x8F", "\xD8\x9C"}) replace_all(*affix, mark, "");
    replace_all(*affix, sign, symbol);
  }
}

NumberCulture made(icu::Locale locale) {
  NumberCulture culture;
  UErrorCode failure = U_ZERO_ERROR;
  locale.addLikelySubtags(failure);  // `de` has no currency of its own
  locale.setKeywordValue("numbers", "latn", failure);
  const icu::DecimalFormatSymbols symbols(locale, failure);
  if (U_FAILURE(failure)) return culture;
  using Symbols = icu::DecimalFormatSymbols;
  culture.decimal_point = separator(symbols, Symbols::kDecimalSeparatorSymbol);
  culture.group = separator(symbols, Symbols::kGroupingSeparatorSymbol);
  culture.currency_point = separator(symbols, Symbols::kMonetarySeparatorSymbol);
  culture.currency_group = separator(symbols, Symbols::kMonetaryGroupingSeparatorSymbol);
  const auto decimal = [](icu::NumberFormat* made) { return std::unique_ptr<icu::NumberFormat>(made); };
  const auto plain = decimal(icu::NumberFormat::createInstance(locale, UNUM_DECIMAL, failure));
  if (const auto* format = dynamic_cast<const icu::DecimalFormat*>(plain.get())) {
    culture.group_size = static_cast<std::size_t>(std::max(format->getGroupingSize(), 0));
    const auto later = format->getSecondaryGroupingSize();
    culture.later_group_size = later > 0 ? static_cast<std::size_t>(later) : culture.group_size;
  }
  const auto percent = decimal(icu::NumberFormat::createInstance(locale, UNUM_PERCENT, failure));
  if (const auto* format = dynamic_cast<const icu::DecimalFormat*>(percent.get()))
    affixes(*format, "%", "%", culture.percent_before, culture.percent_after);
  const auto currency = decimal(icu::NumberFormat::createInstance(locale, UNUM_CURRENCY, failure));
  if (const auto* format = dynamic_cast<const icu::DecimalFormat*>(currency.get())) {
    std::string symbol = utf8(symbols.getConstSymbol(Symbols::kCurrencySymbol));
    // Icelandic króna is written "kr." in newer data, "kr" by the service.
    if (symbol == "kr.") symbol = "kr";
    affixes(*format, "\xC2\xA4", symbol, culture.currency_before, culture.currency_after);
    culture.currency_digits = static_cast<std::size_t>(std::max(format->getMinimumFractionDigits(), 0));
  }
  return culture;
}

NumberCulture invariant() {
  NumberCulture culture;
  culture.percent_after = " %";
  culture.currency_before = "\xC2\xA4";
  return culture;
}

}  // namespace

std::shared_ptr<const NumberCulture> number_culture(std::string_view name) {
  static const NumberCulture english;
  static const NumberCulture none = invariant();
  const std::string key = to_lower(name);
  if (key.empty()) return {std::shared_ptr<const NumberCulture>(), &none};
  if (key == "en-us" || key == "en") return {std::shared_ptr<const NumberCulture>(), &english};
  static CultureCache<NumberCulture> cache;
  return cache.get(key, made);
}

}  // namespace flowmend::expression
