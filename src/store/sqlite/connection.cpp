#include "store/sqlite/connection.h"

#include <utility>

#include <sqlite3.h>

namespace flowmend::store::sqlite {

namespace {

[[noreturn]] void fail(sqlite3* database) {
  throw Failure{sqlite3_extended_errcode(database), sqlite3_errmsg(database)};
}

void check(int code, sqlite3_stmt* statement) {
  if (code != SQLITE_OK) fail(sqlite3_db_handle(statement));
}

}  // namespace

Statement::Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int index, std::int64_t value) {
  check(sqlite3_bind_int64(statement_, index, value), statement_);
  return *this;
}

Statement& Statement::bind_text(int index, std::string_view value) {
  check(sqlite3_bind_text64(statement_, index, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC,
                            SQLITE_UTF8),
        statement_);
  return *this;
}

Statement& Statement::bind_text_or_null(int index, std::string_view value) {
  if (!value.empty()) return bind_text(index, value);
  check(sqlite3_bind_null(statement_, index), statement_);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view value) {
  check(sqlite3_bind_blob64(statement_, index, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC),
        statement_);
  return *this;
}

Statement& Statement::bind_or_null(int index, std::int64_t value) {
  if (value != 0) return bind(index, value);
  check(sqlite3_bind_null(statement_, index), statement_);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    const Failure failure{sqlite3_extended_errcode(sqlite3_db_handle(statement_)),
                          sqlite3_errmsg(sqlite3_db_handle(statement_))};
    sqlite3_reset(statement_);
    throw failure;
  }
  sqlite3_reset(statement_);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() { sqlite3_reset(statement_); }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(size));
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Connection::Connection(const std::string& path, Mode mode) {
  const int flags =
      SQLITE_OPEN_NOMUTEX | (mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE);
  if (sqlite3_open_v2(path.c_str(), &database_, flags, nullptr) != SQLITE_OK) {
    const Failure failure{sqlite3_extended_errcode(database_), sqlite3_errmsg(database_)};
    sqlite3_close(database_);
    throw failure;
  }
  sqlite3_busy_timeout(database_, 10'000);
  sqlite3_extended_result_codes(database_, 1);
}

Connection::~Connection() {
  statements_.clear();
  sqlite3_close(database_);
}

Statement& Connection::prepare(std::string_view sql) {
  auto found = statements_.find(std::string(sql));
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK) {
      fail(database_);
    }
    found = statements_.emplace(std::string(sql), Statement(statement)).first;
  }
  return found->second;
}

void Connection::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(database_);
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }
int Connection::changes() const { return sqlite3_changes(database_); }

bool Connection::checkpoint() {
  return sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) == SQLITE_OK;
}

void Connection::sync_database() {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(database_, nullptr, SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return;
  if (file != nullptr && file->pMethods != nullptr) file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

void Connection::watch_log() {
  // In the place of SQLite's own hook, which would copy the log within a commit.
  sqlite3_wal_hook(
      database_,
      [](void* seen, sqlite3*, const char*, int pages) {
        *static_cast<int*>(seen) = pages;
        return SQLITE_OK;
      },
      &log_pages_);
}

}  // namespace flowmend::store::sqlite
