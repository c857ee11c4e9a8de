// Teams messages over an incoming webhook: the connection's, whatever channel or person the flow names. The recipient
// stands in the message, so that nothing is lost.

#include <condition_variable>
#include <mutex>

#include "connector/native/standin/standin.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document =
    R"json({"swagger":"2.0","info":{"title":"Microsoft Teams (stand-in)","description":"Posts messages and cards to an incoming webhook.","version":"1.0"},
  "host":"teams.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "parameters":{
    "poster":{"name":"poster","in":"path","required":true,"type":"string","x-ms-summary":"Post as"},
    "group":{"name":"groupId","in":"query","type":"string","x-ms-summary":"Team"},
    "location":{"name":"location","in":"path","required":true,"type":"string","x-ms-summary":"Post in"}},
  "paths":{
    "/beta/teams/conversation/message/poster/{poster}/location/{location}":{"post":{"operationId":"PostMessageToConversation","summary":"Post message in a chat or channel","parameters":[{"$ref":"#/parameters/poster"},{"$ref":"#/parameters/location"},{"name":"body","in":"body","required":true,"schema":{"type":"object"}}],"responses":{"200":{"description":"Posted"}}}},
    "/v1.0/teams/conversation/adaptivecard/poster/{poster}/location/{location}":{"post":{"operationId":"PostCardToConversation","summary":"Post card in a chat or channel","parameters":[{"$ref":"#/parameters/poster"},{"$ref":"#/parameters/location"},{"name":"body","in":"body","required":true,"schema":{"type":"object"}}],"responses":{"200":{"description":"Posted"}}}},
    "/flowbot/actions/notification/recipienttypes/user":{"post":{"operationId":"PostUserNotification","summary":"Post a message as the Flow bot to a user","parameters":[{"name":"PostNotificationRequest","in":"body","required":true,"schema":{"type":"object"}}],"responses":{"200":{"description":"Posted"}}}},
    "/flowbot/actions/adaptivecard/recipienttypes/user":{"post":{"operationId":"PostUserAdaptiveCard","summary":"Post an Adaptive Card as the Flow bot to a user","parameters":[{"name":"PostAdaptiveCardRequest","in":"body","required":true,"schema":{"type":"object"}}],"responses":{"200":{"description":"Posted"}}}},
    "/flowbot/actions/notification/recipienttypes/channel":{"post":{"operationId":"PostChannelNotification","summary":"Post a message as the Flow bot to a channel","deprecated":true,"parameters":[{"$ref":"#/parameters/group"},{"name":"PostNotificationRequest","in":"body","required":true,"schema":{"type":"object"}}],"responses":{"200":{"description":"Posted"}}}},
    "/flowbot/actions/adaptivecard/recipienttypes/channel":{"post":{"operationId":"PostChannelAdaptiveCard","summary":"Post an Adaptive Card as the Flow bot to a channel","deprecated":true,"parameters":[{"$ref":"#/parameters/group"},{"name":"PostAdaptiveCardRequest","in":"body","required":true,"schema":{"type":"object"}}],"responses":{"200":{"description":"Posted"}}}},
    "/v3/beta/teams/{groupId}/channels/{channelId}/messages":{"post":{"operationId":"PostMessageToChannelV3","summary":"Post a message (V3)","deprecated":true,"parameters":[{"name":"groupId","in":"path","required":true,"type":"string","x-ms-summary":"Team"},{"name":"channelId","in":"path","required":true,"type":"string","x-ms-summary":"Channel"},
      {"name":"message","in":"body","required":true,"schema":{"type":"object","required":["body"],"properties":{"subject":{"type":"string","x-ms-summary":"Subject"},"body":{"type":"object","properties":{"content":{"type":"string","x-ms-summary":"Message"},"contentType":{"type":"string","x-ms-visibility":"advanced"}}}}}}],"responses":{"201":{"description":"Posted"}}}}}})json";

constexpr std::string_view connection =
    R"json({"properties":{"iconBrandColor":"#4b53bc","capabilities":["actions"],"connectionParameters":{
  "webhookUrl":{"type":"securestring","uiDefinition":{"displayName":"Webhook address","description":"Of an incoming webhook that takes {\"text\"} or a message with a card: Teams, or a chat that understands the same","constraints":{"required":"true","tabIndex":1}}}}}})json";

http::Reply send_over(http::Client& client, http::Request request, const std::function<bool()>& cancelled) {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<http::Reply> reply;
  const std::uint64_t id = client.send(std::move(request), [&](http::Reply got) {
    const std::lock_guard lock(mutex);
    reply = std::move(got);
    ended.notify_one();
  });
  std::unique_lock lock(mutex);
  bool asked = false;
  while (!ended.wait_for(lock, std::chrono::milliseconds(200), [&] { return reply.has_value(); })) {
    if (asked || !cancelled || !cancelled()) continue;
    asked = true;
    client.cancel(id);
  }
  return std::move(*reply);
}

class Teams final : public NativeConnector {
 public:
  explicit Teams(http::Client& client) : client_(client) {}
  std::string_view name() const override { return "shared_teams"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return connection; }
  std::string address(const Value& fields) const override {
    return "webhook at " + host_of(field_text(fields, "webhookUrl"));
  }

  /// Whether the address is good can't be asked without posting.
  http::Reply verify(const Value& fields, Duration) override {
    return is_address(fields) ? native_json(200, Value::empty_object()) : bad_address();
  }

  http::Reply call(const NativeCall& call) override {
    if (!is_address(call.fields)) return bad_address();
    const Value& body = call.arguments.body;
    const std::string& operation = call.operation->id;
    std::string text(body.text_of("messageBody"));
    if (const Value* message = body.find("messageBody"); message != nullptr && message->is_object())
      text = json::write(*message);
    std::string title(body.text_of("messageTitle"));
    if (operation == "PostMessageToChannelV3") {
      const Value* content = body.find("body");
      text = content == nullptr ? std::string() : std::string(content->text_of("content"));
      title = std::string(body.text_of("subject"));
    }
    if (trim(text).empty())
      return native_error(400, "InvalidMessage", "The message is empty: 'messageBody' has no text.");
    Value sent;
    if (operation == "PostCardToConversation" || operation == "PostUserAdaptiveCard" ||
        operation == "PostChannelAdaptiveCard") {
      const auto card = json::parse(text);
      if (!card || !card->is_object())
        return native_error(400, "InvalidMessage", "'messageBody' is no Adaptive Card: it is not a JSON object.");
      sent = Value::object(
          {{"type", "message"},
           {"attachments", Value::array({Value::object(
                               {{"contentType", "application/vnd.microsoft.card.adaptive"}, {"content", *card}})})}});
    } else {
      std::string whole;
      if (!title.empty()) whole += "**" + title + "**\n\n";
      if (const std::string to = recipient_of(body); !to.empty()) whole += "To " + to + ":\n\n";
      sent = Value::object({{"text", Value(whole + text)}});
    }
    http::Request request;
    request.method = "POST";
    request.url = field_text(call.fields, "webhookUrl");
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = json::write(sent);
    request.timeout = call.timeout;
    http::Reply reply = send_over(client_, std::move(request), call.cancelled);
    if (reply.status >= 200 && reply.status < 300)
      return native_json(200, Value::object({{"id", Value(call.idempotency_key)}}));
    return reply;
  }

 private:
  static bool is_address(const Value& fields) {
    const std::string url = lower_case(field_text(fields, "webhookUrl"));
    return (url.starts_with("https://") || url.starts_with("http://")) && !host_of(url).empty();
  }
  static http::Reply bad_address() {
    return native_error(400, "InvalidUri", "The connection's webhook address does not begin with https:// or http://.");
  }
  static std::string recipient_of(const Value& body) {
    const Value* recipient = body.find("recipient");
    if (recipient == nullptr) return {};
    if (recipient->is_string()) return std::string(recipient->as_string());
    return std::string(recipient->text_of("to"));
  }

  http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_teams_standin(const NativeParts& parts) {
  return std::make_unique<Teams>(parts.client);
}

}  // namespace flowmend::connector
