#include "connector/native/rows_document.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view table_parameter =
    R"({"name":"table","in":"path","required":true,"type":"string","x-ms-summary":"Table name","x-ms-dynamic-values":{"operationId":"GetTables","value-collection":"value","value-path":"Name","value-title":"DisplayName"}})";
constexpr std::string_view id_parameter =
    R"({"name":"id","in":"path","required":true,"type":"string","x-ms-summary":"Row id"})";
constexpr std::string_view row_reply =
    R"("responses":{"200":{"description":"The row","schema":{"type":"object"}},"default":{"description":"Failed"}})";

constexpr std::string_view query_parameters =
    R"(,{"name":"$filter","in":"query","type":"string","x-ms-summary":"Filter Query","description":"An OData filter: status eq 'open' and amount gt 100"})"
    R"(,{"name":"$orderby","in":"query","type":"string","x-ms-summary":"Order By","description":"amount desc, name"})"
    R"(,{"name":"$top","in":"query","type":"integer","x-ms-summary":"Top Count","description":"The most rows to get"})"
    R"(,{"name":"$skip","in":"query","type":"integer","x-ms-summary":"Skip Count"})"
    R"(,{"name":"$select","in":"query","type":"string","x-ms-summary":"Select Query","description":"Columns to get, separated by commas"})";

std::string trigger(std::string_view path, std::string_view id, std::string_view summary, std::string_view column) {
  std::string out = ",\"";
  out += path;
  out += R"(":{"get":{"operationId":")";
  out += id;
  out += R"(","summary":")";
  out += summary;
  out += R"(","x-ms-trigger":"batch","parameters":[)";
  out += table_parameter;
  out += column;
  out +=
      R"(,{"name":"$filter","in":"query","type":"string","x-ms-summary":"Filter Query"})"
      R"(,{"name":"$top","in":"query","type":"integer","x-ms-summary":"Most rows for one check"})"
      R"(,{"name":"$select","in":"query","type":"string","x-ms-summary":"Select Query"}],)"
      R"("responses":{"200":{"description":"Rows","schema":{"type":"object","properties":{"value":{"type":"array","items":{"type":"object"}}}}},"202":{"description":"Nothing new"}}}})";
  return out;
}

}  // namespace

std::string rows_document(const RowsDocument& about) {
  std::string out = R"({"swagger":"2.0","info":{"title":")";
  out += about.title;
  out += R"(","description":")";
  out += about.description;
  out += R"(","version":"1.0"},"host":"native","basePath":"/","schemes":["https"],"consumes":["application/json"],)"
         R"("produces":["application/json"],"paths":{)";
  out +=
      R"("/tables":{"get":{"operationId":"GetTables","summary":"Get tables","parameters":[],"responses":{"200":)"
      R"({"description":"Tables","schema":{"type":"object","properties":{"value":{"type":"array","items":{"type":"object",)"
      R"("properties":{"Name":{"type":"string"},"DisplayName":{"type":"string"}}}}}}}}}})";
  out += R"(,"/tables/{table}/items":{"get":{"operationId":"GetItems","summary":"Get rows","parameters":[)";
  out += table_parameter;
  out += query_parameters;
  out +=
      R"(],"responses":{"200":{"description":"Rows","schema":{"type":"object","properties":{"value":{"type":"array","items":{"type":"object"}}}}}}},)"
      R"("post":{"operationId":"PostItem","summary":"Insert row","parameters":[)";
  out += table_parameter;
  out += R"(,{"name":"item","in":"body","required":true,"x-ms-summary":"Row","schema":{"type":"object"}}],)";
  out += row_reply;
  out += "}}";
  out += R"(,"/tables/{table}/items/{id}":{"get":{"operationId":"GetItem","summary":"Get row","parameters":[)";
  out += table_parameter;
  out += ",";
  out += id_parameter;
  out += "],";
  out += row_reply;
  out += R"(},"patch":{"operationId":"PatchItem","summary":"Update row","parameters":[)";
  out += table_parameter;
  out += ",";
  out += id_parameter;
  out += R"(,{"name":"item","in":"body","required":true,"x-ms-summary":"Row","schema":{"type":"object"}})";
  if (!about.change_column)
    out +=
        R"(,{"name":"If-Match","in":"header","type":"string","x-ms-summary":"ETag","description":"Update only the row that was read: its @odata.etag"})";
  out += "],";
  out += row_reply;
  out += R"(},"delete":{"operationId":"DeleteItem","summary":"Delete row","parameters":[)";
  out += table_parameter;
  out += ",";
  out += id_parameter;
  if (!about.change_column) out += R"(,{"name":"If-Match","in":"header","type":"string","x-ms-summary":"ETag"})";
  out += R"(],"responses":{"200":{"description":"Deleted"},"204":{"description":"Deleted"}}}})";
  const std::string_view new_column =
      about.change_column
          ? std::string_view(
                R"(,{"name":"column","in":"query","type":"string","x-ms-summary":"Column","description":"A column that grows with every new row; without it the table's key"})")
          : std::string_view();
  const std::string_view changed_column =
      about.change_column
          ? std::string_view(
                R"(,{"name":"column","in":"query","required":true,"type":"string","x-ms-summary":"Column","description":"A column that grows with every change of a row: a time of change or a version"})")
          : std::string_view();
  out += trigger("/tables/{table}/onnewitems", "GetOnNewItems", "When a row is created", new_column);
  out += trigger("/tables/{table}/onupdateditems", "GetOnUpdatedItems", "When a row is created or modified",
                 changed_column);
  out += about.extra_paths;
  out += "}}";
  return out;
}

}  // namespace flowmend::connector
