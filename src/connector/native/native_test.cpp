// A small native connector through everything that calls one: the registry, a connection's verification, a run's call,
// a polling trigger with its state, timeouts and cancelling.

#include "connector/native/native.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "connector/connections.h"
#include "connector/effects.h"
#include "connector/master_key.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"
#include "runtime/executor.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

/// Counts: `Count` answers what comes next, a check of `OnCount` one number more than the last.
class Counter final : public NativeConnector {
 public:
  std::string_view name() const override { return "shared_counter"; }
  std::string_view swagger() const override {
    return R"({"swagger": "2.0", "info": {"title": "Counter", "version": "1"}, "paths": {
      "/count/{by}": {"post": {"operationId": "Count", "parameters": [
        {"name": "by", "in": "path", "required": true, "type": "integer"}]}},
      "/wait": {"post": {"operationId": "Wait"}},
      "/throw": {"post": {"operationId": "Throw"}},
      "/counts": {"get": {"operationId": "OnCount", "x-ms-trigger": "batch"}}}})";
  }
  std::string_view properties() const override {
    return R"({"properties": {"connectionParameters": {
      "step": {"type": "int", "uiDefinition": {"displayName": "Step", "constraints": {"required": "false"}},
               "defaultValue": 10},
      "password": {"type": "securestring", "uiDefinition": {"displayName": "Password",
                   "constraints": {"required": "true"}}}}}})";
  }
  http::Reply call(const NativeCall& call) override {
    if (field_text(call.fields, "password") != "right") return refuse(call.fields);
    if (call.operation->id == "Throw") throw std::runtime_error("lost count");
    if (call.operation->id == "Wait") {
      waiting = true;
      while (!call.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      given_up = true;
      return native_json(200, Value("nobody hears this"));
    }
    if (call.operation->id == "OnCount") {
      const std::string next = call.state.empty() ? "1" : std::to_string(std::stoi(call.state.substr(6)) + 1);
      states.push_back(call.state);
      // The state holds what a careless header would break at.
      return with_state(native_json(call.state.empty() ? 202 : 200, Value::object({{"count", Value(next)}})),
                        "é, ;=" + next);
    }
    last_key = call.idempotency_key;
    return native_json(200, Value::object({{"by", argument(call, "by")},
                                           {"step", Value(field_text(call.fields, "step"))},
                                           {"flow", Value(call.flow)}}));
  }
  http::Reply verify(const Value& fields, Duration) override {
    return field_text(fields, "password") == "right" ? native_json(200, Value()) : refuse(fields);
  }
  std::string address(const Value&) const override { return "count://counter.test"; }

  std::atomic<bool> waiting = false;
  std::atomic<bool> given_up = false;
  std::string last_key;
  std::vector<std::string> states;

 private:
  static http::Reply refuse(const Value& fields) {
    return native_error(401, "Unauthorized", "'" + field_text(fields, "password") + "' does not count.");
  }
};

class NativeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-native-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = store::sqlite::open({.folder = folder_}).value();
    sealer_ = open_master_key(folder_ + "/master.key").value();
    registry_ = std::make_unique<Registry>(*store_);
    std::vector<std::unique_ptr<NativeConnector>> natives;
    natives.push_back(std::make_unique<Counter>());
    counter_ = static_cast<Counter*>(natives.front().get());
    ASSERT_TRUE(registry_->add_native(std::move(natives)));
    connections_ = std::make_unique<Connections>(*store_, *sealer_, *registry_, client_);
    ASSERT_TRUE(connections_->load());
    effects_ = std::make_unique<ConnectorEffects>(client_, *connections_);
    ASSERT_TRUE(connections_->put_unverified(key_, "", json_of(R"({"password": "right"})"), "test"));
  }
  void TearDown() override {
    effects_.reset();
    connections_.reset();
    registry_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  engine::Call call_of(std::string_view operation, std::string_view parameters = "{}") {
    engine::Call call;
    call.kind = engine::Call::Kind::connector;
    call.timeout = Duration::seconds(20);
    call.idempotency_key = "key-1";
    call.inputs = json_of(R"({"host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_counter",
      "connectionName": "one", "operationId": ")" +
                          std::string(operation) + R"("}, "parameters": )" + std::string(parameters) + "}");
    return call;
  }
  std::future<engine::AttemptFinished> send(const engine::Call& call) {
    auto flow = std::make_shared<definition::Flow>();
    flow->id = "11111111-2222-4333-8444-555555555555";
    flow->connection_references =
        json_of(R"({"one": {"connectionName": "one", "id": "/providers/Microsoft.PowerApps/apis/shared_counter"}})");
    runtime::CallContext context;
    context.flow = flow;
    auto promise = std::make_shared<std::promise<engine::AttemptFinished>>();
    effects_->send({++calls_, {}, 1}, call, context,
                   [promise](engine::AttemptFinished outcome) { promise->set_value(std::move(outcome)); });
    return promise->get_future();
  }
  Verification verify(const Value& credentials) {
    std::promise<Result<Verification>> promise;
    connections_->verify(key_, credentials, [&](Result<Verification> result) { promise.set_value(std::move(result)); });
    auto result = promise.get_future().get();
    EXPECT_TRUE(result);
    return result ? *result : Verification();
  }

  std::int64_t calls_ = 0;
  const ConnectionKey key_{"shared_counter", "one"};
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<MasterKeySealer> sealer_;
  http::Client client_;
  Counter* counter_ = nullptr;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<ConnectorEffects> effects_;
};

TEST_F(NativeTest, IsFoundListedAndChecked) {
  ASSERT_TRUE(registry_->find("/providers/Microsoft.PowerApps/apis/shared_counter"));
  ASSERT_EQ(registry_->list().size(), 1u);
  LoadOptions options;
  options.name = "shared_counter";
  const auto installed = registry_->install(registry_->find("shared_counter")->swagger, Value(), options);
  ASSERT_FALSE(installed);
  EXPECT_EQ(installed.error().code, "ConnectorNameReserved");
  const auto found = registry_->check_definition(json_of(R"({"actions": {"A": {"type": "OpenApiConnection", "inputs": {
    "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_counter", "operationId": "Count"},
    "parameters": {"bye": 1}}}}})"));
  EXPECT_FALSE(found.empty());
}

TEST_F(NativeTest, GetsCheckedArgumentsTheConnectionsValuesAndTheKey) {
  const auto outcome = send(call_of("Count", R"({"by": "7"})")).get();
  EXPECT_EQ(outcome.status_code, 200);
  EXPECT_EQ(json::write(outcome.body), R"({"by":7,"step":"10","flow":"11111111-2222-4333-8444-555555555555"})");
  EXPECT_EQ(counter_->last_key, "key-1");
  EXPECT_EQ(json::write(outcome.request), R"({"method":"POST","uri":"count://counter.test","headers":{}})");
  EXPECT_TRUE(connections_->find(key_)->last_success.is_set());

  const auto refused = send(call_of("Count", R"({"by": "seven"})")).get();
  EXPECT_EQ(refused.fault.code, "OpenApiOperationParameterTypeConversionFailed");
  EXPECT_EQ(send(call_of("Recount")).get().fault.code, "WorkflowOperationInputsApiOperationNotFound");
}

TEST_F(NativeTest, ARefusalBreaksTheConnectionAndAnAcceptedPasswordMendsIt) {
  ASSERT_TRUE(connections_->put_unverified(key_, "", json_of(R"({"password": "wrong-one"})"), "test"));
  const auto outcome = send(call_of("Count", R"({"by": 1})")).get();
  EXPECT_EQ(outcome.status_code, 401);
  EXPECT_EQ(json::write(outcome.body),
            R"({"error":{"code":"Unauthorized","message":"'*sanitized*' does not count."}})");
  EXPECT_EQ(connections_->find(key_)->status, ConnectionStatus::error);

  const Verification wrong = verify(json_of(R"({"password": "worse-one"})"));
  EXPECT_EQ(wrong.error_code, "Unauthorized");
  EXPECT_EQ(wrong.error_message.find("worse-one"), std::string::npos);
  EXPECT_FALSE(wrong.stored);
  EXPECT_TRUE(verify(json_of(R"({"password": "right"})")).stored);
  EXPECT_EQ(send(call_of("Count", R"({"by": 1})")).get().status_code, 200);
}

TEST_F(NativeTest, AnswersInTheSteadOfACallThatTakesTooLongOrThatNobodyWaitsFor) {
  auto call = call_of("Wait");
  call.timeout = Duration::milliseconds(20);
  EXPECT_EQ(send(call).get().fault.code, "RequestTimeout");

  counter_->waiting = false;
  auto cancelled = send(call_of("Wait"));
  while (!counter_->waiting) std::this_thread::yield();
  effects_->cancel({calls_, {}, 1});
  EXPECT_EQ(cancelled.get().fault.code, "Cancelled");

  counter_->given_up = false;
  auto left = send(call_of("Wait"));
  effects_.reset();
  EXPECT_EQ(left.get().fault.code, "Cancelled");

  effects_ = std::make_unique<ConnectorEffects>(client_, *connections_);
  const auto thrown = send(call_of("Throw")).get();
  EXPECT_EQ(thrown.status_code, 500);
  EXPECT_EQ(thrown.body.find("error")->text_of("message"), "The connector failed: lost count");
}

TEST_F(NativeTest, MoreCallsThanThreadsAreAllAnswered) {
  std::vector<std::future<engine::AttemptFinished>> outcomes;
  for (int i = 0; i < 200; ++i) outcomes.push_back(send(call_of("Throw")));
  for (auto& outcome : outcomes) EXPECT_EQ(outcome.get().status_code, 500);
}

TEST_F(NativeTest, APollGoesOnFromTheStateThatTheLastOneLeft) {
  auto runtime = runtime::Runtime::start({*store_, *effects_, *sealer_, runtime::make_thread_executor()}, {}).value();
  runtime::FlowDraft draft;
  draft.display_name = "counts";
  draft.definition = json_of(R"j({"triggers": {"On_count": {"type": "OpenApiConnection",
    "recurrence": {"frequency": "Second", "interval": 1},
    "inputs": {"host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_counter", "connectionName": "one",
      "operationId": "OnCount"}}}},
    "actions": {"Keep": {"type": "Compose", "inputs": "@triggerBody()?['count']"}}})j");
  draft.connection_references =
      json_of(R"({"one": {"connectionName": "one", "id": "/providers/Microsoft.PowerApps/apis/shared_counter"}})");
  draft.state = store::FlowState::started;
  const auto saved = runtime->flows().create(draft, "ann");
  ASSERT_TRUE(saved && saved->flow);
  for (int i = 0; i < 1500; ++i) {
    const auto rows = store_->trigger_histories(saved->flow->id, "", "", 50);
    if (rows && rows->size() >= 3) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  runtime->stop();
  ASSERT_GE(counter_->states.size(), 3u);
  EXPECT_EQ(counter_->states[0], "");
  EXPECT_EQ(counter_->states[1], "é, ;=1");
  EXPECT_EQ(counter_->states[2], "é, ;=2");
}

}  // namespace
}  // namespace flowmend::connector
