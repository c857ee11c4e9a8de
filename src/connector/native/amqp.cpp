#include "connector/native/amqp.h"

#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <sys/time.h>

#include <algorithm>

#include "connector/native/inbox.h"
#include "connector/native/queue_common.h"
#include "connector/native/tls_name.h"
#include "connector/text.h"
#include "http/address.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document = R"json({
  "swagger": "2.0",
  "info": {"title": "AMQP", "description": "Send to a message broker (RabbitMQ), and start flows with the messages of a queue.", "version": "1.0", "x-ms-api-annotation": {"status": "Production"}},
  "host": "amqp.native", "basePath": "/", "schemes": ["https"], "consumes": ["application/json"], "produces": ["application/json"],
  "paths": {
    "/messages": {"post": {"operationId": "SendMessage", "summary": "Send a message", "description": "Sends one persistent message and waits until the broker has taken it. A message that reaches no queue is an error.",
      "parameters": [{"name": "body", "in": "body", "required": true, "schema": {"type": "object", "required": ["routingKey"], "properties": {
        "exchange": {"type": "string", "x-ms-summary": "Exchange", "description": "Empty: the routing key is the queue's name", "default": ""},
        "routingKey": {"type": "string", "x-ms-summary": "Routing key or queue"},
        "message": {"x-ms-summary": "Message", "description": "Text as it is; an object or array as JSON; a file's content as its bytes"},
        "contentType": {"type": "string", "x-ms-summary": "Content type", "x-ms-visibility": "advanced"},
        "correlationId": {"type": "string", "x-ms-summary": "Correlation id", "x-ms-visibility": "advanced"},
        "headers": {"type": "object", "x-ms-summary": "Headers", "description": "Names and texts", "x-ms-visibility": "advanced"}}}}],
      "responses": {"200": {"description": "taken", "schema": {"type": "object", "properties": {"bytes": {"type": "integer"}}}}}}},
    "/trigger/messages": {"get": {"operationId": "OnMessage", "x-ms-trigger": "batch", "summary": "When a message is in a queue", "description": "Starts a flow for each message of a queue and takes it out.",
      "parameters": [
        {"name": "queue", "in": "query", "required": true, "type": "string", "x-ms-summary": "Queue"},
        {"name": "maximum", "in": "query", "type": "integer", "default": 100, "x-ms-summary": "Most messages of one check", "x-ms-visibility": "advanced"}],
      "responses": {"200": {"description": "messages", "schema": {"type": "array", "items": {"type": "object", "properties": {
        "message": {"type": "string"}, "contentType": {"type": "string"}, "exchange": {"type": "string"}, "routingKey": {"type": "string"},
        "messageId": {"type": "string"}, "correlationId": {"type": "string"}, "redelivered": {"type": "boolean"}}}}}}}}}
})json";

constexpr std::string_view connection_properties = R"json({"properties": {"connectionParameters": {
  "host": {"type": "string", "uiDefinition": {"displayName": "Broker", "description": "Host name", "tooltip": "Host name of the broker", "constraints": {"required": "true", "tabIndex": 1}}},
  "port": {"type": "int", "uiDefinition": {"displayName": "Port", "description": "5672, or 5671 with TLS", "constraints": {"required": "false", "tabIndex": 2}}},
  "tls": {"type": "bool", "defaultValue": false, "uiDefinition": {"displayName": "TLS", "constraints": {"required": "false", "tabIndex": 3}}},
  "virtualHost": {"type": "string", "uiDefinition": {"displayName": "Virtual host", "description": "Usually /", "constraints": {"required": "false", "tabIndex": 4}}},
  "username": {"type": "string", "uiDefinition": {"displayName": "User name", "constraints": {"required": "true", "tabIndex": 5}}},
  "password": {"type": "securestring", "uiDefinition": {"displayName": "Password", "constraints": {"required": "true", "tabIndex": 6}}}
}, "iconBrandColor": "#ff6600", "capabilities": []}})json";

constexpr amqp_channel_t channel = 1;
/// The system's own list, where Debian's ca-certificates keeps it.
constexpr const char* authorities = "/etc/ssl/certs/ca-certificates.crt";

/// The bytes stay the text's: it must outlive the call.
amqp_bytes_t bytes_view(const std::string& text) {
  amqp_bytes_t bytes;
  bytes.len = text.size();
  bytes.bytes = const_cast<char*>(text.data());
  return bytes;
}
std::string text_of(const amqp_bytes_t& bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

timeval seconds_of(Duration duration) {
  const std::int64_t ms = std::max<std::int64_t>(duration.to_milliseconds(), 1);
  return {static_cast<time_t>(ms / 1000), static_cast<suseconds_t>(ms % 1000 * 1000)};
}

/// A broker's refusal as an answer. The numbers of AMQP are made after HTTP's: 403 access refused, 404 not found ...
http::Reply answer_of(int code, const std::string& words, const std::string& doing) {
  const int status = code == 403   ? 403
                     : code == 404 ? 404
                     : code == 406 ? 409
                     : code == 311 ? 413
                     : code >= 500 ? 502
                                   : 400;
  return native_error(status,
                      code == 404   ? "NotFound"
                      : code == 403 ? "Forbidden"
                                    : "BrokerRefused",
                      doing + ": the broker says " + std::to_string(code) + ": " + words);
}

class Session {
 public:
  Session(const Value& fields, const http::ClientOptions& options)
      : options_(options),
        host_(field_text(fields, "host")),
        user_(field_text(fields, "username")),
        password_(field_text(fields, "password")),
        virtual_host_(field_text(fields, "virtualHost")),
        tls_(flag_of(fields, "tls")),
        port_(port_of(fields, "port", tls_ ? 5671 : 5672)) {
    if (virtual_host_.empty()) virtual_host_ = "/";
  }
  ~Session() {
    if (state_ == nullptr) return;
    if (open_) amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(state_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  amqp_connection_state_t state() { return state_; }

  /// Nothing when a channel is open; else the answer that says why not.
  std::optional<http::Reply> connect(Duration timeout) {
    if (host_.empty())
      return native_error(400, "InvalidConnectionParameters", "The connection names no broker ('host').");
    if (port_ == 0) return native_error(400, "InvalidConnectionParameters", "'port' must be 1 to 65535.");
    const auto addresses = http::allowed_addresses(host_, options_.policy);
    if (!addresses) return not_reached(addresses.error());
    state_ = amqp_new_connection();
    if (state_ == nullptr) return native_error(500, "OutOfMemory", "The AMQP connection could not be made.");
    const timeval limit = seconds_of(timeout);
    amqp_set_handshake_timeout(state_, &limit);
    amqp_set_rpc_timeout(state_, &limit);
    amqp_socket_t* socket = tls_ ? amqp_ssl_socket_new(state_) : amqp_tcp_socket_new(state_);
    if (socket == nullptr) return native_error(500, "OutOfMemory", "The AMQP connection could not be made.");
    if (tls_) {
      amqp_ssl_socket_set_verify_peer(socket, 1);
      // The library would compare the certificate with the address it is given; the context compares it with the name.
      amqp_ssl_socket_set_verify_hostname(socket, 0);
      amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
      const std::string& own = options_.certificate_authorities_file;
      auto* context = static_cast<SSL_CTX*>(amqp_ssl_socket_get_context(socket));
      if (amqp_ssl_socket_set_cacert(socket, own.empty() ? authorities : own.c_str()) != AMQP_STATUS_OK ||
          context == nullptr || !expect_host(*context, host_))
        return native_error(500, "TlsUnavailable",
                            "TLS could not be set up: the certificates of authorities can't be read.");
    }
    int opened = AMQP_STATUS_SOCKET_ERROR;
    for (const std::string& address : *addresses) {
      opened = amqp_socket_open_noblock(socket, address.c_str(), port_, &limit);
      if (opened == AMQP_STATUS_OK) break;
    }
    if (opened != AMQP_STATUS_OK) return unreachable(opened);
    const amqp_rpc_reply_t login = amqp_login(state_, virtual_host_.c_str(), 1, AMQP_DEFAULT_FRAME_SIZE, 0,
                                              AMQP_SASL_METHOD_PLAIN, user_.c_str(), password_.c_str());
    if (login.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
      auto [code, words] = exception(login);
      // The broker closes with 403 for a wrong password, with 530 for a virtual host that the user may not use.
      if (code == 403) return native_error(401, "Unauthorized", "The broker says: " + words);
      if (code == 530) return native_error(403, "Forbidden", "The broker says: " + words);
      return answer_of(code, words, "Signing in");
    }
    if (login.reply_type != AMQP_RESPONSE_NORMAL) {
      // Brokers without the extension for it close the connection when the password is wrong.
      if (login.library_error == AMQP_STATUS_CONNECTION_CLOSED || login.library_error == AMQP_STATUS_SOCKET_ERROR)
        return native_error(
            401, "Unauthorized",
            "The broker closed the connection during the sign-in, as brokers do for a wrong user name or password.");
      return unreachable(login.library_error);
    }
    open_ = true;
    amqp_channel_open(state_, channel);
    return refusal("Opening a channel");
  }

  /// The answer for the last call when it failed.
  std::optional<http::Reply> refusal(const std::string& doing) { return refusal(amqp_get_rpc_reply(state_), doing); }
  std::optional<http::Reply> refusal(const amqp_rpc_reply_t& reply, const std::string& doing) {
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return std::nullopt;
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
      const auto [code, words] = exception(reply);
      if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) open_ = false;
      return answer_of(code, words, doing);
    }
    open_ = false;
    return unreachable(reply.library_error);
  }

 private:
  static std::pair<int, std::string> exception(const amqp_rpc_reply_t& reply) {
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
      const auto* close = static_cast<const amqp_connection_close_t*>(reply.reply.decoded);
      return {close->reply_code, text_of(close->reply_text)};
    }
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
      const auto* close = static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
      return {close->reply_code, text_of(close->reply_text)};
    }
    return {500, "an answer that this protocol does not have"};
  }
  http::Reply unreachable(int code) const {
    http::Reply reply;
    reply.error_code = code == AMQP_STATUS_TIMEOUT                      ? "RequestTimeout"
                       : code == AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED ? "UnresolvableHostName"
                       : code <= AMQP_STATUS_SSL_ERROR && code >= AMQP_STATUS_SSL_SET_ENGINE_FAILED ? "TlsFailure"
                                                                                                    : "ConnectFailure";
    reply.error_message =
        "The broker " + host_ + ":" + std::to_string(port_) + " can't be reached: " + amqp_error_string2(code) + ".";
    return reply;
  }

  const http::ClientOptions& options_;
  std::string host_, user_, password_, virtual_host_;
  bool tls_ = false;
  int port_ = 0;
  amqp_connection_state_t state_ = nullptr;
  bool open_ = false;
};

/// A message under way: destroyed whatever happens.
struct Message {
  amqp_message_t raw{};
  bool filled = false;
  Message() = default;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() {
    if (filled) amqp_destroy_message(&raw);
  }
};

class Amqp final : public NativeConnector {
 public:
  explicit Amqp(const NativeParts& parts) : store_(parts.store), client_(parts.client) {}
  std::string_view name() const override { return "shared_amqp"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return connection_properties; }
  std::string address(const Value& fields) const override {
    const bool tls = flag_of(fields, "tls");
    return (tls ? "amqps://" : "amqp://") + field_text(fields, "host") + ":" +
           std::to_string(port_of(fields, "port", tls ? 5671 : 5672));
  }

  http::Reply verify(const Value& fields, Duration timeout) override {
    Session session(fields, client_.options());
    if (auto refused = session.connect(timeout)) return std::move(*refused);
    return native_json(200, Value::object({{"broker", Value(address(fields))}}));
  }

  http::Reply call(const NativeCall& call) override {
    return call.operation->id == "OnMessage" ? check(call) : send(call);
  }

 private:
  http::Reply send(const NativeCall& call) const {
    const Value& body = call.arguments.body;
    const std::string exchange(body.text_of("exchange"));
    const std::string routing_key(body.text_of("routingKey"));
    if (exchange.size() > 255 || routing_key.size() > 255)
      return native_error(400, "InvalidName", "'exchange' and 'routingKey' may have 255 bytes at most.");
    if (exchange.empty() && routing_key.empty())
      return native_error(400, "InvalidName", "'routingKey' must name a queue, or 'exchange' an exchange.");
    const Value* payload = body.find("message");
    MessageBytes message = message_bytes(payload == nullptr ? Value() : *payload);
    if (const auto type = body.text_of("contentType"); !type.empty()) message.content_type = type;
    const std::string correlation(body.text_of("correlationId"));

    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.content_type = bytes_view(message.content_type);
    properties.delivery_mode = 2;
    // The broker keeps no record of it, but whoever receives a message twice can tell by it.
    if (!call.idempotency_key.empty()) {
      properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
      properties.message_id = bytes_view(call.idempotency_key);
    }
    if (!correlation.empty()) {
      properties._flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
      properties.correlation_id = bytes_view(correlation);
    }
    std::vector<std::pair<std::string, std::string>> texts;
    std::vector<amqp_table_entry_t> entries;
    if (const Value* headers = body.find("headers"); headers != nullptr && headers->is_object()) {
      for (const auto& [key, value] : headers->as_object()) {
        const std::string name(key.as_string());
        if (name.size() > 255)
          return native_error(400, "InvalidHeader", "The name of a header may have 255 bytes at most.");
        texts.emplace_back(name, text_of_value(value));
      }
      for (const auto& [name, text] : texts) {
        amqp_table_entry_t entry{};
        entry.key = bytes_view(name);
        entry.value.kind = AMQP_FIELD_KIND_UTF8;
        entry.value.value.bytes = bytes_view(text);
        entries.push_back(entry);
      }
      properties._flags |= AMQP_BASIC_HEADERS_FLAG;
      properties.headers.num_entries = static_cast<int>(entries.size());
      properties.headers.entries = entries.data();
    }

    Session session(call.fields, client_.options());
    if (auto refused = session.connect(call.timeout)) return std::move(*refused);
    amqp_confirm_select(session.state(), channel);
    if (auto refused = session.refusal("Asking for confirmations")) return std::move(*refused);
    const int published = amqp_basic_publish(session.state(), channel, bytes_view(exchange), bytes_view(routing_key), 1,
                                             0, &properties, bytes_view(message.bytes));
    if (published != AMQP_STATUS_OK) return native_error(502, "PublishFailed", amqp_error_string2(published));
    return confirmed(session, call.timeout, exchange, routing_key, message.bytes.size());
  }

  /// Waits for the broker's word: taken, returned (no queue wanted it), refused, or the channel closed.
  static http::Reply confirmed(Session& session, Duration timeout, const std::string& exchange,
                               const std::string& routing_key, std::size_t size) {
    bool returned = false;
    const timeval limit = seconds_of(timeout);
    for (;;) {
      amqp_frame_t frame{};
      const int got = amqp_simple_wait_frame_noblock(session.state(), &frame, &limit);
      if (got == AMQP_STATUS_TIMEOUT)
        return native_error(504, "GatewayTimeout", "The broker did not confirm the message in time.");
      if (got != AMQP_STATUS_OK)
        return native_error(
            502, "ConnectionClosed",
            std::string("The broker broke off before it confirmed the message: ") + amqp_error_string2(got));
      if (frame.frame_type != AMQP_FRAME_METHOD) continue;
      switch (frame.payload.method.id) {
        case AMQP_BASIC_RETURN_METHOD: {
          returned = true;
          Message back;
          const amqp_rpc_reply_t read = amqp_read_message(session.state(), channel, &back.raw, 0);
          back.filled = read.reply_type == AMQP_RESPONSE_NORMAL;
          break;
        }
        case AMQP_BASIC_ACK_METHOD:
          if (returned)
            return native_error(404, "NoRoute",
                                "No queue takes the message: exchange '" + exchange + "', routing key '" + routing_key +
                                    "'. Nothing was sent.");
          return native_json(200, Value::object({{"bytes", Value(static_cast<std::int64_t>(size))}}));
        case AMQP_BASIC_NACK_METHOD:
          return native_error(503, "MessageRefused", "The broker could not take the message (nack).");
        case AMQP_CHANNEL_CLOSE_METHOD: {
          const auto* close = static_cast<const amqp_channel_close_t*>(frame.payload.method.decoded);
          return answer_of(close->reply_code, text_of(close->reply_text), "Sending");
        }
        case AMQP_CONNECTION_CLOSE_METHOD: {
          const auto* close = static_cast<const amqp_connection_close_t*>(frame.payload.method.decoded);
          return answer_of(close->reply_code, text_of(close->reply_text), "Sending");
        }
        default: break;
      }
    }
  }

  http::Reply check(const NativeCall& call) {
    const std::string queue = text_argument(call, "queue");
    if (queue.empty() || queue.size() > 255)
      return native_error(400, "InvalidName", "'queue' must be a name of 1 to 255 bytes.");
    Inbox inbox(store_, inbox_name(call.flow, address(call.fields) + "\n" + field_text(call.fields, "virtualHost") +
                                                  "\n" + queue));
    return check_inbox(inbox, call,
                       [&](std::size_t limit, std::int64_t taken) { return take(call, queue, limit, inbox, taken); });
  }

  /// Takes what the queue holds into the inbox, then tells the broker that it may forget it.
  std::optional<http::Reply> take(const NativeCall& call, const std::string& queue, std::size_t limit, Inbox& inbox,
                                  std::int64_t taken) const {
    Session session(call.fields, client_.options());
    if (auto refused = session.connect(call.timeout)) return refused;
    std::vector<Value> messages;
    std::uint64_t last_tag = 0;
    while (messages.size() < limit && !(call.cancelled && call.cancelled())) {
      const amqp_rpc_reply_t got = amqp_basic_get(session.state(), channel, bytes_view(queue), 0);
      if (auto refused = session.refusal(got, "Reading the queue '" + queue + "'")) return refused;
      if (got.reply.id != AMQP_BASIC_GET_OK_METHOD) break;  // the queue is empty
      const auto* delivered = static_cast<const amqp_basic_get_ok_t*>(got.reply.decoded);
      last_tag = delivered->delivery_tag;
      const bool redelivered = delivered->redelivered != 0;
      const std::string exchange = text_of(delivered->exchange);
      const std::string routing_key = text_of(delivered->routing_key);
      Message message;
      const amqp_rpc_reply_t read = amqp_read_message(session.state(), channel, &message.raw, 0);
      if (auto refused = session.refusal(read, "Reading a message")) return refused;
      message.filled = true;
      messages.push_back(value_of(message.raw, exchange, routing_key, redelivered));
    }
    if (messages.empty()) return std::nullopt;
    if (const auto put = inbox.put(messages, taken); !put)
      return native_error(503, put.error().code, put.error().message);
    amqp_basic_ack(session.state(), channel, last_tag, 1);
    return std::nullopt;
  }

  static Value value_of(const amqp_message_t& message, const std::string& exchange, const std::string& routing_key,
                        bool redelivered) {
    const amqp_basic_properties_t& properties = message.properties;
    const auto property = [&](amqp_flags_t flag, const amqp_bytes_t& bytes) {
      return (properties._flags & flag) != 0 ? text_of(bytes) : std::string();
    };
    const std::string type = property(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type);
    json::ObjectBuilder headers;
    if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
      for (int i = 0; i < properties.headers.num_entries; ++i) {
        const amqp_table_entry_t& entry = properties.headers.entries[i];
        if (entry.value.kind == AMQP_FIELD_KIND_UTF8)
          headers.add(text_of(entry.key), message_value(text_of(entry.value.value.bytes), {}));
        if (entry.value.kind == AMQP_FIELD_KIND_I64)
          headers.add(text_of(entry.key), Value(static_cast<std::int64_t>(entry.value.value.i64)));
        if (entry.value.kind == AMQP_FIELD_KIND_I32)
          headers.add(text_of(entry.key), Value(static_cast<std::int64_t>(entry.value.value.i32)));
        if (entry.value.kind == AMQP_FIELD_KIND_BOOLEAN)
          headers.add(text_of(entry.key), Value(entry.value.value.boolean != 0));
      }
    }
    return Value::object(
        {{"message", message_value({static_cast<const char*>(message.body.bytes), message.body.len}, type)},
         {"contentType", message_value(type, {})},
         {"exchange", message_value(exchange, {})},
         {"routingKey", message_value(routing_key, {})},
         {"messageId", message_value(property(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id), {})},
         {"correlationId", message_value(property(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id), {})},
         {"headers", headers.finish()},
         {"redelivered", Value(redelivered)}});
  }

  store::Store& store_;
  const http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_amqp(const NativeParts& parts) { return std::make_unique<Amqp>(parts); }

}  // namespace flowmend::connector
