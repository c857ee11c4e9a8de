// Tables of our own and their rows (docs/reference/portal-api.md).

#include <charconv>

#include "api/routes.h"
#include "connector/native/tables_connector.h"
#include "connector/tables.h"

namespace flowmend::api {
namespace {

using connector::Tables;

http::Response refused(const Error& error) {
  return http::error_response(connector::table_status(error.code), error.code,
                              error.cure.empty() ? error.message : error.message + " " + error.cure);
}

http::Response table_answer(int status, const Result<connector::Table>& table) {
  return table ? json_response(status, connector::describe(*table)) : refused(table.error());
}

http::Response row_answer(int status, const Result<Value>& row) {
  return row ? json_response(status, *row) : refused(row.error());
}

http::Response list_tables(const Parts& parts, const Call&) {
  const auto tables = Tables(parts.store).list();
  if (!tables) return refused(tables.error());
  json::ArrayBuilder out;
  for (const connector::Table& table : *tables) out.push(connector::describe(table));
  return list_response(out.finish());
}

http::Response create_table(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  return body ? table_answer(201, Tables(parts.store).create(*body)) : error_reply(body.error());
}

http::Response get_table(const Parts& parts, const Call& call) {
  return table_answer(200, Tables(parts.store).find(call.parameters[0]));
}

http::Response change_table(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  return body ? table_answer(200, Tables(parts.store).update(call.parameters[0], *body)) : error_reply(body.error());
}

http::Response delete_table(const Parts& parts, const Call& call) {
  const auto removed = Tables(parts.store).remove(call.parameters[0]);
  return removed ? empty_response(204) : refused(removed.error());
}

http::Response list_rows(const Parts& parts, const Call& call) {
  const auto top = top_of(call, 100, 1'000);
  if (!top) return error_reply(top.error());
  connector::RowQuery query;
  query.filter = std::string(call.query_value("$filter"));
  query.order_by = std::string(call.query_value("$orderby"));
  query.select = std::string(call.query_value("$select"));
  query.top = *top;
  const std::string_view skip =
      call.query_value("$skiptoken").empty() ? call.query_value("$skip") : call.query_value("$skiptoken");
  if (!skip.empty()) {
    const auto read = std::from_chars(skip.data(), skip.data() + skip.size(), query.skip);
    if (read.ec != std::errc() || read.ptr != skip.data() + skip.size())
      return error_reply(make_error("InvalidRequestContent", "'$skip' is a whole number of 0 or more."));
  }
  const auto page = Tables(parts.store).rows(call.parameters[0], query);
  if (!page) return refused(page.error());
  const std::size_t end = query.skip + page->rows.size();
  return list_response(Value::array(page->rows),
                       end < page->matching ? next_link(call, std::to_string(end)) : std::string());
}

http::Response add_row(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  return body ? row_answer(201, Tables(parts.store).insert(call.parameters[0], *body)) : error_reply(body.error());
}

http::Response get_row(const Parts& parts, const Call& call) {
  return row_answer(200, Tables(parts.store).row(call.parameters[0], call.parameters[1]));
}

http::Response change_row(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  return row_answer(
      200, Tables(parts.store).change(call.parameters[0], call.parameters[1], *body, call.request.header("if-match")));
}

http::Response delete_row(const Parts& parts, const Call& call) {
  const auto erased =
      Tables(parts.store).erase(call.parameters[0], call.parameters[1], call.request.header("if-match"));
  if (!erased) return refused(erased.error());
  return empty_response(204);
}

}  // namespace

std::vector<RouteEntry> table_routes() {
  return {
      {"GET", "api/v1/tables", "read", list_tables},
      {"POST", "api/v1/tables", "write", create_table},
      {"GET", "api/v1/tables/{table}", "read", get_table},
      {"PATCH", "api/v1/tables/{table}", "write", change_table},
      {"DELETE", "api/v1/tables/{table}", "write", delete_table},
      {"GET", "api/v1/tables/{table}/rows", "read", list_rows},
      {"POST", "api/v1/tables/{table}/rows", "write", add_row},
      {"GET", "api/v1/tables/{table}/rows/{id}", "read", get_row},
      {"PATCH", "api/v1/tables/{table}/rows/{id}", "write", change_row},
      {"DELETE", "api/v1/tables/{table}/rows/{id}", "write", delete_row},
  };
}

}  // namespace flowmend::api
