#include "expression/functions/locale.h"

#include <set>
#include <string>

namespace flowmend::expression {

namespace {

bool is_known_language(const char* language) {
  static const std::set<std::string> languages = [] {
    std::set<std::string> all;
    std::int32_t count = 0;
    const icu::Locale* locales = icu::Locale::getAvailableLocales(count);
    for (std::int32_t i = 0; i < count; ++i) all.insert(locales[i].getLanguage());
    return all;
  }();
  return languages.contains(language);
}

}  // namespace

std::optional<icu::Locale> find_locale(std::string_view name) {
  constexpr std::size_t name_bytes_max = 84;  // .NET's LOCALE_NAME_MAX_LENGTH
  if (name.empty() || name.size() > name_bytes_max) return std::nullopt;
  UErrorCode failure = U_ZERO_ERROR;
  icu::Locale found = icu::Locale::forLanguageTag(std::string(name), failure);
  if (U_FAILURE(failure) || found.isBogus() || !is_known_language(found.getLanguage())) return std::nullopt;
  return found;
}

}  // namespace flowmend::expression
