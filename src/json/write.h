#pragma once

#include <string>

#include "json/value.h"

namespace flowmend::json {

/// Compact JSON, members in order. A double prints its shortest round-trip form and with `.0` when it is whole (`5.0`),
/// a decimal all its digits with at least `.0`; NaN and infinities print as strings, as Newtonsoft does.
std::string write(const Value& value);
void write(const Value& value, std::string& out);

/// With two spaces of indentation, for people.
std::string write_pretty(const Value& value);

/// `text` as a JSON string with its quotes.
void write_string(std::string_view text, std::string& out);

/// Shortest round-trip text of a double as .NET prints it: `5`, `0.1`, `1E+20`, `NaN`, `Infinity`.
std::string double_text(double value);

}  // namespace flowmend::json
