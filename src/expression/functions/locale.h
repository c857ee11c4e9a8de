#pragma once

#include <optional>
#include <string_view>

#include <unicode/locid.h>

namespace flowmend::expression {

/// The locale of an RFC 4646 name in any case (`de-DE`); nothing for a language that ICU does not know. `''` is none.
std::optional<icu::Locale> find_locale(std::string_view name);

}  // namespace flowmend::expression
