// Requests of runs against a real service on loopback: what is sent, what comes back, what it does to the connection.

#include "connector/effects.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>

#include <gtest/gtest.h>

#include "connector/master_key.h"
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

class EffectsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-effects-XXXXXX").string();
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
    ASSERT_TRUE(registry_->install(
        json_of(R"({"swagger": "2.0", "info": {"title": "Orders"}, "host": "127.0.0.1:)" +
                std::to_string(listener_->port()) +
                R"(", "schemes": ["http"], "securityDefinitions": {"b": {"type": "basic"}}, "paths": {
             "/orders/{id}": {"get": {"operationId": "GetOrder", "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}]}},
             "/orders": {"post": {"operationId": "CreateOrder", "parameters": [{"name": "body", "in": "body", "schema": {"type": "object"}}]}},
             "/me": {"get": {"operationId": "WhoAmI"}}}})"),
        Value()));
  }
  void TearDown() override {
    effects_.reset();
    listener_.reset();
    connections_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  http::Response serve(const http::IncomingRequest& request) {
    const std::lock_guard lock(mutex_);
    last_ = request;
    ++requests_;
    arrived_.push_back(std::chrono::steady_clock::now());
    if (!asks_for_time_.empty() && request.path == "/orders/busy")
      return {busy_status_, {{"Retry-After", asks_for_time_}}, "slow down"};
    if (request.path == "/slow") return {200, {{"Content-Type", "text/plain"}, {"Set-Cookie", "a=1"}}, "late"};
    if (request.path == "/contoso/oauth2/token") {
      ++sign_ins_;
      if (!sign_in_answer_.empty()) return {sign_in_status_, {{"Content-Type", "application/json"}}, sign_in_answer_};
      return {200,
              {{"Content-Type", "application/json"}},
              R"({"token_type":"Bearer","expires_in":")" + sign_in_lifetime_ + R"(","access_token":"token-)" +
                  std::to_string(sign_ins_) + "\"}"};
    }
    if (request.path == "/graph") {
      if (request.header("Authorization") != "Bearer " + good_token_) return {401, {}, "stale"};
      return {200, {{"Content-Type", "application/json"}}, R"({"me":"flow"})"};
    }
    if (request.path == "/token") return {200, {{"Content-Type", "application/json"}}, token_answer_};
    if (request.path == "/boards/1") {
      if (request.header("X-Token") != "t0p-secret") return {419, {}, "Authentication timeout"};
      return {200, {{"Content-Type", "text/plain"}}, R"({"next":"x","map":{"a":1},"sent":)" + request.body + "}"};
    }
    if (request.path == "/badjson") return {200, {{"Content-Type", "application/json"}}, "{oops"};
    if (request.header("Authorization") != "Basic " + base64_encode("shop:" + password_)) {
      return {401,
              {{"Content-Type", "application/json"}},
              R"({"error":{"code":"Unauthorized","message":"The password of 'shop' was changed."}})"};
    }
    if (request.path == "/orders/forbidden")
      return {403, {{"Content-Type", "application/json"}}, R"({"message":"not yours"})"};
    return {200, {{"Content-Type", "application/json"}}, R"({"id":"7","items":[1,2]})"};
  }

  engine::AttemptFinished send(engine::Call call, std::string_view connection_references = "{}") {
    // A number of its own: the one before may still be told that it ended.
    return begin(std::move(call), connection_references, ++last_run_).get();
  }

  /// The call of run `run`: what comes of it.
  std::future<engine::AttemptFinished> begin(engine::Call call, std::string_view connection_references,
                                             std::int64_t run) {
    call.timeout = Duration::seconds(10);
    auto flow = std::make_shared<definition::Flow>();
    flow->id = "11111111-2222-4333-8444-555555555555";
    flow->workflow_id = "0123456789abcdef0123456789abcdef";
    flow->version = "08584640926573727105";
    flow->connection_references = json_of(connection_references);
    runtime::CallContext context;
    context.flow = flow;
    context.run = "08584640926573727105946217888CU00";
    context.action = "Get_order";
    auto promise = std::make_shared<std::promise<engine::AttemptFinished>>();
    auto returned = std::make_shared<std::atomic<bool>>(false);
    effects_->send({run, call.place, call.attempt}, call, context,
                   [promise, returned](engine::AttemptFinished outcome) {
                     while (!*returned) std::this_thread::yield();  // never from inside send
                     promise->set_value(std::move(outcome));
                   });
    *returned = true;
    return promise->get_future();
  }

  void make_connection() {
    ASSERT_TRUE(connections_->put_unverified(key_, "Orders",
                                             json_of(R"({"username": "shop", "password": "autumn-2026"})"), "demo"));
  }

  engine::Call operation_call(std::string_view id) {
    engine::Call call;
    call.kind = engine::Call::Kind::connector;
    call.idempotency_key = "key-1";
    call.inputs = json_of(
        R"({"host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_orders", "connectionName": "shop_ref", "operationId": "GetOrder"},
                              "parameters": {"id": ")" +
        std::string(id) + "\"}}");
    return call;
  }

  static constexpr const char* references =
      R"({"shop_ref": {"connectionName": "orders", "id": "/providers/Microsoft.PowerApps/apis/shared_orders"}})";
  const ConnectionKey key_{"shared_orders", "orders"};

  Verification verify(const Value& credentials) {
    std::promise<Result<Verification>> promise;
    connections_->verify(key_, credentials, [&](Result<Verification> result) { promise.set_value(std::move(result)); });
    auto result = promise.get_future().get();
    EXPECT_TRUE(result);
    return result ? *result : Verification();
  }

  /// A connector whose policies ask for a token first, and change what is sent and what the flow sees.
  void install_policied() {
    ASSERT_TRUE(registry_->install(
        json_of(R"({"swagger": "2.0", "info": {"title": "Boards"}, "host": "127.0.0.1:)" +
                std::to_string(listener_->port()) +
                R"(", "schemes": ["http"], "securityDefinitions": {"b": {"type": "basic"}}, "paths": {
             "/boards/{id}": {"post": {"operationId": "Post", "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"},
               {"name": "body", "in": "body", "schema": {"type": "object", "properties": {"title": {"type": "string"}}}}]}}}})"),
        json_of(
            R"j({"properties": {"connectionParameters": {"username": {"type": "string"}, "password": {"type": "securestring"}},
          "policyTemplateInstances": [
          {"templateId": "setvaluefromurl", "parameters": {"x-ms-apimTemplateParameter.parameterTemplate": "@headers('X-Token')", "x-ms-apimTemplateParameter.httpMethod": "POST",
             "x-ms-apimTemplateParameter.parameterValueUrl": "/token", "x-ms-apimTemplateParameter.parameterValuePathTemplate": "@body().token"}},
          {"templateId": "setproperty", "parameters": {"x-ms-apimTemplateParameter.newPropertyParentPathTemplate": "@body()",
             "x-ms-apimTemplateParameter.newPropertySubPathTemplate": "type", "x-ms-apimTemplateParameter.propertyValuePathTemplate": "card"}},
          {"templateId": "setheader", "parameters": {"x-ms-apimTemplateParameter.name": "Content-Type", "x-ms-apimTemplateParameter.value": "application/json",
             "x-ms-apimTemplate-policySection": "Response"}},
          {"templateId": "convertobjecttoarray", "parameters": {"x-ms-apimTemplateParameter.propertyParentPath": "@body()", "x-ms-apimTemplateParameter.propertySubPath": "map",
             "x-ms-apimTemplateParameter.newPropertyPath": "@body().map", "x-ms-apimTemplateParameter.keyName": "k", "x-ms-apimTemplateParameter.valueName": "v", "x-ms-apimTemplate-policySection": "Response"}},
          {"templateId": "setconnectionstatustounauthenticated", "parameters": {"x-ms-apimTemplateParameter.statusCode": 419}}]}})j")));
    ASSERT_TRUE(connections_->put_unverified({"shared_boards", "boards"}, "Boards",
                                             json_of(R"({"username": "shop", "password": "autumn-2026"})"), "demo"));
  }
  engine::Call board_call() {
    engine::Call call;
    call.kind = engine::Call::Kind::connector;
    call.idempotency_key = "key-2";
    call.inputs = json_of(
        R"({"host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_boards", "connectionName": "boards", "operationId": "Post"},
                              "parameters": {"id": "1", "body/title": "t"}})");
    return call;
  }

  engine::Call graph_call(const std::string& change = {}) {
    engine::Call call;
    call.kind = engine::Call::Kind::http;
    const std::string here = "http://127.0.0.1:" + std::to_string(listener_->port());
    call.inputs = json_of(R"({"method":"POST","uri":")" + here + R"(/graph","body":{"a":1}})");
    call.sealed = json_of(
        R"({"type":"ActiveDirectoryOAuth","authority":")" + here +
        R"(/","tenant":"contoso","audience":"https://graph.test","clientId":"app","secret":"s 3/cret")" + change + "}");
    return call;
  }

  int sign_ins_ = 0;
  int sign_in_status_ = 200;
  std::string sign_in_answer_;
  std::string sign_in_lifetime_ = "3599";
  std::string good_token_ = "token-1";
  std::string token_answer_ = R"({"token":"t0p-secret"})";
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<MasterKeySealer> sealer_;
  std::mutex mutex_;
  std::string password_ = "autumn-2026";
  http::IncomingRequest last_;
  int requests_ = 0;
  std::int64_t last_run_ = 1000;
  std::vector<std::chrono::steady_clock::time_point> arrived_;
  std::string asks_for_time_;  ///< Retry-After of `/orders/busy`
  int busy_status_ = 429;
  http::Client client_;
  std::unique_ptr<http::Listener> listener_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<ConnectorEffects> effects_;
};

TEST_F(EffectsTest, ARefusedPasswordBreaksTheConnectionAndAVerifiedOneMendsIt) {
  ASSERT_TRUE(connections_->put_unverified(key_, "Orders",
                                           json_of(R"({"username": "shop", "password": "spring-2026"})"), "demo"));

  const auto refused = send(operation_call("7"), references);
  EXPECT_EQ(refused.status_code, 401);
  EXPECT_TRUE(refused.has_body);
  EXPECT_EQ(json::write(refused.request).find("c2hvc"), std::string::npos) << "the record shows no credential";
  EXPECT_NE(json::write(refused.request).find("*sanitized*"), std::string::npos);
  auto view = connections_->find(key_);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->status, ConnectionStatus::error);
  EXPECT_EQ(view->error_code, "Unauthorized");
  EXPECT_EQ(view->error_message, "The service answered 401 (Unauthorized): The password of 'shop' was changed.");
  EXPECT_EQ(view->affected_runs, 1u);

  const Verification wrong = verify(json_of(R"({"password": "guess"})"));
  EXPECT_EQ(wrong.status, ConnectionStatus::error);
  EXPECT_FALSE(wrong.stored);
  EXPECT_EQ(wrong.service_status, 401);
  EXPECT_EQ(wrong.error_message, "The service answered 401 (Unauthorized): The password of 'shop' was changed.");
  EXPECT_EQ(json::write(wrong.service_body),
            R"({"error":{"code":"Unauthorized","message":"The password of 'shop' was changed."}})");

  const Verification right = verify(json_of(R"({"password": "autumn-2026"})"));
  EXPECT_EQ(right.status, ConnectionStatus::connected);
  EXPECT_TRUE(right.stored);
  EXPECT_EQ(right.affected_runs, 1u);
  const auto accepted = send(operation_call("7"), references);
  EXPECT_EQ(accepted.status_code, 200);
  EXPECT_EQ(json::write(accepted.body), R"({"id":"7","items":[1,2]})");

  // A wrong guess does not replace what works.
  EXPECT_EQ(verify(json_of(R"({"password": "guess"})")).status, ConnectionStatus::error);
  EXPECT_EQ(connections_->find(key_)->status, ConnectionStatus::connected);
  EXPECT_EQ(send(operation_call("7"), references).status_code, 200);

  // Everything is there after a restart, and nothing in clear.
  Connections again(*store_, *sealer_, *registry_, client_);
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.material(key_)->fields.text_of("password"), "autumn-2026");
  const auto document = store_->document("connection", "shared_orders/orders");
  ASSERT_TRUE(document && document->has_value());
  EXPECT_EQ(json::write((*document)->value).find("autumn"), std::string::npos);
  EXPECT_EQ(json::write(connections_->describe(*connections_->find(key_))).find("autumn"), std::string::npos);
}

TEST_F(EffectsTest, AForbiddenCallLeavesTheConnectionConnected) {
  ASSERT_TRUE(connections_->put_unverified(key_, "Orders",
                                           json_of(R"({"username": "shop", "password": "autumn-2026"})"), "demo"));
  EXPECT_EQ(send(operation_call("forbidden"), references).status_code, 403);
  const auto view = connections_->find(key_);
  EXPECT_EQ(view->status, ConnectionStatus::connected);
  ASSERT_TRUE(view->last_failure);
  EXPECT_EQ(view->last_failure->message, "The service answered 403 (Forbidden): not yours");
}

TEST_F(EffectsTest, ALateAnswerToOldCredentialsSaysNothingAboutNewOnes) {
  ASSERT_TRUE(connections_->put_unverified(key_, "Orders",
                                           json_of(R"({"username": "shop", "password": "spring-2026"})"), "demo"));
  const auto old = connections_->material(key_)->generation;
  EXPECT_TRUE(verify(json_of(R"({"password": "autumn-2026"})")).stored);
  connections_->report_refused(key_, old, {now_from_system_clock(), 401, "late", "", ""});
  EXPECT_EQ(connections_->find(key_)->status, ConnectionStatus::connected);
}

TEST_F(EffectsTest, SaysWhichConnectionOrOperationIsNotThere) {
  auto deleted = send(operation_call("7"), references);
  EXPECT_EQ(deleted.fault.code, "ApiConnectionNotFound");
  EXPECT_EQ(deleted.status_code, 0);
  EXPECT_EQ(deleted.fault.details.text_of("kind"), "connection");
  EXPECT_EQ(requests_, 0);

  ASSERT_TRUE(
      connections_->put_unverified(key_, "Orders", json_of(R"({"username": "shop", "password": "x"})"), "demo"));
  engine::Call call = operation_call("7");
  call.inputs = json_of(R"({"host": {"apiId": "shared_orders", "connectionName": "shop_ref", "operationId": "Nope"}})");
  EXPECT_EQ(send(call, references).fault.code, "WorkflowOperationInputsApiOperationNotFound");
  call.inputs = json_of(R"({"host": {"apiId": "shared_orders", "operationId": "GetOrder"}})");
  EXPECT_EQ(send(call, references).fault.code, "ConnectionNotConfigured");
  const auto missing = send(operation_call(""), references);
  EXPECT_EQ(missing.fault.code, "WorkflowOperationParametersRuntimeMissingValue");
  EXPECT_EQ(missing.fault.message,
            "The 'inputs.parameters' of workflow operation 'Get_order' of type 'OpenApiConnection' is not valid. Error "
            "details: The resolved string "
            "values for the following parameters are invalid, they may not be null or empty: 'id'");
}

TEST_F(EffectsTest, ASubscriptionByPathIsAPostThoughItNamesNoMethod) {
  make_connection();
  engine::Call call = operation_call("7");
  call.inputs = json_of(
      R"({"host": {"apiId": "shared_orders", "connectionName": "shop_ref"}, "path": "/orders", "body": {"a": 1}})");
  EXPECT_EQ(send(call, references).fault.code, "ApiOperationNotFound") << "a step without a method is a GET";
  call.callback_url = "http://127.0.0.1/hook";
  EXPECT_EQ(send(call, references).status_code, 200);
  EXPECT_EQ(last_.method, "POST");
}

TEST_F(EffectsTest, RefusesBadConnectionFields) {
  const auto code = [&](std::string_view fields) {
    const auto put = connections_->put_unverified(key_, "Orders", json_of(fields), "demo");
    return put ? std::string("none") : put.error().code;
  };
  EXPECT_EQ(code(R"({"username": "shop"})"), "InvalidConnectionParameters");
  EXPECT_EQ(code(R"({"username": "shop", "password": "a\r\nHost: evil"})"), "InvalidConnectionParameters");
  EXPECT_EQ(code(R"({"username": "shop", "password": "a", "color": "red"})"), "InvalidConnectionParameters");
  EXPECT_EQ(code(R"(["x"])"), "InvalidConnectionParameters");
  EXPECT_FALSE(connections_->put_unverified({"shared_nope", "x"}, "", Value(), "demo"));
  EXPECT_FALSE(connections_->put_unverified({"shared_orders", "../x"}, "",
                                            json_of(R"({"username": "a", "password": "b"})"), "demo"));
}

TEST_F(EffectsTest, PoliciesAskForAValueFirstAndShapeBothWays) {
  install_policied();
  const engine::AttemptFinished outcome = send(board_call());
  ASSERT_EQ(outcome.status_code, 200) << outcome.fault.code << outcome.fault.message;
  EXPECT_EQ(json::write(outcome.body), R"({"next":"x","map":[{"k":"a","v":1}],"sent":{"title":"t","type":"card"}})")
      << "sent as JSON by its new Content-Type, converted";
  EXPECT_EQ(requests_, 2);
  EXPECT_EQ(json::write(outcome.request).find("t0p-secret"), std::string::npos) << json::write(outcome.request);
}

TEST_F(EffectsTest, AQuestionWithoutItsAnswerIsTheStepsFailureAndNamesTheAddress) {
  install_policied();
  token_answer_ = "<html>maintenance</html>";
  const engine::AttemptFinished outcome = send(board_call());
  EXPECT_EQ(outcome.status_code, 0);
  EXPECT_EQ(outcome.fault.code, "PolicyValueMissing");
  EXPECT_NE(outcome.fault.message.find("/token"), std::string::npos) << outcome.fault.message;
  EXPECT_EQ(requests_, 1) << "the operation itself was not sent";
}

TEST_F(EffectsTest, AStatusThatThePolicyNamesBreaksTheConnection) {
  install_policied();
  token_answer_ = R"({"token":"old"})";
  EXPECT_EQ(send(board_call()).status_code, 419);
  EXPECT_EQ(connections_->find({"shared_boards", "boards"})->status, ConnectionStatus::error);
}

TEST_F(EffectsTest, AConnectionHasOneOfTheKindsOfSignInThatTheConnectorOffers) {
  const auto installed = registry_->install(
      json_of(
          R"({"swagger": "2.0", "info": {"title": "Kinds"}, "host": "127.0.0.1:)" + std::to_string(listener_->port()) +
          R"(", "schemes": ["http"], "securityDefinitions": {"b": {"type": "basic"}, "k": {"type": "apiKey", "in": "header", "name": "X-Key"}},
                  "paths": {"/orders/{id}": {"get": {"operationId": "GetOrder", "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}]}}}})"),
      json_of(R"j({"properties": {"connectionParameterSets": {"uiDefinition": {"displayName": "How"}, "values": [
        {"name": "basic", "uiDefinition": {"displayName": "User name"}, "parameters": {"username": {"type": "string"}, "password": {"type": "securestring"}}},
        {"name": "key", "metadata": {"allowSharing": false}, "parameters": {"api_key": {"type": "securestring", "uiDefinition": {"constraints": {"required": "true"}}}}},
        {"name": "key", "parameters": {}}, {"parameters": {}}]}}})j"));
  ASSERT_TRUE(installed);
  EXPECT_EQ(std::ranges::count(*installed, "ConnectorParameterSetInvalid", &Diagnostic::code), 2);
  const auto connector = registry_->find("shared_kinds");
  ASSERT_EQ(connector->parameter_sets.size(), 2u);
  EXPECT_EQ(connector->parameter_sets_title, "How");
  EXPECT_FALSE(connector->parameter_sets[1].may_be_shared);

  const ConnectionKey first{"shared_kinds", "first"};
  const ConnectionKey second{"shared_kinds", "second"};
  ASSERT_TRUE(
      connections_->put_unverified(first, "", json_of(R"({"username": "shop", "password": "autumn-2026"})"), "ada"));
  ASSERT_TRUE(connections_->put_unverified(second, "", {json_of(R"({"api_key": "k-1"})"), "key"}, "ada"));
  const auto call_over = [&](const char* connection) {
    engine::Call call = operation_call("1");
    call.inputs = json_of(
        R"({"host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_kinds", "operationId": "GetOrder", "connectionName": ")" +
        std::string(connection) + R"("}, "parameters": {"id": "1"}})");
    return send(call);
  };
  EXPECT_EQ(call_over("first").status_code, 200);
  EXPECT_EQ(call_over("second").status_code, 401);
  EXPECT_EQ(last_.header("X-Key"), "k-1");
  EXPECT_EQ(last_.header("Authorization"), "");

  // What is stored knows its kind, and a connection keeps it.
  Connections reread(*store_, *sealer_, *registry_, client_);
  ASSERT_TRUE(reread.load());
  EXPECT_EQ(reread.find(second)->parameter_set, "key");
  EXPECT_EQ(reread.material(second)->connector->connection_parameters.size(), 1u);
  const Value shown = reread.describe(*reread.find(second));
  EXPECT_EQ(json::write(*shown.find("properties")->find("connectionParametersSet")), R"({"name":"key","values":{}})");
  const auto code_of = [&](const ConnectionKey& key, const ConnectionValues& values) {
    std::promise<Result<Verification>> promise;
    connections_->put(key, "", values, "ada",
                      [&](Result<Verification> result) { promise.set_value(std::move(result)); });
    const auto result = promise.get_future().get();
    return result ? std::string("none") : result.error().code;
  };
  EXPECT_EQ(code_of(second, {json_of(R"({"username": "u", "password": "p"})"), "basic"}),
            "InvalidConnectionParameterSet");
  EXPECT_EQ(code_of({"shared_kinds", "third"}, {Value::empty_object(), "certificate"}),
            "InvalidConnectionParameterSet");
  EXPECT_EQ(code_of({"shared_kinds", "third"}, {Value::empty_object(), "key"}), "InvalidConnectionParameters");
  EXPECT_EQ(code_of({"shared_orders", "third"}, {Value::empty_object(), "key"}), "InvalidConnectionParameterSet");
}

TEST_F(EffectsTest, AnHttpActionSendsWhatTheFlowSaysAndTheWorkflowHeaders) {
  engine::Call call;
  call.idempotency_key = "key-1";
  call.tracking_id = "t-1";
  call.inputs = Value::object(
      {{"method", "post"},
       {"uri", Value("http://127.0.0.1:" + std::to_string(listener_->port()) + "/slow?a=b c")},
       {"queries", json_of(R"({"q": "x&y", "n": null})")},
       {"headers", json_of(R"({"X-One": 1, "Host": "evil.test", "Accept-Language": "de", "Content-Length": "3"})")},
       {"body", json_of(R"({"a": [1]})")}});
  call.sealed = json_of(R"({"type": "Basic", "username": "u", "password": "topsecret"})");
  const auto outcome = send(call);
  EXPECT_EQ(outcome.status_code, 200);
  EXPECT_EQ(outcome.body, Value("late"));
  EXPECT_EQ(last_.method, "POST");
  EXPECT_EQ(last_.target, "/slow?a=b%20c&q=x%26y");
  EXPECT_EQ(last_.body, R"({"a":[1]})");
  EXPECT_EQ(last_.header("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(last_.header("X-One"), "1");
  EXPECT_EQ(last_.header("Accept-Language"), "");
  EXPECT_TRUE(last_.header("Host").starts_with("127.0.0.1"));
  EXPECT_EQ(last_.header("Idempotency-Key"), "key-1");
  EXPECT_EQ(last_.header("x-ms-workflow-operation-name"), "Get_order");
  EXPECT_EQ(last_.header("x-ms-workflow-run-id"), "08584640926573727105946217888CU00");
  EXPECT_EQ(last_.header("Authorization"), "Basic " + base64_encode("u:topsecret"));
  EXPECT_EQ(json::write(outcome.request).find(base64_encode("u:topsecret")), std::string::npos);

  call.workflow_headers = false;
  call.inputs = Value::object(
      {{"method", "GET"}, {"uri", Value("http://127.0.0.1:" + std::to_string(listener_->port()) + "/slow")}});
  send(call);
  EXPECT_EQ(last_.header("x-ms-workflow-run-id"), "");
  EXPECT_EQ(last_.header("Idempotency-Key"), "");
}

TEST_F(EffectsTest, AnHttpActionSignsInForATokenAndKeepsItWhileItHolds) {
  const engine::AttemptFinished first = send(graph_call());
  EXPECT_EQ(first.status_code, 200) << first.fault.code << first.fault.message;
  EXPECT_EQ(json::write(first.body), R"({"me":"flow"})");
  for (const char* secret : {"s 3/cret", "s%203%2Fcret", "token-1"})
    EXPECT_EQ(json::write(first.request).find(secret), std::string::npos) << json::write(first.request);
  EXPECT_EQ(send(graph_call()).status_code, 200);
  EXPECT_EQ(sign_ins_, 1) << "one token serves both";
  good_token_ = "token-2";
  EXPECT_EQ(send(graph_call()).status_code, 200) << "refused before its time: a new one is asked for";
  EXPECT_EQ(sign_ins_, 2);
  good_token_ = "none";
  EXPECT_EQ(send(graph_call()).status_code, 401) << "a new token that is refused is the step's failure";
  EXPECT_EQ(sign_ins_, 3);
  good_token_ = "token-4";
  EXPECT_EQ(send(graph_call(R"(,"x":"another sign-in")")).status_code, 200) << "tokens are not mixed up";
  EXPECT_EQ(sign_ins_, 4);
}

TEST_F(EffectsTest, ATokenThatDoesNotLastIsAskedForAgain) {
  sign_in_lifetime_ = "30";
  EXPECT_EQ(send(graph_call()).status_code, 200);
  good_token_ = "token-2";
  EXPECT_EQ(send(graph_call()).status_code, 200);
  EXPECT_EQ(sign_ins_, 2);
}

TEST_F(EffectsTest, ARefusedSignInOfAnHttpActionIsAnUnauthorizedWithTheServersWords) {
  sign_in_status_ = 400;
  sign_in_answer_ =
      R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret 's 3/cret' provided."})";
  const engine::AttemptFinished refused = send(graph_call());
  EXPECT_EQ(refused.status_code, 401);
  const std::string message(refused.body.find("error")->text_of("message"));
  EXPECT_NE(message.find("/contoso/oauth2/token' was refused with 400: invalid_client: AADSTS7000215"),
            std::string::npos)
      << message;
  EXPECT_EQ(message.find("s 3/cret"), std::string::npos) << message;
  sign_in_status_ = 503;
  EXPECT_EQ(send(graph_call()).status_code, 503) << "temporary: the retry policy's matter";
  sign_in_status_ = 200;
  sign_in_answer_ = "{}";
  EXPECT_EQ(send(graph_call()).fault.code, "SignInAnswerInvalid");
}

TEST_F(EffectsTest, AnHttpActionsSignInNamesWhatItLacks) {
  const auto fault = [&](const std::string& authentication) {
    engine::Call call = graph_call();
    call.sealed = json_of(authentication);
    return send(call).fault;
  };
  EXPECT_EQ(fault(R"({"type":"ActiveDirectoryOAuth","audience":"a","clientId":"c","secret":"s"})").message,
            "The authentication ActiveDirectoryOAuth needs 'tenant'.");
  EXPECT_EQ(fault(R"({"type":"ActiveDirectoryOAuth","tenant":"t","audience":"a","clientId":"c"})").message,
            "The authentication ActiveDirectoryOAuth needs 'secret'.");
  EXPECT_EQ(
      fault(
          R"({"type":"ActiveDirectoryOAuth","authority":"ftp://x","tenant":"t","audience":"a","clientId":"c","secret":"s"})")
          .code,
      "InvalidHttpInputs");
  EXPECT_EQ(fault(R"({"type":"ManagedServiceIdentity"})").code, "AuthenticationTypeUnsupported");
  EXPECT_EQ(sign_ins_, 0);
}

TEST_F(EffectsTest, AnHttpActionSaysWhyThereIsNoAnswer) {
  const auto fault = [&](std::string_view inputs, std::string_view sealed = "null") {
    engine::Call call;
    call.inputs = json_of(inputs);
    call.sealed = json_of(sealed);
    const auto outcome = send(call);
    EXPECT_EQ(outcome.status_code, 0);
    EXPECT_FALSE(outcome.fault.message.empty());
    return outcome.fault.code;
  };
  EXPECT_EQ(fault(R"({"method": "GET", "uri": "http://no-such-host.invalid/x"})"), "UnresolvableHostName");
  EXPECT_EQ(fault(R"({"method": "GET", "uri": "http://127.0.0.1:1/x"})"), "ConnectFailure");
  EXPECT_EQ(fault(R"({"method": "GET", "uri": "ftp://x"})"), "InvalidHttpInputs");
  EXPECT_EQ(fault(R"({"method": "G T", "uri": "http://x"})"), "InvalidHttpInputs");
  EXPECT_EQ(fault(R"({"uri": null})"), "InvalidHttpInputs");
  EXPECT_EQ(fault(R"({"method": "GET", "uri": "http://127.0.0.1/", "headers": {"a": "b\r\nc: d"}})"),
            "InvalidHttpInputs");
  EXPECT_EQ(fault(R"({"method": "GET", "uri": "http://127.0.0.1/"})", R"({"type": "ManagedServiceIdentity"})"),
            "AuthenticationTypeUnsupported");
  EXPECT_EQ(
      fault("{\"method\": \"GET\", \"uri\": \"http://127.0.0.1:" + std::to_string(listener_->port()) + "/badjson\"}"),
      "InvalidProtocolResponse");
}

TEST_F(EffectsTest, TheTimeThatAServiceAsksForIsKeptByAllCallsOverTheConnection) {
  make_connection();
  for (const int status : {429, 503}) {
    busy_status_ = status;
    asks_for_time_ = "1";
    arrived_.clear();
    EXPECT_EQ(send(operation_call("busy"), references).status_code, status);
    EXPECT_EQ(send(operation_call("7"), references).status_code, 200);
    ASSERT_EQ(arrived_.size(), 2u);
    EXPECT_GE(arrived_[1] - arrived_[0], std::chrono::milliseconds(900)) << status;
  }
  // Other refusals say nothing of the kind, and other connections go on.
  busy_status_ = 400;
  asks_for_time_ = "600";
  send(operation_call("busy"), references);
  EXPECT_EQ(send(operation_call("7"), references).status_code, 200);
}

TEST_F(EffectsTest, ACallThatWaitsCanBeCancelledAndNoneIsLost) {
  make_connection();
  asks_for_time_ = "600";
  EXPECT_EQ(send(operation_call("busy"), references).status_code, 429);
  std::vector<std::future<engine::AttemptFinished>> waiting;
  for (std::int64_t run = 1; run <= 50; ++run) waiting.push_back(begin(operation_call("7"), references, run));
  effects_->cancel({20, {}, 1});
  EXPECT_EQ(waiting[19].get().fault.code, "Cancelled");
  effects_->cancel({20, {}, 1});  // over already
  EXPECT_EQ(waiting[0].wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  effects_.reset();
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (i != 19) {
      EXPECT_EQ(waiting[i].get().fault.code, "Cancelled");
    }
  }
  EXPECT_EQ(requests_, 1) << "nothing was sent";
}

TEST_F(EffectsTest, ThePolicyOfTheActionBoundsTheWaitForOthers) {
  make_connection();
  asks_for_time_ = "600";
  EXPECT_EQ(send(operation_call("busy"), references).status_code, 429);
  engine::Call call = operation_call("7");
  json::ObjectBuilder inputs(call.inputs);
  inputs.set("retryPolicy", json_of(R"({"type": "fixed", "count": 2, "interval": "PT5S", "maximumInterval": "PT1S"})"));
  call.inputs = inputs.finish();
  EXPECT_EQ(send(call, references).status_code, 200);
  EXPECT_GE(arrived_[1] - arrived_[0], std::chrono::milliseconds(900));
}

TEST_F(EffectsTest, AConnectionsLimitHoldsCallsBack) {
  make_connection();
  EXPECT_EQ(connections_->set_rate(key_, -1).error().code, "RateLimitInvalid");
  EXPECT_EQ(connections_->set_rate(key_, Connections::rate_max + 1).error().code, "RateLimitInvalid");
  EXPECT_EQ(connections_->set_rate({"shared_orders", "none"}, 1).error().code, "ConnectionNotFound");
  ASSERT_TRUE(connections_->set_rate(key_, 3));
  std::vector<std::future<engine::AttemptFinished>> calls;
  for (std::int64_t run = 1; run <= 5; ++run) calls.push_back(begin(operation_call("7"), references, run));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(calls[static_cast<std::size_t>(i)].get().status_code, 200);
  EXPECT_EQ(requests_, 3);
  for (std::int64_t run = 4; run <= 5; ++run) effects_->cancel({run, {}, 1});
  for (std::size_t i = 3; i < 5; ++i) EXPECT_EQ(calls[i].get().fault.code, "Cancelled");
  EXPECT_EQ(requests_, 3);
  // It is stored, shown, and stays when the credentials are entered anew.
  make_connection();
  Connections again(*store_, *sealer_, *registry_, client_);
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.find(key_)->requests_per_minute, 3);
  const Value described = connections_->describe(*connections_->find(key_));
  EXPECT_EQ(described.find("properties")->find("flowmend")->find("requestsPerMinute")->as_integer(), 3);
  ASSERT_TRUE(connections_->set_rate(key_, 0));
  EXPECT_EQ(send(operation_call("7"), references).status_code, 200);
}

}  // namespace
}  // namespace flowmend::connector
