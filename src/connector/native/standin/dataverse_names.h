#pragma once

#include <string>
#include <string_view>

#include "connector/native/odata.h"

namespace flowmend::connector {

using json::Value;

// What Dataverse calls things that our tables call otherwise. All functions are pure.

/// `accounts` -> `account`, `opportunities` -> `opportunity`: the logical name of an entity set.
std::string dataverse_logical_name(std::string_view entity_set);
/// Before the name of the column whose file it is.
inline constexpr std::string_view dataverse_file_prefix = "@file.";
/// A row with the names that flows know, without the files that stand in it.
Value dataverse_row(const Value& row);
/// A filter or order with our names for `createdon` and `modifiedon`.
std::string dataverse_own_names(std::string text);
/// The filter looks into rows of other tables (`a/b`).
bool walks_relations(const odata::Node& node);

}  // namespace flowmend::connector
