#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::connector::odata {

using json::Value;

// The part of OData's query language that connectors use for rows: `$filter`, `$orderby`, `$select`. One reader, and
// two ways to carry a filter out: on values in memory (here) and as SQL with bound parameters (sql_filter.h).
//
// `$filter`: eq ne gt ge lt le, and or not, in, parentheses; contains startswith endswith substringof tolower toupper
// trim length; 'text' (a quote is doubled), numbers, true, false, null, dates and times (bare, or datetime'...'), GUIDs
// (bare, or guid'...'); properties, also along a path (`owner/name`).
//
// Rule: OData 4.01 part 2, 5.1; a comparison with null is false but for eq and ne (5.1.1.1). Text is compared without
// regard to case where the caller asks for it, as Dataverse and SharePoint do.

enum class NodeKind : std::uint8_t { logical_and, logical_or, logical_not, compare, one_of, call, property, literal };
enum class Comparison : std::uint8_t { eq, ne, gt, ge, lt, le };

struct Node {
  NodeKind kind = NodeKind::literal;
  Comparison comparison = Comparison::eq;
  std::string name;  ///< of a property, or of a function in lower case
  Value literal;
  bool time = false;  ///< the literal is a date or time
  std::vector<Node> children;
};

/// Errors: `InvalidFilter` with the position (from 1) and what was expected there. Bounds: 32 KiB, 64 levels, 2,000
/// nodes.
Result<Node> parse_filter(std::string_view text);

/// A property's value in a row; null when it has none.
using Lookup = std::function<Value(std::string_view name)>;

enum class Case : std::uint8_t { exact, ignored };

/// Whether a row passes.
bool matches(const Node& filter, const Lookup& row, Case text_case = Case::exact);

/// -1, 0, 1; null sorts first, then booleans, numbers, text (times by their moment), anything else as JSON.
int compare_values(const Value& a, const Value& b, Case text_case = Case::exact);

struct OrderBy {
  std::string property;
  bool descending = false;
};
/// `name desc, created`. `InvalidOrderBy`.
Result<std::vector<OrderBy>> parse_order_by(std::string_view text);

/// The names of a `$select`; empty for an empty text or `*`.
std::vector<std::string> parse_select(std::string_view text);

}  // namespace flowmend::connector::odata
