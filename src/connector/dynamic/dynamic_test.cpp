// Choices and shapes asked live: against a real service on loopback, through connections and effects as in the server.

#include "connector/dynamic/dynamic.h"
#include "connector/master_key.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "connector/dynamic/reply.h"
#include "connector/effects.h"
#include "connector/sealer.h"
#include "connector/text.h"
#include "http/listener.h"
#include "json/parse.h"
#include "json/write.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

Timestamp test_now{Timestamp::unix_epoch_ticks};
Timestamp test_clock() { return test_now; }

constexpr std::string_view paths = R"({
  "/items": {"post": {"operationId": "CreateItem", "parameters": [
    {"name": "site", "in": "query", "type": "string", "required": true,
     "x-ms-dynamic-values": {"operationId": "ListSites", "value-collection": "data/sites", "value-path": "id", "value-title": "name"}},
    {"name": "table", "in": "query", "type": "string", "required": true,
     "x-ms-dynamic-values": {"operationId": "Old", "value-path": "x"},
     "x-ms-dynamic-list": {"operationId": "ListTables", "itemsPath": "value", "itemValuePath": "key", "itemTitlePath": "label",
       "parameters": {"site": {"parameterReference": "site"}, "kind": {"value": "user"}}}},
    {"name": "folder", "in": "query", "type": "string", "x-ms-dynamic-tree": {
       "settings": {"canSelectParentNodes": false, "canSelectLeafNodes": true},
       "open": {"operationId": "ListRoots", "itemsPath": "value", "itemValuePath": "path", "itemTitlePath": "name", "itemIsParent": "folder", "parameters": {}},
       "browse": {"operationId": "ListChildren", "itemsPath": "value", "itemValuePath": "path", "itemTitlePath": "name", "itemIsParent": "folder",
         "parameters": {"path": {"selectedItemValuePath": "path"}}}}},
    {"name": "file", "in": "query", "type": "string", "x-ms-dynamic-values": {"capability": "file-picker", "value-path": "path", "parameters": {"isFolder": false}}},
    {"name": "builtin", "in": "query", "type": "string", "x-ms-dynamic-values": {"builtInOperation": "AzureResource", "parameters": {}}},
    {"name": "posted", "in": "query", "type": "string", "x-ms-dynamic-list": {"operationId": "Search", "parameters": {"query/filter/site": {"parameterReference": "site"}}}},
    {"name": "plain", "in": "query", "type": "string"},
    {"name": "item", "in": "body", "required": true, "schema": {"type": "object",
      "x-ms-dynamic-schema": {"operationId": "GetShape", "parameters": {"table": {"parameter": "table"}}, "value-path": "schema"}}}
  ], "responses": {"200": {"description": "ok", "schema": {"$ref": "#/definitions/Reply"}}}}},
  "/sites": {"get": {"operationId": "ListSites", "x-ms-visibility": "internal"}},
  "/tables": {"get": {"operationId": "ListTables", "x-ms-pageable": {"nextLinkName": "next"}, "parameters": [
    {"name": "site", "in": "query", "type": "string", "required": true}, {"name": "kind", "in": "query", "type": "string"}]}},
  "/roots": {"get": {"operationId": "ListRoots"}},
  "/children": {"get": {"operationId": "ListChildren", "parameters": [{"name": "path", "in": "query", "type": "string", "required": true}]}},
  "/shape": {"get": {"operationId": "GetShape", "parameters": [{"name": "table", "in": "query", "type": "string", "required": true}]}},
  "/hooks": {"x-ms-notification-content": {"schema": {"x-ms-dynamic-schema": {"operationId": "GetShape", "parameters": {"table": {"parameter": "table"}}, "value-path": "schema"}}},
    "post": {"operationId": "OnNewItem", "x-ms-trigger": "single", "parameters": [{"name": "table", "in": "query", "type": "string"},
      {"name": "hook", "in": "body", "schema": {"type": "object", "properties": {"url": {"type": "string", "x-ms-notification-url": true, "x-ms-visibility": "internal"}}}}],
      "responses": {"201": {"description": "", "schema": {"type": "object"}}}}},
  "/search": {"post": {"operationId": "Search", "parameters": [{"name": "query", "in": "body", "schema": {"type": "object", "properties": {"filter": {"type": "object", "properties": {"site": {"type": "integer"}}}}}}]}},
  "/states": {"get": {"operationId": "ListStates"}}
})";

class DynamicTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-dynamic-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = store::sqlite::open({.folder = folder_}).value();
    sealer_ = open_master_key(folder_ + "/master.key").value();
    http::ListenerOptions options;
    options.port = 0;
    listener_ = std::make_unique<http::Listener>(
        options,
        [this](http::IncomingRequest request, const http::Responder& responder) { responder.send(serve(request)); });
    ASSERT_TRUE(listener_->start());
    registry_ = std::make_unique<Registry>(*store_);
    connections_ = std::make_unique<Connections>(*store_, *sealer_, *registry_, client_);
    ASSERT_TRUE(connections_->load());
    effects_ = std::make_unique<ConnectorEffects>(client_, *connections_);
    const Value swagger = json_of(
        R"({"swagger": "2.0", "info": {"title": "Lists"}, "host": "127.0.0.1:)" + std::to_string(listener_->port()) +
        R"(", "schemes": ["http"], "securityDefinitions": {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}},
           "x-ms-capabilities": {"file-picker": {"open": {"operationId": "ListRoots"}, "browse": {"operationId": "ListChildren", "parameters": {"path": {"value-property": "path"}}},
             "value-title": "name", "value-path": "path", "value-folder-property": "folder", "value-media-property": "type"}},
           "definitions": {"Reply": {"type": "object", "x-ms-dynamic-properties": {"operationId": "GetShape", "parameters": {"table": {"parameterReference": "table"}}, "itemValuePath": "schema"}}},
           "paths": )" +
        std::string(paths) + "}");
    ASSERT_TRUE(registry_->install(swagger, Value()));
    ASSERT_TRUE(connections_->put_unverified({"shared_lists", "mine"}, "Mine",
                                             json_of(R"({"api_key": "key-4711-secret"})"), "ada"));
    limits_.items_max = 5;
    make();
  }
  void make() { dynamic_ = std::make_unique<DynamicContent>(*effects_, *connections_, limits_, test_clock); }
  void TearDown() override {
    dynamic_.reset();
    effects_.reset();
    listener_.reset();
    connections_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  http::Response serve(const http::IncomingRequest& request) {
    const std::lock_guard lock(mutex_);
    last_body_ = request.body;
    asked_.push_back(request.path + "?" + std::string(request.query));
    const auto reply = [](int status, std::string body) {
      return http::Response{status, {{"Content-Type", "application/json"}}, std::move(body)};
    };
    if (request.header("X-Key") != "key-4711-secret") return reply(401, R"({"message": "who are you"})");
    if (refuse_)
      return reply(403, R"({"error": {"code": "Denied", "message": "Key key-4711-secret may not list tables."}})");
    if (request.path == "/sites")
      return reply(200, R"({"other": [1], "data": {"sites": [{"id": 7, "name": "Seven"}, {"id": 8}]}})");
    if (request.path == "/tables") {
      if (request.query.find("page=2") != std::string::npos)
        return reply(200, R"({"value": [{"key": "c", "label": "C"}]})");
      return reply(
          200,
          R"({"value": [{"key": "a", "label": "A"}, {"key": "b", "label": "B"}], "next": "/tables?site=7&page=2"})");
    }
    if (request.path == "/roots")
      return reply(
          200,
          R"({"value": [{"path": "/a", "name": "a", "folder": true}, {"path": "/x.txt", "name": "x.txt", "folder": false}]})");
    if (request.path == "/children")
      return reply(200, R"({"value": [{"path": "/a/b", "name": "b", "folder": "false"}]})");
    if (request.path == "/shape")
      return reply(
          200,
          R"({"schema": {"type": "object", "required": ["Title"], "properties": {"Title": {"type": "string"}, "State": {"type": "string",
        "x-ms-dynamic-list": {"operationId": "ListStates"}}}}})");
    if (request.path == "/search") return reply(200, R"(["found"])");
    if (request.path == "/states") return reply(200, R"(["new", "done"])");
    return reply(404, "{}");
  }
  std::size_t asked() {
    const std::lock_guard lock(mutex_);
    return asked_.size();
  }
  std::string last_asked() {
    const std::lock_guard lock(mutex_);
    return asked_.empty() ? "" : asked_.back();
  }
  DynamicQuestion about(std::string parameter, std::string_view parameters = "{}") {
    DynamicQuestion question;
    question.connection = {"shared_lists", "mine"};
    question.operation = "CreateItem";
    question.parameter = std::move(parameter);
    question.parameters = json_of(parameters);
    return question;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Sealer> sealer_;
  http::Client client_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::string last_body_;
  bool refuse_ = false;
  std::unique_ptr<http::Listener> listener_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<ConnectorEffects> effects_;
  DynamicLimits limits_;
  std::unique_ptr<DynamicContent> dynamic_;
};

TEST_F(DynamicTest, ListsValuesAtNestedPathsWithTheValueAsTitleWhereThereIsNone) {
  const auto list = dynamic_->values(about("site"));
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->items.size(), 2U);
  EXPECT_EQ(list->items[0].value, Value(7));
  EXPECT_EQ(list->items[0].title, "Seven");
  EXPECT_EQ(list->items[1].title, "8");
}

TEST_F(DynamicTest, PassesTheStepsOwnParametersOnAndFollowsPages) {
  const auto list = dynamic_->values(about("table", R"({"site": 7})"));
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->items.size(), 3U);
  EXPECT_EQ(list->items[2].title, "C");
  EXPECT_FALSE(list->more);
  EXPECT_EQ(asked_.front(), "/tables?site=7&kind=user");
  limits_.items_max = 2;
  make();
  const auto part = dynamic_->values(about("table", R"({"site": 7})"));
  ASSERT_TRUE(part);
  EXPECT_EQ(part->items.size(), 2U);
  EXPECT_TRUE(part->more);
}

TEST_F(DynamicTest, SaysWhichParameterComesFirstAndAsksNobody) {
  const auto empty = dynamic_->values(about("table"));
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, "DynamicParameterMissing");
  EXPECT_EQ(empty.error().where, "/site");
  const auto expression = dynamic_->values(about("table", R"x({"site": "@variables('s')"})x"));
  ASSERT_FALSE(expression);
  EXPECT_EQ(expression.error().code, "DynamicParameterMissing");
  EXPECT_NE(expression.error().message.find("expression"), std::string::npos);
  EXPECT_EQ(asked(), 0U);
}

TEST_F(DynamicTest, RemembersForAWhileAndAsksAgainOnRequest) {
  ASSERT_TRUE(dynamic_->values(about("site")));
  ASSERT_TRUE(dynamic_->values(about("site")));
  EXPECT_EQ(asked(), 1U);
  DynamicQuestion again = about("site");
  again.refresh = true;
  ASSERT_TRUE(dynamic_->values(again));
  EXPECT_EQ(asked(), 2U);
  test_now = test_now + Duration::seconds(61);
  ASSERT_TRUE(dynamic_->values(about("site")));
  EXPECT_EQ(asked(), 3U);
}

TEST_F(DynamicTest, ForgetsTheLeastUsedFirst) {
  limits_.answers_max = 2;
  make();
  ASSERT_TRUE(dynamic_->values(about("table", R"({"site": 1})")));
  ASSERT_TRUE(dynamic_->values(about("table", R"({"site": 2})")));
  ASSERT_TRUE(dynamic_->values(about("table", R"({"site": 1})")));
  ASSERT_TRUE(dynamic_->values(about("table", R"({"site": 3})")));  // drives 2 out
  const std::size_t before = asked();
  ASSERT_TRUE(dynamic_->values(about("table", R"({"site": 1})")));
  EXPECT_EQ(asked(), before);
  ASSERT_TRUE(dynamic_->values(about("table", R"({"site": 2})")));
  EXPECT_GT(asked(), before);
}

TEST_F(DynamicTest, TellsTheServicesMessageWithoutSecretsAndRemembersNoFailure) {
  refuse_ = true;
  const auto refused = dynamic_->values(about("site"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "DynamicCallFailed");
  EXPECT_NE(refused.error().message.find("'ListSites'"), std::string::npos);
  EXPECT_NE(refused.error().message.find("may not list tables"), std::string::npos);
  EXPECT_EQ(refused.error().message.find("key-4711-secret"), std::string::npos) << refused.error().message;
  refuse_ = false;
  EXPECT_TRUE(dynamic_->values(about("site")));
}

TEST_F(DynamicTest, OpensTreesLevelByLevel) {
  const auto roots = dynamic_->tree(about("folder"));
  ASSERT_TRUE(roots) << roots.error().message;
  ASSERT_EQ(roots->items.size(), 2U);
  EXPECT_TRUE(roots->items[0].parent);
  EXPECT_FALSE(roots->items[0].selectable);
  EXPECT_FALSE(roots->items[1].parent);
  EXPECT_TRUE(roots->items[1].selectable);
  DynamicQuestion inside = about("folder");
  inside.selected = roots->items[0].item;
  const auto children = dynamic_->tree(inside);
  ASSERT_TRUE(children) << children.error().message;
  EXPECT_EQ(last_asked(), "/children?path=%2Fa");
  ASSERT_EQ(children->items.size(), 1U);
  EXPECT_EQ(children->items[0].value, Value("/a/b"));
  EXPECT_FALSE(children->items[0].parent);
}

TEST(Dynamic, ConditionsSayWhichNodesAreOpenedAndChosen) {
  DynamicSource source;
  source.browse.operation_id = "ListChildren";
  DynamicCall call;
  call.value_path = "path";
  const auto node = [&](const char* item) { return node_of(source, call, *json::parse(item)); };
  call.parent_path = "(is_folder eq true)";
  EXPECT_TRUE(node(R"({"path":"/a","is_folder":true})").parent);
  EXPECT_FALSE(node(R"({"path":"/a","is_folder":false})").parent);
  EXPECT_FALSE(node(R"({"path":"/a"})").parent);
  call.selectable_filter = "about/kind eq 'list' and not (locked eq true)";
  EXPECT_TRUE(node(R"({"path":"/a","about":{"kind":"List"}})").selectable);
  EXPECT_FALSE(node(R"({"path":"/a","about":{"kind":"list"},"locked":true})").selectable);
  EXPECT_FALSE(node(R"({"path":"/a"})").selectable);
  source.select_leaves = false;
  EXPECT_FALSE(node(R"({"path":"/a","about":{"kind":"List"}})").selectable) << "the settings hold as well";
  call.parent_path = "@equals(item(), 1";
  call.selectable_filter = "@not one";
  EXPECT_TRUE(node(R"({"path":"/a"})").parent) << "what can't be read hides nothing";
  EXPECT_TRUE(node(R"({"path":"/a"})").selectable);
}

TEST_F(DynamicTest, BrowsesTheOlderFilePickerToo) {
  DynamicQuestion question = about("file");
  const auto roots = dynamic_->tree(question);
  ASSERT_TRUE(roots) << roots.error().message;
  EXPECT_FALSE(roots->items[0].selectable);  // isFolder: false
  question.selected = roots->items[0].item;
  const auto children = dynamic_->tree(question);
  ASSERT_TRUE(children) << children.error().message;
  EXPECT_TRUE(children->items[0].selectable);
}

TEST_F(DynamicTest, RefusesAnAnswerThatIsTooLong) {
  limits_.bytes_max = 30;
  make();
  const auto list = dynamic_->values(about("site"));
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, "DynamicReplyUnexpected");
  EXPECT_NE(list.error().message.find("'ListSites'"), std::string::npos);
}

TEST_F(DynamicTest, AsksOperationsThatArePosted) {
  const auto list = dynamic_->values(about("posted", R"({"site": 7})"));
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->items.size(), 1U);
  EXPECT_EQ(last_body_, R"({"filter":{"site":7}})");
}

TEST_F(DynamicTest, SaysWhatItDoesNotSupport) {
  const auto builtin = dynamic_->values(about("builtin"));
  ASSERT_FALSE(builtin);
  EXPECT_EQ(builtin.error().code, "DynamicContentUnsupported");
  EXPECT_NE(builtin.error().message.find("AzureResource"), std::string::npos);
  EXPECT_EQ(dynamic_->values(about("plain")).error().code, "DynamicContentNotFound");
  EXPECT_EQ(dynamic_->values(about("nothing")).error().code, "DynamicContentNotFound");
  EXPECT_EQ(dynamic_->values(about("folder")).error().code, "DynamicContentNotFound");
}

TEST_F(DynamicTest, FindsChoicesInsideOfAShapeThatOnlyTheServiceKnows) {
  const auto states = dynamic_->values(about("item/State", R"({"table": "a"})"));
  ASSERT_TRUE(states) << states.error().message;
  ASSERT_EQ(states->items.size(), 2U);
  EXPECT_EQ(states->items[1].value, Value("done"));
  const auto known = dynamic_->parameters(about("", R"({"table": "a"})"));
  ASSERT_TRUE(known);
  EXPECT_EQ(known->back().name, "item/State");
  const auto reply = dynamic_->shape(about("", R"({"table": "a"})"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_NE(reply->schema.find("properties"), nullptr);
}

TEST_F(DynamicTest, AsksForTheShapeOfWhatAWebhookTriggerIsTold) {
  DynamicQuestion question = about("", R"({"table": "a"})");
  question.operation = "OnNewItem";
  const auto told = dynamic_->shape(question);
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(last_asked(), "/shape?table=a");
}

TEST_F(DynamicTest, TheCheckerUsesWhatIsRememberedAndAsksNobody) {
  registry_->set_remembered_shapes(
      [this](const Connector& connector, const Operation& operation, const DynamicSource& source,
             const Value& parameters) { return dynamic_->remembered_shape(connector, operation, source, parameters); });
  const Value definition = json_of(R"({"actions": {"Create": {"type": "OpenApiConnection", "inputs": {"host": {"apiId":
    "/providers/Microsoft.PowerApps/apis/shared_lists", "connectionName": "c", "operationId": "CreateItem"},
    "parameters": {"site": "7", "table": "a", "item/Stat": "new"}}}}})");
  EXPECT_TRUE(registry_->check_definition(definition).empty());
  EXPECT_EQ(asked(), 0U);
  ASSERT_TRUE(dynamic_->shape(about("item", R"({"table": "a"})")));
  const std::size_t before = asked();
  const Diagnostics found = registry_->check_definition(definition);
  EXPECT_EQ(asked(), before);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].code, "DynamicPropertyUnknown");
  EXPECT_EQ(found[0].pointer, "/actions/Create/inputs/parameters/item~1Stat");
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_EQ(found[1].code, "DynamicPropertyMissing");
  EXPECT_NE(found[1].message.find("item/Title"), std::string::npos);
}

TEST_F(DynamicTest, AsksNobodyOnceItStops) {
  dynamic_->stop();
  EXPECT_EQ(dynamic_->values(about("site")).error().code, "ServerStopping");
  EXPECT_EQ(asked(), 0U);
}

TEST(DynamicReply, FollowsPathsWithMarksInsideOfNames) {
  const Value value = json_of(R"({"a/b": {"c.d": 1}, "a": {"b": {"c": {"d": 2}}}, "list": [{"x": 3}]})");
  EXPECT_EQ(*value_at(value, "a/b/c.d"), Value(1));
  EXPECT_EQ(*value_at(value, "a.b.c.d"), Value(2));
  EXPECT_EQ(*value_at(value, "list/0/x"), Value(3));
  EXPECT_EQ(value_at(value, "list/1/x"), nullptr);
  EXPECT_EQ(value_at(value, "a//b"), nullptr);
  EXPECT_EQ(value_at(value, "/"), &value);
}

TEST(DynamicReply, TakesTheOnlyListAndGuessesNothingElse) {
  EXPECT_EQ(items_of(json_of("[1, 2]"), "")->size(), 2U);
  EXPECT_EQ(items_of(json_of(R"({"n": 1, "rows": [1]})"), "")->size(), 1U);
  EXPECT_EQ(items_of(json_of(R"({"x": [1, 2], "value": [3]})"), "")->size(), 1U);
  EXPECT_EQ(items_of(json_of(R"({"x": [1], "y": [2]})"), "").error().code, "DynamicReplyUnexpected");
  EXPECT_EQ(items_of(json_of(R"({"x": 1})"), "x").error().code, "DynamicReplyUnexpected");
  EXPECT_EQ(items_of(Value("text"), "").error().code, "DynamicReplyUnexpected");
}

}  // namespace
}  // namespace flowmend::connector
