// Rows and queries of PostgreSQL, MariaDB and SQLite: one walk through all operations for each, on a real server that
// is started here on a free port with its own folder.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "connector/document.h"
#include "connector/native/sql.h"
#include "json/parse.h"
#include "json/write.h"
#include "native/harness.h"
#include "native/stores.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

using native_tests::free_port;
using native_tests::json_of;
using native_tests::run;
using native_tests::Server;
using native_tests::TemporaryFolder;

/// One database, called as the runtime calls a connector.
class Database {
 public:
  Database(std::unique_ptr<NativeConnector> native, Value fields)
      : native_(std::move(native)), fields_(std::move(fields)) {
    const Loaded loaded =
        load_connector_text(native_->swagger(), native_->properties(), {.name = std::string(native_->name())});
    EXPECT_TRUE(loaded.connector);
    for (const Diagnostic& diagnostic : loaded.diagnostics) ADD_FAILURE() << diagnostic.pointer << diagnostic.message;
    connector_ = loaded.connector;
  }
  http::Reply call(std::string_view operation, std::string_view parameters, const std::string& state = {}) {
    NativeCall call;
    call.operation = connector_->find_operation(operation);
    auto bound = bind_arguments(*connector_, *call.operation, json_of(parameters));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().message);
    if (!bound) return {};
    call.arguments = std::move(*bound);
    call.fields = fields_;
    call.timeout = Duration::seconds(20);
    call.state = state;
    return native_->call(call);
  }
  Value value(std::string_view operation, std::string_view parameters, int status = 200) {
    const http::Reply reply = call(operation, parameters);
    EXPECT_EQ(reply.status, status) << operation << " " << parameters << ": " << reply.body;
    return reply.body.empty() ? Value() : json_of(reply.body);
  }
  std::string code(std::string_view operation, std::string_view parameters) {
    const http::Reply reply = call(operation, parameters);
    const auto body = json::parse(reply.body);
    const Value* error = body ? body->find("error") : nullptr;
    return error == nullptr ? "no error: " + reply.body
                            : std::to_string(reply.status) + " " + std::string(error->text_of("code"));
  }
  /// The titles of the rows that a filter lets through.
  std::string titles(const std::string& filter, const std::string& more = {}) {
    const Value page = value(
        "GetItems", json::write(Value::object({{"table", "orders"}, {"$filter", filter}, {"$orderby", "id"}})) + more);
    std::string out;
    if (const Value* rows = page.find("value")) {
      for (const Value& row : rows->as_array()) out += std::string(row.text_of("title"));
    }
    return out;
  }
  NativeConnector& native() { return *native_; }
  const Value& fields() const { return fields_; }

 private:
  std::unique_ptr<NativeConnector> native_;
  Value fields_;
  std::shared_ptr<const Connector> connector_;
};

/// All that holds for each database. The table orders: id, title, amount, open, due, note; due grows.
void walk(Database& db, const std::string& place1) {
  // Rows.
  const Value made = db.value(
      "PostItem",
      R"({"table": "orders", "item/id": 1, "item/title": "a", "item/amount": 12.5, "item/due": "2026-03-01T10:00:00Z"})",
      201);
  EXPECT_EQ(made.text_of("title"), "a");
  ASSERT_NE(made.find("amount"), nullptr);
  EXPECT_DOUBLE_EQ(made.find("amount")->to_double(), 12.5);
  db.value(
      "PostItem",
      R"({"table": "orders", "item/id": 2, "item/title": "b", "item/amount": 3, "item/due": "2026-03-02T10:00:00Z", "item/note": "50% off_'x'"})",
      201);
  db.value(
      "PostItem",
      R"({"table": "orders", "item/id": 3, "item/title": "c", "item/due": "2026-03-03T10:00:00Z", "item/note": "plain"})",
      201);
  EXPECT_EQ(db.value("GetItem", R"({"table": "orders", "id": "2"})").text_of("title"), "b");
  const Value changed = db.value("PatchItem", R"({"table": "orders", "id": "3", "item/amount": 7})");
  ASSERT_NE(changed.find("amount"), nullptr);
  EXPECT_DOUBLE_EQ(changed.find("amount")->to_double(), 7);
  EXPECT_EQ(changed.text_of("note"), "plain");
  EXPECT_TRUE(changed.text_of("due").starts_with("2026-03-03T10:00:00")) << changed.text_of("due");

  // Filters: the same meaning as in memory, values bound.
  EXPECT_EQ(db.titles("amount gt 5"), "ac");
  EXPECT_EQ(db.titles("amount gt 5 and not (title eq 'a')"), "c");
  EXPECT_EQ(db.titles("note eq null or startswith(note, 'pl')"), "ac");
  EXPECT_EQ(db.titles("note ne 'plain'"), "ab");
  EXPECT_EQ(db.titles("not contains(note, 'off')"), "ac");
  EXPECT_EQ(db.titles("contains(note, '% off_')"), "b");
  EXPECT_EQ(db.titles("contains(note, '%off')"), "");
  EXPECT_EQ(db.titles("note eq '50% off_''x'''"), "b");
  EXPECT_EQ(db.titles("due ge 2026-03-02T10:00:00Z"), "bc");
  EXPECT_EQ(db.titles("due lt '2026-03-02'"), "a");
  EXPECT_EQ(db.titles("title in ('a', 'c', '; DROP TABLE orders')"), "ac");
  EXPECT_EQ(db.titles("toupper(title) eq 'B' and length(title) eq 1"), "b");
  EXPECT_EQ(db.code("GetItems", R"({"table": "orders", "$filter": "colour eq 1"})"), "400 InvalidFilter");
  EXPECT_EQ(db.code("GetItems", R"({"table": "orders", "$filter": "title eq"})"), "400 InvalidFilter");
  EXPECT_EQ(db.code("GetItems", R"({"table": "orders", "$orderby": "id; drop"})"), "400 InvalidOrderBy");
  const Value page = db.value(
      "GetItems", R"({"table": "orders", "$orderby": "amount desc", "$top": 1, "$skip": 1, "$select": "title"})");
  EXPECT_EQ(json::write(page), R"({"value":[{"title":"c"}]})");

  // What is wrong says so.
  EXPECT_EQ(db.code("GetItem", R"({"table": "orders", "id": "99"})"), "404 SqlNotFound");
  EXPECT_EQ(db.code("PatchItem", R"({"table": "orders", "id": "99", "item/title": "x"})"), "404 SqlNotFound");
  EXPECT_EQ(db.code("DeleteItem", R"({"table": "orders", "id": "99"})"), "404 SqlNotFound");
  EXPECT_EQ(db.code("GetItems", R"({"table": "nothing"})"), "404 SqlNotFound");
  EXPECT_EQ(db.code("GetItems", R"({"table": "a.b.c"})"), "400 SqlInvalid");
  EXPECT_EQ(db.code("PostItem", R"({"table": "orders", "item/id": 1, "item/title": "again"})"), "409 SqlConflict")
      << db.call("PostItem", R"({"table": "orders", "item/id": 1, "item/title": "again"})").body;
  EXPECT_EQ(db.code("PostItem", R"({"table": "orders", "item/colour": 1})"), "400 SqlInvalid");
  EXPECT_EQ(db.code("ExecutePassThroughNativeQuery", R"({"query/query": "SELEC 1"})"), "400 SqlInvalid");

  // Queries.
  const Value rows =
      db.value("ExecutePassThroughNativeQuery",
               json::write(Value::object({{"query/query", "SELECT title FROM orders WHERE title = " + place1},
                                          {"query/parameters", Value::array({Value("b")})}})));
  EXPECT_EQ(json::write(*rows.find("resultsets")), R"({"Table1":[{"title":"b"}]})");
  EXPECT_EQ(
      *db.value("ExecutePassThroughNativeQuery",
                json::write(Value::object({{"query/query", "UPDATE orders SET note = NULL WHERE title = " + place1},
                                           {"query/parameters", Value::array({Value("b")})}})))
           .find("affectedRows"),
      Value(1));
  EXPECT_EQ(db.code("ExecutePassThroughNativeQuery",
                    json::write(Value::object({{"query/query", "SELECT title FROM orders WHERE title = " + place1}})))
                .substr(0, 3),
            "400");
  bool listed = false;
  const Value tables = db.value("GetTables", "{}");
  for (const Value& table : tables.find("value")->as_array()) listed = listed || table.text_of("Name") == "orders";
  EXPECT_TRUE(listed);

  // Triggers: the first check takes note, then each row once, also one with the same value as the last.
  std::string state;
  const auto check = [&](const char* operation, const char* parameters) {
    const http::Reply reply = db.call(operation, parameters, state);
    const std::string location(http::find_header(reply.headers, "Location"));
    EXPECT_TRUE(location.starts_with("state:")) << reply.body;
    state = location.size() > 6 ? location.substr(6) : "";
    if (reply.status == 202) return std::string("-");
    std::string out;
    const Value body = json_of(reply.body);
    for (const Value& row : body.find("value")->as_array()) out += std::string(row.text_of("title"));
    return out;
  };
  const char* const by_due = R"({"table": "orders", "column": "due"})";
  EXPECT_EQ(check("GetOnUpdatedItems", by_due), "-");
  EXPECT_EQ(check("GetOnUpdatedItems", by_due), "-");
  db.value("PatchItem", R"({"table": "orders", "id": "1", "item/due": "2026-03-03T10:00:00Z"})");
  EXPECT_EQ(check("GetOnUpdatedItems", by_due), "a");
  EXPECT_EQ(check("GetOnUpdatedItems", by_due), "-");
  state.clear();
  EXPECT_EQ(check("GetOnNewItems", R"({"table": "orders"})"), "-");
  db.value("PostItem", R"({"table": "orders", "item/id": 4, "item/title": "d"})", 201);
  db.value("PostItem", R"({"table": "orders", "item/id": 5, "item/title": "e"})", 201);
  EXPECT_EQ(check("GetOnNewItems", R"({"table": "orders", "$top": 1})"), "d");
  EXPECT_EQ(check("GetOnNewItems", R"({"table": "orders", "$top": 1})"), "e");
  EXPECT_EQ(check("GetOnNewItems", R"({"table": "orders", "$top": 1})"), "-");
  EXPECT_EQ(check("GetOnUpdatedItems", R"({"table": "orders", "column": "id", "$filter": "title eq 'a'"})"), "-");
  EXPECT_EQ(db.value("DeleteItem", R"({"table": "orders", "id": "5"})").size(), 0U);
  EXPECT_EQ(db.native().verify(db.fields(), Duration::seconds(5)).status, 200);
}

/// A server listens before it is ready.
bool answers(Database& db) {
  for (int i = 0; i < 600; ++i) {
    if (db.native().verify(db.fields(), Duration::seconds(5)).status == 200) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

Value with_field(const Value& fields, const char* name, const Value& value) {
  json::ObjectBuilder out(fields);
  out.set(name, value);
  return out.finish();
}

bool is_root() { return ::geteuid() == 0; }

/// As another user than root when we are root: these servers refuse to run as root.
std::vector<std::string> as_user(const std::string& user, std::vector<std::string> command) {
  if (!is_root()) return command;
  std::vector<std::string> out{"runuser", "-u", user, "--"};
  out.insert(out.end(), command.begin(), command.end());
  return out;
}

std::string postgres_program(const std::string& name) {
  std::error_code ignored;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    const std::string path = (version.path() / "bin" / name).string();
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

TEST(Sql, PostgreSql) {
  const std::string server_program = postgres_program("postgres");
  ASSERT_FALSE(server_program.empty()) << "postgresql is not installed; './dev test' installs it";
  TemporaryFolder folder;
  const std::string data = folder.path() + "/data";
  if (is_root()) {
    ASSERT_EQ(run({"chown", "postgres", folder.path()}), 0);
  }
  std::ofstream(folder.path() + "/password") << "secret\n";
  ASSERT_EQ(run({"chmod", "644", folder.path() + "/password"}), 0);
  ASSERT_EQ(run(as_user("postgres", {postgres_program("initdb"), "-D", data, "-U", "flow", "--auth=scram-sha-256",
                                     "--pwfile=" + folder.path() + "/password", "-E", "UTF8", "--no-sync"})),
            0);
  const int port = free_port();
  const native_tests::TestStore store;
  http::Client client;
  const NativeParts parts{store.store(), client, {}};
  auto server = std::make_unique<Server>(
      folder, as_user("postgres", {server_program, "-D", data, "-p", std::to_string(port), "-k", "", "-c",
                                   "listen_addresses=127.0.0.1", "-c", "fsync=off"}));
  ASSERT_TRUE(server->wait_for(port, 60)) << server->log();
  Database db(make_postgresql_connector(parts), Value::object({{"server", "127.0.0.1"},
                                                               {"port", port},
                                                               {"database", "postgres"},
                                                               {"username", "flow"},
                                                               {"password", "secret"}}));
  ASSERT_TRUE(answers(db));
  db.value(
      "ExecutePassThroughNativeQuery",
      R"json({"query/query": "CREATE TABLE orders (id integer PRIMARY KEY, title text NOT NULL, amount numeric(10,2), open boolean DEFAULT true, due timestamptz, note text)"})json");
  walk(db, "$1");
  EXPECT_EQ(db.titles("open"), "abcd");
  EXPECT_EQ(db.titles("open eq false"), "");
  EXPECT_EQ(db.code("GetItem", R"({"table": "orders", "id": "x"})"), "400 SqlInvalid");
  // Kinds of values.
  const Value kinds = db.value(
      "ExecutePassThroughNativeQuery",
      R"json({"query/query": "SELECT 9007199254740993 AS big, 1.10::numeric AS exact, 0.5::float8 AS half, '{\"a\": [1]}'::jsonb AS tree, '\\x6869'::bytea AS bytes, NULL::int AS none, timestamp '2026-01-02 03:04:05' AS wall"})json");
  EXPECT_EQ(
      json::write(kinds.find("resultsets")->find("Table1")->as_array()[0]),
      R"({"big":9007199254740993,"exact":1.1,"half":0.5,"tree":{"a":[1]},"bytes":"aGk=","none":null,"wall":"2026-01-02T03:04:05"})");
  // Procedures, by name and by place.
  db.value(
      "ExecutePassThroughNativeQuery",
      R"json({"query/query": "CREATE PROCEDURE rename(wanted integer, new_title text) LANGUAGE sql AS 'UPDATE orders SET title = new_title WHERE id = wanted'"})json");
  db.value("ExecuteProcedure", R"({"procedure": "rename", "parameters": {"new_title": "z", "wanted": 4}})");
  EXPECT_EQ(db.titles("id eq 4"), "z");
  db.value("ExecuteProcedure", R"({"procedure": "rename", "parameters": [4, "d"]})");
  EXPECT_EQ(db.titles("id eq 4"), "d");
  EXPECT_EQ(db.code("ExecuteProcedure", R"({"procedure": "nothing", "parameters": [1]})"), "404 SqlNotFound");
  EXPECT_EQ(db.code("ExecutePassThroughNativeQuery", R"json({"query/query": "SELECT generate_series(1, 200000)"})json"),
            "413 SqlTooLarge");
  EXPECT_EQ(db.code("ExecutePassThroughNativeQuery", R"json({"query/query": "COPY orders TO STDOUT"})json"),
            "400 SqlInvalid");
  EXPECT_EQ(db.native().verify(with_field(db.fields(), "server", "localhost"), Duration::seconds(5)).status, 200);
  EXPECT_EQ(db.native().verify(with_field(db.fields(), "server", "no.invalid"), Duration::seconds(5)).error_code,
            "UnresolvableHostName");
  EXPECT_EQ(db.native().verify(with_field(db.fields(), "server", folder.path()), Duration::seconds(5)).error_code,
            "UnresolvableHostName")
      << "no way around the addresses over a socket's folder";
  const http::Reply refused =
      db.native().verify(with_field(db.fields(), "password", "wrong-one"), Duration::seconds(5));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body.find("wrong-one"), std::string::npos);
  server.reset();
  EXPECT_EQ(db.native().verify(db.fields(), Duration::seconds(5)).status, 502);
}

TEST(Sql, MariaDb) {
  TemporaryFolder folder;
  const std::string data = folder.path() + "/data";
  if (is_root()) {
    ASSERT_EQ(run({"chown", "mysql", folder.path()}), 0);
  }
  std::ofstream(folder.path() + "/start.sql")
      << "CREATE DATABASE shop;\nCREATE USER 'flow'@'%' IDENTIFIED BY 'secret';\nGRANT ALL ON shop.* TO "
         "'flow'@'%';\nCREATE USER 'reader'@'%' IDENTIFIED BY 'secret';\nGRANT SELECT ON shop.* TO 'reader'@'%';\n";
  ASSERT_EQ(run({"chmod", "644", folder.path() + "/start.sql"}), 0);
  ASSERT_EQ(run(as_user("mysql", {"mariadb-install-db", "--no-defaults", "--datadir=" + data,
                                  "--auth-root-authentication-method=normal", "--skip-test-db"})),
            0);
  const int port = free_port();
  const native_tests::TestStore store;
  http::Client client;
  const NativeParts parts{store.store(), client, {}};
  auto server = std::make_unique<Server>(
      folder, as_user("mysql",
                      {native_tests::program("mariadbd"), "--no-defaults", "--datadir=" + data,
                       "--port=" + std::to_string(port), "--bind-address=127.0.0.1", "--socket=" + folder.path() + "/s",
                       "--pid-file=" + folder.path() + "/pid", "--init-file=" + folder.path() + "/start.sql",
                       "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"}));
  ASSERT_TRUE(server->wait_for(port, 60)) << server->log();
  const Value fields = Value::object(
      {{"server", "127.0.0.1"}, {"port", port}, {"database", "shop"}, {"username", "flow"}, {"password", "secret"}});
  Database db(make_mariadb_connector(parts), fields);
  ASSERT_TRUE(answers(db));
  db.value(
      "ExecutePassThroughNativeQuery",
      R"json({"query/query": "CREATE TABLE orders (id INT PRIMARY KEY, title VARCHAR(100) NOT NULL, amount DECIMAL(10,2), open BOOLEAN DEFAULT TRUE, due DATETIME(3), note VARCHAR(200))"})json");
  walk(db, "?");
  EXPECT_EQ(db.titles("open eq true"), "abcd");
  const Value kinds = db.value(
      "ExecutePassThroughNativeQuery",
      R"json({"query/query": "SELECT 9007199254740993 AS big, CAST(1.10 AS DECIMAL(5,2)) AS exact, 0.5e0 AS half, X'6869' AS bytes, NULL AS none, REPEAT('x', 3) AS text"})json");
  EXPECT_EQ(json::write(kinds.find("resultsets")->find("Table1")->as_array()[0]),
            R"({"big":9007199254740993,"exact":1.1,"half":0.5,"bytes":"aGk=","none":null,"text":"xxx"})");
  db.value(
      "ExecutePassThroughNativeQuery",
      R"json({"query/query": "CREATE PROCEDURE titles(IN least INT) SELECT title FROM orders WHERE id >= least ORDER BY id"})json");
  EXPECT_EQ(
      json::write(*db.value("ExecuteProcedure", R"({"procedure": "titles", "parameters": [3]})").find("resultsets")),
      R"({"Table1":[{"title":"c"},{"title":"d"}]})");
  EXPECT_EQ(db.code("ExecuteProcedure", R"({"procedure": "titles", "parameters": {"least": 3}})"), "400 SqlInvalid");
  EXPECT_EQ(db.code("ExecuteProcedure", R"({"procedure": "nothing", "parameters": []})"), "404 SqlNotFound");
  EXPECT_EQ(db.native().verify(with_field(fields, "password", "wrong-one"), Duration::seconds(5)).status, 401);
  EXPECT_EQ(db.native().verify(with_field(fields, "server", "localhost"), Duration::seconds(5)).status, 200);
  // Encryption that also checks the certificate connects by name; the address is looked at all the same.
  http::ClientOptions closed;
  closed.policy.allow_loopback = false;
  http::Client elsewhere(closed);
  const auto refusing = make_mariadb_connector(NativeParts{store.store(), elsewhere, {}});
  for (const char* encryption : {"prefer", "verify-full"}) {
    const Value named = with_field(with_field(fields, "server", "localhost"), "encryption", encryption);
    EXPECT_EQ(refusing->verify(named, Duration::seconds(5)).error_code, "AddressNotAllowed") << encryption;
  }
  Database reader(make_mariadb_connector(parts), with_field(fields, "username", "reader"));
  EXPECT_EQ(reader.code("DeleteItem", R"({"table": "orders", "id": "1"})"), "403 SqlPermissionDenied");
  server.reset();
  EXPECT_EQ(db.native().verify(fields, Duration::seconds(5)).status, 502);
}

TEST(Sql, SqliteFiles) {
  TemporaryFolder folder;
  TemporaryFolder outside;
  TemporaryFolder own;
  auto store = store::sqlite::open({.folder = own.path()}).value();
  http::Client client;
  const NativeParts parts{*store, client, {folder.path()}};
  const std::string file = folder.path() + "/shop.db";
  for (const std::string& path : {file, outside.path() + "/other.db"}) {
    sqlite3* made = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &made), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(made,
                           "CREATE TABLE orders (id INTEGER PRIMARY KEY, title TEXT NOT NULL, amount REAL, open "
                           "INTEGER DEFAULT 1, due TEXT, note TEXT)",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(made);
  }
  Database db(make_sqlite_connector(parts), Value::object({{"file", file}}));
  walk(db, "?");
  // A query stays in its file.
  EXPECT_EQ(db.code("ExecutePassThroughNativeQuery",
                    json::write(Value::object({{"query/query", "ATTACH '" + outside.path() + "/other.db' AS o"}}))),
            "403 SqlPermissionDenied");
  EXPECT_EQ(db.code("ExecutePassThroughNativeQuery",
                    json::write(Value::object({{"query/query", "VACUUM INTO '" + outside.path() + "/copy.db'"}}))),
            "403 SqlPermissionDenied");
  EXPECT_FALSE(std::filesystem::exists(outside.path() + "/copy.db"));
  EXPECT_EQ(db.code("ExecutePassThroughNativeQuery", R"({"query/query": "SELECT 1; SELECT 2"})"), "400 SqlInvalid");
  // Files elsewhere are out of reach, also over links and dots.
  std::filesystem::create_symlink(outside.path() + "/other.db", folder.path() + "/link.db");
  std::filesystem::create_symlink(outside.path(), folder.path() + "/link");
  for (const std::string& path :
       {outside.path() + "/other.db", folder.path() + "/link/other.db",
        folder.path() + "/../" + std::filesystem::path(outside.path()).filename().string() + "/other.db",
        std::string("shop.db"), std::string(), own.path() + "/flowmend.db"})
    EXPECT_EQ(db.native().verify(Value::object({{"file", path}}), Duration::seconds(5)).status, 403) << path;
  EXPECT_EQ(db.native().verify(Value::object({{"file", folder.path() + "/link.db"}}), Duration::seconds(5)).status,
            404);
  EXPECT_EQ(db.native().verify(Value::object({{"file", folder.path() + "/missing.db"}}), Duration::seconds(5)).status,
            404);
  std::ofstream(folder.path() + "/text.db")
      << "This is no database, but long enough to be looked at as if it were one, all the same.";
  EXPECT_EQ(db.native().verify(Value::object({{"file", folder.path() + "/text.db"}}), Duration::seconds(5)).status,
            400);
  Database reader(make_sqlite_connector(parts), Value::object({{"file", file}, {"readOnly", true}}));
  EXPECT_EQ(reader.code("DeleteItem", R"({"table": "orders", "id": "1"})"), "403 SqlPermissionDenied");
}

}  // namespace
}  // namespace flowmend::connector
