#pragma once

#include <string>
#include <vector>

#include "json/value.h"

namespace flowmend::runtime {

/// Checks a body against a trigger's JSON schema (draft 4 to 7): one text for each finding, none when it matches. A
/// schema that can't be used is a finding. Remote references are never fetched. Any thread.
std::vector<std::string> check_schema(const Value& schema, const Value& value);

}  // namespace flowmend::runtime
