// MQTT and AMQP against the real brokers, mosquitto and RabbitMQ, each started here on free ports with its own folder.

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "connector/native/amqp.h"
#include "connector/native/mqtt.h"
#include "harness.h"
#include "json/write.h"
#include "stores.h"

namespace flowmend::native_tests {
namespace {

using connector::NativeParts;
using json::Value;

/// The only name that the brokers' certificates are good for.
constexpr std::string_view named_localhost = "DNS:localhost";

/// Not the one in /usr/sbin, which changes the user.
constexpr const char* rabbitmq_server = "/usr/lib/rabbitmq/bin/rabbitmq-server";

http::ClientOptions trusting(const std::string& authority) {
  http::ClientOptions options;
  options.certificate_authorities_file = authority;
  return options;
}

Value with(const Value& fields, std::string_view name, const Value& value) {
  json::ObjectBuilder changed(fields);
  changed.set(name, value);
  return changed.finish();
}

class Mosquitto : public testing::Test {
 protected:
  void SetUp() override {
    const std::string passwords = folder_.path() + "/passwords";
    ASSERT_EQ(run({"mosquitto_passwd", "-c", "-b", passwords, "orders", "open sesame"}), 0);
    std::filesystem::permissions(passwords, std::filesystem::perms::all);
    const std::string rights = folder_.write("rights", "user orders\ntopic readwrite orders/#\n");
    const std::string configuration = folder_.write(
        "mosquitto.conf", "listener " + std::to_string(port_) + " 127.0.0.1\nlistener " + std::to_string(tls_port_) +
                              " 127.0.0.1\ncertfile " + certificate_.certificate + "\nkeyfile " + certificate_.key +
                              "\nallow_anonymous false\npassword_file " + passwords + "\nacl_file " + rights +
                              "\nuser root\n");
    server_ = std::make_unique<Server>(folder_, std::vector<std::string>{"mosquitto", "-c", configuration});
    ASSERT_TRUE(server_->wait_for(port_)) << server_->log();
    ASSERT_TRUE(server_->wait_for(tls_port_)) << server_->log();
  }
  Session session(const Value& fields) { return Session(*mqtt_, json::write(fields)); }

  const TemporaryFolder folder_;
  const int port_ = free_port();
  const int tls_port_ = free_port();
  const Certificate certificate_ = make_certificate(folder_, named_localhost);
  const TestStore store_;
  http::Client client_{trusting(certificate_.certificate)};
  std::unique_ptr<Server> server_;
  std::unique_ptr<connector::NativeConnector> mqtt_ = connector::make_mqtt(NativeParts{store_.store(), client_, {}});
  const Value fields_ =
      Value::object({{"host", "127.0.0.1"}, {"port", port_}, {"username", "orders"}, {"password", "open sesame"}});
};

TEST_F(Mosquitto, WhatIsPublishedStartsFlowsOnceAndInOrder) {
  Session mqtt = session(fields_);
  constexpr std::string_view topic = R"({"topic": "orders/+"})";
  const auto first = mqtt.check("OnMessage", topic);
  ASSERT_EQ(first.status_code, 202) << message_of(first);
  // The session is the broker's: what comes while nobody listens waits there.
  for (const char* payload : {R"("one")", R"({"two": 2})", R"({"$content-type": "image/png", "$content": "/wAB"})"}) {
    const auto sent =
        mqtt.run("PublishMessage", std::string(R"({"body": {"topic": "orders/new", "payload": )") + payload + "}}");
    EXPECT_EQ(sent.status_code, 200) << message_of(sent);
  }
  const std::string before = mqtt.state();
  const auto second = mqtt.check("OnMessage", topic);
  ASSERT_EQ(second.status_code, 200) << message_of(second);
  ASSERT_EQ(second.body.size(), 3u);
  EXPECT_EQ(second.body.as_array()[0].text_of("payload"), "one");
  EXPECT_EQ(second.body.as_array()[1].text_of("payload"), R"({"two":2})");
  EXPECT_EQ(second.body.as_array()[2].find("payload")->text_of("$content"), "/wAB");
  // The answer was lost before its runs stood: the same comes again. Then it does not.
  mqtt.go_back_to(before);
  EXPECT_EQ(mqtt.check("OnMessage", topic).body, second.body);
  EXPECT_EQ(mqtt.check("OnMessage", topic).status_code, 202);
}

TEST_F(Mosquitto, SaysWhatIsWrong) {
  EXPECT_EQ(session(fields_).verify().status, 200);
  EXPECT_EQ(session(with(fields_, "password", "wrong")).verify().status, 401);
  EXPECT_EQ(session(with(fields_, "port", 70'000)).verify().status, 400);
  EXPECT_EQ(session(with(fields_, "port", free_port())).verify().error_code, "ConnectFailure");
  EXPECT_EQ(session(with(fields_, "host", "no-such-host.invalid")).verify().error_code, "UnresolvableHostName");
  EXPECT_EQ(session(with(fields_, "host", "")).verify().status, 400);
  Session mqtt = session(fields_);
  EXPECT_EQ(code_of(mqtt.run("PublishMessage", R"({"body": {"topic": "orders/#", "payload": "x"}})")), "InvalidTopic");
  EXPECT_EQ(code_of(mqtt.check("OnMessage", R"({"topic": "a/#/b"})")), "InvalidTopic");
}

TEST_F(Mosquitto, TlsIsForTheNameThoughTheAddressIsConnectedTo) {
  const Value tls = with(with(fields_, "port", tls_port_), "tls", true);
  const auto named = session(with(tls, "host", "localhost")).verify();
  EXPECT_EQ(named.status, 200) << named.error_message << named.body;
  EXPECT_EQ(session(tls).verify().error_code, "TlsFailure") << "the certificate is none for 127.0.0.1";
  // An authority that did not sign it.
  const TemporaryFolder other;
  http::Client stranger(trusting(make_certificate(other).certificate));
  const auto untrusting = connector::make_mqtt(NativeParts{store_.store(), stranger, {}});
  const auto stranger_said = Session(*untrusting, json::write(with(tls, "host", "localhost"))).verify();
  EXPECT_EQ(stranger_said.error_code, "TlsFailure") << stranger_said.error_message;
}

class RabbitMq : public testing::Test {
 protected:
  /// A broker takes seconds to start: one for all tests.
  struct Broker {
    TemporaryFolder folder;
    TemporaryFolder names_folder;
    int port = free_port();
    int tls_port = free_port();
    Certificate certificate = make_certificate(folder, named_localhost);
    // Erlang's name server would stay behind as a daemon when the broker had to start it.
    int names_port = free_port();
    Server names{names_folder, {"epmd", "-port", std::to_string(names_port), "-address", "127.0.0.1"}};
    std::unique_ptr<Server> server;
  };

  static void SetUpTestSuite() {
    ASSERT_EQ(::access(rabbitmq_server, X_OK), 0) << "rabbitmq-server is not installed; './dev test' installs it";
    broker_ = new Broker;
    ASSERT_TRUE(broker_->names.wait_for(broker_->names_port)) << broker_->names.log();
    const std::string& here = broker_->folder.path();
    broker_->folder.write("rabbitmq.conf", "listeners.tcp.1 = 127.0.0.1:" + std::to_string(broker_->port) +
                                               "\nlisteners.ssl.1 = 127.0.0.1:" + std::to_string(broker_->tls_port) +
                                               "\nssl_options.certfile = " + broker_->certificate.certificate +
                                               "\nssl_options.keyfile = " + broker_->certificate.key +
                                               "\nssl_options.verify = verify_none\nloopback_users.guest = true\n");
    broker_->folder.write("enabled_plugins", "[].\n");
    broker_->server = std::make_unique<Server>(
        broker_->folder, std::vector<std::string>{rabbitmq_server},
        Server::Environment{
            {"HOME", here},
            {"RABBITMQ_NODENAME", "flowmend-test-" + std::to_string(broker_->port) + "@localhost"},
            {"RABBITMQ_DIST_PORT", std::to_string(free_port())},
            {"RABBITMQ_CONFIG_FILE", here + "/rabbitmq"},
            {"RABBITMQ_ENABLED_PLUGINS_FILE", here + "/enabled_plugins"},
            {"RABBITMQ_MNESIA_BASE", here + "/data"},
            {"RABBITMQ_LOG_BASE", here + "/logs"},
            {"RABBITMQ_PID_FILE", here + "/pid"},
            {"ERL_EPMD_PORT", std::to_string(broker_->names_port)},
            {"ERL_EPMD_ADDRESS", "127.0.0.1"},
            {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1"}});
    ASSERT_TRUE(broker_->server->wait_for(broker_->port, 90)) << broker_->server->log();
    ASSERT_TRUE(broker_->server->wait_for(broker_->tls_port, 90)) << broker_->server->log();
  }
  static void TearDownTestSuite() { delete broker_; }

  static Value fields() {
    return Value::object(
        {{"host", "127.0.0.1"}, {"port", broker_->port}, {"username", "guest"}, {"password", "guest"}});
  }
  Session session(const Value& fields) { return Session(*amqp_, json::write(fields)); }

  /// Queues are the broker's own matter: its tools would make one; here its protocol does.
  static void declare(const std::string& queue) {
    amqp_connection_state_t state = amqp_new_connection();
    amqp_socket_t* socket = amqp_tcp_socket_new(state);
    ASSERT_EQ(amqp_socket_open(socket, "127.0.0.1", broker_->port), AMQP_STATUS_OK);
    ASSERT_EQ(amqp_login(state, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type,
              AMQP_RESPONSE_NORMAL);
    amqp_channel_open(state, 1);
    ASSERT_NE(amqp_queue_declare(state, 1, amqp_cstring_bytes(queue.c_str()), 0, 1, 0, 0, amqp_empty_table), nullptr);
    amqp_connection_close(state, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(state);
  }

  static Broker* broker_;
  const TestStore store_;
  http::Client client_{trusting(broker_->certificate.certificate)};
  std::unique_ptr<connector::NativeConnector> amqp_ = connector::make_amqp(NativeParts{store_.store(), client_, {}});
};

RabbitMq::Broker* RabbitMq::broker_ = nullptr;

TEST_F(RabbitMq, WhatIsSentStartsFlowsOnceAndInOrder) {
  declare("orders");
  Session amqp = session(fields());
  constexpr std::string_view queue = R"({"queue": "orders"})";
  const auto first = amqp.check("OnMessage", queue);
  ASSERT_EQ(first.status_code, 202) << message_of(first);
  for (const char* message : {R"("one")", R"({"two": 2})"}) {
    const auto sent = amqp.run(
        "SendMessage",
        std::string(R"({"body": {"routingKey": "orders", "headers": {"kind": "order"}, "message": )") + message + "}}");
    EXPECT_EQ(sent.status_code, 200) << message_of(sent);
  }
  const std::string before = amqp.state();
  const auto second = amqp.check("OnMessage", queue);
  ASSERT_EQ(second.status_code, 200) << message_of(second);
  ASSERT_EQ(second.body.size(), 2u);
  EXPECT_EQ(second.body.as_array()[0].text_of("message"), "one");
  EXPECT_EQ(second.body.as_array()[0].text_of("messageId"), "test-key");
  EXPECT_EQ(second.body.as_array()[0].find("headers")->text_of("kind"), "order");
  EXPECT_EQ(second.body.as_array()[1].text_of("contentType"), "application/json");
  // The answer was lost before its runs stood: the same comes again, though the broker has forgotten it.
  amqp.go_back_to(before);
  EXPECT_EQ(amqp.check("OnMessage", queue).body, second.body);
  EXPECT_EQ(amqp.check("OnMessage", queue).status_code, 202);
}

TEST_F(RabbitMq, SaysWhatIsWrong) {
  EXPECT_EQ(session(fields()).verify().status, 200);
  EXPECT_EQ(session(with(fields(), "password", "wrong")).verify().status, 401);
  EXPECT_EQ(session(with(fields(), "port", free_port())).verify().error_code, "ConnectFailure");
  EXPECT_EQ(session(with(fields(), "host", "no-such-host.invalid")).verify().error_code, "UnresolvableHostName");
  Session amqp = session(fields());
  const auto lost = amqp.run("SendMessage", R"({"body": {"routingKey": "nowhere", "message": "x"}})");
  EXPECT_EQ(lost.status_code, 404) << message_of(lost);
  EXPECT_EQ(code_of(lost), "NoRoute");
  EXPECT_EQ(amqp.run("SendMessage", R"({"body": {"exchange": "none", "routingKey": "x", "message": "x"}})").status_code,
            404);
  EXPECT_EQ(amqp.check("OnMessage", R"({"queue": "nowhere"})").status_code, 404);
  EXPECT_EQ(code_of(amqp.run("SendMessage", R"({"body": {"routingKey": "", "message": "x"}})")), "InvalidName");
}

TEST_F(RabbitMq, TlsIsForTheNameThoughTheAddressIsConnectedTo) {
  const Value tls = with(with(fields(), "port", broker_->tls_port), "tls", true);
  const auto named = session(with(tls, "host", "localhost")).verify();
  EXPECT_EQ(named.status, 200) << named.error_message << named.body;
  EXPECT_EQ(session(tls).verify().error_code, "TlsFailure") << "the certificate is none for 127.0.0.1";
  const TemporaryFolder other;
  http::Client stranger(trusting(make_certificate(other).certificate));
  const auto untrusting = connector::make_amqp(NativeParts{store_.store(), stranger, {}});
  EXPECT_EQ(Session(*untrusting, json::write(with(tls, "host", "localhost"))).verify().error_code, "TlsFailure");
}

}  // namespace
}  // namespace flowmend::native_tests
