#pragma once

#include <functional>
#include <istream>
#include <ostream>
#include <string_view>

#include "json/value.h"

namespace flowmend::json {

/// Answers JSON lines: each line of `in` that is not blank gives one line on `out`, flushed at once, so that the other
/// side may wait for it before it asks again. `answer` gets the line as it is, JSON or not. When it throws (out of
/// memory, most likely), `failed` words the answer, and the next line is read all the same. Ends with `in`.
void answer_lines(std::istream& in, std::ostream& out, const std::function<Value(std::string_view line)>& answer,
                  const std::function<Value(std::string_view what)>& failed);

}  // namespace flowmend::json
