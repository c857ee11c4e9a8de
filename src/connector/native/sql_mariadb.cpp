// MariaDB and MySQL over libmariadb: prepared statements, rows read one by one.

#include <mysql/errmsg.h>
#include <mysql/mysql.h>
#include <mysql/mysqld_error.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>

#include "connector/native/sql.h"
#include "connector/text.h"
#include "http/address.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

struct Close {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
};
struct CloseStatement {
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
};
using Connection = std::unique_ptr<MYSQL, Close>;
using Statement = std::unique_ptr<MYSQL_STMT, CloseStatement>;

Error error_of(unsigned number, const char* text) {
  const char* code = "SqlInvalid";
  switch (number) {
    case ER_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR: code = "SqlSignInRefused"; break;
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_PROCACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR: code = "SqlPermissionDenied"; break;
    case ER_BAD_DB_ERROR:
    case ER_NO_SUCH_TABLE:
    case ER_SP_DOES_NOT_EXIST: code = "SqlNotFound"; break;
    case ER_DUP_ENTRY:
    case ER_DUP_ENTRY_WITH_KEY_NAME:
    case ER_ROW_IS_REFERENCED_2:
    case ER_NO_REFERENCED_ROW_2:
    case ER_BAD_NULL_ERROR: code = "SqlConflict"; break;
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
    case ER_CON_COUNT_ERROR: code = "SqlBusy"; break;
    case ER_STATEMENT_TIMEOUT: code = "SqlTimeout"; break;
    case CR_SERVER_LOST:
    case CR_SERVER_GONE_ERROR:
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_SSL_CONNECTION_ERROR: code = "SqlUnreachable"; break;
    default: break;
  }
  return make_error(code, std::string(trim(text)) + " (" + std::to_string(number) + ")");
}

Value value_of(const std::string& bytes, const MYSQL_FIELD& field) {
  switch (field.type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: {
      const auto parsed = json::parse(bytes);
      return parsed && parsed->is_number() ? *parsed : Value(bytes);
    }
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP: {
      std::string text = bytes;
      if (const std::size_t blank = text.find(' '); blank != std::string::npos) text[blank] = 'T';
      return Value(text + "Z");
    }
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_VAR_STRING:
      if (field.charsetnr == 63) return Value(base64_encode(bytes));
      return Value(bytes);
    case MYSQL_TYPE_BIT: {
      std::int64_t number = 0;
      for (const char c : bytes) number = (number << 8) | static_cast<unsigned char>(c);
      return Value(number);
    }
    default: return Value(bytes);
  }
}

class Session final : public SqlSession {
 public:
  explicit Session(Connection connection) : connection_(std::move(connection)) {}

  Result<SqlRows> run(const std::string& sql, const std::vector<Value>& parameters) override {
    Statement statement(mysql_stmt_init(connection_.get()));
    if (!statement) return make_error("SqlBusy", "There is no memory for a statement.");
    if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) != 0) return failed(statement.get());
    if (mysql_stmt_param_count(statement.get()) != parameters.size())
      return make_error("SqlInvalid", "The query has " + std::to_string(mysql_stmt_param_count(statement.get())) +
                                          " places (?) and " + std::to_string(parameters.size()) + " values.");
    std::vector<MYSQL_BIND> binds(parameters.size());
    std::deque<std::string> texts;
    std::deque<std::int64_t> integers;
    std::deque<double> doubles;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      MYSQL_BIND& bind = binds[i];
      std::memset(&bind, 0, sizeof(bind));
      const Value& value = parameters[i];
      if (value.is_null()) {
        bind.buffer_type = MYSQL_TYPE_NULL;
      } else if (value.is_boolean() || value.is_integer()) {
        integers.push_back(value.is_boolean() ? (value.as_boolean() ? 1 : 0) : value.as_integer());
        bind.buffer_type = MYSQL_TYPE_LONGLONG;
        bind.buffer = &integers.back();
      } else if (value.is_floating()) {
        doubles.push_back(value.as_floating());
        bind.buffer_type = MYSQL_TYPE_DOUBLE;
        bind.buffer = &doubles.back();
      } else {
        texts.push_back(value.is_string() ? std::string(value.as_string()) : json::write(value));
        bind.buffer_type = MYSQL_TYPE_STRING;
        bind.buffer = texts.back().data();
        bind.buffer_length = static_cast<unsigned long>(texts.back().size());
      }
    }
    if (!binds.empty() && mysql_stmt_bind_param(statement.get(), binds.data()) != 0) return failed(statement.get());
    if (mysql_stmt_execute(statement.get()) != 0) return failed(statement.get());
    SqlRows out;
    if (mysql_stmt_field_count(statement.get()) == 0) {
      out.affected = static_cast<std::int64_t>(mysql_stmt_affected_rows(statement.get()));
      return out;
    }
    auto read = fetch(statement.get(), out);
    if (!read) return read.error();
    out.affected = static_cast<std::int64_t>(out.rows.size());
    // A procedure's further results are read off, or the connection would be out of step.
    while (mysql_stmt_next_result(statement.get()) == 0) mysql_stmt_free_result(statement.get());
    return out;
  }

  std::string quoted(std::string_view name) const override {
    std::string out = "`";
    for (const char c : name) {
      if (c == '`') out += '`';
      out += c;
    }
    return out + '`';
  }
  std::string placeholder(std::size_t) const override { return "?"; }
  std::string_view text_type() const override { return "CHAR"; }
  bool returning() const override { return mariadb_connection(connection_.get()) != 0; }

  /// `2026-03-01T10:00:00Z` as `2026-03-01 10:00:00`, in UTC.
  Value bound(const Value& value, std::string_view type) const override {
    if (!value.is_string() || (!type.starts_with("datetime") && !type.starts_with("timestamp"))) return value;
    const auto time = parse_timestamp(value.as_string());
    if (!time) return value;
    std::string text = to_string(*time).substr(0, 26);
    text[10] = ' ';
    return Value(text);
  }

  Result<std::vector<SqlColumn>> columns(const std::vector<std::string>& table) override {
    const Value schema = table.size() == 2 ? Value(table[0]) : Value();
    const auto rows =
        run("SELECT COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_KEY AS k FROM information_schema.COLUMNS WHERE "
            "TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
            {schema, Value(table.back())});
    if (!rows) return rows.error();
    std::vector<SqlColumn> out;
    for (const Value& row : rows->rows)
      out.push_back({std::string(row.text_of("name")), lower_case(row.text_of("type")), row.text_of("k") == "PRI"});
    return out;
  }

  Result<std::vector<std::string>> tables() override {
    const auto rows =
        run("SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1 LIMIT "
            "5000",
            {});
    if (!rows) return rows.error();
    std::vector<std::string> out;
    for (const Value& row : rows->rows) out.emplace_back(row.text_of("name"));
    return out;
  }

  Result<std::string> procedure_call(const std::vector<std::string>& procedure,
                                     const std::vector<std::string>& names) const override {
    std::string out;
    for (const std::string& part : procedure) out += (out.empty() ? "CALL " : ".") + quoted(part);
    out += "(";
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty())
        return make_error("SqlInvalid",
                          "MariaDB and MySQL call procedures by position: give the parameters as an array.");
      out += i == 0 ? "?" : ", ?";
    }
    return sql_text(out + ")");
  }

 private:
  /// While rows are read, the library leaves an error with the connection.
  Error failed(MYSQL_STMT* statement) {
    if (mysql_stmt_errno(statement) != 0) return error_of(mysql_stmt_errno(statement), mysql_stmt_error(statement));
    return error_of(mysql_errno(connection_.get()), mysql_error(connection_.get()));
  }

  Result<void> fetch(MYSQL_STMT* statement, SqlRows& out) {
    out.has_rows = true;
    MYSQL_RES* meta = mysql_stmt_result_metadata(statement);
    if (meta == nullptr) return failed(statement);
    const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> owner(meta, mysql_free_result);
    const unsigned count = mysql_num_fields(meta);
    const MYSQL_FIELD* fields = mysql_fetch_fields(meta);
    std::vector<MYSQL_BIND> binds(count);
    std::vector<unsigned long> lengths(count);
    std::vector<my_bool> nulls(count);
    for (unsigned i = 0; i < count; ++i) {
      std::memset(&binds[i], 0, sizeof(MYSQL_BIND));
      // No buffer: each value is fetched once its length is known. All as text, but for bits, which have none.
      binds[i].buffer_type = fields[i].type == MYSQL_TYPE_BIT ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
      binds[i].length = &lengths[i];
      binds[i].is_null = &nulls[i];
    }
    if (mysql_stmt_bind_result(statement, binds.data()) != 0) return failed(statement);
    std::size_t bytes = 0;
    while (true) {
      const int status = mysql_stmt_fetch(statement);
      if (status == MYSQL_NO_DATA) return {};
      if (status == 1) return failed(statement);
      json::ObjectBuilder row;
      for (unsigned i = 0; i < count; ++i) {
        Value value;
        if (nulls[i] == 0) {
          std::string text(std::max<unsigned long>(lengths[i], 64), '\0');
          MYSQL_BIND one;
          std::memset(&one, 0, sizeof(one));
          unsigned long length = 0;
          one.buffer_type = binds[i].buffer_type;
          one.buffer = text.data();
          one.buffer_length = static_cast<unsigned long>(text.size());
          one.length = &length;
          if (mysql_stmt_fetch_column(statement, &one, i, 0) != 0) return failed(statement);
          text.resize(std::min<std::size_t>(length, text.size()));
          bytes += text.size();
          value = value_of(text, fields[i]);
        }
        row.set(fields[i].name, std::move(value));
      }
      out.rows.push_back(row.finish());
      if (out.rows.size() > sql_rows_max || bytes > sql_bytes_max)
        return make_error("SqlTooLarge", "The answer has more than 100,000 rows or 64 MiB.", {},
                          "Ask for less: add a condition or a limit.");
    }
  }

  Connection connection_;
};

/// False also when nobody knows who is at the other end.
bool peer_is_allowed(MYSQL* connection, const http::OutgoingPolicy& policy) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  auto* address = reinterpret_cast<sockaddr*>(&peer);
  return ::getpeername(static_cast<int>(mysql_get_socket(connection)), address, &size) == 0 &&
         http::is_allowed(address, policy);
}

Connection new_connection(const Value& fields, Duration timeout) {
  Connection connection(mysql_init(nullptr));
  if (!connection) return connection;
  const std::int64_t seconds = std::clamp<std::int64_t>(timeout.to_milliseconds() / 1'000, 1, 86'400);
  const unsigned connect_seconds = static_cast<unsigned>(std::min<std::int64_t>(seconds, 15));
  const unsigned read_seconds = static_cast<unsigned>(seconds);
  const unsigned off = 0;
  mysql_options(connection.get(), MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  mysql_options(connection.get(), MYSQL_OPT_READ_TIMEOUT, &read_seconds);
  mysql_options(connection.get(), MYSQL_OPT_WRITE_TIMEOUT, &read_seconds);
  // Otherwise a server could ask for this machine's files.
  mysql_options(connection.get(), MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const std::string tls = lower_case(field_text(fields, "encryption"));
  my_bool verify = tls == "verify-full" ? 1 : 0;
  my_bool enforce = tls == "require" || tls == "verify-full" ? 1 : 0;
  mysql_options(connection.get(), MYSQL_OPT_SSL_ENFORCE, &enforce);
  mysql_options(connection.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  const unsigned protocol = MYSQL_PROTOCOL_TCP;
  mysql_options(connection.get(), MYSQL_OPT_PROTOCOL, &protocol);
  return connection;
}

Result<std::unique_ptr<SqlSession>> open(const http::ClientOptions& client, const Value& fields, Duration timeout) {
  static const int ready = mysql_library_init(0, nullptr, nullptr);
  if (ready != 0) return make_error("SqlBusy", "The client library can't be started.");
  const std::string server = field_text(fields, "server");
  auto hosts = http::allowed_addresses(server, client.policy);
  if (!hosts) return hosts.error();
  // This library checks a certificate against the host that it connects to and takes no other name. A name that changes
  // its address between the two look-ups reaches a server that has no certificate for it, and is refused there.
  if (lower_case(field_text(fields, "encryption")) == "verify-full") *hosts = {server};
  unsigned port = 3306;
  const std::string port_text = field_text(fields, "port");
  if (!port_text.empty()) std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  Connection connection;
  Error error = make_error("SqlBusy", "There is no memory for another connection.");
  bool connected = false;
  for (const std::string& host : *hosts) {
    connection = new_connection(fields, timeout);
    if (!connection) return error;
    connected = mysql_real_connect(connection.get(), host.c_str(), field_text(fields, "username").c_str(),
                                   field_text(fields, "password").c_str(), field_text(fields, "database").c_str(), port,
                                   nullptr, CLIENT_FOUND_ROWS) != nullptr;
    if (connected) break;
    const unsigned number = mysql_errno(connection.get());
    error = error_of(number, mysql_error(connection.get()));
    if (number < 2'000 || number >= 3'000) return error;  // the server's own word
    error.code = "SqlUnreachable";
  }
  if (!connected) return error;
  if (!peer_is_allowed(connection.get(), client.policy)) {
    return make_error("AddressNotAllowed", "Connections to the address of '" + server +
                                               "' are not allowed by this server's outgoing policy.");
  }
  auto session = std::make_unique<Session>(std::move(connection));
  if (const auto set = session->run("SET time_zone = '+00:00'", {}); !set) return set.error();
  return std::unique_ptr<SqlSession>(std::move(session));
}

constexpr std::string_view properties =
    R"json({"properties":{"iconBrandColor":"#00678c","capabilities":["actions"],"connectionParameters":{
  "server":{"type":"string","uiDefinition":{"displayName":"Server","description":"Host name","constraints":{"required":"true","tabIndex":1}}},
  "port":{"type":"int","uiDefinition":{"displayName":"Port","description":"3306","constraints":{"required":"false","tabIndex":2}}},
  "database":{"type":"string","uiDefinition":{"displayName":"Database","constraints":{"required":"true","tabIndex":3}}},
  "username":{"type":"string","uiDefinition":{"displayName":"User name","constraints":{"required":"true","tabIndex":4}}},
  "password":{"type":"securestring","uiDefinition":{"displayName":"Password","constraints":{"required":"false","tabIndex":5}}},
  "encryption":{"type":"string","defaultValue":"prefer","allowedValues":[{"value":"prefer"},{"value":"require"},{"value":"verify-full"}],"uiDefinition":{"displayName":"Encryption","description":"verify-full also checks the server's certificate","constraints":{"required":"false","tabIndex":6}}}}}})json";

}  // namespace

std::unique_ptr<NativeConnector> make_mariadb_connector(const NativeParts& native) {
  SqlConnectorParts parts;
  parts.name = "shared_mysql";
  parts.title = "MariaDB and MySQL";
  parts.description = "Rows, queries and procedures of a MariaDB or MySQL database.";
  parts.properties = properties;
  parts.placeholder_hint = "?";
  parts.open = [&client = native.client](const Value& fields, Duration timeout, const std::function<bool()>&) {
    return open(client.options(), fields, timeout);
  };
  parts.address = [](const Value& fields) {
    const std::string port = field_text(fields, "port");
    return "mysql://" + field_text(fields, "server") + ":" + (port.empty() ? "3306" : port) + "/" +
           field_text(fields, "database");
  };
  return make_sql_connector(std::move(parts));
}

}  // namespace flowmend::connector
