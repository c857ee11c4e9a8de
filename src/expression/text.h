#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "expression/text_buffer.h"
#include "json/value.h"

namespace flowmend::expression {

/// Appends the text of a value (expressions.md section 4): what interpolation, concat, join and string() print.
void append_text_of(const Value& value, TextBuffer& out);

/// A content object `{"$content-type", "$content"}` (expressions.md section 9), seen without copying.
struct ContentView {
  std::string_view type;    ///< as given, with its parameters
  std::string_view base64;  ///< as given, unchecked
};
std::optional<ContentView> content_of(const Value& value);

/// The bytes of a base64 text (standard alphabet, padding required, white space ignored); nothing when it is none.
std::optional<std::string> bytes_of_base64(std::string_view text);

/// The text of content: its bytes read by the charset in its type, UTF-8 when that names none; bytes that mean nothing
/// there become U+FFFD. Nothing when the base64 is broken.
std::optional<std::string> text_of_content(const ContentView& content);

/// What is wrong with content that can't be printed as text (broken base64, a parameter of its type without a value);
/// empty when nothing is, and for every other value.
std::string_view content_fault(const Value& value);

/// `bytes` as UTF-8 text, read by the charset of that name ("" = UTF-8); nothing for an unknown charset.
std::optional<std::string> text_of_bytes(std::string_view bytes, std::string_view charset);

/// The value of a parameter of a media type: `charset` of `text/xml; charset="utf-8"`. Empty when absent.
std::string_view media_type_parameter(std::string_view type, std::string_view parameter);

}  // namespace flowmend::expression
