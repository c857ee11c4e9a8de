// MQTT and AMQP against the real brokers, mosquitto and RabbitMQ, each started here on a free port with its own folder.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "connector/document.h"
#include "connector/native/amqp.h"
#include "connector/native/mqtt.h"
#include "json/parse.h"
#include "json/write.h"
#include "native/process.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

/// A connector with a store of its own, called as the runtime calls it: parameters sorted by its document.
class Caller {
 public:
  template <typename Make>
  explicit Caller(Make make) {
    store_ = store::sqlite::open({.folder = folder_.path()}).value();
    native_ = make(NativeParts{*store_, client_, {}});
    const Loaded loaded =
        load_connector_text(native_->swagger(), native_->properties(), {.name = std::string(native_->name())});
    EXPECT_TRUE(loaded.connector);
    for (const Diagnostic& diagnostic : loaded.diagnostics) ADD_FAILURE() << diagnostic.message;
    connector_ = loaded.connector;
  }
  http::Reply call(std::string_view operation, std::string_view parameters, const Value& fields,
                   const std::string& state = {}) {
    NativeCall call;
    call.operation = connector_->find_operation(operation);
    auto bound = bind_arguments(*connector_, *call.operation, json_of(parameters));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().message);
    if (!bound) return {};
    call.arguments = std::move(*bound);
    call.fields = fields;
    call.flow = "f1";
    call.idempotency_key = "key-1";
    call.timeout = Duration::seconds(10);
    call.state = state;
    return native_->call(call);
  }
  http::Reply verify(const Value& fields) { return native_->verify(fields, Duration::seconds(5)); }

 private:
  testing::TemporaryFolder folder_;
  http::Client client_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<NativeConnector> native_;
  std::shared_ptr<const Connector> connector_;
};

std::string state_of(const http::Reply& reply) {
  for (const auto& header : reply.headers) {
    if (header.name == "Location") return header.value.substr(native_state_scheme.size());
  }
  return {};
}

std::string code_of(const http::Reply& reply) {
  if (!reply.error_code.empty()) return reply.error_code;
  const auto body = json::parse(reply.body);
  const Value* error = body ? body->find("error") : nullptr;
  return error == nullptr ? "" : std::string(error->text_of("code"));
}

class Mosquitto : public ::testing::Test {
 protected:
  void SetUp() override {
    port_ = testing::free_port();
    fields_ =
        Value::object({{"host", "127.0.0.1"}, {"port", port_}, {"username", "orders"}, {"password", "open sesame"}});
    const std::string passwords = folder_.path() + "/passwords";
    ASSERT_EQ(testing::run_and_wait({"mosquitto_passwd", "-c", "-b", passwords, "orders", "open sesame"}), 0);
    std::ofstream(folder_.path() + "/rights") << "user orders\ntopic readwrite orders/#\n";
    std::filesystem::permissions(passwords, std::filesystem::perms::all);
    std::ofstream(folder_.path() + "/mosquitto.conf")
        << "listener " << port_ << " 127.0.0.1\nallow_anonymous false\npassword_file " << passwords << "\nacl_file "
        << folder_.path() << "/rights\nuser root\n";
    broker_.start({"mosquitto", "-c", folder_.path() + "/mosquitto.conf"});
    ASSERT_TRUE(testing::wait_for_port(port_, 10'000)) << "mosquitto did not start";
  }
  testing::TemporaryFolder folder_;
  testing::Process broker_;
  int port_ = 0;
  Value fields_;
  Caller mqtt_{make_mqtt};
};

TEST_F(Mosquitto, WhatIsPublishedStartsFlowsOnceAndInOrder) {
  auto first = mqtt_.call("OnMessage", R"({"topic": "orders/+"})", fields_);
  ASSERT_EQ(first.status, 202) << first.body << first.error_message;
  // The session is the broker's: what comes while nobody listens waits there.
  for (const char* payload : {R"("one")", R"({"two": 2})", R"({"$content-type": "image/png", "$content": "/wAB"})"}) {
    const auto sent = mqtt_.call(
        "PublishMessage", std::string(R"({"body": {"topic": "orders/new", "payload": )") + payload + "}}", fields_);
    EXPECT_EQ(sent.status, 200) << sent.body << sent.error_message;
  }
  const auto second = mqtt_.call("OnMessage", R"({"topic": "orders/+"})", fields_, state_of(first));
  ASSERT_EQ(second.status, 200) << second.body;
  const Value messages = json_of(second.body);
  ASSERT_EQ(messages.size(), 3u) << second.body;
  EXPECT_EQ(messages.as_array()[0].text_of("payload"), "one");
  EXPECT_EQ(messages.as_array()[1].text_of("payload"), R"({"two":2})");
  EXPECT_EQ(messages.as_array()[2].find("payload")->text_of("$content"), "/wAB");
  // The answer was lost before its runs stood: the same comes again. Then it does not.
  EXPECT_EQ(mqtt_.call("OnMessage", R"({"topic": "orders/+"})", fields_, state_of(first)).body, second.body);
  EXPECT_EQ(mqtt_.call("OnMessage", R"({"topic": "orders/+"})", fields_, state_of(second)).status, 202);
}

TEST_F(Mosquitto, SaysWhatIsWrong) {
  const auto with = [&](std::string_view name, const Value& value) {
    json::ObjectBuilder fields;
    for (const auto& [key, old] : fields_.as_object())
      fields.add(key.as_string(), key.as_string() == name ? value : old);
    return fields.finish();
  };
  EXPECT_EQ(mqtt_.verify(fields_).status, 200);
  EXPECT_EQ(mqtt_.verify(with("password", "wrong")).status, 401);
  EXPECT_EQ(mqtt_.verify(with("port", 70'000)).status, 400);
  EXPECT_EQ(code_of(mqtt_.verify(with("port", testing::free_port()))), "ConnectFailure");
  EXPECT_EQ(code_of(mqtt_.verify(with("host", "no-such-host.invalid"))), "UnresolvableHostName");
  EXPECT_EQ(mqtt_.verify(with("host", "")).status, 400);
  EXPECT_EQ(code_of(mqtt_.call("PublishMessage", R"({"body": {"topic": "orders/#", "payload": "x"}})", fields_)),
            "InvalidTopic");
  EXPECT_EQ(code_of(mqtt_.call("OnMessage", R"({"topic": "a/#/b"})", fields_)), "InvalidTopic");
}

class RabbitMq : public ::testing::Test {
 protected:
  // A broker takes seconds to start: one for all tests.
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    broker_ = new testing::Process;
    names_ = new testing::Process;
    port_ = testing::free_port();
    const int distribution = testing::free_port();
    // Erlang's name server would stay behind as a daemon when the broker had to start it.
    const int names = testing::free_port();
    names_->start({"epmd", "-port", std::to_string(names), "-address", "127.0.0.1"});
    ASSERT_TRUE(testing::wait_for_port(names, 10'000)) << "epmd did not start";
    std::ofstream(folder_->path() + "/rabbitmq.conf")
        << "listeners.tcp.1 = 127.0.0.1:" << port_ << "\nloopback_users.guest = true\n";
    std::ofstream(folder_->path() + "/enabled_plugins") << "[].\n";
    broker_->start({"/usr/lib/rabbitmq/bin/rabbitmq-server"},
                   {{"HOME", folder_->path()},
                    {"RABBITMQ_NODENAME", "flowmend-test-" + std::to_string(port_) + "@localhost"},
                    {"RABBITMQ_DIST_PORT", std::to_string(distribution)},
                    {"RABBITMQ_CONFIG_FILE", folder_->path() + "/rabbitmq"},
                    {"RABBITMQ_ENABLED_PLUGINS_FILE", folder_->path() + "/enabled_plugins"},
                    {"RABBITMQ_MNESIA_BASE", folder_->path() + "/data"},
                    {"RABBITMQ_LOG_BASE", folder_->path() + "/logs"},
                    {"RABBITMQ_PID_FILE", folder_->path() + "/pid"},
                    {"ERL_EPMD_PORT", std::to_string(names)},
                    {"ERL_EPMD_ADDRESS", "127.0.0.1"},
                    {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1"}});
    ASSERT_TRUE(testing::wait_for_port(port_, 90'000)) << "RabbitMQ did not start";
  }
  static void TearDownTestSuite() {
    delete broker_;
    delete names_;
    delete folder_;
  }
  static Value fields(const char* password = "guest", int port = 0) {
    return Value::object(
        {{"host", "127.0.0.1"}, {"port", port != 0 ? port : port_}, {"username", "guest"}, {"password", password}});
  }
  /// Queues are the broker's own matter: its tools would make one; here its protocol does.
  static void declare(const std::string& queue);

  static testing::TemporaryFolder* folder_;
  static testing::Process* broker_;
  static testing::Process* names_;
  static int port_;
  Caller amqp_{make_amqp};
};

testing::TemporaryFolder* RabbitMq::folder_ = nullptr;
testing::Process* RabbitMq::broker_ = nullptr;
testing::Process* RabbitMq::names_ = nullptr;
int RabbitMq::port_ = 0;

}  // namespace
}  // namespace flowmend::connector

#include <amqp.h>
#include <amqp_tcp_socket.h>

namespace flowmend::connector {
namespace {

void RabbitMq::declare(const std::string& queue) {
  amqp_connection_state_t state = amqp_new_connection();
  amqp_socket_t* socket = amqp_tcp_socket_new(state);
  ASSERT_EQ(amqp_socket_open(socket, "127.0.0.1", port_), AMQP_STATUS_OK);
  ASSERT_EQ(amqp_login(state, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type,
            AMQP_RESPONSE_NORMAL);
  amqp_channel_open(state, 1);
  ASSERT_NE(amqp_queue_declare(state, 1, amqp_cstring_bytes(queue.c_str()), 0, 1, 0, 0, amqp_empty_table), nullptr);
  amqp_connection_close(state, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(state);
}

TEST_F(RabbitMq, WhatIsSentStartsFlowsOnceAndInOrder) {
  declare("orders");
  const auto first = amqp_.call("OnMessage", R"({"queue": "orders"})", fields());
  ASSERT_EQ(first.status, 202) << first.body << first.error_message;
  for (const char* message : {R"("one")", R"({"two": 2})"}) {
    const auto sent = amqp_.call(
        "SendMessage",
        std::string(R"({"body": {"routingKey": "orders", "headers": {"kind": "order"}, "message": )") + message + "}}",
        fields());
    EXPECT_EQ(sent.status, 200) << sent.body << sent.error_message;
  }
  const auto second = amqp_.call("OnMessage", R"({"queue": "orders"})", fields(), state_of(first));
  ASSERT_EQ(second.status, 200) << second.body << second.error_message;
  const Value messages = json_of(second.body);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages.as_array()[0].text_of("message"), "one");
  EXPECT_EQ(messages.as_array()[0].text_of("messageId"), "key-1");
  EXPECT_EQ(messages.as_array()[0].find("headers")->text_of("kind"), "order");
  EXPECT_EQ(messages.as_array()[1].text_of("contentType"), "application/json");
  // The answer was lost before its runs stood: the same comes again, though the broker has forgotten it.
  EXPECT_EQ(amqp_.call("OnMessage", R"({"queue": "orders"})", fields(), state_of(first)).body, second.body);
  EXPECT_EQ(amqp_.call("OnMessage", R"({"queue": "orders"})", fields(), state_of(second)).status, 202);
}

TEST_F(RabbitMq, SaysWhatIsWrong) {
  EXPECT_EQ(amqp_.verify(fields()).status, 200);
  EXPECT_EQ(amqp_.verify(fields("wrong")).status, 401);
  EXPECT_EQ(code_of(amqp_.verify(fields("guest", testing::free_port()))), "ConnectFailure");
  const auto lost = amqp_.call("SendMessage", R"({"body": {"routingKey": "nowhere", "message": "x"}})", fields());
  EXPECT_EQ(lost.status, 404) << lost.body;
  EXPECT_EQ(code_of(lost), "NoRoute");
  EXPECT_EQ(amqp_.call("SendMessage", R"({"body": {"exchange": "none", "routingKey": "x", "message": "x"}})", fields())
                .status,
            404);
  EXPECT_EQ(amqp_.call("OnMessage", R"({"queue": "nowhere"})", fields()).status, 404);
  EXPECT_EQ(code_of(amqp_.call("SendMessage", R"({"body": {"routingKey": "", "message": "x"}})", fields())),
            "InvalidName");
}

}  // namespace
}  // namespace flowmend::connector
