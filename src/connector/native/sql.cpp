#include "connector/native/sql.h"

#include <algorithm>
#include <set>

#include "connector/native/rows_document.h"
#include "connector/native/tables_connector.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t trigger_rows_usual = 100;
constexpr std::size_t trigger_rows_max = 1'000;
constexpr std::size_t seen_max = 2'000;

int status_of(std::string_view code) {
  constexpr std::pair<std::string_view, int> statuses[] = {
      {"SqlSignInRefused", 401}, {"SqlPermissionDenied", 403}, {"SqlNotFound", 404}, {"SqlConflict", 409},
      {"SqlTooLarge", 413},      {"SqlUnreachable", 502},      {"SqlBusy", 503},     {"SqlTimeout", 504}};
  for (const auto& [name, status] : statuses) {
    if (name == code) return status;
  }
  return 400;
}

http::Reply refusal(const Error& error) {
  if (error.code == "AddressNotAllowed" || error.code == "UnresolvableHostName") return not_reached(error);
  return native_error(status_of(error.code), error.code,
                      error.cure.empty() ? error.message : error.message + " " + error.cure);
}

/// A short mark of a row, to know it again (FNV-1a; no secret depends on it).
std::string mark_of(const Value& row) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (const char c : json::write(row)) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  static const char* const digits = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 16; ++i, hash >>= 4) out += digits[hash & 15];
  return out;
}

/// A table with what the database says of it.
struct Target {
  std::string name;  ///< quoted
  std::vector<SqlColumn> columns;

  const SqlColumn* find(std::string_view column) const {
    for (const SqlColumn& one : columns) {
      if (one.name == column) return &one;
    }
    for (const SqlColumn& one : columns) {
      if (equals_ignoring_case(one.name, column)) return &one;
    }
    return nullptr;
  }
  Result<const SqlColumn*> key() const {
    const SqlColumn* found = nullptr;
    for (const SqlColumn& one : columns) {
      if (!one.key) continue;
      if (found != nullptr)
        return make_error("SqlInvalid",
                          "The primary key of " + name + " has several columns; rows can't be named by one id.", {},
                          "Use the operation 'Execute a SQL query'.");
      found = &one;
    }
    if (found == nullptr)
      return make_error("SqlInvalid", "The table " + name + " has no primary key; its rows can't be named by an id.",
                        {}, "Add a primary key, or use the operation 'Execute a SQL query'.");
    return found;
  }
};

class Work {
 public:
  Work(SqlSession& session, const NativeCall& call) : session_(session), call_(call) {}

  Result<http::Reply> run() {
    const std::string& id = call_.operation->id;
    if (id == "GetTables") return tables();
    if (id == "ExecutePassThroughNativeQuery") return query();
    if (id == "ExecuteProcedure") return procedure();
    auto target = find_target();
    if (!target) return target.error();
    if (id == "GetItems") return items(*target);
    if (id == "GetItem") return item(*target, argument(call_, "id"), 200);
    if (id == "PostItem") return insert(*target);
    if (id == "PatchItem") return update(*target);
    if (id == "DeleteItem") return erase(*target);
    if (id == "GetOnNewItems" || id == "GetOnUpdatedItems") return check(*target);
    return make_error("SqlInvalid", "The operation '" + id + "' is not known here.");
  }

 private:
  Result<Target> find_target() {
    auto path = table_path(text_argument(call_, "table"));
    if (!path) return path.error();
    Target target;
    for (const std::string& part : *path) target.name += (target.name.empty() ? "" : ".") + session_.quoted(part);
    auto columns = session_.columns(*path);
    if (!columns) return columns.error();
    if (columns->empty())
      return make_error("SqlNotFound", "There is no table " + target.name + ", or this user may not see it.", {},
                        "Choose one of 'Get tables'.");
    target.columns = std::move(*columns);
    return target;
  }

  std::string bind(std::vector<Value>& parameters, const Value& value, const SqlColumn& column) {
    parameters.push_back(session_.bound(value, column.type));
    return session_.placeholder(parameters.size());
  }

  Result<http::Reply> tables() {
    const auto names = session_.tables();
    if (!names) return names.error();
    json::ArrayBuilder out;
    for (const std::string& name : *names) out.push(Value::object({{"Name", name}, {"DisplayName", name}}));
    return native_json(200, Value::object({{"value", out.finish()}}));
  }

  static http::Reply results(const SqlRows& rows) {
    json::ObjectBuilder sets;
    if (rows.has_rows) sets.add("Table1", Value::array(rows.rows));
    return native_json(200, Value::object({{"resultsets", sets.finish()}, {"affectedRows", rows.affected}}));
  }

  Result<http::Reply> query() {
    const Value& body = call_.arguments.body;
    const std::string sql(body.text_of("query"));
    if (trim(sql).empty()) return make_error("SqlInvalid", "The query is empty.");
    std::vector<Value> parameters;
    if (const Value* given = body.find("parameters"); given != nullptr && !given->is_null()) {
      if (!given->is_array())
        return make_error("SqlInvalid", "'parameters' is an array: one value for each place in the query, in order.");
      parameters.assign(given->as_array().begin(), given->as_array().end());
    }
    const auto rows = session_.run(sql, parameters);
    if (!rows) return rows.error();
    return results(*rows);
  }

  Result<http::Reply> procedure() {
    auto path = table_path(text_argument(call_, "procedure"));
    if (!path) return path.error();
    std::vector<std::string> names;
    std::vector<Value> parameters;
    const Value& body = call_.arguments.body;
    if (body.is_object()) {
      for (const json::Member& member : body.as_object()) {
        names.emplace_back(member.name());
        parameters.push_back(member.value);
      }
    } else if (body.is_array()) {
      parameters.assign(body.as_array().begin(), body.as_array().end());
      names.resize(parameters.size());
    } else if (!body.is_null()) {
      return make_error("SqlInvalid", "A procedure's parameters are an array in order, or an object by name.");
    }
    const auto sql = session_.procedure_call(*path, names);
    if (!sql) return sql.error();
    const auto rows = session_.run(*sql, parameters);
    if (!rows) return rows.error();
    return results(*rows);
  }

  Result<std::string> selection(const Target& target, std::string_view select) const {
    std::string out;
    for (const std::string& name : odata::parse_select(select)) {
      const SqlColumn* column = target.find(name);
      if (column == nullptr)
        return make_error("SqlInvalid", "The table " + target.name + " has no column '" + name + "'.");
      out += (out.empty() ? "" : ", ") + session_.quoted(column->name);
    }
    return sql_text(out.empty() ? std::string("*") : out);
  }

  Result<std::string> condition(const Target& target, std::vector<Value>& parameters) const {
    const std::string text = text_argument(call_, "$filter");
    if (trim(text).empty()) return sql_text(std::string());
    const auto filter = odata::parse_filter(text);
    if (!filter) return filter.error();
    return sql_condition(*filter, session_, target.columns, parameters);
  }

  Result<http::Reply> items(const Target& target) {
    const auto asked = row_query(call_);
    if (!asked) return asked.error();
    std::vector<Value> parameters;
    const auto chosen = selection(target, asked->select);
    if (!chosen) return chosen.error();
    const auto where = condition(target, parameters);
    if (!where) return where.error();
    const auto order = odata::parse_order_by(asked->order_by);
    if (!order) return order.error();
    std::string sql = "SELECT " + *chosen + " FROM " + target.name;
    if (!where->empty()) sql += " WHERE " + *where;
    std::string by;
    for (const odata::OrderBy& one : *order) {
      const SqlColumn* column = target.find(one.property);
      if (column == nullptr)
        return make_error("InvalidOrderBy", "The table " + target.name + " has no column '" + one.property + "'.");
      by += (by.empty() ? " ORDER BY " : ", ") + session_.quoted(column->name) + (one.descending ? " DESC" : "");
    }
    // Pages need an order; the key's is the one that every table with a key has.
    if (by.empty() && asked->skip > 0) {
      const auto key = target.key();
      if (!key) return key.error();
      by = " ORDER BY " + session_.quoted((*key)->name);
    }
    sql += by + " LIMIT " + std::to_string(asked->top) + " OFFSET " + std::to_string(asked->skip);
    const auto rows = session_.run(sql, parameters);
    if (!rows) return rows.error();
    return native_json(200, Value::object({{"value", Value::array(rows->rows)}}));
  }

  Result<http::Reply> item(const Target& target, const Value& id, int status) {
    const auto key = target.key();
    if (!key) return key.error();
    std::vector<Value> parameters;
    const std::string place = bind(parameters, id, **key);
    const auto rows = session_.run(
        "SELECT * FROM " + target.name + " WHERE " + session_.quoted((*key)->name) + " = " + place, parameters);
    if (!rows) return rows.error();
    if (rows->rows.empty()) return no_row(target, id);
    return native_json(status, rows->rows.front());
  }

  static Error no_row(const Target& target, const Value& id) {
    return make_error("SqlNotFound", "The table " + target.name + " has no row '" + text_of_value(id) + "'.");
  }

  /// The given row's columns as the table spells them.
  Result<std::vector<std::pair<const SqlColumn*, Value>>> values(const Target& target) const {
    const Value& body = call_.arguments.body;
    if (!body.is_object() || body.size() == 0)
      return make_error("SqlInvalid", "A row is an object of columns and values.");
    std::vector<std::pair<const SqlColumn*, Value>> out;
    std::set<std::string> seen;
    for (const json::Member& member : body.as_object()) {
      const SqlColumn* column = target.find(member.name());
      if (column == nullptr)
        return make_error("SqlInvalid",
                          "The table " + target.name + " has no column '" + std::string(member.name()) + "'.");
      if (!seen.insert(column->name).second)
        return make_error("SqlInvalid", "The column '" + column->name + "' is given twice.");
      out.emplace_back(column, member.value);
    }
    return out;
  }

  Result<http::Reply> insert(const Target& target) {
    const auto given = values(target);
    if (!given) return given.error();
    std::vector<Value> parameters;
    std::string names;
    std::string places;
    Value id;
    const auto key = target.key();
    for (const auto& [column, value] : *given) {
      names += (names.empty() ? "" : ", ") + session_.quoted(column->name);
      places += (places.empty() ? "" : ", ") + bind(parameters, value, *column);
      if (key && *key == column) id = value;
    }
    std::string sql = "INSERT INTO " + target.name + " (" + names + ") VALUES (" + places + ")";
    if (session_.returning()) sql += " RETURNING *";
    const auto rows = session_.run(sql, parameters);
    if (!rows) return rows.error();
    if (!rows->rows.empty()) return native_json(201, rows->rows.front());
    return native_json(201, call_.arguments.body);
  }

  Result<http::Reply> update(const Target& target) {
    const auto given = values(target);
    if (!given) return given.error();
    const auto key = target.key();
    if (!key) return key.error();
    std::vector<Value> parameters;
    std::string sets;
    for (const auto& [column, value] : *given)
      sets += (sets.empty() ? "" : ", ") + session_.quoted(column->name) + " = " + bind(parameters, value, *column);
    const std::string place = bind(parameters, argument(call_, "id"), **key);
    const auto rows = session_.run(
        "UPDATE " + target.name + " SET " + sets + " WHERE " + session_.quoted((*key)->name) + " = " + place,
        parameters);
    if (!rows) return rows.error();
    if (rows->affected == 0) return no_row(target, argument(call_, "id"));
    Value id = argument(call_, "id");
    for (const auto& [column, value] : *given) {
      if (column == *key) id = value;
    }
    return item(target, id, 200);
  }

  Result<http::Reply> erase(const Target& target) {
    const auto key = target.key();
    if (!key) return key.error();
    std::vector<Value> parameters;
    const std::string place = bind(parameters, argument(call_, "id"), **key);
    const auto rows = session_.run(
        "DELETE FROM " + target.name + " WHERE " + session_.quoted((*key)->name) + " = " + place, parameters);
    if (!rows) return rows.error();
    if (rows->affected == 0) return no_row(target, argument(call_, "id"));
    return native_json(200, Value::empty_object());
  }

  /// What was read last: the largest value of the column, and marks of the rows that have just this value; rows of the
  /// same value may come later (two changes within one tick of a clock).
  struct Seen {
    Value value;
    std::set<std::string> marks;
  };
  static std::string text_of(const Seen& seen) {
    json::ArrayBuilder marks;
    for (const std::string& mark : seen.marks) marks.push(Value(mark));
    return json::write(Value::object({{"value", seen.value}, {"marks", marks.finish()}}));
  }
  static std::optional<Seen> read_seen(const std::string& text) {
    const auto parsed = json::parse(text);
    if (!parsed || !parsed->is_object()) return std::nullopt;
    Seen seen;
    if (const Value* value = parsed->find("value")) seen.value = *value;
    if (const Value* marks = parsed->find("marks"); marks != nullptr && marks->is_array()) {
      for (const Value& mark : marks->as_array()) {
        if (mark.is_string()) seen.marks.insert(std::string(mark.as_string()));
      }
    }
    return seen;
  }

  Result<http::Reply> check(const Target& target) {
    const auto asked = row_query(call_);
    if (!asked) return asked.error();
    std::string name = text_argument(call_, "column");
    if (name.empty()) {
      const auto key = target.key();
      if (!key) return key.error();
      name = (*key)->name;
    }
    const SqlColumn* column = target.find(name);
    if (column == nullptr)
      return make_error("SqlInvalid", "The table " + target.name + " has no column '" + name + "'.");
    const std::string quoted = session_.quoted(column->name);
    if (call_.state.empty()) return first_check(target, *column, quoted);
    auto seen = read_seen(call_.state);
    if (!seen) return first_check(target, *column, quoted);

    const std::size_t most = argument(call_, "$top").is_null()
                                 ? trigger_rows_usual
                                 : std::clamp<std::size_t>(asked->top, 1, trigger_rows_max);
    std::vector<Value> parameters;
    std::string sql = "SELECT * FROM " + target.name + " WHERE " + quoted;
    sql += seen->value.is_null() ? " IS NOT NULL" : " >= " + bind(parameters, seen->value, *column);
    const auto where = condition(target, parameters);
    if (!where) return where.error();
    if (!where->empty()) sql += " AND (" + *where + ")";
    sql += " ORDER BY " + quoted + " LIMIT " + std::to_string(most + seen->marks.size());
    const auto rows = session_.run(sql, parameters);
    if (!rows) return rows.error();
    std::vector<Value> fresh;
    for (const Value& row : rows->rows) {
      const Value* value = row.find(column->name);
      if (value == nullptr || fresh.size() >= most) continue;
      const bool same = !seen->value.is_null() && *value == seen->value;
      if (same && seen->marks.contains(mark_of(row))) continue;
      if (!same) {
        seen->value = *value;
        seen->marks.clear();
      }
      seen->marks.insert(mark_of(row));
      if (seen->marks.size() > seen_max)
        return make_error("SqlInvalid",
                          "More than 2,000 rows have the same value in the column '" + column->name + "'.", {},
                          "Choose a column whose values tell rows apart.");
      fresh.push_back(row);
    }
    http::Reply reply;
    reply.status = 202;
    if (!fresh.empty()) reply = native_json(200, Value::object({{"value", Value::array(fresh)}}));
    if (fresh.size() >= most) reply.headers.push_back({"Retry-After", "1"});
    return with_state(std::move(reply), text_of(*seen));
  }

  Result<http::Reply> first_check(const Target& target, const SqlColumn& column, const std::string& quoted) {
    Seen seen;
    const auto rows = session_.run("SELECT * FROM " + target.name + " WHERE " + quoted + " = (SELECT MAX(" + quoted +
                                       ") FROM " + target.name + ") LIMIT " + std::to_string(seen_max + 1),
                                   {});
    if (!rows) return rows.error();
    for (const Value& row : rows->rows) {
      if (const Value* value = row.find(column.name)) seen.value = *value;
      seen.marks.insert(mark_of(row));
    }
    if (seen.marks.size() > seen_max)
      return make_error("SqlInvalid", "More than 2,000 rows have the same value in the column '" + column.name + "'.");
    http::Reply reply;
    reply.status = 202;
    return with_state(std::move(reply), text_of(seen));
  }

  SqlSession& session_;
  const NativeCall& call_;
};

class SqlConnector final : public NativeConnector {
 public:
  explicit SqlConnector(SqlConnectorParts parts) : parts_(std::move(parts)) {
    std::string extra =
        R"(,"/query":{"post":{"operationId":"ExecutePassThroughNativeQuery","summary":"Execute a SQL query","parameters":[{"name":"query","in":"body","required":true,"schema":{"type":"object","required":["query"],"properties":{"query":{"type":"string","x-ms-summary":"Query","description":"With )";
    extra += parts_.placeholder_hint;
    extra +=
        R"( in place of each value"},"parameters":{"type":"array","items":{},"x-ms-summary":"Parameters","description":"The values, in order; they are bound, never written into the query"}}}}],"responses":{"200":{"description":"Rows","schema":{"type":"object","properties":{"resultsets":{"type":"object","properties":{"Table1":{"type":"array","items":{"type":"object"}}}},"affectedRows":{"type":"integer"}}}}}}})";
    if (parts_.procedures) {
      extra +=
          R"(,"/procedures/{procedure}":{"post":{"operationId":"ExecuteProcedure","summary":"Execute stored procedure","parameters":[{"name":"procedure","in":"path","required":true,"type":"string","x-ms-summary":"Procedure name"},{"name":"parameters","in":"body","x-ms-summary":"Parameters","schema":{}}],"responses":{"200":{"description":"Rows","schema":{"type":"object"}}}}})";
    }
    swagger_ = rows_document(
        {.title = parts_.title, .description = parts_.description, .extra_paths = extra, .change_column = true});
  }

  std::string_view name() const override { return parts_.name; }
  std::string_view swagger() const override { return swagger_; }
  std::string_view properties() const override { return parts_.properties; }
  std::string address(const Value& fields) const override { return parts_.address(fields); }

  http::Reply call(const NativeCall& call) override {
    auto session = parts_.open(call.fields, call.timeout, call.cancelled);
    if (!session) return refusal(session.error());
    auto reply = Work(**session, call).run();
    return reply ? std::move(*reply) : refusal(reply.error());
  }

  http::Reply verify(const Value& fields, Duration timeout) override {
    auto session = parts_.open(fields, timeout, {});
    if (!session) return refusal(session.error());
    const auto answer = (*session)->run("SELECT 1 AS one", {});
    return answer ? native_json(200, Value::empty_object()) : refusal(answer.error());
  }

 private:
  SqlConnectorParts parts_;
  std::string swagger_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_sql_connector(SqlConnectorParts parts) {
  return std::make_unique<SqlConnector>(std::move(parts));
}

}  // namespace flowmend::connector
