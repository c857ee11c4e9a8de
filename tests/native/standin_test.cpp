// Stand-ins: rows, people and messages under the names that real flows use, and how much of real flows they cover.

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <mutex>

#include "connector/document.h"
#include "connector/native/standin/sharepoint_request.h"
#include "connector/native/standin/standin.h"
#include "connector/notification.h"
#include "connector/registry.h"
#include "connector/request.h"
#include "connector/row_watch.h"
#include "connector/text.h"
#include "http/listener.h"
#include "json/parse.h"
#include "json/write.h"
#include "native/harness.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

class Standins : public ::testing::Test {
 protected:
  void SetUp() override { store_ = store::sqlite::open({.folder = folder_.path()}).value(); }

  void use(std::unique_ptr<NativeConnector> native, const Value& fields = Value::empty_object()) {
    native_ = std::move(native);
    fields_ = fields;
    const Loaded loaded =
        load_connector_text(native_->swagger(), native_->properties(), {.name = std::string(native_->name())});
    ASSERT_TRUE(loaded.connector);
    for (const Diagnostic& diagnostic : loaded.diagnostics)
      ADD_FAILURE() << native_->name() << diagnostic.pointer << " " << diagnostic.message;
    EXPECT_EQ(loaded.connector->usable_operations(), loaded.connector->operations.size());
    connector_ = loaded.connector;
  }
  http::Reply reply_of(std::string_view operation, std::string_view parameters) {
    NativeCall call;
    call.operation = connector_->find_operation(operation);
    EXPECT_NE(call.operation, nullptr) << operation;
    auto bound = bind_arguments(*connector_, *call.operation, json_of(parameters));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().message);
    if (!bound) return {};
    call.arguments = std::move(*bound);
    call.fields = fields_;
    call.timeout = Duration::seconds(10);
    return native_->call(call);
  }
  Value value(std::string_view operation, std::string_view parameters) {
    const http::Reply reply = reply_of(operation, parameters);
    EXPECT_TRUE(reply.status >= 200 && reply.status < 300) << operation << ": " << reply.body;
    return reply.body.empty() ? Value() : json_of(reply.body);
  }
  std::string refusal(std::string_view operation, std::string_view parameters) {
    const http::Reply reply = reply_of(operation, parameters);
    const auto body = json::parse(reply.body);
    const Value* error = body ? body->find("error") : nullptr;
    return error == nullptr ? reply.body : std::to_string(reply.status) + " " + std::string(error->text_of("code"));
  }
  NativeParts parts() { return {*store_, client_, {}}; }

  native_tests::TemporaryFolder folder_;
  http::Client client_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<NativeConnector> native_;
  std::shared_ptr<const Connector> connector_;
  Value fields_;
};

TEST_F(Standins, DataverseRows) {
  use(make_dataverse_standin(parts()));
  EXPECT_EQ(refusal("CreateRecord", R"({"entityName": "admin_flows", "item/admin_name": "x"})"), "404 TableNotFound");
  use(make_dataverse_standin(parts()), Value::object({{"createTables", true}}));
  const Value row = value(
      "CreateRecord",
      R"json({"entityName": "admin_flows", "item/admin_name": "Nightly", "item/admin_Environment@odata.bind": "admin_environments(0f8fad5b-d9cb-469f-a165-70867728950e)"})json");
  const std::string id(row.text_of("admin_flowid"));
  EXPECT_EQ(id.size(), 36U);
  EXPECT_EQ(row.text_of("_admin_environment_value"), "0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(*row.find("statecode"), Value(0));
  EXPECT_FALSE(row.text_of("createdon").empty());
  value("UpdateRecord", R"({"entityName": "admin_flows", "recordId": ")" + id + R"(", "item/admin_deleted": true})");
  // An update of a row that is not there makes it, as the service does; "only if it exists" does not.
  value(
      "UpdateRecord",
      R"({"entityName": "admin_flows", "recordId": "11111111-2222-4333-8444-555555555555", "item/admin_name": "other"})");
  EXPECT_EQ(
      refusal(
          "UpdateOnlyRecord",
          R"({"entityName": "admin_flows", "recordId": "21111111-2222-4333-8444-555555555555", "item/admin_name": "z"})"),
      "404 RowNotFound");
  EXPECT_EQ(refusal("UpdateRecord", R"({"entityName": "admin_flows", "recordId": "7", "item/admin_name": "z"})"),
            "400 InvalidRow");
  const auto names = [&](const std::string& filter) {
    std::string out;
    const Value page = value(
        "ListRecords", json::write(Value::object(
                           {{"entityName", "admin_flows"}, {"$filter", Value(filter)}, {"$orderby", "admin_name"}})));
    for (const Value& one : page.find("value")->as_array()) out += std::string(one.text_of("admin_name")) + " ";
    return out;
  };
  EXPECT_EQ(names("admin_name eq 'nightly'"), "Nightly ");
  EXPECT_EQ(names("admin_deleted ne true"), "other ");
  EXPECT_EQ(names("createdon gt 2020-01-01 and contains(admin_name, 'HT')"), "Nightly ");
  EXPECT_EQ(names("_admin_environment_value eq 0f8fad5b-d9cb-469f-a165-70867728950e"), "Nightly ");
  const Value one =
      value("GetItem", R"({"entityName": "admin_flows", "recordId": ")" + id + R"(", "$select": "admin_name"})");
  EXPECT_EQ(one.size(), 3U);
  EXPECT_EQ(refusal("ListRecords", R"({"entityName": "admin_flows", "$expand": "owner"})"), "501 StandInNotSupported");
  EXPECT_EQ(refusal("ListRecords", R"({"entityName": "admin_flows", "fetchXml": "<fetch/>"})"),
            "501 StandInNotSupported");
  EXPECT_EQ(refusal("ListRecords", R"({"entityName": "admin_flows", "$filter": "owner/name eq 'x'"})"),
            "501 StandInNotSupported");
  EXPECT_EQ(refusal("ListRecords", R"({"entityName": "admin_flows", "$filter": "name eq"})"), "400 InvalidFilter");
  EXPECT_EQ(
      reply_of(
          "UpdateEntityFileImageFieldContent",
          R"({"entityName": "admin_flows", "recordId": ")" + id +
              R"(", "fileImageFieldName": "Picture", "item": {"$content-type": "image/png", "$content": "aGk="}, "x-ms-file-name": "a.png"})")
          .status,
      204);
  EXPECT_EQ(reply_of("GetEntityFileImageFieldContent",
                     R"({"entityName": "admin_flows", "recordId": ")" + id + R"(", "fileImageFieldName": "picture"})")
                .body,
            "hi");
  EXPECT_EQ(refusal("GetEntityFileImageFieldContent",
                    R"({"entityName": "admin_flows", "recordId": ")" + id + R"(", "fileImageFieldName": "other"})"),
            "404 FileNotFound");
  const Value whole = value("GetItem", R"({"entityName": "admin_flows", "recordId": ")" + id + R"("})");
  EXPECT_EQ(whole.text_of("picture_name"), "a.png");
  EXPECT_EQ(json::write(whole).find("aGk="), std::string::npos);
  EXPECT_EQ(reply_of("DeleteRecord", R"({"entityName": "admin_flows", "recordId": ")" + id + R"("})").status, 204);
  EXPECT_EQ(refusal("GetItem", R"({"entityName": "admin_flows", "recordId": ")" + id + R"("})"), "404 RowNotFound");
  value("ListRecordsWithOrganization", R"({"organization": "https://x", "entityName": "admin_flows"})");
  // The older connector sees the same rows.
  use(make_dataverse_legacy_standin(parts()));
  EXPECT_EQ(value("GetItems_V2", R"({"dataset": "default.cds", "table": "admin_flows"})").find("value")->size(), 1U);
}

class RowTriggers : public Standins {
 protected:
  void SetUp() override {
    Standins::SetUp();
    use(make_dataverse_standin(parts()), Value::object({{"createTables", true}}));
    put_flow("f1", store::FlowState::started);
  }
  void put_flow(const std::string& id, store::FlowState state) {
    ASSERT_TRUE(store_->write([&](store::Transaction& transaction) -> Result<void> {
      store::FlowRow flow;
      flow.id = id;
      flow.workflow_id = "0123456789abcdef0123456789abcdef";
      flow.state = state;
      transaction.put_flow(flow);
      return {};
    }));
  }
  http::Reply subscription(const std::string& more, const std::string& state = {},
                           const std::string& entity = "admin_flow", const std::string& trigger = "When_a_row") {
    NativeCall call;
    call.operation = connector_->find_operation("SubscribeWebhookTrigger");
    auto bound = bind_arguments(*connector_, *call.operation,
                                json_of(R"({"subscriptionRequest/entityname": ")" + entity +
                                        R"(", "subscriptionRequest/url": "x", )" + more + "}"));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().message);
    if (!bound) return {};
    call.arguments = std::move(*bound);
    call.fields = fields_;
    call.timeout = Duration::seconds(10);
    call.flow = "f1";
    call.state = state;
    call.callback_url = "http://127.0.0.1/workflows/0123456789abcdef0123456789abcdef/triggers/" + trigger +
                        "/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fx%2Frun&sv=1.0&sig=s";
    return native_->call(call);
  }
  /// Subscribes to what `message` and the rest say, and gives the state that ends it.
  std::string subscribed(const std::string& more, const std::string& entity = "admin_flow",
                         const std::string& trigger = "When_a_row") {
    const http::Reply reply = subscription(more, {}, entity, trigger);
    EXPECT_EQ(reply.status, 201) << reply.body;
    for (const auto& header : reply.headers)
      if (header.name == "Location") return header.value.substr(native_state_scheme.size());
    ADD_FAILURE() << "no Location";
    return {};
  }
  /// What is due, as `Create:name`, and takes it off.
  std::string heard() {
    RowWatches watches(*store_);
    std::string out;
    const auto due = watches.due(100);
    EXPECT_TRUE(due);
    for (const RowDelivery& one : *due) {
      out += (out.empty() ? "" : " ") + std::string(one.body.text_of("SdkMessage")) + ":" +
             std::string(one.body.text_of("admin_name"));
      last_ = one;
      EXPECT_TRUE(watches.drop(one.key));
    }
    return out;
  }
  std::string create(const std::string& name) {
    return std::string(value("CreateRecord", R"({"entityName": "admin_flows", "item/admin_name": ")" + name +
                                                 R"(", "item/admin_count": 1})")
                           .text_of("admin_flowid"));
  }
  void update(const std::string& id, const std::string& item) {
    value("UpdateRecord", R"({"entityName": "admin_flows", "recordId": ")" + id + R"(", )" + item + "}");
  }
  void erase(const std::string& id) {
    EXPECT_EQ(reply_of("DeleteRecord", R"({"entityName": "admin_flows", "recordId": ")" + id + R"("})").status, 204);
  }
  RowDelivery last_;
};

TEST_F(RowTriggers, EachMessageHearsItsKindsOfChange) {
  const char* expected[] = {"Create:a",
                            "Delete:a",
                            "Update:a",
                            "Create:a Update:a",
                            "Create:a Delete:a",
                            "Update:a Delete:a",
                            "Create:a Update:a Delete:a"};
  for (int message = 1; message <= 7; ++message) {
    // The same trigger anew: in the stead of the one before.
    subscribed(R"("subscriptionRequest/message": )" + std::to_string(message) + R"(, "subscriptionRequest/scope": 4)");
    const std::string id = create("a");
    update(id, R"("item/admin_count": 2)");
    erase(id);
    EXPECT_EQ(heard(), expected[message - 1]) << message;
  }
}

TEST_F(RowTriggers, TheRowIsGivenAsDataverseDoes) {
  subscribed(R"("subscriptionRequest/message": 1, "subscriptionRequest/scope": 4)");
  const std::string id = create("Nightly");
  EXPECT_EQ(heard(), "Create:Nightly");
  EXPECT_EQ(last_.flow, "f1");
  EXPECT_EQ(last_.trigger, "When_a_row");
  EXPECT_EQ(last_.body.text_of("admin_flowid"), id);
  EXPECT_EQ(last_.body.text_of("ItemInternalId"), id);
  EXPECT_FALSE(last_.body.text_of("createdon").empty());
  EXPECT_EQ(*last_.body.find("statecode"), Value(0));
  // An update that makes the row is no update.
  update("11111111-2222-4333-8444-555555555555", R"("item/admin_name": "made")");
  EXPECT_EQ(heard(), "Create:made");
  // What is in a file column stays there.
  EXPECT_EQ(reply_of("UpdateEntityFileImageFieldContent", R"({"entityName": "admin_flows", "recordId": ")" + id +
                                                              R"(", "fileImageFieldName": "p", "item": "aGk="})")
                .status,
            204);
  subscribed(R"("subscriptionRequest/message": 2, "subscriptionRequest/scope": 4)");
  erase(id);
  EXPECT_EQ(heard(), "Delete:Nightly");
  EXPECT_EQ(last_.body.find("@file.p"), nullptr);
}

TEST_F(RowTriggers, ColumnsAndFilterChoose) {
  subscribed(
      R"("subscriptionRequest/message": 4, "subscriptionRequest/scope": 4, "subscriptionRequest/filteringattributes": "admin_count, admin_owner ", "subscriptionRequest/filterexpression": "admin_name eq 'YES' and createdon gt 2020-01-01")");
  const std::string id = create("yes");
  create("no");
  EXPECT_EQ(heard(), "Create:yes") << "columns choose among updates only, the filter among all";
  update(id, R"("item/admin_other": 1)");
  EXPECT_EQ(heard(), "");
  update(id, R"("item/admin_count": 3)");
  EXPECT_EQ(heard(), "Update:yes");
  update(id, R"json("item/admin_owner@odata.bind": "systemusers(0f8fad5b-d9cb-469f-a165-70867728950e)")json");
  EXPECT_EQ(heard(), "Update:yes");
  update(id, R"("item/admin_count": 3, "item/admin_name": "no")");
  EXPECT_EQ(heard(), "") << "the filter sees the row as it is after the change";
}

TEST_F(RowTriggers, EndedAndOffOnesHearNothing) {
  const std::string all = R"("subscriptionRequest/message": 7, "subscriptionRequest/scope": 4)";
  const std::string before = subscribed(all);
  const std::string now = subscribed(all);
  EXPECT_EQ(subscription(all, before).status, 200) << "the old one is undone after the new one began";
  create("a");
  EXPECT_EQ(heard(), "Create:a");
  subscribed(all, "admin_flow", "Other");
  create("b");
  EXPECT_EQ(heard(), "Create:b Create:b");
  put_flow("f1", store::FlowState::stopped);
  create("c");
  put_flow("f1", store::FlowState::started);
  EXPECT_EQ(heard(), "");
  EXPECT_EQ(subscription(all, now).status, 200);
  create("d");
  EXPECT_EQ(heard(), "Create:d");
  EXPECT_EQ(last_.trigger, "Other");
}

TEST_F(RowTriggers, TablesMadeByHandAndRefusals) {
  const std::string all = R"("subscriptionRequest/message": 7, "subscriptionRequest/scope": 2)";
  Tables tables(*store_);
  ASSERT_TRUE(tables.create(json_of(R"({"name": "Policies", "open": true})")));
  subscribed(all, "policy");
  ASSERT_TRUE(tables.insert("policies", json_of(R"({"admin_name": "p"})")));
  EXPECT_EQ(heard(), "Create:p");
  const auto refused = [&](const std::string& more) {
    const http::Reply reply = subscription(more);
    return std::to_string(reply.status) + " " + std::string(json_of(reply.body).find("error")->text_of("code"));
  };
  const std::string added = R"("subscriptionRequest/message": 1, "subscriptionRequest/scope": 4, )";
  EXPECT_EQ(refused(R"("subscriptionRequest/message": 1, "subscriptionRequest/scope": 1)"), "501 StandInNotSupported");
  EXPECT_EQ(refused(R"("subscriptionRequest/message": 8, "subscriptionRequest/scope": 4)"), "400 InvalidSubscription");
  EXPECT_EQ(refused(added + R"("subscriptionRequest/filterexpression": "owner/name eq 'x'")"),
            "501 StandInNotSupported");
  EXPECT_EQ(refused(added + R"("subscriptionRequest/filterexpression": "name eq")"), "400 InvalidFilter");
  EXPECT_EQ(
      refusal(
          "SubscribeWebhookTrigger",
          R"({"subscriptionRequest/entityname": "a", "subscriptionRequest/message": 1, "subscriptionRequest/scope": 4, "subscriptionRequest/url": "x"})"),
      "400 InvalidSubscription")
      << "a step can't";
}

TEST_F(Standins, SharePointItems) {
  use(make_sharepoint_standin(parts()), Value::object({{"createTables", true}}));
  const Value item = value(
      "PostItem",
      R"({"dataset": "https://x/sites/a", "table": "Open orders", "item/Title": "A", "item/Status": {"Value": "New"}})");
  EXPECT_EQ(*item.find("ID"), Value(1));
  EXPECT_FALSE(item.text_of("Created").empty());
  value("PatchItem", R"({"dataset": "https://x/sites/a", "table": "Open orders", "id": 1, "item/Title": "B"})");
  EXPECT_EQ(
      value("GetItems",
            R"({"dataset": "https://x", "table": "Open orders", "$filter": "Title eq 'b' and Status/Value eq 'New'"})")
          .find("value")
          ->size(),
      1U);
  EXPECT_EQ(reply_of("GetOnNewItems", R"({"dataset": "https://x", "table": "Open orders"})").status, 202);
  value("DeleteItem", R"({"dataset": "https://x", "table": "Open orders", "id": 1})");
  EXPECT_EQ(refusal("GetItem", R"({"dataset": "https://x", "table": "Open orders", "id": 1})"), "404 RowNotFound");
}

TEST_F(Standins, SharePointRequestsMakeListsAndItems) {
  const auto request = [](const char* method, const std::string& uri, const std::string& body = {},
                          const std::string& headers = R"({"Accept": "application/json;odata=verbose"})") {
    return json::write(Value::object({{"dataset", "https://x/sites/a"},
                                      {"parameters/method", Value(method)},
                                      {"parameters/uri", Value(uri)},
                                      {"parameters/headers", json_of(headers)},
                                      {"parameters/body", body.empty() ? Value() : Value(body)}}));
  };
  const std::string list =
      R"({"__metadata": {"type": "SP.List"}, "BaseTemplate": 100, "Description": "People", "Title": "CI Contacts"})";
  use(make_sharepoint_standin(parts()));
  EXPECT_EQ(refusal("HttpRequest", request("POST", "/_api/web/lists", list)), "403 TableNotMade");
  use(make_sharepoint_standin(parts()), Value::object({{"createTables", true}}));
  EXPECT_EQ(value("HttpRequest", request("POST", "/_api/web/lists", list)).find("d")->text_of("Title"), "CI Contacts");
  EXPECT_EQ(refusal("HttpRequest", request("POST", "/_api/web/lists", list)), "409 TableAlreadyExists");
  EXPECT_EQ(refusal("HttpRequest", request("POST", "_api/web/lists", R"({"Title": "Docs", "BaseTemplate": 101})")),
            "501 StandInNotSupported");
  // With single quotes, as flows of the corpus have it.
  const std::string fields = "_api/lists/getbytitle('CI Contacts')/fields";
  const Value made = value("HttpRequest", request("POST", fields, R"({
    '__metadata': {'type':'SP.FieldText', 'addToDefaultView': 'true' }, 'FieldTypeKind': 2, 'Title': 'E-mail "it\'s"' })"));
  EXPECT_EQ(made.find("d")->text_of("InternalName"), "E_x002d_mail_x0020__x0022_it_x0027_s_x0022_");
  value("HttpRequest", request("POST", fields, "{'FieldTypeKind': 2, 'Title': 'E-mail'}"));
  value("HttpRequest", request("POST", fields, "{'FieldTypeKind': 1, 'Title': 'Rank'}"));
  value("HttpRequest",
        request("POST", fields, "{'Title': 'Status', 'FieldTypeKind': 6, 'Choices': { 'results': ['in', 'out' ] }}"));
  EXPECT_EQ(refusal("HttpRequest", request("POST", fields, "{'FieldTypeKind': 1, 'Title': 'Rank'}")),
            "400 InvalidTable");
  EXPECT_EQ(refusal("HttpRequest", request("POST", fields, "{'FieldTypeKind': 20, 'Title': 'Boss'}")),
            "501 StandInNotSupported");
  EXPECT_EQ(refusal("HttpRequest", request("POST", fields, "{'FieldTypeKind': 1, ")), "400 InvalidRequestBody");
  const std::string view =
      "_api/web/lists/GetByTitle('CI Contacts')/views/getbytitle('All Items')/ViewFields/AddViewField";
  EXPECT_EQ(json::write(value("HttpRequest", request("POST", view + "('E-mail')"))), R"({"d":{"AddViewField":null}})");
  EXPECT_EQ(refusal("HttpRequest", request("POST", view + "('Nothing')")), "404 ColumnNotFound");
  const std::string items = "_api/web/lists/GetByTitle('CI%20Contacts')/items";
  const Value item = value(
      "HttpRequest",
      request("POST", items, R"({"__metadata": {"type": "SP.Data"}, "Title": "Ada", "Rank": 2, "Status": "in"})"));
  EXPECT_EQ(*item.find("d")->find("Id"), Value(1));
  EXPECT_EQ(item.find("d")->find("__metadata"), nullptr);
  EXPECT_EQ(reply_of("HttpRequest",
                     request("POST", items + "(1)", R"({"Rank": 3})", R"({"X-HTTP-Method": "MERGE", "IF-MATCH": "*"})"))
                .status,
            204);
  value("HttpRequest", request("POST", items, R"({"Title": "Bo", "Rank": 1})"));
  EXPECT_EQ(json::write(value("HttpRequest", request("GET", items + "?$filter=Rank%20gt%202&$select=Title,Rank&$top=5",
                                                     {}, R"({"Accept": "application/json;odata=nometadata"})"))),
            R"({"value":[{"Title":"Ada","Rank":3}]})");
  EXPECT_EQ(value("HttpRequest", request("GET", items + "(2)")).find("d")->text_of("Title"), "Bo");
  EXPECT_EQ(
      reply_of("HttpRequest", request("POST", items + "(2)", {}, R"({"X-HTTP-Method": "DELETE", "IF-MATCH": "*"})"))
          .status,
      200);
  EXPECT_EQ(refusal("HttpRequest", request("GET", items + "(2)")), "404 RowNotFound");
  EXPECT_EQ(refusal("HttpRequest", request("GET", items + "?$expand=Author")), "501 StandInNotSupported");
  EXPECT_EQ(refusal("HttpRequest", request("GET", "_api/web/lists/getbytitle('Other')/items")), "404 TableNotFound");
  // The operations of the connector see the same.
  EXPECT_EQ(value("GetItem", R"({"dataset": "https://x", "table": "CI Contacts", "id": 1})").text_of("Title"), "Ada");
  // What has no place here is named.
  for (const char* uri : {"_api/web", "_api/web/lists/getbytitle('a')/items(1)/roleassignments", "_api/sitepages/pages",
                          "_api/web/lists/getbytitle('a",
                          "_api/web/lists/getbytitle('a')/views/getbytitle('Mine')/ViewFields/AddViewField('b')"}) {
    const http::Reply reply = reply_of("HttpRequest", request("POST", uri));
    EXPECT_EQ(reply.status, 501) << uri;
    EXPECT_NE(reply.body.find(std::string(uri).substr(0, 20)), std::string::npos) << reply.body;
  }
}

TEST_F(Standins, RecordsOfACustomLog) {
  use(make_log_collector_standin(parts()));
  EXPECT_EQ(refusal("SendData", R"({"Log-Type": "Attacks", "body": {"a": 1}})"), "404 TableNotFound");
  use(make_log_collector_standin(parts()), Value::object({{"createTables", true}}));
  EXPECT_EQ(
      reply_of(
          "SendData",
          R"({"Log-Type": "Attacks", "body": "{\"seq Update\": 3, \"at\": \"2026-01-02\"}", "time-generated-field": "at"})")
          .status,
      200);
  EXPECT_EQ(reply_of("SendData", R"({"Log-Type": "Attacks", "body": [{"n": 1}, {"n": {"x": [2]}}]})").status, 200);
  const auto page = Tables(*store_).rows("Attacks_CL", {});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), 3U);
  EXPECT_EQ(*page->rows[0].find("seq_Update"), Value(3));
  EXPECT_EQ(page->rows[0].text_of("TimeGenerated").substr(0, 10), "2026-01-02");
  EXPECT_FALSE(page->rows[1].text_of("TimeGenerated").empty());
  EXPECT_EQ(json::write(*page->rows[2].find("n")), R"({"x":[2]})");
  for (const char* wrong : {R"({"Log-Type": "Att acks", "body": {"a": 1}})", R"({"Log-Type": "A", "body": "no json"})",
                            R"({"Log-Type": "A", "body": [1]})"})
    EXPECT_EQ(refusal("SendData", wrong), "400 InvalidData") << wrong;
  EXPECT_EQ(Tables(*store_).list()->size(), 1U) << "what is refused makes no table";
}

TEST_F(Standins, FilesOfOneDriveAndSharePoint) {
  const NativeParts with_root{*store_, client_, {folder_.path()}};
  std::filesystem::create_directory(folder_.path() + "/files");
  const Value fields = Value::object({{"filesAddress", Value("file://" + folder_.path() + "/files")}});
  use(make_onedrive_standin(with_root), fields);
  EXPECT_EQ(native_->verify(fields, Duration::seconds(5)).status, 200);
  const Value file = value("CreateFile", R"({"folderPath": "/a", "name": "x.txt", "body": "hi"})");
  EXPECT_EQ(file.text_of("Id"), "/a/x.txt");
  EXPECT_EQ(value("MoveFile", R"({"id": "/a/x.txt", "destination": "/b/y.txt"})").text_of("Path"), "/b/y.txt");
  EXPECT_EQ(refusal("DeleteFile", R"({"id": "/a/x.txt"})"), "404 FileNotFound");
  EXPECT_EQ(value("MoveFile", R"({"id": "/b/y.txt", "destination": "//b/./y.txt", "overwrite": true})").text_of("Id"),
            "/b/y.txt");
  EXPECT_EQ(reply_of("GetFileContentByPath", R"({"path": "/b/y.txt"})").body, "hi") << "moved to itself it stays";
  value("CreateFile", R"({"folderPath": "/", "name": "z.txt", "body": "other"})");
  EXPECT_EQ(refusal("MoveFile", R"({"id": "/z.txt", "destination": "/b/y.txt"})"), "409 FileExists");
  EXPECT_EQ(value("ListRootFolder", "{}").size(), 3U);
  use(make_sharepoint_standin(with_root), fields);
  EXPECT_EQ(value("GetFileMetadataByPath", R"({"dataset": "https://x", "path": "/b/y.txt"})").text_of("Name"), "y.txt");
  value("CreateFile", R"({"dataset": "https://x", "folderPath": "/b", "name": "p.txt", "body": "page"})");
  EXPECT_EQ(reply_of("GetFileContent", R"({"dataset": "https://x", "id": "/b/p.txt"})").body, "page");
  // Outside of what the server allows, and an address that leads nowhere.
  use(make_onedrive_standin(with_root), Value::object({{"filesAddress", "file:///etc"}}));
  EXPECT_EQ(refusal("ListRootFolder", "{}"), "403 PathNotAllowed");
  for (const char* address : {"", "ftp://x/y", "file://etc", "sftp://u:secret@host/x"}) {
    use(make_onedrive_standin(with_root), Value::object({{"filesAddress", address}}));
    EXPECT_EQ(refusal("ListRootFolder", "{}"), "400 InvalidConnectionParameters") << address;
    EXPECT_EQ(native_->address(fields_), "");
  }
}

TEST_F(Standins, PeopleOfTheTableUsers) {
  use(make_users_standin(parts()), Value::object({{"me", "ada@example.org"}}));
  EXPECT_EQ(refusal("MyProfile_V2", "{}"), "404 TableNotFound");
  Tables tables(*store_);
  ASSERT_TRUE(tables.create(json_of(R"({"name": "users", "open": true})")));
  ASSERT_TRUE(tables.insert(
      "users",
      json_of(R"({"userPrincipalName": "ada@example.org", "displayName": "Ada", "manager": "bo@example.org"})")));
  ASSERT_TRUE(tables.insert("users", json_of(R"({"userPrincipalName": "bo@example.org", "displayName": "Bo"})")));
  EXPECT_EQ(value("MyProfile_V2", "{}").text_of("displayName"), "Ada");
  EXPECT_EQ(json::write(value("UserProfile_V2", R"({"id": "ADA@example.org", "$select": "displayName"})")),
            R"({"displayName":"Ada"})");
  EXPECT_EQ(value("Manager_V2", R"({"id": "ada@example.org"})").text_of("displayName"), "Bo");
  EXPECT_EQ(value("DirectReports_V2", R"({"id": "bo@example.org"})").find("value")->size(), 1U);
  EXPECT_EQ(value("SearchUserV2", R"({"searchTerm": "ada"})").find("value")->size(), 1U);
  EXPECT_EQ(refusal("Manager_V2", R"({"id": "bo@example.org"})"), "404 Request_ResourceNotFound");
  EXPECT_EQ(refusal("UserProfile_V2", R"({"id": "eve@example.org"})"), "404 Request_ResourceNotFound");
}

TEST_F(Standins, TeamsMessagesGoToTheWebhook) {
  std::mutex mutex;
  std::string received;
  http::ListenerOptions options;
  options.port = 0;
  http::Listener listener(options, [&](http::IncomingRequest request, const http::Responder& responder) {
    const std::lock_guard lock(mutex);
    received = request.body;
    responder.send({request.path == "/gone" ? 404 : 200, {}, "1"});
  });
  ASSERT_TRUE(listener.start());
  const std::string base = "http://127.0.0.1:" + std::to_string(listener.port());
  use(make_teams_standin(parts()), Value::object({{"webhookUrl", Value(base + "/hook")}}));
  value(
      "PostUserNotification",
      R"({"PostNotificationRequest/recipient/to": "ada@example.org", "PostNotificationRequest/messageTitle": "Late", "PostNotificationRequest/messageBody": "Order 7"})");
  EXPECT_EQ(received, R"({"text":"**Late**\n\nTo ada@example.org:\n\nOrder 7"})");
  value(
      "PostMessageToConversation",
      R"({"poster": "Flow bot", "location": "Channel", "body/recipient/groupId": "g", "body/messageBody": "<p>hi</p>"})");
  EXPECT_EQ(received, R"({"text":"<p>hi</p>"})");
  value("PostCardToConversation",
        R"({"poster": "Flow bot", "location": "Channel", "body/messageBody": "{\"type\":\"AdaptiveCard\"}"})");
  EXPECT_EQ(
      received,
      R"({"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard"}}]})");
  value("PostMessageToChannelV3",
        R"({"groupId": "g", "channelId": "c", "message/subject": "Late", "message/body/content": "<p>7</p>"})");
  EXPECT_EQ(received, R"({"text":"**Late**\n\n<p>7</p>"})");
  value(
      "PostChannelNotification",
      R"({"groupId": "g", "PostNotificationRequest/messageTitle": "Late", "PostNotificationRequest/messageBody": "7"})");
  EXPECT_EQ(received, R"({"text":"**Late**\n\n7"})");
  EXPECT_EQ(refusal("PostChannelAdaptiveCard", R"({"PostAdaptiveCardRequest/messageBody": "no card"})"),
            "400 InvalidMessage");
  EXPECT_EQ(refusal("PostCardToConversation", R"({"poster": "a", "location": "b", "body/messageBody": "no card"})"),
            "400 InvalidMessage");
  use(make_teams_standin(parts()), Value::object({{"webhookUrl", Value(base + "/gone")}}));
  EXPECT_EQ(
      reply_of("PostMessageToConversation", R"({"poster": "a", "location": "b", "body/messageBody": "x"})").status,
      404);
  use(make_teams_standin(parts()), Value::object({{"webhookUrl", "ftp://x"}}));
  EXPECT_EQ(refusal("PostMessageToConversation", R"({"poster": "a", "location": "b", "body/messageBody": "x"})"),
            "400 InvalidUri");
}

// What share of the connector steps of real flows can run here.

std::string read_gzip(const std::string& path) {
  std::string out;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return out;
  std::string buffer(1 << 20, '\0');
  for (int got = 0; (got = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(got));
  gzclose(file);
  return out;
}

struct Share {
  std::size_t all = 0;
  std::size_t covered = 0;
  void count(bool runs) {
    ++all;
    covered += runs ? 1 : 0;
  }
  std::string text() const {
    char out[96];
    std::snprintf(out, sizeof(out), "%zu of %zu (%.1f %%)", covered, all,
                  all == 0 ? 0.0 : 100.0 * static_cast<double>(covered) / static_cast<double>(all));
    return out;
  }
};

/// A request to a SharePoint site that lists don't answer. Expressions in it stand for one name or number.
bool is_refused_request(const std::string& name, std::string_view operation, const Value* parameters) {
  if (name != "shared_sharepointonline" || operation != "HttpRequest" || parameters == nullptr) return false;
  std::string method(parameters->text_of("parameters/method"));
  if (const Value* headers = parameters->find("parameters/headers"); headers != nullptr && headers->is_object()) {
    if (const Value* meant = headers->find_ignoring_case("X-HTTP-Method")) method = meant->as_string();
  }
  std::string uri(parameters->text_of("parameters/uri"));
  for (std::size_t at = 0; (at = uri.find("@{", at)) != std::string::npos;) {
    const std::size_t end = uri.find('}', at);
    if (end == std::string::npos) break;
    uri.replace(at, end + 1 - at, "1");
  }
  return read_sharepoint_request(method, uri).ask == SharePointAsk::none;
}

bool is_refused_request(const Value& inputs, const Operation& operation) {
  const Value* body = inputs.find("body");
  if (operation.id != "HttpRequest" || body == nullptr || !body->is_object()) return false;
  const Value flat = Value::object(
      {{"parameters/method", Value(body->text_of("method"))}, {"parameters/uri", Value(body->text_of("uri"))}});
  return is_refused_request("shared_sharepointonline", operation.id, &flat);
}

/// Parameters that a document names so that a flow can be saved, but whose use is refused.
bool asks_too_much(const Value* parameters) {
  if (parameters == nullptr || !parameters->is_object()) return false;
  for (const std::string_view name : {"$expand", "fetchXml", "searchQuery"}) {
    const Value* value = parameters->find(name);
    if (value != nullptr && !value->is_null() && *value != Value("")) return true;
  }
  const std::string_view filter = parameters->text_of("$filter");
  if (filter.empty() || holds_expression(Value(filter))) return false;
  return !odata::parse_filter(filter);
}

/// `shared_office365` of `@parameters('$connections')['office365_1']['connectionId']`.
std::string api_of_connection(std::string_view name) {
  const std::size_t first = name.find("']['");
  const std::size_t end = first == std::string_view::npos ? name.rfind("']") : first;
  const std::size_t open = name.rfind("['", end);
  if (end == std::string_view::npos || open == std::string_view::npos || open > end) return {};
  std::string key = lower_case(name.substr(open + 2, end - open - 2));
  while (!key.empty() && (std::isdigit(static_cast<unsigned char>(key.back())) != 0) &&
         key.find_last_of("_-") != std::string::npos &&
         key.find_first_not_of("0123456789", key.find_last_of("_-") + 1) == std::string::npos)
    key.resize(key.find_last_of("_-"));
  return key.starts_with("shared_") ? key : "shared_" + key;
}

class Counter {
 public:
  explicit Counter(const Registry& registry) : registry_(registry) {}

  void walk(const Value& value, int depth = 0) {
    if (depth > 64) return;
    if (value.is_array()) {
      for (const Value& item : value.as_array()) walk(item, depth + 1);
    } else if (value.is_object()) {
      look(value);
      for (const json::Member& member : value.as_object()) walk(member.value, depth + 1);
    }
  }

  Share open_api, api;
  std::map<std::string, Share> by_connector;

 private:
  void look(const Value& step) {
    const std::string_view type = step.text_of("type");
    const Value* inputs = step.find("inputs");
    if (inputs == nullptr || !inputs->is_object()) return;
    const Value* host = inputs->find("host");
    if (type.starts_with("OpenApiConnection")) {
      const std::string name = host == nullptr ? "" : api_name(host->text_of("apiId"));
      const bool runs =
          open_api_runs(type, name, host == nullptr ? "" : host->text_of("operationId"), inputs->find("parameters"));
      open_api.count(runs);
      by_connector[name].count(runs);
    } else if (type.starts_with("ApiConnection")) {
      const Value* connection = host == nullptr ? nullptr : host->find("connection");
      const auto connector =
          registry_.find(api_of_connection(connection == nullptr ? "" : connection->text_of("name")));
      const auto matched =
          connector ? match_api_connection(*connector, *inputs) : Result<MatchedOperation>(make_error("", ""));
      api.count(matched &&
                (type == "ApiConnectionWebhook") == !callback_places(*connector, *matched->operation).empty() &&
                !is_refused_request(*inputs, *matched->operation));
    }
  }
  bool open_api_runs(std::string_view type, const std::string& name, std::string_view operation_id,
                     const Value* parameters) {
    const auto connector = registry_.find(name);
    const Operation* operation = connector ? connector->find_operation(operation_id) : nullptr;
    if (operation == nullptr || !operation->unavailable.code.empty()) return false;
    if (type == "OpenApiConnectionNotification" && !is_polled(*operation)) return false;
    Diagnostics diagnostics;
    check_arguments(*connector, *operation, parameters == nullptr ? Value() : *parameters, "", diagnostics);
    for (const Diagnostic& diagnostic : diagnostics) {
      if (diagnostic.severity == Severity::error) return false;
    }
    return !asks_too_much(parameters) && !is_refused_request(name, operation_id, parameters);
  }

  const Registry& registry_;
};

TEST(StandinShare, OfRealFlowsConnectorSteps) {
  const std::string path = std::string(FLOWMEND_SOURCE_DIR) + "/../shared/corpus/definitions.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here: the corpus is not part of the project";
  native_tests::TemporaryFolder folder;
  auto store = store::sqlite::open({.folder = folder.path()}).value();
  http::Client client;
  Registry registry(*store);
  ASSERT_TRUE(registry.add_native(native_connectors({*store, client, {}})));
  Counter counter(registry);
  const std::string text = read_gzip(path);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (const auto line = json::parse(std::string_view(text).substr(at, end - at))) counter.walk(*line);
    at = end + 1;
  }
  std::cout << "connector steps of real flows that run here: OpenApiConnection " << counter.open_api.text()
            << ", ApiConnection " << counter.api.text() << "\n";
  for (const auto& [name, share] : counter.by_connector) {
    if (share.all >= 10) std::cout << "  " << name << " " << share.text() << "\n";
  }
  // Measured figures stand in docs/compatibility.md; a stand-in that loses its operations falls far below.
  EXPECT_GE(counter.open_api.covered * 10, counter.open_api.all * 6);
}

}  // namespace
}  // namespace flowmend::connector
