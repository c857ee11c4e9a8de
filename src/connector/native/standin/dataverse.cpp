// Dataverse over Tables: an entity set is a table with GUIDs as ids. Text compares without regard to case, as there.

#include <algorithm>

#include "connector/content.h"
#include "connector/native/standin/dataverse_names.h"
#include "connector/native/standin/dataverse_watch.h"
#include "connector/native/standin/standin.h"
#include "connector/native/tables_connector.h"
#include "connector/row_watch.h"
#include "connector/text.h"
#include "json/parse.h"

namespace flowmend::connector {
namespace {

// The paths of the newer connector are not known to flows: an OpenApiConnection step names operations.
constexpr std::string_view document_start =
    R"json({"swagger":"2.0","info":{"title":"Microsoft Dataverse (stand-in)","description":"Rows of Dataverse tables, kept in Tables of this server.","version":"1.0"},
  "host":"dataverse.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "parameters":{
    "entity":{"name":"entityName","in":"path","required":true,"type":"string","x-ms-summary":"Table name"},
    "record":{"name":"recordId","in":"path","required":true,"type":"string","x-ms-summary":"Row ID"},
    "organization":{"name":"organization","in":"query","required":true,"type":"string","x-ms-summary":"Environment"},
    "select":{"name":"$select","in":"query","type":"string","x-ms-summary":"Select columns"},
    "filter":{"name":"$filter","in":"query","type":"string","x-ms-summary":"Filter rows"},
    "orderby":{"name":"$orderby","in":"query","type":"string","x-ms-summary":"Sort By"},
    "expand":{"name":"$expand","in":"query","type":"string","x-ms-summary":"Expand Query","description":"Not done by the stand-in"},
    "fetch":{"name":"fetchXml","in":"query","type":"string","x-ms-summary":"Fetch Xml Query","description":"Not done by the stand-in"},
    "top":{"name":"$top","in":"query","type":"integer","x-ms-summary":"Row count"},
    "field":{"name":"fileImageFieldName","in":"path","required":true,"type":"string","x-ms-summary":"Column name"},
    "content":{"name":"item","in":"body","required":true,"x-ms-summary":"Content","schema":{"type":"string","format":"binary"}},
    "filename":{"name":"x-ms-file-name","in":"header","type":"string","x-ms-summary":"Content name"},
    "size":{"name":"size","in":"query","type":"string","x-ms-summary":"Image size","description":"Not looked at: images are given as they were put"},
    "item":{"name":"item","in":"body","required":true,"x-ms-summary":"Row","schema":{"type":"object"}}},
  "paths":{"/subscriptions":{
    "x-ms-notification-content":{"description":"The row","schema":{"type":"object","properties":{"SdkMessage":{"type":"string","title":"Change type"},"ItemInternalId":{"type":"string","title":"Row id"}}}},
    "post":{"operationId":"SubscribeWebhookTrigger","summary":"When a row is added, modified or deleted","x-ms-trigger":"single","parameters":[
      {"name":"subscriptionRequest","in":"body","required":true,"schema":{"type":"object","required":["message","entityname","scope"],"properties":{
        "message":{"type":"integer","x-ms-summary":"Change type","enum":[4,5,6,7,1,2,3],"x-ms-enum":{"values":[
          {"value":1,"displayName":"Added"},{"value":4,"displayName":"Added or Modified"},{"value":5,"displayName":"Added or Deleted"},{"value":7,"displayName":"Added or Modified or Deleted"},
          {"value":2,"displayName":"Deleted"},{"value":3,"displayName":"Modified"},{"value":6,"displayName":"Modified or Deleted"}]}},
        "entityname":{"type":"string","x-ms-summary":"Table name"},
        "scope":{"type":"integer","x-ms-summary":"Scope","description":"Rows have no owners here: all but User means every row","enum":[1,2,3,4],"x-ms-enum":{"values":[
          {"value":1,"displayName":"User"},{"value":2,"displayName":"Business unit"},{"value":3,"displayName":"Parent: Child business unit"},{"value":4,"displayName":"Organization"}]}},
        "filteringattributes":{"type":"string","x-ms-summary":"Select columns"},
        "filterexpression":{"type":"string","x-ms-summary":"Filter rows"},
        "runas":{"type":"integer","x-ms-summary":"Run as","description":"Not looked at: steps use their connections"},
        "name":{"type":"string","x-ms-visibility":"internal"},
        "url":{"type":"string","x-ms-notification-url":true,"x-ms-visibility":"internal"}}}}],
      "responses":{"201":{"description":"Subscribed"}}}})json";

std::string operation(std::string_view path, std::string_view method, std::string_view id, std::string_view summary,
                      std::string_view parameters) {
  std::string out = "\"";
  out += path;
  out += R"(":{")";
  out += method;
  out += R"(":{"operationId":")";
  out += id;
  out += R"(","summary":")";
  out += summary;
  out += R"(","parameters":[)";
  while (!parameters.empty()) {
    const std::string_view name = parameters.substr(0, parameters.find(' '));
    out += R"({"$ref":"#/parameters/)";
    out += name;
    out += "\"}";
    parameters.remove_prefix(std::min(parameters.size(), name.size() + 1));
    if (!parameters.empty()) out += ",";
  }
  out += R"(],"responses":{"200":{"description":"Done","schema":{"type":"object"}}}}})";
  return out;
}

std::string dataverse_document() {
  std::string out(document_start);
  for (const auto& [suffix, extra] :
       {std::pair<std::string, std::string>{"", ""}, {"WithOrganization", "organization "}}) {
    const std::string base = suffix.empty() ? "/rows" : "/environment/rows";
    const auto add = [&, &suffix = suffix, &extra = extra](const std::string& path, const char* method,
                                                           const std::string& id, const char* summary,
                                                           const std::string& parameters) {
      out += "," + operation(base + path, method, id + suffix, summary, extra + parameters);
    };
    add("/{entityName}/list", "get", "ListRecords", "List rows", "entity select filter orderby expand fetch top");
    add("/{entityName}", "post", "CreateRecord", "Add a new row", "entity item");
    add("/{entityName}({recordId})", "get", "GetItem", "Get a row by ID", "entity record select expand");
    add("/{entityName}({recordId})/upsert", "patch", "UpdateRecord", "Update a row", "entity record item");
    add("/{entityName}({recordId})/update", "patch", "UpdateOnlyRecord", "Update a row only if it exists",
        "entity record item");
    add("/{entityName}({recordId})/{fileImageFieldName}/content", "put", "UpdateEntityFileImageFieldContent",
        "Upload a file or an image", "entity record field content filename");
    add("/{entityName}({recordId})/{fileImageFieldName}/download", "get", "GetEntityFileImageFieldContent",
        "Download a file or an image", "entity record field size");
    add("/{entityName}({recordId})/delete", "delete", "DeleteRecord", "Delete a row", "entity record");
  }
  return out + "}}";
}

/// `accounts` -> `accountid`.
std::string id_column_of(std::string_view entity_set) { return dataverse_logical_name(entity_set) + "id"; }

/// The values to keep: a bound row (`parent@odata.bind`: `/accounts(guid)`) becomes its id in `_parent_value`.
Value kept(const Value& item, bool is_new) {
  json::ObjectBuilder out;
  if (is_new) {
    if (item.find("statecode") == nullptr) out.add("statecode", 0);
    if (item.find("statuscode") == nullptr) out.add("statuscode", 1);
  }
  if (!item.is_object()) return item;
  constexpr std::string_view bind = "@odata.bind";
  for (const json::Member& member : item.as_object()) {
    const std::string_view name = member.name();
    if (!name.ends_with(bind)) {
      out.set(name, member.value);
      continue;
    }
    std::string id = member.value.is_string() ? std::string(member.value.as_string()) : std::string();
    if (const std::size_t open = id.rfind('('); open != std::string::npos && id.ends_with(")"))
      id = id.substr(open + 1, id.size() - open - 2);
    out.set("_" + lower_case(name.substr(0, name.size() - bind.size())) + "_value", id.empty() ? Value() : Value(id));
  }
  return out.finish();
}

bool given(const NativeCall& call, std::string_view name) { return !text_argument(call, name).empty(); }

/// What both connectors do, under their own names.
class DataverseRows {
 public:
  explicit DataverseRows(store::Store& store) : rows_(store) {}

  http::Reply list(const NativeCall& call, const std::string& entity) {
    if (given(call, "$expand")) return not_stood_in("'$expand' joins rows of other tables.");
    if (given(call, "fetchXml")) return not_stood_in("'fetchXml' is a language of its own.");
    auto query = row_query(call);
    if (!query) return table_error(query.error());
    query->text_case = odata::Case::ignored;
    query->filter = dataverse_own_names(query->filter);
    query->order_by = dataverse_own_names(query->order_by);
    if (!trim(query->filter).empty()) {
      const auto filter = odata::parse_filter(query->filter);
      if (filter && walks_relations(*filter)) return not_stood_in("The filter looks into rows of other tables (a/b).");
    }
    // Selected by us, so that the names of times are known to the selection.
    const auto select = odata::parse_select(query->select);
    query->select.clear();
    const auto table = rows_.open(entity, call.fields, true, true, id_column_of(entity));
    if (!table) return table_error(table.error());
    const auto page = rows_.tables().rows(table->name, *query);
    if (!page) return table_error(page.error());
    json::ArrayBuilder out;
    for (const Value& row : page->rows) out.push(selected(dataverse_row(row), select, table->id_column));
    return native_json(200, Value::object({{"value", out.finish()}}));
  }
  http::Reply get(const NativeCall& call, const std::string& entity, const std::string& id) {
    if (given(call, "$expand")) return not_stood_in("'$expand' joins rows of other tables.");
    const auto table = rows_.open(entity, call.fields, false, true, id_column_of(entity));
    if (!table) return table_error(table.error());
    const auto row = rows_.tables().row(table->name, id);
    if (!row) return table_error(row.error());
    return native_json(
        200, selected(dataverse_row(*row), odata::parse_select(text_argument(call, "$select")), table->id_column));
  }
  http::Reply create(const NativeCall& call, const std::string& entity) {
    const auto table = rows_.open(entity, call.fields, true, true, id_column_of(entity));
    if (!table) return table_error(table.error());
    const auto row =
        rows_.tables().insert(table->name, fitting(*table, kept(call.arguments.body, true)), call.idempotency_key);
    return row ? native_json(201, dataverse_row(*row)) : table_error(row.error());
  }
  http::Reply update(const NativeCall& call, const std::string& entity, const std::string& id,
                     Tables::Missing missing) {
    const bool inserts = missing == Tables::Missing::inserts;
    const auto table = rows_.open(entity, call.fields, inserts, true, id_column_of(entity));
    if (!table) return table_error(table.error());
    if (inserts && !is_guid_like(id))
      return native_error(400, "InvalidRow", "'" + id + "' is no row id: a GUID is expected.");
    const auto row =
        rows_.tables().change(table->name, id, fitting(*table, kept(call.arguments.body, false)), {}, missing);
    return row ? native_json(200, dataverse_row(*row)) : table_error(row.error());
  }
  http::Reply put_file(const NativeCall& call, const std::string& entity, const std::string& id) {
    const auto table = rows_.open(entity, call.fields, false, true, id_column_of(entity));
    if (!table) return table_error(table.error());
    const std::string field = lower_case(text_argument(call, "fileImageFieldName"));
    const std::string file_name = text_argument(call, "x-ms-file-name");
    json::ObjectBuilder values;
    values.add(std::string(dataverse_file_prefix) + field,
               make_content(bytes_of(call.arguments.body), "application/octet-stream"));
    values.add(field + "_name", Value(file_name.empty() ? field : file_name));
    const auto row = rows_.tables().change(table->name, id, values.finish());
    if (!row) return table_error(row.error());
    http::Reply done;
    done.status = 204;
    return done;
  }
  http::Reply get_file(const NativeCall& call, const std::string& entity, const std::string& id) {
    const auto table = rows_.open(entity, call.fields, false, true, id_column_of(entity));
    if (!table) return table_error(table.error());
    const auto row = rows_.tables().row(table->name, id);
    if (!row) return table_error(row.error());
    const std::string field = lower_case(text_argument(call, "fileImageFieldName"));
    const Value* content = row->find(std::string(dataverse_file_prefix) + field);
    if (content == nullptr || content->is_null())
      return native_error(404, "FileNotFound", "The column '" + field + "' of row '" + id + "' holds no file.");
    return native_bytes(bytes_of(*content), "application/octet-stream");
  }
  http::Reply erase(const NativeCall& call, const std::string& entity, const std::string& id) {
    const auto table = rows_.open(entity, call.fields, false, true, id_column_of(entity));
    if (!table) return table_error(table.error());
    const auto erased = rows_.tables().erase(table->name, id);
    if (!erased) return table_error(erased.error());
    if (!*erased) return native_error(404, "RowNotFound", "The table '" + table->name + "' has no row '" + id + "'.");
    http::Reply done;
    done.status = 204;
    return done;
  }

 private:
  static bool is_guid_like(std::string_view id) {
    return id.size() == 36 && std::count(id.begin(), id.end(), '-') == 4;
  }
  /// A table made by hand may not know the states that every Dataverse row has.
  static Value fitting(const Table& table, const Value& item) {
    if (table.open || !item.is_object()) return item;
    json::ObjectBuilder out;
    for (const json::Member& member : item.as_object()) {
      const bool state = member.name() == "statecode" || member.name() == "statuscode";
      if (!state || table.find(member.name()) != nullptr) out.add(member.key, member.value);
    }
    return out.finish();
  }
  static Value selected(const Value& row, const std::vector<std::string>& select, const std::string& id_column) {
    if (select.empty()) return row;
    json::ObjectBuilder out;
    for (const std::string_view always : {std::string_view("@odata.etag"), std::string_view(id_column)}) {
      if (const Value* value = row.find(always)) out.add(always, *value);
    }
    for (const std::string& name : select) {
      if (equals_ignoring_case(name, id_column)) continue;
      const Value* value = row.find_ignoring_case(name);
      out.add(name, value == nullptr ? Value() : *value);
    }
    return out.finish();
  }

  StandinRows rows_;
};

class Dataverse final : public NativeConnector {
 public:
  explicit Dataverse(store::Store& store) : rows_(store), watches_(store), swagger_(dataverse_document()) {}
  std::string_view name() const override { return "shared_commondataserviceforapps"; }
  std::string_view swagger() const override { return swagger_; }
  std::string_view properties() const override { return rows_properties; }
  http::Reply verify(const Value&, Duration) override { return native_json(200, Value::empty_object()); }

  http::Reply call(const NativeCall& call) override {
    std::string id = call.operation->id;
    if (id == "SubscribeWebhookTrigger") return watch_rows(watches_, call);
    if (id.ends_with("WithOrganization")) id.resize(id.size() - std::string_view("WithOrganization").size());
    const std::string entity = text_argument(call, "entityName");
    const std::string record = text_argument(call, "recordId");
    if (id == "ListRecords") return rows_.list(call, entity);
    if (id == "GetItem") return rows_.get(call, entity, record);
    if (id == "CreateRecord") return rows_.create(call, entity);
    if (id == "UpdateRecord") return rows_.update(call, entity, record, Tables::Missing::inserts);
    if (id == "UpdateOnlyRecord") return rows_.update(call, entity, record, Tables::Missing::is_error);
    if (id == "DeleteRecord") return rows_.erase(call, entity, record);
    if (id == "UpdateEntityFileImageFieldContent") return rows_.put_file(call, entity, record);
    if (id == "GetEntityFileImageFieldContent") return rows_.get_file(call, entity, record);
    return not_stood_in("The operation '" + id + "' is unknown.");
  }

 private:
  DataverseRows rows_;
  RowWatches watches_;
  std::string swagger_;
};

constexpr std::string_view legacy_document =
    R"json({"swagger":"2.0","info":{"title":"Microsoft Dataverse (legacy, stand-in)","description":"Rows of Dataverse tables, kept in Tables of this server.","version":"1.0"},
  "host":"dataverse.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "parameters":{
    "dataset":{"name":"dataset","in":"path","required":true,"type":"string","x-ms-summary":"Environment","x-ms-url-encoding":"double"},
    "table":{"name":"table","in":"path","required":true,"type":"string","x-ms-summary":"Table Name","x-ms-url-encoding":"double"},
    "id":{"name":"id","in":"path","required":true,"type":"string","x-ms-summary":"Row identifier","x-ms-url-encoding":"double"},
    "item":{"name":"item","in":"body","required":true,"x-ms-summary":"Row","schema":{"type":"object"}}},
  "paths":{
    "/v2/datasets/{dataset}/tables/{table}/items":{
      "get":{"operationId":"GetItems_V2","summary":"List rows","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},
        {"name":"$filter","in":"query","type":"string"},{"name":"$orderby","in":"query","type":"string"},{"name":"$top","in":"query","type":"integer"},
        {"name":"$expand","in":"query","type":"string"},{"name":"$select","in":"query","type":"string"}],"responses":{"200":{"description":"Rows"}}},
      "post":{"operationId":"PostItem_V2","summary":"Create a new row","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},{"$ref":"#/parameters/item"}],"responses":{"201":{"description":"Row"}}}},
    "/v2/datasets/{dataset}/tables/{table}/items/{id}":{
      "get":{"operationId":"GetItem_V2","summary":"Get a row","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},{"$ref":"#/parameters/id"}],"responses":{"200":{"description":"Row"}}},
      "patch":{"operationId":"PatchItem_V2","summary":"Update a row","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},{"$ref":"#/parameters/id"},{"$ref":"#/parameters/item"}],"responses":{"200":{"description":"Row"}}}},
    "/datasets/{dataset}/tables/{table}/items/{id}":{
      "delete":{"operationId":"DeleteItem","summary":"Delete a row","parameters":[{"$ref":"#/parameters/dataset"},{"$ref":"#/parameters/table"},{"$ref":"#/parameters/id"}],"responses":{"200":{"description":"Deleted"}}}}}})json";

class LegacyDataverse final : public NativeConnector {
 public:
  explicit LegacyDataverse(store::Store& store) : rows_(store) {}
  std::string_view name() const override { return "shared_commondataservice"; }
  std::string_view swagger() const override { return legacy_document; }
  std::string_view properties() const override { return rows_properties; }
  http::Reply verify(const Value&, Duration) override { return native_json(200, Value::empty_object()); }

  http::Reply call(const NativeCall& call) override {
    const std::string& id = call.operation->id;
    const std::string entity = text_argument(call, "table");
    const std::string record = text_argument(call, "id");
    if (id == "GetItems_V2") return rows_.list(call, entity);
    if (id == "GetItem_V2") return rows_.get(call, entity, record);
    if (id == "PostItem_V2") return rows_.create(call, entity);
    if (id == "PatchItem_V2") return rows_.update(call, entity, record, Tables::Missing::is_error);
    if (id == "DeleteItem") return rows_.erase(call, entity, record);
    return not_stood_in("The operation '" + id + "' is unknown.");
  }

 private:
  DataverseRows rows_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_dataverse_standin(const NativeParts& parts) {
  return std::make_unique<Dataverse>(parts.store);
}
std::unique_ptr<NativeConnector> make_dataverse_legacy_standin(const NativeParts& parts) {
  return std::make_unique<LegacyDataverse>(parts.store);
}

}  // namespace flowmend::connector
