// SharePoint lists over Tables: a list is a table with numbered rows; the site (dataset) is not looked at.

#include "connector/native/standin/standin.h"
#include "connector/native/tables_connector.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document =
    R"json({"swagger":"2.0","info":{"title":"SharePoint (stand-in)","description":"Items of SharePoint lists, kept in Tables of this server.","version":"1.0"},
  "host":"sharepoint.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "parameters":{
    "dataset":{"name":"dataset","in":"path","required":true,"type":"string","x-ms-summary":"Site Address","x-ms-url-encoding":"double"},
    "table":{"name":"table","in":"path","required":true,"type":"string","x-ms-summary":"List Name","x-ms-url-encoding":"double"},
    "id":{"name":"id","in":"path","required":true,"type":"integer","x-ms-summary":"Id"},
    "item":{"name":"item","in":"body","required":true,"x-ms-summary":"Item","schema":{"type":"object"}}},
  "paths":{
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

Value shown(const Value& row, const std::string& id_column) {
  json::ObjectBuilder out;
  for (const json::Member& member : row.as_object()) {
    if (member.name() == id_column)
      out.add("ID", member.value);
    else if (member.name() == "created")
      out.add("Created", member.value);
    else if (member.name() == "modified")
      out.add("Modified", member.value);
    else
      out.add(member.key, member.value);
  }
  return out.finish();
}

class SharePoint final : public NativeConnector {
 public:
  explicit SharePoint(const NativeParts& parts) : rows_(parts.store), triggers_(make_tables_connector(parts)) {
    const Loaded loaded = load_connector_text(triggers_->swagger(), triggers_->properties(), {.name = "shared_tables"});
    if (loaded.connector) tables_document_ = loaded.connector;
  }
  std::string_view name() const override { return "shared_sharepointonline"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return rows_properties; }
  http::Reply verify(const Value&, Duration) override { return native_json(200, Value::empty_object()); }

  http::Reply call(const NativeCall& call) override {
    const std::string& operation = call.operation->id;
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
      for (const Value& row : page->rows) out.push(shown(row, table->id_column));
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
    return row ? native_json(status, shown(*row, table.id_column)) : table_error(row.error());
  }

  StandinRows rows_;
  std::unique_ptr<NativeConnector> triggers_;
  std::shared_ptr<const Connector> tables_document_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_sharepoint_standin(const NativeParts& parts) {
  return std::make_unique<SharePoint>(parts);
}

}  // namespace flowmend::connector
