#include "connector/native/mqtt.h"

#include <mosquitto.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "connector/native/inbox.h"
#include "connector/native/queue_common.h"
#include "connector/native/tls_name.h"
#include "http/address.h"

namespace flowmend::connector {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view document = R"json({
  "swagger": "2.0",
  "info": {"title": "MQTT", "description": "Publish to an MQTT broker, and start flows with the messages of a topic.", "version": "1.0", "x-ms-api-annotation": {"status": "Production"}},
  "host": "mqtt.native", "basePath": "/", "schemes": ["https"], "consumes": ["application/json"], "produces": ["application/json"],
  "paths": {
    "/messages": {"post": {"operationId": "PublishMessage", "summary": "Publish a message", "description": "Publishes one message to a topic and waits until the broker has taken it.",
      "parameters": [{"name": "body", "in": "body", "required": true, "schema": {"type": "object", "required": ["topic"], "properties": {
        "topic": {"type": "string", "x-ms-summary": "Topic", "description": "Without wildcards: orders/new"},
        "payload": {"x-ms-summary": "Payload", "description": "Text as it is; an object or array as JSON; a file's content as its bytes"},
        "qos": {"type": "integer", "x-ms-summary": "Quality of service", "enum": [0, 1, 2], "default": 1},
        "retain": {"type": "boolean", "x-ms-summary": "Retain", "description": "The broker keeps it for those who subscribe later", "default": false}}}}],
      "responses": {"200": {"description": "taken", "schema": {"type": "object", "properties": {"topic": {"type": "string"}, "bytes": {"type": "integer"}}}}}}},
    "/trigger/messages": {"get": {"operationId": "OnMessage", "x-ms-trigger": "batch", "summary": "When a message arrives", "description": "Starts a flow for each message of a topic, also for those that came while the server was down.",
      "parameters": [
        {"name": "topic", "in": "query", "required": true, "type": "string", "x-ms-summary": "Topic", "description": "Wildcards + and # are allowed"},
        {"name": "qos", "in": "query", "type": "integer", "enum": [0, 1, 2], "default": 1, "x-ms-summary": "Quality of service"},
        {"name": "maximum", "in": "query", "type": "integer", "default": 100, "x-ms-summary": "Most messages of one check", "x-ms-visibility": "advanced"}],
      "responses": {"200": {"description": "messages", "schema": {"type": "array", "items": {"type": "object", "properties": {
        "topic": {"type": "string"}, "payload": {"type": "string"}, "qos": {"type": "integer"}, "retained": {"type": "boolean"}}}}}}}}}
})json";

constexpr std::string_view connection_properties = R"json({"properties": {"connectionParameters": {
  "host": {"type": "string", "uiDefinition": {"displayName": "Broker", "description": "Host name", "tooltip": "Host name of the broker", "constraints": {"required": "true", "tabIndex": 1}}},
  "port": {"type": "int", "uiDefinition": {"displayName": "Port", "description": "1883, or 8883 with TLS", "constraints": {"required": "false", "tabIndex": 2}}},
  "tls": {"type": "bool", "defaultValue": false, "uiDefinition": {"displayName": "TLS", "constraints": {"required": "false", "tabIndex": 3}}},
  "username": {"type": "string", "uiDefinition": {"displayName": "User name", "constraints": {"required": "false", "tabIndex": 4}}},
  "password": {"type": "securestring", "uiDefinition": {"displayName": "Password", "constraints": {"required": "false", "tabIndex": 5}}}
}, "iconBrandColor": "#660066", "capabilities": []}})json";

struct Received {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retained = false;
};

/// A client of a broker, connected and run by the library's own thread; ends with the object.
class Session {
 public:
  /// `id`: of a durable session; empty = one that ends with the connection.
  Session(const Value& fields, const std::string& id, const http::ClientOptions& options)
      : options_(options), host_(field_text(fields, "host")), tls_(flag_of(fields, "tls")) {
    static const int once = mosquitto_lib_init();
    static_cast<void>(once);
    port_ = port_of(fields, "port", tls_ ? 8883 : 1883);
    client_ = mosquitto_new(id.empty() ? nullptr : id.c_str(), id.empty(), this);
    const std::string user = field_text(fields, "username");
    const std::string password = field_text(fields, "password");
    if (client_ != nullptr && !user.empty()) mosquitto_username_pw_set(client_, user.c_str(), password.c_str());
  }
  ~Session() {
    if (client_ == nullptr) return;
    if (started_) {
      mosquitto_disconnect(client_);
      mosquitto_loop_stop(client_, true);
    }
    mosquitto_destroy(client_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// What a message is handed to, on the library's thread. The broker hears that it was taken when this returns true;
  /// otherwise the connection is cut before it can hear so, and the broker gives the message again.
  std::function<bool(Received)> on_message;

  /// Nothing when connected; else the answer that says why not.
  std::optional<http::Reply> connect(Duration timeout) {
    if (host_.empty())
      return native_error(400, "InvalidConnectionParameters", "The connection names no broker ('host').");
    if (port_ == 0) return native_error(400, "InvalidConnectionParameters", "'port' must be 1 to 65535.");
    if (client_ == nullptr) return native_error(500, "OutOfMemory", "The MQTT client could not be made.");
    const auto addresses = http::allowed_addresses(host_, options_.policy);
    if (!addresses) return not_reached(addresses.error());
    if (tls_) {
      const TlsContext context =
          make_tls_context(host_, options_.certificate_authorities_file, [this](const std::string& why) {
            note([&why](Session& session) {
              session.tls_failure_ = why;
              session.lost_ = true;
            });
          });
      // By default the library would set up the context anew, with the address as the name.
      if (!context || mosquitto_int_option(client_, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) != MOSQ_ERR_SUCCESS ||
          mosquitto_opts_set(client_, MOSQ_OPT_SSL_CTX, context.get()) != MOSQ_ERR_SUCCESS)
        return native_error(500, "TlsUnavailable",
                            "TLS could not be set up: the certificates of authorities can't be read.");
    }
    mosquitto_connect_callback_set(client_, [](mosquitto*, void* self, int code) {
      static_cast<Session*>(self)->note([code](Session& session) { session.connected_ = code; });
    });
    mosquitto_disconnect_callback_set(client_, [](mosquitto*, void* self, int code) {
      static_cast<Session*>(self)->note([code](Session& session) { session.lost_ = code != 0; });
    });
    mosquitto_publish_callback_set(client_, [](mosquitto*, void* self, int id) {
      static_cast<Session*>(self)->note([id](Session& session) { session.published_ = id; });
    });
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int count, const int* granted) {
      const int given = count > 0 ? granted[0] : 128;
      static_cast<Session*>(self)->note([given](Session& session) { session.granted_ = given; });
    });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      auto& session = *static_cast<Session*>(self);
      if (!session.on_message) return;
      const bool kept = session.on_message(
          {message->topic,
           std::string(static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)),
           message->qos, message->retain});
      if (!kept) ::shutdown(mosquitto_socket(session.client_), SHUT_RDWR);
      session.note([](Session& one) { ++one.messages_; });
    });
    deadline_ = std::chrono::steady_clock::now() +
                std::chrono::milliseconds(std::max<std::int64_t>(timeout.to_milliseconds(), 1));
    int called = MOSQ_ERR_ERRNO;
    for (const std::string& address : *addresses) {
      called = mosquitto_connect_async(client_, address.c_str(), port_, 60);
      if (called == MOSQ_ERR_SUCCESS) break;
    }
    if (auto failed = tls_failure()) return failed;
    if (called != MOSQ_ERR_SUCCESS && called != MOSQ_ERR_ERRNO)
      return unreachable("ConnectFailure", mosquitto_strerror(called));
    if (mosquitto_loop_start(client_) != MOSQ_ERR_SUCCESS)
      return native_error(500, "ThreadUnavailable", "No thread could be started for the broker.");
    started_ = true;
    if (!wait([this] { return connected_ >= 0 || lost_; }))
      return unreachable("ConnectFailure", "it did not answer in time");
    if (auto failed = tls_failure()) return failed;
    switch (connected_) {
      case 0: return std::nullopt;
      case 4: return native_error(401, "Unauthorized", "The broker says: bad user name or password.");
      case 5: return native_error(401, "Unauthorized", "The broker says: not authorised.");
      case 3: return native_error(503, "ServerUnavailable", "The broker says: service unavailable.");
      case -1:
        return unreachable("ConnectFailure", tls_ ? "the connection was closed; is TLS right for this port?"
                                                  : "the connection was refused or closed");
      default:
        return native_error(502, "ConnectionRefused",
                            std::string("The broker says: ") + mosquitto_connack_string(connected_));
    }
  }

  std::optional<http::Reply> publish(const std::string& topic, const std::string& bytes, int qos, bool retain) {
    int id = 0;
    const int called =
        mosquitto_publish(client_, &id, topic.c_str(), static_cast<int>(bytes.size()), bytes.data(), qos, retain);
    if (called == MOSQ_ERR_PAYLOAD_SIZE)
      return native_error(413, "PayloadTooLarge", "The payload is larger than MQTT allows (256 MB).");
    if (called != MOSQ_ERR_SUCCESS) return native_error(502, "PublishFailed", mosquitto_strerror(called));
    if (!wait([this, id] { return published_ == id || lost_; }))
      return native_error(504, "GatewayTimeout", "The broker did not confirm the message in time.");
    if (published_ != id)
      return native_error(502, "ConnectionClosed", "The broker closed the connection before it confirmed the message.");
    return std::nullopt;
  }

  std::optional<http::Reply> subscribe(const std::string& topic, int qos) {
    if (const int called = mosquitto_subscribe(client_, nullptr, topic.c_str(), qos); called != MOSQ_ERR_SUCCESS)
      return native_error(502, "SubscribeFailed", mosquitto_strerror(called));
    if (!wait([this] { return granted_ >= 0 || lost_; }))
      return native_error(504, "GatewayTimeout", "The broker did not confirm the subscription in time.");
    if (granted_ < 0)
      return native_error(502, "ConnectionClosed", "The broker closed the connection during the subscription.");
    if (granted_ >= 128)
      return native_error(
          403, "SubscriptionRefused",
          "The broker refuses the subscription to '" + topic + "': the user may lack the right to read it.");
    return std::nullopt;
  }

  /// Returns when nothing came for `quiet`, when `enough` came, or at `most`.
  void listen(std::chrono::milliseconds quiet, std::chrono::milliseconds most, std::size_t enough) {
    const auto end = std::chrono::steady_clock::now() + most;
    std::unique_lock lock(mutex_);
    std::size_t seen = messages_;
    while (std::chrono::steady_clock::now() < end && messages_ < enough && !lost_) {
      wake_.wait_for(lock, quiet, [&] { return messages_ != seen || lost_; });
      if (messages_ == seen) return;
      seen = messages_;
    }
  }

 private:
  template <typename Change>
  void note(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change(*this);
    }
    wake_.notify_all();
  }
  template <typename Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return wake_.wait_until(lock, deadline_, condition);
  }
  std::optional<http::Reply> tls_failure() {
    const std::lock_guard lock(mutex_);
    if (tls_failure_.empty()) return std::nullopt;
    return unreachable("TlsFailure", tls_failure_);
  }
  http::Reply unreachable(std::string_view code, std::string_view why) const {
    http::Reply reply;
    reply.error_code = code;
    reply.error_message =
        "The broker " + host_ + ":" + std::to_string(port_) + " can't be reached: " + std::string(why) + ".";
    return reply;
  }

  const http::ClientOptions& options_;
  std::string host_;
  bool tls_ = false;
  int port_ = 0;
  mosquitto* client_ = nullptr;
  bool started_ = false;
  std::chrono::steady_clock::time_point deadline_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int connected_ = -1;
  int published_ = 0;
  int granted_ = -1;
  bool lost_ = false;
  std::string tls_failure_;
  std::size_t messages_ = 0;
};

class Mqtt final : public NativeConnector {
 public:
  explicit Mqtt(const NativeParts& parts) : store_(parts.store), client_(parts.client) {}
  std::string_view name() const override { return "shared_mqtt"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return connection_properties; }
  std::string address(const Value& fields) const override {
    const bool tls = flag_of(fields, "tls");
    return (tls ? "mqtts://" : "mqtt://") + field_text(fields, "host") + ":" +
           std::to_string(port_of(fields, "port", tls ? 8883 : 1883));
  }

  http::Reply verify(const Value& fields, Duration timeout) override {
    Session session(fields, {}, client_.options());
    if (auto refused = session.connect(timeout)) return std::move(*refused);
    return native_json(200, Value::object({{"broker", Value(address(fields))}}));
  }

  http::Reply call(const NativeCall& call) override {
    return call.operation->id == "OnMessage" ? check(call) : publish(call);
  }

 private:
  http::Reply publish(const NativeCall& call) {
    const Value& body = call.arguments.body;
    const std::string topic(body.text_of("topic"));
    if (topic.empty() || mosquitto_pub_topic_check(topic.c_str()) != MOSQ_ERR_SUCCESS)
      return native_error(400, "InvalidTopic",
                          "'topic' must be a topic name without wildcards (+, #), up to 65,535 bytes; got '" +
                              topic.substr(0, 200) + "'.");
    const Value* qos = body.find("qos");
    const Value* retain = body.find("retain");
    const int level = qos == nullptr || qos->is_null() ? 1
                      : qos->is_integer()              ? static_cast<int>(qos->as_integer())
                                                       : -1;
    if (level < 0 || level > 2) return native_error(400, "InvalidQos", "'qos' must be 0, 1 or 2.");
    const Value* payload = body.find("payload");
    const MessageBytes message = message_bytes(payload == nullptr ? Value() : *payload);
    Session session(call.fields, {}, client_.options());
    if (auto refused = session.connect(call.timeout)) return std::move(*refused);
    const bool keep = retain != nullptr && retain->is_boolean() && retain->as_boolean();
    if (auto refused = session.publish(topic, message.bytes, level, keep)) return std::move(*refused);
    return native_json(200, Value::object({{"topic", Value(topic)},
                                           {"bytes", Value(static_cast<std::int64_t>(message.bytes.size()))}}));
  }

  http::Reply check(const NativeCall& call) {
    const std::string topic = text_argument(call, "topic");
    if (topic.empty() || mosquitto_sub_topic_check(topic.c_str()) != MOSQ_ERR_SUCCESS)
      return native_error(400, "InvalidTopic",
                          "'topic' must be a topic or a pattern with + or #; got '" + topic.substr(0, 200) + "'.");
    const Value& qos = argument(call, "qos");
    const int level =
        qos.is_integer() && qos.as_integer() >= 0 && qos.as_integer() <= 2 ? static_cast<int>(qos.as_integer()) : 1;
    const std::string name =
        inbox_name(call.flow, address(call.fields) + "\n" + field_text(call.fields, "username") + "\n" + topic);
    Inbox inbox(store_, name);
    return check_inbox(inbox, call, [&](std::size_t limit, std::int64_t taken) -> std::optional<http::Reply> {
      std::mutex mutex;
      std::optional<Error> failed;
      Session session(call.fields, "flowmend-" + name, client_.options());
      session.on_message = [&](const Received& message) {
        const std::lock_guard lock(mutex);
        if (failed) return false;
        const Value value = Value::object({{"topic", Value(message.topic)},
                                           {"payload", message_value(message.payload, {})},
                                           {"qos", Value(message.qos)},
                                           {"retained", Value(message.retained)}});
        if (const auto put = inbox.put({value}, taken); !put) failed = put.error();
        return !failed;
      };
      if (auto refused = session.connect(call.timeout)) return refused;
      if (auto refused = session.subscribe(topic, level)) return refused;
      session.listen(300ms, 3000ms, limit);
      const std::lock_guard lock(mutex);
      if (failed) return native_error(503, failed->code, failed->message);
      return std::nullopt;
    });
  }

  store::Store& store_;
  const http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_mqtt(const NativeParts& parts) { return std::make_unique<Mqtt>(parts); }

}  // namespace flowmend::connector
