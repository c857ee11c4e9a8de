// SharePoint lists over Tables: a list is a table with numbered rows; the site (dataset) is not looked at. Its files
// lie where the connection says.

#include "connector/native/standin/files.h"
#include "connector/native/standin/sharepoint_request.h"
#include "connector/native/standin/standin.h"
#include "connector/native/tables_connector.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document =
    R"json({"swagger":"2.0","info":{"title":"SharePoint (stand-in)","description":"Items of SharePoint lists, kept in Tables of this server, and files where the connection says.","version":"1.0"},
  "host":"sharepoint.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "parameters":{
    "dataset":{"name":"dataset","in":"path","required":true,"type":"string","x-ms-summary":"Site Address","x-ms-url-encoding":"double"},
    "table":{"name":"table","in":"path","required":true,"type":"string","x-ms-summary":"List Name","x-ms-url-encoding":"double"},
    "id":{"name":"id","in":"path","required":true,"type":"integer","x-ms-summary":"Id"},
    "item":{"name":"item","in":"body","required":true,"x-ms-summary":"Item","schema":{"type":"object"}},
    "path":{"name":"path","in":"query","required":true,"type":"string","x-ms-summary":"File Path"},
    "single":{"name":"queryParametersSingleEncoded","in":"query","type":"boolean","x-ms-visibility":"internal"},
    "infer":{"name":"inferContentType","in":"query","type":"boolean","default":true,"x-ms-summary":"Infer Content Type","x-ms-visibility":"advanced"}},
  "paths":{
    "/datasets/{dataset}/httprequest":{"post":{"operationId":"HttpRequest","summary":"Send an HTTP request to SharePoint","description":"Lists, their columns and their items; docs/stand-ins.md names the requests","parameters":[{"$ref":"#/parameters/dataset"},
      {"name":"parameters","in":"body","required":true,"schema":{"type":"object","required":["method","uri"],"properties":{
        "method":{"type":"string","x-ms-summary":"Method","enum":["GET","POST","PUT","PATCH","DELETE"]},"uri":{"type":"string","x-ms-summary":"Uri"},
        "headers":{"type":"object","x-ms-summary":"Headers","additionalProperties":{"type":"string"}},"body":{"type":"string","x-ms-summary":"Body"}}}}],"responses":{"200":{"description":"What SharePoint answers","schema":{}}}}},
    "/datasets/{dataset}/files":{"post":{"operationId":"CreateFile","summary":"Create file","parameters":[{"$ref":"#/parameters/dataset"},
      {"name":"folderPath","in":"query","required":true,"type":"string","x-ms-summary":"Folder Path"},
      {"name":"name","in":"query","required":true,"type":"string","x-ms-summary":"File Name"},{"$ref":"#/parameters/single"},
      {"name":"body","in":"body","required":true,"x-ms-summary":"File Content","schema":{"type":"string","format":"binary"}}],"responses":{"200":{"description":"The file","schema":{"type":"object"}}}}},
    "/datasets/{dataset}/files/{id}/content":{"get":{"operationId":"GetFileContent","summary":"Get file content","parameters":[{"$ref":"#/parameters/dataset"},
      {"name":"id","in":"path","required":true,"type":"string","x-ms-summary":"File Identifier","x-ms-url-encoding":"double"},{"$ref":"#/parameters/infer"}],"responses":{"200":{"description":"The content","schema":{"type":"string","format":"binary"}}}}},
    "/datasets/{dataset}/GetFileByPath":{"get":{"operationId":"GetFileMetadataByPath","summary":"Get file metadata using path","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/path"},{"$ref":"#/parameters/single"}],"responses":{"200":{"description":"The file","schema":{"type":"object"}}}}},
    "/datasets/{dataset}/GetFileContentByPath":{"get":{"operationId":"GetFileContentByPath","summary":"Get file content using path","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/path"},{"$ref":"#/parameters/single"},{"$ref":"#/parameters/infer"}],"responses":{"200":{"description":"The content","schema":{"type":"string","format":"binary"}}}}},
    "/datasets/{dataset}/tables/{table}/items":{
      "get":{"operationId":"GetItems","summary":"Get items","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},
        {"name":"$filter","in":"query","type":"string","x-ms-summary":"Filter Query"},{"name":"$orderby","in":"query","type":"string","x-ms-summary":"Order By"},
        {"name":"$top","in":"query","type":"integer","x-ms-summary":"Top Count"},
        {"name":"viewScopeOption","in":"query","type":"string","x-ms-summary":"Include Nested Items"}],"responses":{"200":{"description":"Items"}}},
      "post":{"operationId":"PostItem","summary":"Create item","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},{"$ref":"#/parameters/item"}],"responses":{"201":{"description":"Item"}}}},
    "/datasets/{dataset}/tables/{table}/items/{id}":{
      "get":{"operationId":"GetItem","summary":"Get item","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},{"$ref":"#/parameters/id"}],"responses":{"200":{"description":"Item"}}},
      "patch":{"operationId":"PatchItem","summary":"Update item","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},{"$ref":"#/parameters/id"},{"$ref":"#/parameters/item"}],"responses":{"200":{"description":"Item"}}},
      "delete":{"operationId":"DeleteItem","summary":"Delete item","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},{"$ref":"#/parameters/id"}],"responses":{"200":{"description":"Deleted"}}}},
    "/datasets/{dataset}/tables/{table}/onnewitems":{
      "get":{"operationId":"GetOnNewItems","summary":"When an item is created","x-ms-trigger":"batch","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"}],"responses":{"200":{"description":"Items"}}}}}})json";

using namespace std::string_literals;

const std::string connection =
    R"json({"properties":{"iconBrandColor":"#036c70","capabilities":["actions"],"connectionParameters":{
  "createTables":{"type":"bool","defaultValue":false,"uiDefinition":{"displayName":"Make tables","description":"Make a table of this server when a flow writes the first row to one that is not there","constraints":{"required":"false","tabIndex":1}}},)json"s +
    std::string(standin_file_parameters) + R"json(}}})json";

class SharePoint final : public NativeConnector {
 public:
  explicit SharePoint(const NativeParts& parts)
      : rows_(parts.store), files_(parts), triggers_(make_tables_connector(parts)) {
    const Loaded loaded = load_connector_text(triggers_->swagger(), triggers_->properties(), {.name = "shared_tables"});
    if (loaded.connector) tables_document_ = loaded.connector;
  }
  std::string_view name() const override { return "shared_sharepointonline"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return connection; }
  std::string address(const Value& fields) const override { return files_.address(fields); }
  /// Lists need nothing; whether files are reached is asked where the connection has some.
  http::Reply verify(const Value& fields, Duration timeout) override {
    return trim(field_text(fields, "filesAddress")).empty() ? native_json(200, Value::empty_object())
                                                            : files_.verify(fields, timeout);
  }

  http::Reply call(const NativeCall& call) override {
    const std::string& operation = call.operation->id;
    if (operation == "CreateFile" || operation.starts_with("GetFile")) return files_.call(call, operation);
    if (operation == "HttpRequest") return send_to_lists(rows_, call);
    const bool writes = operation == "PostItem";
    const auto table = rows_.open(text_argument(call, "table"), call.fields, writes, false, "ID");
    if (!table) return table_error(table.error());
    const std::string id = text_argument(call, "id");
    if (operation == "GetItems") {
      auto query = row_query(call);
      if (!query) return table_error(query.error());
      query->text_case = odata::Case::ignored;
      const auto page = rows_.tables().rows(table->name, *query);
      if (!page) return table_error(page.error());
      json::ArrayBuilder out;
      for (const Value& row : page->rows) out.push(sharepoint_item(row, table->id_column));
      return native_json(200, Value::object({{"value", out.finish()}}));
    }
    if (operation == "GetItem") return answer(200, rows_.tables().row(table->name, id), *table);
    if (operation == "PostItem")
      return answer(201, rows_.tables().insert(table->name, call.arguments.body, call.idempotency_key), *table);
    if (operation == "PatchItem")
      return answer(200, rows_.tables().change(table->name, id, call.arguments.body), *table);
    if (operation == "DeleteItem") {
      const auto erased = rows_.tables().erase(table->name, id);
      if (!erased) return table_error(erased.error());
      return *erased ? native_json(200, Value::empty_object())
                     : native_error(404, "RowNotFound", "The list '" + table->name + "' has no item '" + id + "'.");
    }
    if (operation == "GetOnNewItems" && tables_document_) {
      NativeCall check = call;
      check.operation = tables_document_->find_operation("GetOnNewItems");
      check.arguments.values["table"] = Value(table->name);
      return triggers_->call(check);
    }
    return not_stood_in("The operation '" + operation + "' is unknown.");
  }

 private:
  static http::Reply answer(int status, const Result<Value>& row, const Table& table) {
    return row ? native_json(status, sharepoint_item(*row, table.id_column)) : table_error(row.error());
  }

  StandinRows rows_;
  StandinFiles files_;
  std::unique_ptr<NativeConnector> triggers_;
  std::shared_ptr<const Connector> tables_document_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_sharepoint_standin(const NativeParts& parts) {
  return std::make_unique<SharePoint>(parts);
}

}  // namespace flowmend::connector
