// SQLite files below configured folders. A query can't leave its file: ATTACH (also hidden in VACUUM INTO) is refused.

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "connector/native/sql.h"
#include "connector/text.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Error error_of(sqlite3* database) {
  const char* code = "SqlInvalid";
  const std::string message = sqlite3_errmsg(database);
  switch (sqlite3_errcode(database) & 0xff) {
    case SQLITE_CONSTRAINT: code = "SqlConflict"; break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: code = "SqlBusy"; break;
    case SQLITE_READONLY:
    case SQLITE_AUTH:
    case SQLITE_PERM: code = "SqlPermissionDenied"; break;
    case SQLITE_INTERRUPT: code = "SqlTimeout"; break;
    case SQLITE_CANTOPEN: code = "SqlNotFound"; break;
    default: break;
  }
  if (message.starts_with("no such table")) code = "SqlNotFound";
  return make_error(code, message);
}

int authorize(void*, int action, const char* first, const char*, const char*, const char*) {
  if (action == SQLITE_ATTACH || action == SQLITE_DETACH) return SQLITE_DENY;
  // Where temporary files go is the server's, not a query's.
  if (action == SQLITE_PRAGMA && first != nullptr) {
    const std::string name = lower_case(first);
    if (name == "temp_store_directory" || name == "data_store_directory" || name == "mmap_size") return SQLITE_DENY;
  }
  return SQLITE_OK;
}

struct Limit {
  std::chrono::steady_clock::time_point end;
  std::function<bool()> cancelled;
};

int look(void* given) {
  const auto* limit = static_cast<const Limit*>(given);
  return std::chrono::steady_clock::now() > limit->end || (limit->cancelled && limit->cancelled()) ? 1 : 0;
}

class Session final : public SqlSession {
 public:
  Session(Database database, std::unique_ptr<Limit> limit) : limit_(std::move(limit)), database_(std::move(database)) {
    sqlite3_progress_handler(database_.get(), 10'000, look, limit_.get());
    sqlite3_set_authorizer(database_.get(), authorize, nullptr);
  }

  Result<SqlRows> run(const std::string& sql, const std::vector<Value>& parameters) override {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(database_.get(), sql.c_str(), static_cast<int>(sql.size()), &raw, &rest) != SQLITE_OK)
      return error_of(database_.get());
    const Statement statement(raw);
    if (!statement) return make_error("SqlInvalid", "The query is empty.");
    if (!trim(rest).empty() && trim(rest) != ";") return make_error("SqlInvalid", "One statement at a time, please.");
    const int places = sqlite3_bind_parameter_count(raw);
    if (static_cast<std::size_t>(places) != parameters.size())
      return make_error("SqlInvalid", "The query has " + std::to_string(places) + " places (?) and " +
                                          std::to_string(parameters.size()) + " values.");
    for (int i = 0; i < places; ++i) bind(raw, i + 1, parameters[static_cast<std::size_t>(i)]);
    SqlRows out;
    const int columns = sqlite3_column_count(raw);
    out.has_rows = columns > 0;
    const auto before = sqlite3_total_changes64(database_.get());
    std::size_t bytes = 0;
    while (true) {
      const int status = sqlite3_step(raw);
      if (status == SQLITE_DONE) break;
      if (status != SQLITE_ROW) return error_of(database_.get());
      json::ObjectBuilder row;
      for (int i = 0; i < columns; ++i) {
        bytes += static_cast<std::size_t>(sqlite3_column_bytes(raw, i));
        row.set(sqlite3_column_name(raw, i), value_at(raw, i));
      }
      out.rows.push_back(row.finish());
      if (out.rows.size() > sql_rows_max || bytes > sql_bytes_max)
        return make_error("SqlTooLarge", "The answer has more than 100,000 rows or 64 MiB.", {},
                          "Ask for less: add a condition or a limit.");
    }
    const auto changed = sqlite3_total_changes64(database_.get()) - before;
    out.affected =
        changed > 0 || columns == 0 ? static_cast<std::int64_t>(changed) : static_cast<std::int64_t>(out.rows.size());
    return out;
  }

  std::string quoted(std::string_view name) const override {
    std::string out = "\"";
    for (const char c : name) {
      if (c == '"') out += '"';
      out += c;
    }
    return out + '"';
  }
  std::string placeholder(std::size_t) const override { return "?"; }
  std::string_view text_type() const override { return "TEXT"; }
  bool returning() const override { return true; }

  Result<std::vector<SqlColumn>> columns(const std::vector<std::string>& table) override {
    const auto rows = run("SELECT name, type, pk FROM pragma_table_info(?)", {Value(table.back())});
    if (!rows) return rows.error();
    std::vector<SqlColumn> out;
    for (const Value& row : rows->rows)
      out.push_back({std::string(row.text_of("name")), lower_case(row.text_of("type")), *row.find("pk") != Value(0)});
    return out;
  }

  Result<std::vector<std::string>> tables() override {
    const auto rows =
        run("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name "
            "LIMIT 5000",
            {});
    if (!rows) return rows.error();
    std::vector<std::string> out;
    for (const Value& row : rows->rows) out.emplace_back(row.text_of("name"));
    return out;
  }

  Result<std::string> procedure_call(const std::vector<std::string>&, const std::vector<std::string>&) const override {
    return make_error("SqlInvalid", "SQLite has no stored procedures.");
  }

 private:
  static void bind(sqlite3_stmt* statement, int place, const Value& value) {
    if (value.is_null())
      sqlite3_bind_null(statement, place);
    else if (value.is_boolean())
      sqlite3_bind_int64(statement, place, value.as_boolean() ? 1 : 0);
    else if (value.is_integer())
      sqlite3_bind_int64(statement, place, value.as_integer());
    else if (value.is_number())
      sqlite3_bind_double(statement, place, value.to_double());
    else {
      const std::string text = value.is_string() ? std::string(value.as_string()) : json::write(value);
      sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
  }
  static Value value_at(sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
      case SQLITE_INTEGER: return Value(static_cast<std::int64_t>(sqlite3_column_int64(statement, column)));
      case SQLITE_FLOAT: return Value(sqlite3_column_double(statement, column));
      case SQLITE_TEXT:
        return Value(std::string_view(reinterpret_cast<const char*>(sqlite3_column_text(statement, column)),
                                      static_cast<std::size_t>(sqlite3_column_bytes(statement, column))));
      case SQLITE_BLOB: {
        const void* bytes = sqlite3_column_blob(statement, column);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
        return Value(base64_encode({static_cast<const char*>(bytes == nullptr ? "" : bytes), size}));
      }
      default: return {};
    }
  }

  std::unique_ptr<Limit> limit_;
  Database database_;
};

/// The file that a path names, when it lies below one of the roots with every link followed.
Result<std::string> allowed_path(const std::vector<std::string>& roots, const std::string& path) {
  namespace fs = std::filesystem;
  const auto refuse = [&] {
    return make_error("SqlPermissionDenied", "The file '" + path + "' does not lie below a folder that flows may use.",
                      {}, "Give the folder with --file-root when the server starts.");
  };
  if (path.empty() || path.find('\0') != std::string::npos || !fs::path(path).is_absolute()) return refuse();
  std::error_code failure;
  const fs::path folder = fs::canonical(fs::path(path).parent_path(), failure);
  if (failure) return refuse();
  const fs::path name = fs::path(path).filename();
  if (name.empty() || name == "." || name == "..") return refuse();
  for (const std::string& root : roots) {
    const fs::path base = fs::canonical(root, failure);
    if (failure) continue;
    const auto end = std::mismatch(base.begin(), base.end(), folder.begin(), folder.end());
    if (end.first == base.end()) return sql_text((folder / name).string());
  }
  return refuse();
}

constexpr std::string_view properties =
    R"json({"properties":{"iconBrandColor":"#0f80cc","capabilities":["actions"],"connectionParameters":{
  "file":{"type":"string","uiDefinition":{"displayName":"File","description":"The whole path of the database file; it must lie below a folder given with --file-root","constraints":{"required":"true","tabIndex":1}}},
  "readOnly":{"type":"bool","defaultValue":false,"uiDefinition":{"displayName":"Read only","constraints":{"required":"false","tabIndex":2}}}}}})json";

}  // namespace

std::unique_ptr<NativeConnector> make_sqlite_connector(const NativeParts& native) {
  SqlConnectorParts parts;
  parts.name = "shared_sqlite";
  parts.title = "SQLite";
  parts.description = "Rows and queries of SQLite database files on this server.";
  parts.properties = properties;
  parts.placeholder_hint = "?";
  parts.procedures = false;
  parts.open = [roots = native.file_roots](
                   const Value& fields, Duration timeout,
                   const std::function<bool()>& cancelled) -> Result<std::unique_ptr<SqlSession>> {
    const auto path = allowed_path(roots, field_text(fields, "file"));
    if (!path) return path.error();
    sqlite3* raw = nullptr;
    const bool read_only = field_text(fields, "readOnly") == "true";
    const int status =
        sqlite3_open_v2(path->c_str(), &raw,
                        (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOFOLLOW, nullptr);
    Database database(raw);
    if (status != SQLITE_OK)
      return make_error(
          "SqlNotFound",
          "The file can't be opened: " + std::string(raw == nullptr ? "no memory" : sqlite3_errmsg(raw)) + ".", {},
          "Check the path and the rights of the server's user; a symbolic link is not followed.");
    const std::int64_t ms = std::max<std::int64_t>(1'000, timeout.to_milliseconds());
    sqlite3_busy_timeout(raw, static_cast<int>(std::min<std::int64_t>(ms, 10'000)));
    auto limit = std::make_unique<Limit>();
    limit->end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    limit->cancelled = cancelled;
    auto session = std::make_unique<Session>(std::move(database), std::move(limit));
    // Opening looks at nothing; this does.
    if (const auto read = session->run("SELECT COUNT(*) AS n FROM sqlite_master", {}); !read) return read.error();
    return std::unique_ptr<SqlSession>(std::move(session));
  };
  parts.address = [](const Value& fields) { return "sqlite:" + field_text(fields, "file"); };
  return make_sql_connector(std::move(parts));
}

}  // namespace flowmend::connector
