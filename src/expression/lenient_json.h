#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "json/value.h"

namespace flowmend::expression {

/// Why a text is no JSON, in the words of Newtonsoft's reader, which users know: `Unexpected character encountered
/// while parsing value: h. Path '', line 0, position 0.`
struct JsonFault {
  std::string message;
};

[[noreturn]] void throw_exception_from_error(const JsonFault& fault, const boost::source_location& place);

/// Reads JSON as generously as the service does (json(), Parse JSON): single quotes, names without quotes, comments,
/// a comma behind the last element, hexadecimal and octal integers, NaN and Infinity, and text behind the value, which
/// is ignored. A later duplicate name replaces the earlier one and moves to the end; names that differ in case stay
/// apart. An integer beyond 64 bits becomes a decimal, or a double beyond 96 bits.
///
/// Bounded by the text's size; deeper nesting than json::depth_max is a fault. Linear time. Any thread.
boost::system::result<Value, JsonFault> parse_lenient_json(std::string_view text);

}  // namespace flowmend::expression
