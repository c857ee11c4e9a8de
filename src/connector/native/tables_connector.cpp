#include "connector/native/tables_connector.h"

#include <algorithm>
#include <charconv>

#include "connector/native/rows_document.h"
#include "connector/tables.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t trigger_rows_max = 100;

class TablesConnector final : public NativeConnector {
 public:
  explicit TablesConnector(store::Store& store)
      : tables_(store),
        swagger_(
            rows_document({.title = "Tables",
                           .description = "Small data tables of this server, made and edited on the page Tables."})) {}

  std::string_view name() const override { return "shared_tables"; }
  std::string_view swagger() const override { return swagger_; }
  std::string_view properties() const override {
    return R"({"properties":{"connectionParameters":{},"iconBrandColor":"#0b6a62","capabilities":["actions"]}})";
  }

  http::Reply verify(const Value&, Duration) override { return native_json(200, Value::empty_object()); }

  http::Reply call(const NativeCall& call) override {
    const std::string& id = call.operation->id;
    const std::string table = text_argument(call, "table");
    const std::string row = text_argument(call, "id");
    const std::string etag = text_argument(call, "If-Match");
    if (id == "GetTables") return list();
    if (id == "GetItems") return items(call, table);
    if (id == "GetItem") return answer(200, tables_.row(table, row));
    if (id == "PostItem") return answer(201, tables_.insert(table, call.arguments.body, call.idempotency_key));
    if (id == "PatchItem") return answer(200, tables_.change(table, row, call.arguments.body, etag));
    if (id == "DeleteItem") return erase(table, row, etag);
    if (id == "GetOnNewItems") return check(call, table, true);
    if (id == "GetOnUpdatedItems") return check(call, table, false);
    return native_error(501, "NotImplemented", "The operation '" + id + "' is not known here.");
  }

 private:
  static http::Reply answer(int status, const Result<Value>& row) {
    return row ? native_json(status, *row) : table_error(row.error());
  }

  http::Reply list() {
    const auto tables = tables_.list();
    if (!tables) return table_error(tables.error());
    json::ArrayBuilder out;
    for (const Table& table : *tables)
      out.push(Value::object({{"Name", table.name}, {"DisplayName", table.title.empty() ? table.name : table.title}}));
    return native_json(200, Value::object({{"value", out.finish()}}));
  }

  http::Reply items(const NativeCall& call, const std::string& table) {
    const auto query = row_query(call);
    if (!query) return table_error(query.error());
    const auto page = tables_.rows(table, *query);
    if (!page) return table_error(page.error());
    return native_json(200, Value::object({{"value", Value::array(page->rows)}}));
  }

  http::Reply erase(const std::string& table, const std::string& row, const std::string& etag) {
    const auto erased = tables_.erase(table, row, etag);
    if (!erased) return table_error(erased.error());
    if (!*erased) return native_error(404, "RowNotFound", "The table '" + table + "' has no row '" + row + "'.");
    return native_json(200, Value::empty_object());
  }

  http::Reply check(const NativeCall& call, const std::string& table, bool created_only) {
    const auto found = tables_.find(table);
    if (!found) return table_error(found.error());
    std::int64_t after = 0;
    const char* end = call.state.data() + call.state.size();
    if (call.state.empty() || std::from_chars(call.state.data(), end, after).ptr != end) {
      // The first check only takes note of where the table stands.
      http::Reply none;
      none.status = 202;
      return with_state(std::move(none), std::to_string(found->change));
    }
    // A table made anew counts from 0 again.
    if (after > found->change) after = 0;
    const auto query = row_query(call);
    if (!query) return table_error(query.error());
    const std::size_t most =
        argument(call, "$top").is_null() ? trigger_rows_max : std::min(query->top, trigger_rows_max);
    const auto changes = tables_.changes(table, after, created_only, most);
    if (!changes) return table_error(changes.error());
    const auto rows = filtered(changes->rows, *query, found->id_column);
    if (!rows) return table_error(rows.error());
    http::Reply reply;
    reply.status = 202;
    if (rows->size() > 0) reply = native_json(200, Value::object({{"value", *rows}}));
    if (changes->more) reply.headers.push_back({"Retry-After", "1"});
    return with_state(std::move(reply), std::to_string(changes->state));
  }

  static Result<Value> filtered(const std::vector<Value>& rows, const RowQuery& query, const std::string& id_column) {
    std::optional<odata::Node> filter;
    if (!query.filter.empty()) {
      auto parsed = odata::parse_filter(query.filter);
      if (!parsed) return parsed.error();
      filter = std::move(*parsed);
    }
    const auto select = odata::parse_select(query.select);
    json::ArrayBuilder out;
    for (const Value& row : rows) {
      const auto column = [&](std::string_view name) {
        const Value* value = row.find_ignoring_case(name);
        return value == nullptr ? Value() : *value;
      };
      if (filter && !odata::matches(*filter, column)) continue;
      if (select.empty()) {
        out.push(row);
        continue;
      }
      json::ObjectBuilder chosen;
      chosen.add(id_column, column(id_column));
      for (const std::string& name : select) {
        if (!equals_ignoring_case(name, id_column)) chosen.add(name, column(name));
      }
      out.push(chosen.finish());
    }
    return out.finish();
  }

  Tables tables_;
  std::string swagger_;
};

}  // namespace

int table_status(std::string_view code) {
  if (code == "TableNotFound" || code == "RowNotFound") return 404;
  if (code == "TableAlreadyExists") return 409;
  if (code == "RowChanged") return 412;
  if (code == "TableFull") return 507;
  if (code == "StorageUnavailable") return 503;
  return 400;
}

http::Reply table_error(const Error& error) {
  return native_error(table_status(error.code), error.code,
                      error.cure.empty() ? error.message : error.message + " " + error.cure);
}

Result<RowQuery> row_query(const NativeCall& call) {
  RowQuery query;
  query.filter = text_argument(call, "$filter");
  query.order_by = text_argument(call, "$orderby");
  query.select = text_argument(call, "$select");
  for (const auto& [name, slot] : {std::pair{"$top", &query.top}, std::pair{"$skip", &query.skip}}) {
    const Value& given = argument(call, name);
    if (given.is_null() || (given.is_string() && given.as_string().empty())) continue;
    if (!given.is_integer() || given.as_integer() < 0)
      return make_error("InvalidQuery", std::string("'") + name + "' is a whole number of 0 or more.");
    *slot = static_cast<std::size_t>(given.as_integer());
  }
  query.top = std::min(query.top, table_rows_max);
  return query;
}

std::unique_ptr<NativeConnector> make_tables_connector(const NativeParts& parts) {
  return std::make_unique<TablesConnector>(parts.store);
}

}  // namespace flowmend::connector
