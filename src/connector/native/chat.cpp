// Chat out: messages into a channel of Slack, Teams, Discord or Mattermost, over the channel's incoming webhook. The
// webhook's address is the credential: it is kept and masked like a password.

#include "connector/content.h"
#include "connector/native/connectors.h"
#include "connector/service_message.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view swagger_text = R"json({
  "swagger": "2.0",
  "info": {"title": "Chat webhook", "version": "1.0", "description": "Messages into a channel of Slack, Microsoft Teams, Discord or Mattermost."},
  "paths": {
    "/message": {"post": {
      "operationId": "PostMessage", "summary": "Post message",
      "parameters": [{"name": "body", "in": "body", "required": true, "schema": {"type": "object", "required": ["text"], "properties": {
        "text": {"type": "string", "x-ms-summary": "Text", "description": "In the service's own markdown."},
        "title": {"type": "string", "x-ms-summary": "Title"},
        "userName": {"type": "string", "x-ms-summary": "Shown as", "description": "Slack, Discord and Mattermost.", "x-ms-visibility": "advanced"}}}}],
      "responses": {"200": {"description": "Posted"}}}},
    "/card": {"post": {
      "operationId": "PostAdaptiveCard", "summary": "Post adaptive card (Teams)",
      "parameters": [{"name": "body", "in": "body", "required": true, "schema": {"type": "object", "required": ["card"], "properties": {
        "card": {"type": "object", "x-ms-summary": "Adaptive card", "description": "As JSON."}}}}],
      "responses": {"200": {"description": "Posted"}}}}
  }
})json";

constexpr std::string_view properties_text =
    R"json({"properties": {"iconBrandColor": "#4a154b", "connectionParameters": {
  "service": {"type": "string", "defaultValue": "Slack", "allowedValues": [{"value": "Slack"}, {"value": "Teams"}, {"value": "Discord"}, {"value": "Mattermost"}], "uiDefinition": {"displayName": "Service", "description": "Slack, Teams, Discord or Mattermost", "constraints": {"required": "true", "tabIndex": 1, "allowedValues": [{"text": "Slack", "value": "Slack"}, {"text": "Teams", "value": "Teams"}, {"text": "Discord", "value": "Discord"}, {"text": "Mattermost", "value": "Mattermost"}]}}},
  "webhookUrl": {"type": "securestring", "uiDefinition": {"displayName": "Webhook address", "tooltip": "As the channel's settings show it", "constraints": {"required": "true", "tabIndex": 2}}}
}}})json";

constexpr std::size_t discord_letters_max = 2'000;
constexpr std::size_t message_bytes_max = 40'000;

enum class Service { slack, teams, discord, mattermost, unknown };

Service service_of(const Value& fields) {
  const std::string name = lower_case(field_text(fields, "service"));
  if (name == "slack") return Service::slack;
  if (name == "teams") return Service::teams;
  if (name == "discord") return Service::discord;
  if (name == "mattermost") return Service::mattermost;
  return Service::unknown;
}

Value teams_message(Value card) {
  return Value::object(
      {{"type", Value("message")},
       {"attachments", Value::array({Value::object({{"contentType", Value("application/vnd.microsoft.card.adaptive")},
                                                    {"content", std::move(card)}})})}});
}

Value text_block(const std::string& text, bool title) {
  json::ObjectBuilder block;
  block.add("type", Value("TextBlock"));
  block.add("text", Value(text));
  block.add("wrap", Value(true));
  if (title) {
    block.add("weight", Value("bolder"));
    block.add("size", Value("medium"));
  }
  return block.finish();
}

std::size_t letters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

class Chat final : public NativeConnector {
 public:
  explicit Chat(const NativeParts& parts) : client_(parts.client) {}

  std::string_view name() const override { return "shared_chatwebhook"; }
  std::string_view swagger() const override { return swagger_text; }
  std::string_view properties() const override { return properties_text; }
  std::string address(const Value& fields) const override { return origin_of(field_text(fields, "webhookUrl")); }

  /// A webhook can't be tried without posting: only Discord tells about one that is asked with GET.
  http::Reply verify(const Value& fields, Duration timeout) override {
    if (auto wrong = check(fields)) return *wrong;
    if (service_of(fields) != Service::discord) return native_json(200, Value::empty_object());
    http::Request request;
    request.url = field_text(fields, "webhookUrl");
    request.timeout = timeout;
    return answer(http::send_and_wait(client_, std::move(request)), fields);
  }

  http::Reply call(const NativeCall& call) override {
    if (auto wrong = check(call.fields)) return *wrong;
    const Value& body = call.arguments.body;
    const Service service = service_of(call.fields);
    const std::string text(body.text_of("text"));
    const std::string title(body.text_of("title"));
    const std::string user(body.text_of("userName"));
    Value message;
    if (call.operation->id == "PostAdaptiveCard") {
      if (service != Service::teams)
        return native_error(400, "CardUnsupported",
                            "Adaptive cards are for Teams. Use Post message with this connection.");
      const Value* card = body.find("card");
      Value given = card == nullptr ? Value() : *card;
      if (given.is_string()) {
        if (const auto parsed = json::parse(given.as_string())) given = *parsed;
      }
      if (!given.is_object() || given.text_of("type") != "AdaptiveCard")
        return native_error(400, "InvalidCard",
                            "'card' is no adaptive card: it must be JSON with \"type\": \"AdaptiveCard\".");
      message = teams_message(std::move(given));
    } else {
      if (trim(text).empty()) return native_error(400, "MessageEmpty", "'text' is empty. Give the message.");
      message = message_of(service, text, title, user);
      if (service == Service::discord && letters(message.text_of("content")) > discord_letters_max)
        return native_error(400, "MessageTooLong", "Discord takes at most 2,000 letters in a message.");
    }
    http::Request request;
    request.method = "POST";
    request.url = field_text(call.fields, "webhookUrl");
    request.headers = {{"Content-Type", "application/json"}};
    request.body = json::write(message);
    if (request.body.size() > message_bytes_max)
      return native_error(400, "MessageTooLong",
                          "The message is larger than 40,000 bytes. Shorten it, or send a link.");
    if (call.timeout.ticks > 0) request.timeout = call.timeout;
    return answer(http::send_and_wait(client_, std::move(request)), call.fields);
  }

 private:
  static std::optional<http::Reply> check(const Value& fields) {
    const std::string url = lower_case(field_text(fields, "webhookUrl"));
    if (service_of(fields) == Service::unknown) {
      return native_error(400, "InvalidConnectionParameters",
                          "The connection's service is none. Write Slack, Teams, Discord or Mattermost.");
    }
    if (!url.starts_with("https://") && !url.starts_with("http://")) {
      return native_error(
          400, "InvalidConnectionParameters",
          "The connection's webhook address is none. Copy it from the channel's settings; it begins with https://.");
    }
    return std::nullopt;
  }

  static Value message_of(Service service, const std::string& text, const std::string& title, const std::string& user) {
    json::ObjectBuilder out;
    switch (service) {
      case Service::teams: {
        json::ArrayBuilder blocks;
        if (!title.empty()) blocks.push(text_block(title, true));
        blocks.push(text_block(text, false));
        return teams_message(Value::object({{"$schema", Value("http://adaptivecards.io/schemas/adaptive-card.json")},
                                            {"type", Value("AdaptiveCard")},
                                            {"version", Value("1.4")},
                                            {"body", blocks.finish()}}));
      }
      case Service::discord:
        out.add("content", Value(title.empty() ? text : "**" + title + "**\n" + text));
        // Nobody is called by what a flow passes on.
        out.add("allowed_mentions", Value::object({{"parse", Value::empty_array()}}));
        break;
      case Service::slack: out.add("text", Value(title.empty() ? text : "*" + title + "*\n" + text)); break;
      case Service::mattermost:
      case Service::unknown: out.add("text", Value(title.empty() ? text : "#### " + title + "\n" + text)); break;
    }
    if (!user.empty()) out.add("username", Value(user));
    return out.finish();
  }

  /// The service's answer; its address is a secret and stays out of all messages.
  static http::Reply answer(http::Reply reply, const Value& fields) {
    if (!reply.error_code.empty()) return reply;
    if (reply.status >= 200 && reply.status < 300) return native_json(200, Value::empty_object());
    const Value body = decode_body(reply.body, http::find_header(reply.headers, "Content-Type")).body;
    const ServiceMessage said = read_service_message(body);
    // A webhook that was removed is a credential that is no more.
    const bool gone = reply.status == 404 || reply.status == 410;
    std::string message = field_text(fields, "service") + " answered " + std::to_string(reply.status);
    if (!said.message.empty()) message += ": " + said.message;
    if (gone) message += " The webhook was removed: make a new one in the channel's settings.";
    http::Reply out = native_error(gone                  ? 401
                                   : reply.status >= 400 ? reply.status
                                                         : 502,
                                   gone ? "WebhookGone" : "ChatRefused", message);
    if (const std::string_view wait = http::find_header(reply.headers, "Retry-After"); !wait.empty())
      out.headers.push_back({"Retry-After", std::string(wait)});
    return out;
  }

  http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_chat(const NativeParts& parts) { return std::make_unique<Chat>(parts); }

}  // namespace flowmend::connector
