// PostgreSQL over libpq: text format both ways, the server finds the types of parameters.

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "connector/native/sql.h"
#include "connector/text.h"
#include "http/address.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Answer = std::unique_ptr<PGresult, Clear>;

std::string message_of(const char* text) { return std::string(trim(text == nullptr ? "" : text)); }

Error error_of(const PGresult* result) {
  const char* state_text = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = state_text == nullptr ? "" : state_text;
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  std::string message = primary == nullptr ? message_of(PQresultErrorMessage(result)) : message_of(primary);
  if (const char* detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL)) message += ". " + message_of(detail);
  message += " (SQLSTATE " + std::string(state) + ")";
  const char* code = "SqlInvalid";
  if (state == "42501")
    code = "SqlPermissionDenied";
  else if (state == "42P01" || state == "42883" || state == "3F000")
    code = "SqlNotFound";
  else if (state.starts_with("23"))
    code = "SqlConflict";
  else if (state == "57014")
    code = "SqlTimeout";
  else if (state.starts_with("40") || state.starts_with("53") || state.starts_with("55") || state.starts_with("57"))
    code = "SqlBusy";
  else if (state.starts_with("08") && state != "08P01")
    code = "SqlUnreachable";
  return make_error(code, std::move(message));
}

/// `2026-03-01 10:00:00.5+00` as ISO 8601.
std::string iso_time(std::string text, bool zone) {
  if (const std::size_t blank = text.find(' '); blank != std::string::npos) text[blank] = 'T';
  if (zone && text.size() > 3 && text.ends_with("+00")) text.replace(text.size() - 3, 3, "Z");
  return text;
}

Value value_of(const char* text, int length, Oid type) {
  const std::string_view view(text, static_cast<std::size_t>(length));
  switch (type) {
    case 16: return Value(view == "t");  // bool
    case 20:
    case 21:
    case 23:
    case 26: {  // int8, int2, int4, oid
      std::int64_t number = 0;
      std::from_chars(view.data(), view.data() + view.size(), number);
      return Value(number);
    }
    case 700:
    case 701: {  // float4, float8
      double number = 0;
      const auto read = std::from_chars(view.data(), view.data() + view.size(), number);
      return read.ec == std::errc() ? Value(number) : Value(view);
    }
    case 1700: {  // numeric
      const auto parsed = json::parse(view);
      return parsed && parsed->is_number() ? *parsed : Value(view);
    }
    case 114:
    case 3802: {  // json, jsonb
      const auto parsed = json::parse(view);
      return parsed ? *parsed : Value(view);
    }
    case 1114: return Value(iso_time(std::string(view), false));
    case 1184: return Value(iso_time(std::string(view), true));
    case 17: {  // bytea
      std::size_t size = 0;
      unsigned char* bytes = PQunescapeBytea(reinterpret_cast<const unsigned char*>(text), &size);
      if (bytes == nullptr) return Value(view);
      Value out(base64_encode({reinterpret_cast<const char*>(bytes), size}));
      PQfreemem(bytes);
      return out;
    }
    default: return Value(view);
  }
}

class Session final : public SqlSession {
 public:
  explicit Session(Connection connection) : connection_(std::move(connection)) {}

  Result<SqlRows> run(const std::string& sql, const std::vector<Value>& parameters) override {
    if (sql.find('\0') != std::string::npos) return make_error("SqlInvalid", "The query holds a NUL character.");
    std::vector<std::string> texts;
    texts.reserve(parameters.size());
    for (const Value& value : parameters)
      texts.push_back(value.is_string() ? std::string(value.as_string()) : json::write(value));
    std::vector<const char*> values;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (texts[i].find('\0') != std::string::npos)
        return make_error("SqlInvalid", "A value holds a NUL character, which PostgreSQL's text can't keep.");
      values.push_back(parameters[i].is_null() ? nullptr : texts[i].c_str());
    }
    if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                          nullptr, nullptr, 0) == 0)
      return make_error("SqlUnreachable", message_of(PQerrorMessage(connection_.get())));
    // Row by row: an answer that is too large is left before it fills the memory.
    PQsetSingleRowMode(connection_.get());
    SqlRows out;
    std::size_t bytes = 0;
    std::vector<std::string> names;
    std::optional<Error> error;
    while (Answer result{PQgetResult(connection_.get())}) {
      const ExecStatusType status = PQresultStatus(result.get());
      if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) {
        out.has_rows = true;
        if (names.empty()) {
          for (int i = 0; i < PQnfields(result.get()); ++i) names.emplace_back(PQfname(result.get(), i));
        }
        for (int i = 0; i < PQntuples(result.get()) && !error; ++i) {
          json::ObjectBuilder row;
          for (int j = 0; j < PQnfields(result.get()); ++j) {
            const int length = PQgetlength(result.get(), i, j);
            bytes += static_cast<std::size_t>(length);
            row.set(names[static_cast<std::size_t>(j)],
                    PQgetisnull(result.get(), i, j) != 0
                        ? Value()
                        : value_of(PQgetvalue(result.get(), i, j), length, PQftype(result.get(), j)));
          }
          out.rows.push_back(row.finish());
          if (out.rows.size() > sql_rows_max || bytes > sql_bytes_max) {
            error = make_error("SqlTooLarge", "The answer has more than 100,000 rows or 64 MiB.", {},
                               "Ask for less: add a condition or a limit.");
            cancel();
          }
        }
      }
      if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        out.affected = std::atoll(PQcmdTuples(result.get()));
      else if (status == PGRES_COPY_OUT || status == PGRES_COPY_IN || status == PGRES_COPY_BOTH) {
        error = make_error("SqlInvalid", "COPY can't be used here.");
        connection_.reset();
        break;
      } else if (status != PGRES_SINGLE_TUPLE && !error) {
        error = error_of(result.get());
      }
    }
    if (error) return *error;
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
  std::string placeholder(std::size_t number) const override { return "$" + std::to_string(number); }
  std::string_view text_type() const override { return "TEXT"; }
  bool returning() const override { return true; }

  Result<std::vector<SqlColumn>> columns(const std::vector<std::string>& table) override {
    std::string name;
    for (const std::string& part : table) name += (name.empty() ? "" : ".") + quoted(part);
    const auto rows = run(
        "SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, EXISTS (SELECT 1 FROM pg_index i "
        "WHERE "
        "i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS key FROM pg_attribute a WHERE "
        "a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        {Value(name)});
    if (!rows) return rows.error();
    std::vector<SqlColumn> out;
    for (const Value& row : rows->rows) {
      const Value* key = row.find("key");
      out.push_back({std::string(row.text_of("name")), lower_case(row.text_of("type")),
                     key != nullptr && key->is_boolean() && key->as_boolean()});
    }
    return out;
  }

  Result<std::vector<std::string>> tables() override {
    const auto rows =
        run("SELECT CASE WHEN table_schema = current_schema() THEN table_name ELSE table_schema || '.' || table_name "
            "END AS name "
            "FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 "
            "LIMIT 5000",
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
      out += i == 0 ? "" : ", ";
      if (!names[i].empty()) out += quoted(names[i]) + " => ";
      out += placeholder(i + 1);
    }
    return sql_text(out + ")");
  }

 private:
  void cancel() {
    PGcancel* handle = PQgetCancel(connection_.get());
    if (handle == nullptr) return;
    char reason[256];
    PQcancel(handle, reason, sizeof(reason));
    PQfreeCancel(handle);
  }

  Connection connection_;
};

Result<std::unique_ptr<SqlSession>> open(const http::ClientOptions& client, const Value& fields, Duration timeout) {
  const std::string host = field_text(fields, "server");
  const auto addresses = http::allowed_addresses(host, client.policy);
  if (!addresses) return addresses.error();
  // The library connects to the addresses and checks certificates against the name that belongs to each.
  std::string hosts;
  std::string numbers;
  for (const std::string& address : *addresses) {
    hosts += (hosts.empty() ? "" : ",") + host;
    numbers += (numbers.empty() ? "" : ",") + address;
  }
  std::string port = field_text(fields, "port");
  if (port.empty()) port = "5432";
  const std::string database = field_text(fields, "database");
  const std::string user = field_text(fields, "username");
  const std::string password = field_text(fields, "password");
  std::string tls = lower_case(field_text(fields, "encryption"));
  if (tls.empty()) tls = "prefer";
  const std::int64_t ms = std::max<std::int64_t>(1'000, timeout.to_milliseconds());
  const std::string wait = std::to_string(std::clamp<std::int64_t>(ms / 1'000, 2, 15));
  const std::string options = "-c statement_timeout=" + std::to_string(ms) +
                              " -c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601 -c bytea_output=hex";
  const char* keywords[] = {"host",
                            "hostaddr",
                            "port",
                            "dbname",
                            "user",
                            "password",
                            "sslmode",
                            "connect_timeout",
                            "options",
                            "application_name",
                            "client_encoding",
                            nullptr};
  const char* values[] = {hosts.c_str(),   numbers.c_str(),  port.c_str(), database.c_str(),
                          user.c_str(),    password.c_str(), tls.c_str(),  wait.c_str(),
                          options.c_str(), "flowmend",       "UTF8",       nullptr};
  Connection connection(PQconnectdbParams(keywords, values, 0));
  if (!connection) return make_error("SqlBusy", "There is no memory for another connection.");
  if (PQstatus(connection.get()) == CONNECTION_OK)
    return std::unique_ptr<SqlSession>(std::make_unique<Session>(std::move(connection)));
  const std::string message = message_of(PQerrorMessage(connection.get()));
  const bool reached = PQsocket(connection.get()) >= 0 || message.find("FATAL") != std::string::npos;
  if (message.find("authentication failed") != std::string::npos || message.find("no password") != std::string::npos ||
      message.find("pg_hba.conf") != std::string::npos ||
      (message.find("role \"") != std::string::npos && message.find("does not exist") != std::string::npos))
    return make_error("SqlSignInRefused", message);
  if (message.find("database \"") != std::string::npos && message.find("does not exist") != std::string::npos)
    return make_error("SqlNotFound", message);
  if (message.find("permission denied") != std::string::npos) return make_error("SqlPermissionDenied", message);
  if (reached && (message.find("too many") != std::string::npos || message.find("starting up") != std::string::npos ||
                  message.find("shutting down") != std::string::npos))
    return make_error("SqlBusy", message);
  return make_error("SqlUnreachable", message.empty() ? "The server can't be reached." : message, {},
                    "Check server, port and encryption of the connection.");
}

constexpr std::string_view properties =
    R"json({"properties":{"iconBrandColor":"#336791","capabilities":["actions"],"connectionParameters":{
  "server":{"type":"string","uiDefinition":{"displayName":"Server","description":"Host name","constraints":{"required":"true","tabIndex":1}}},
  "port":{"type":"int","uiDefinition":{"displayName":"Port","description":"5432","constraints":{"required":"false","tabIndex":2}}},
  "database":{"type":"string","uiDefinition":{"displayName":"Database","constraints":{"required":"true","tabIndex":3}}},
  "username":{"type":"string","uiDefinition":{"displayName":"User name","constraints":{"required":"true","tabIndex":4}}},
  "password":{"type":"securestring","uiDefinition":{"displayName":"Password","constraints":{"required":"false","tabIndex":5}}},
  "encryption":{"type":"string","defaultValue":"prefer","allowedValues":[{"value":"disable"},{"value":"prefer"},{"value":"require"},{"value":"verify-full"}],"uiDefinition":{"displayName":"Encryption","description":"verify-full also checks the server's certificate","constraints":{"required":"false","tabIndex":6}}}}}})json";

}  // namespace

std::unique_ptr<NativeConnector> make_postgresql_connector(const NativeParts& native) {
  SqlConnectorParts parts;
  parts.name = "shared_postgresql";
  parts.title = "PostgreSQL";
  parts.description = "Rows, queries and procedures of a PostgreSQL database.";
  parts.properties = properties;
  parts.placeholder_hint = "$1, $2 ...";
  parts.open = [&client = native.client](const Value& fields, Duration timeout, const std::function<bool()>&) {
    return open(client.options(), fields, timeout);
  };
  parts.address = [](const Value& fields) {
    const std::string port = field_text(fields, "port");
    return "postgresql://" + field_text(fields, "server") + ":" + (port.empty() ? "5432" : port) + "/" +
           field_text(fields, "database");
  };
  return make_sql_connector(std::move(parts));
}

}  // namespace flowmend::connector
