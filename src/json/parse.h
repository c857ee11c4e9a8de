#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::json {

struct ParseLimits {
  std::size_t bytes_max = 104'857'600;  ///< of the text
  unsigned depth_max = json::depth_max;
};

/// Reads one RFC 8259 JSON text (UTF-8, checked). A later duplicate name replaces the earlier one and moves to the end,
/// as Newtonsoft's reader does. An integer beyond 64 bits becomes a decimal, or a double beyond 96 bits.
///
/// Errors: `InvalidJSON` with line and column in the message; `where` stays empty. Any thread.
Result<Value> parse(std::string_view text, const ParseLimits& limits = {});

}  // namespace flowmend::json
