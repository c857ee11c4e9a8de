#pragma once

#include <string_view>

#include "base/diagnostic.h"
#include "base/error.h"
#include "json/value.h"

namespace flowmend::connector {

/// Reads a connector's JSON file as such files come: with a BOM, `//` and `/* */` comments, trailing commas, raw
/// control characters in strings, non-breaking or em spaces between tokens. Each kind of repair is one warning with
/// line and column of its first place, at `pointer`. What is still no JSON is an `InvalidJSON` error. Up to 16 MiB.
Result<json::Value> parse_lenient(std::string_view text, std::string_view pointer, Diagnostics& warnings);

}  // namespace flowmend::connector
