#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connector/dynamic/source.h"

namespace flowmend::connector {

/// One of the values that can stand in a parameter.
struct Choice {
  Value value;
  std::string title;
};

/// One node of a tree.
struct TreeNode {
  Value value;
  std::string title;
  std::string full_title;
  bool parent = false;      ///< it can be opened
  bool selectable = false;  ///< its value can be chosen
  Value item;               ///< as the service told it: what `DynamicContent::tree` wants back to open it
};

/// The value at `path` (names between `/`, also between `.` where there is no such property; a number selects from an
/// array); nothing when it leads nowhere. An empty path is the value itself. Names may contain either mark: the longest
/// that fits counts.
const Value* value_at(const Value& value, std::string_view path);

/// The items of one page of a reply: at `path`, else the reply itself when it is an array, else its only array.
/// Error: `DynamicReplyUnexpected`, saying what stands there instead.
Result<std::vector<Value>> items_of(const Value& body, std::string_view path);

Choice choice_of(const DynamicCall& call, const Value& item);
TreeNode node_of(const DynamicSource& source, const DynamicCall& call, const Value& item);

/// The JSON schema of a reply: an object, a text that holds one, or a wrapper with `schema`. Error:
/// `DynamicReplyUnexpected`.
Result<Value> schema_of(const DynamicCall& call, const Value& body);

}  // namespace flowmend::connector
