#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/native/native.h"
#include "connector/native/odata.h"

namespace flowmend::connector {

// Databases that speak SQL: what they have in common. A connector of one database brings a way to open a session
// (sql_postgresql.cpp, sql_mariadb.cpp, sql_sqlite.cpp); the operations on rows are carried out here, by SQL in which
// every value is a bound parameter and every name a column that the database itself told of.
//
// Error codes of sessions, and the status each becomes: `SqlSignInRefused` 401, `SqlPermissionDenied` 403,
// `SqlNotFound` 404, `SqlConflict` 409, `SqlInvalid` 400, `SqlTooLarge` 413, `SqlBusy` 503, `SqlUnreachable` 502,
// `SqlTimeout` 504. The messages are the database's own. And those of http/address.h, as failures to connect.

inline constexpr std::size_t sql_rows_max = 100'000;
inline constexpr std::size_t sql_bytes_max = 67'108'864;  ///< of one answer

struct SqlRows {
  std::vector<Value> rows;  ///< objects
  std::int64_t affected = 0;
  bool has_rows = false;  ///< the statement gives rows, even if there are none
};

struct SqlColumn {
  std::string name;
  std::string type;  ///< in the database's words, lower case
  bool key = false;
};

/// A text as a result: said out loud, because an Error can be made of a text too.
inline Result<std::string> sql_text(std::string text) {
  return Result<std::string>(boost::system::in_place_value, std::move(text));
}

class SqlSession {
 public:
  virtual ~SqlSession() = default;
  virtual Result<SqlRows> run(const std::string& sql, const std::vector<Value>& parameters) = 0;
  virtual std::string quoted(std::string_view name) const = 0;    ///< of one name, not of a dotted path
  virtual std::string placeholder(std::size_t number) const = 0;  ///< from 1
  virtual std::string_view text_type() const = 0;                 ///< what CAST makes text with
  virtual Result<std::vector<SqlColumn>> columns(const std::vector<std::string>& table) = 0;
  virtual Result<std::vector<std::string>> tables() = 0;
  virtual bool returning() const = 0;  ///< INSERT ... RETURNING is known
  /// A value for a column of that type, where the database wants another spelling.
  virtual Value bound(const Value& value, std::string_view column_type) const;
  /// The statement that calls a procedure, with a place for each parameter; `names` are empty for positions.
  virtual Result<std::string> procedure_call(const std::vector<std::string>& procedure,
                                             const std::vector<std::string>& names) const = 0;
};

/// A filter as a condition in SQL; its values are appended to `parameters`. `InvalidFilter` for a column that is not
/// among `columns`.
Result<std::string> sql_condition(const odata::Node& filter, const SqlSession& session,
                                  const std::vector<SqlColumn>& columns, std::vector<Value>& parameters);

/// `schema.table`, each part perhaps in quotes of its own: `sales."Order.Lines"`. `SqlInvalid` for more than two parts.
Result<std::vector<std::string>> table_path(std::string_view name);

using OpenSqlSession = std::function<Result<std::unique_ptr<SqlSession>>(const Value& fields, Duration timeout,
                                                                         const std::function<bool()>& cancelled)>;

struct SqlConnectorParts {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  std::string_view properties;
  std::string_view placeholder_hint;  ///< how a query names its parameters
  OpenSqlSession open;
  std::function<std::string(const Value& fields)> address;
  bool procedures = true;
};
std::unique_ptr<NativeConnector> make_sql_connector(SqlConnectorParts parts);

std::unique_ptr<NativeConnector> make_postgresql_connector(const NativeParts& parts);
std::unique_ptr<NativeConnector> make_mariadb_connector(const NativeParts& parts);
/// Opens files below the given roots only.
std::unique_ptr<NativeConnector> make_sqlite_connector(const NativeParts& parts);

}  // namespace flowmend::connector
