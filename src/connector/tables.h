#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "connector/native/odata.h"
#include "json/value.h"
#include "store/store.h"

namespace flowmend::connector {

using json::Value;

// Tables: small data tables of our own, kept in the store beside the flows that use them. For lists that a flow reads
// and writes (customers, open orders, settings), not for a warehouse: a query looks at every row of its table.
//
// A table is a document of kind `table`, a row one of kind `table_row` with the key `table/id`. Each change of a row
// takes the table's next change number, in the same transaction: it is the row's etag, and what triggers remember.

inline constexpr std::size_t table_rows_max = 100'000;
inline constexpr std::size_t table_columns_max = 200;
inline constexpr std::size_t row_bytes_max = 1'048'576;

enum class ColumnType : std::uint8_t { text, number, integer, boolean, date_time, choice, json };
std::string_view column_type_name(ColumnType type);

struct Column {
  std::string name;   ///< letters, digits and `_ - . @`, up to 128
  std::string title;  ///< for people; empty = the name
  ColumnType type = ColumnType::text;
  bool required = false;
  Value default_value;               ///< null = none
  std::vector<std::string> choices;  ///< of a choice
};

struct Table {
  std::string name;  ///< letters, digits, `_` and `-`, up to 100
  std::string title;
  std::string description;
  std::string id_column = "id";
  bool guid_ids = false;  ///< rows are numbered 1, 2, 3 ... otherwise
  bool open = false;      ///< takes columns that it does not declare
  std::vector<Column> columns;
  std::int64_t next_id = 1;
  std::int64_t change = 0;  ///< of the newest change
  std::int64_t rows = 0;
  Timestamp created;

  const Column* find(std::string_view column) const;
};

/// `{"name","title","description","idColumn","idType","open","columns":[{"name","title","type","required","default",
/// "choices"}],"rows"}`.
Value describe(const Table& table);

struct RowQuery {
  std::string filter;
  std::string order_by;
  std::string select;
  std::size_t top = 1'000;
  std::size_t skip = 0;
  odata::Case text_case = odata::Case::exact;
};

struct RowPage {
  std::vector<Value> rows;
  std::size_t matching = 0;  ///< rows that pass the filter
};

struct RowChanges {
  std::vector<Value> rows;  ///< oldest change first
  std::int64_t state = 0;   ///< of the newest one given, or of the table
  bool more = false;
};

/// Reads and writes tables. A row as it is given out: its id under the table's id column, its columns, `created`,
/// `modified` and `@odata.etag`.
///
/// Errors: `TableNotFound`, `RowNotFound`, `TableAlreadyExists`, `InvalidTable`, `InvalidRow` (naming the column),
/// `InvalidFilter`, `InvalidOrderBy`, `RowChanged` (an etag that is no longer the row's), `TableFull`, the store's.
/// Threads: any but the store's.
class Tables {
 public:
  explicit Tables(store::Store& store) : store_(store) {}

  Result<Table> create(const Value& specification);
  /// Changes title, description and columns; rows stay as they are.
  Result<Table> update(std::string_view name, const Value& specification);
  /// Adds one column, described as in `create`; `InvalidTable` when it is there already.
  Result<Table> add_column(std::string_view name, const Value& column);
  Result<void> remove(std::string_view name);
  Result<std::vector<Table>> list() const;
  Result<Table> find(std::string_view name) const;

  Result<RowPage> rows(std::string_view table, const RowQuery& query) const;
  Result<Value> row(std::string_view table, std::string_view id) const;
  /// `key`: a second insert under the same one gives the first one's row instead; empty = none.
  Result<Value> insert(std::string_view table, const Value& values, std::string_view key = {});
  enum class Missing : std::uint8_t { is_error, inserts };
  /// Changes the columns that are given. `etag`: empty or `*` = whatever the row is now.
  Result<Value> change(std::string_view table, std::string_view id, const Value& values, std::string_view etag = {},
                       Missing missing = Missing::is_error);
  /// False when there was none.
  Result<bool> erase(std::string_view table, std::string_view id, std::string_view etag = {});

  /// Rows with a change after number `after`, at most `limit`; with `created_only`, those that were made after it.
  Result<RowChanges> changes(std::string_view table, std::int64_t after, bool created_only, std::size_t limit) const;

 private:
  /// In one transaction; a table that `with` makes impossible stays as it was.
  Result<Table> change(std::string_view name, const std::function<Result<void>(Table&)>& with);

  store::Store& store_;
};

}  // namespace flowmend::connector
