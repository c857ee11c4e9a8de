#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace flowmend::store::sqlite {

/// What SQLite refused. Thrown inside this room only: its edge (sqlite_store.cpp, open.cpp) turns it into an Error.
struct Failure {
  int code = 0;  ///< extended result code
  std::string message;
};

/// One prepared statement. Parameters count from 1, columns from 0. `bind` refers to the caller's bytes until `reset`.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(int index, std::int64_t value);
  Statement& bind_text(int index, std::string_view value);
  /// NULL for an empty text.
  Statement& bind_text_or_null(int index, std::string_view value);
  Statement& bind_blob(int index, std::string_view value);
  /// NULL for 0.
  Statement& bind_or_null(int index, std::int64_t value);

  /// True when there is a row. Resets by itself at the end.
  bool step();
  /// For statements without rows.
  void run();
  void reset();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  ///< or bytes; empty for NULL; valid until the next step
  bool is_null(int column) const;

 private:
  sqlite3_stmt* statement_;
};

/// One database connection with its prepared statements. Used by one thread at a time.
class Connection {
 public:
  enum class Mode { write, read, checkpoint };
  Connection(const std::string& path, Mode mode);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// The statement for this text, prepared once and reset.
  Statement& prepare(std::string_view sql);
  void execute(const char* sql);
  bool in_transaction() const;
  int changes() const;
  /// Copies as much of the write-ahead log into the database as no reader is in the way of. False when it failed.
  bool checkpoint();
  /// Brings what was copied into the database to the disk. A failure shows again in the next checkpoint that syncs.
  void sync_database();
  /// Pages in the write-ahead log after this connection's last commit. Only after `watch_log`.
  int log_pages() const { return log_pages_; }
  void watch_log();

 private:
  sqlite3* database_ = nullptr;
  int log_pages_ = 0;
  std::unordered_map<std::string, Statement> statements_;
};

/// Resets a statement when its reader leaves early.
class Reading {
 public:
  explicit Reading(Statement& statement) : statement_(statement) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { statement_.reset(); }
  Statement* operator->() { return &statement_; }
  Statement& operator*() { return statement_; }

 private:
  Statement& statement_;
};

}  // namespace flowmend::store::sqlite
