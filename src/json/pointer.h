#pragma once

#include <string>
#include <string_view>

#include "json/value.h"

namespace flowmend::json {

/// `pointer` with one more token, escaped by RFC 6901 (`~` as `~0`, `/` as `~1`).
std::string join(std::string_view pointer, std::string_view token);
std::string join(std::string_view pointer, std::size_t index);

/// The value at an RFC 6901 pointer; nothing when a token leads nowhere or the pointer is malformed.
const Value* resolve(const Value& root, std::string_view pointer);

}  // namespace flowmend::json
