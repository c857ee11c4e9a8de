#pragma once

#include <string>
#include <string_view>

namespace flowmend::connector {

struct RowsDocument {
  std::string_view title;
  std::string_view description;
  std::string_view extra_paths;  ///< members of `paths`, each with a comma before it; may be empty
  bool change_column = false;    ///< triggers ask for the column that shows what is new
};

/// The document (OpenAPI 2.0) of a connector whose operations are those of rows in tables: one spelling of operation
/// ids and parameters for all of them (GetItems, GetItem, PostItem, PatchItem, DeleteItem, GetTables, GetOnNewItems,
/// GetOnUpdatedItems), as the vendor's connectors of databases have them.
std::string rows_document(const RowsDocument& about);

}  // namespace flowmend::connector
