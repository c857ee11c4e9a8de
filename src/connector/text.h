#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/value.h"

namespace flowmend::connector {

using json::Value;

/// Names and values in their order; a name may stand more than once.
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Every byte but the unreserved ones of RFC 3986 as `%XX`.
std::string percent_encode(std::string_view text);
/// `%XX` decoded, `+` left alone; a broken escape stays as it is.
std::string percent_decode(std::string_view text);

std::string base64_encode(std::string_view bytes);
/// Standard or URL-safe alphabet, padding optional, white space ignored. Nothing for any other text.
std::optional<std::string> base64_decode(std::string_view text);

std::string lower_case(std::string_view text);  ///< ASCII only
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool contains_ignoring_case(std::string_view text, std::string_view part);
std::string_view trim(std::string_view text);

/// A scalar as it stands in a path, query or header: booleans `true`/`false`, whole doubles without a fraction; objects
/// and arrays as compact JSON; null is empty.
std::string text_of_value(const Value& value);

/// A list of strings, or one string alone; blanks around them and empty ones are left out. Null gives nothing.
std::vector<std::string> text_list(const Value* list);

/// The host part of `https://host:port/...` in lower case; empty when there is none.
std::string host_of(std::string_view uri);
/// `scheme://host:port` in lower case.
std::string origin_of(std::string_view uri);

}  // namespace flowmend::connector
