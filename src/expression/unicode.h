#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flowmend::expression {

// Texts are UTF-8 here, but the language counts UTF-16 units as .NET does: '😀' has the length 2. ASCII is fast.

bool is_ascii(std::string_view text);
std::size_t utf16_length(std::string_view text);
/// Units [begin, end) of `text`, both at most its length. Half of a surrogate pair becomes U+FFFD.
std::string utf16_slice(std::string_view text, std::size_t begin, std::size_t end);

/// .NET's invariant casing, character by character: `I` gives `i`, the dotless and dotted i stay as they are.
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
/// Order of texts without regard to case (ordinal, in upper case): below, at or above 0.
int compare_ignoring_case(std::string_view a, std::string_view b);

/// Without what .NET's Trim() takes as white space.
std::string_view trim(std::string_view text);

/// The byte at which `part` begins in `text` at or behind `from`; npos when absent. Linear also for hostile texts.
std::size_t find_text(std::string_view text, std::string_view part, std::size_t from = 0);

}  // namespace flowmend::expression
