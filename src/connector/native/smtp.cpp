// SMTP: sends mail over a server of the connection, with TLS (STARTTLS, or from the start on port 465 and for an
// address that begins with smtps://). Operation and parameter names are those that flows bring along for `shared_smtp`.

#include <openssl/sha.h>

#include "connector/native/connectors.h"
#include "connector/native/mail_message.h"
#include "connector/native/transfer.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view swagger_text = R"json({
  "swagger": "2.0",
  "info": {"title": "SMTP", "version": "1.0", "description": "Sends mail over any mail server."},
  "paths": {
    "/SendEmailV3": {"post": {
      "operationId": "SendEmailV3", "summary": "Send Email (V3)",
      "description": "Sends a mail to one or more recipients.",
      "parameters": [{"name": "emailMessage", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Email"}}],
      "responses": {"200": {"description": "Sent", "schema": {"$ref": "#/definitions/Sent"}}}}},
    "/SendEmail": {"post": {
      "operationId": "SendEmail", "summary": "Send Email", "deprecated": true,
      "description": "Sends a mail to one or more recipients. Use Send Email (V3).",
      "parameters": [{"name": "emailMessage", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Email"}}],
      "responses": {"200": {"description": "Sent", "schema": {"$ref": "#/definitions/Sent"}}}}}
  },
  "definitions": {
    "Email": {"type": "object", "properties": {
      "From": {"type": "string", "x-ms-summary": "From", "description": "Sender, such as orders@example.org; empty = the connection's user name."},
      "To": {"type": "string", "x-ms-summary": "To", "description": "Addresses, separated by semicolons."},
      "CC": {"type": "string", "x-ms-summary": "CC"},
      "BCC": {"type": "string", "x-ms-summary": "BCC"},
      "ReplyTo": {"type": "string", "x-ms-summary": "Reply to", "x-ms-visibility": "advanced"},
      "Subject": {"type": "string", "x-ms-summary": "Subject"},
      "Body": {"type": "string", "x-ms-summary": "Body", "format": "html"},
      "IsHtml": {"type": "boolean", "x-ms-summary": "Is HTML", "default": true, "x-ms-visibility": "advanced"},
      "Importance": {"type": "string", "enum": ["Low", "Normal", "High"], "x-ms-visibility": "advanced"},
      "Attachments": {"type": "array", "x-ms-summary": "Attachments", "items": {"type": "object", "properties": {
        "FileName": {"type": "string", "x-ms-summary": "File name"},
        "ContentData": {"type": "string", "format": "byte", "x-ms-summary": "Content", "description": "Base64, or the content of a file step."},
        "ContentType": {"type": "string", "x-ms-summary": "Content type"},
        "ContentId": {"type": "string", "x-ms-visibility": "advanced", "description": "For pictures in the text: <img src=\"cid:...\">"},
        "ContentTransferEncoding": {"type": "string", "x-ms-visibility": "internal"}}}}
    }},
    "Sent": {"type": "object", "properties": {
      "messageId": {"type": "string"}, "recipients": {"type": "integer"}, "response": {"type": "string"}}}
  }
})json";

constexpr std::string_view properties_text =
    R"json({"properties": {"iconBrandColor": "#1a6fb5", "connectionParameters": {
  "serverAddress": {"type": "string", "uiDefinition": {"displayName": "Server address", "tooltip": "mail.example.org, or smtps://mail.example.org for TLS from the start", "constraints": {"required": "true", "tabIndex": 1}}},
  "port": {"type": "int", "defaultValue": 587, "uiDefinition": {"displayName": "Port", "constraints": {"required": "false", "tabIndex": 2}}},
  "userName": {"type": "string", "uiDefinition": {"displayName": "User name", "constraints": {"required": "false", "tabIndex": 3}}},
  "password": {"type": "securestring", "uiDefinition": {"displayName": "Password", "constraints": {"required": "false", "tabIndex": 4}}},
  "enableSSL": {"type": "bool", "defaultValue": true, "uiDefinition": {"displayName": "Encrypt (TLS)?", "constraints": {"required": "false", "tabIndex": 5}}}
}}})json";

constexpr std::size_t attachments_max = 100;
constexpr std::size_t mail_bytes_max = 52'428'800;

struct Server {
  std::string url;
  std::string name;  ///< host and port, for messages
  std::string user, password;
  bool require_tls = true;
};

std::optional<Server> server_of(const Value& fields) {
  Server server;
  std::string host = field_text(fields, "serverAddress");
  std::string port = field_text(fields, "port");
  bool tls_first = port == "465";
  if (lower_case(host).starts_with("smtps://")) {
    host.erase(0, 8);
    tls_first = true;
  } else if (lower_case(host).starts_with("smtp://")) {
    host.erase(0, 7);
  }
  if (port.empty()) port = tls_first ? "465" : "587";
  const auto address = host_and_port(host, port);
  if (!address) return std::nullopt;
  server.name = *address;
  server.url = (tls_first ? "smtps://" : "smtp://") + *address + "/flowmend";
  server.user = field_text(fields, "userName");
  server.password = field_text(fields, "password");
  server.require_tls = !equals_ignoring_case(field_text(fields, "enableSSL"), "false");
  return server;
}

/// What the mail server's refusal is as an answer: by its own number, in its own words.
http::Reply refusal(Transfer& transfer, CURLcode code, const Server& server) {
  const long said = transfer.response_code();
  const std::string words = transfer.last_line();
  if (code == CURLE_LOGIN_DENIED || said == 535 || said == 530 || said == 534)
    return native_error(401, "Unauthorized",
                        words.empty() ? "The mail server '" + server.name + "' refused the sign-in." : words);
  if (said >= 500 && said < 600) return native_error(400, "MailRefused", words);
  if (said >= 400 && said < 500) return native_error(503, "MailTemporarilyRefused", words);
  if (auto failure = transfer.connection_failure(code, server.name)) return *failure;
  return native_error(502, "MailFailed",
                      "The mail server '" + server.name + "' failed: " + curl_easy_strerror(code) + ".");
}

class Smtp final : public NativeConnector {
 public:
  explicit Smtp(const NativeParts& parts) : client_(parts.client) {}

  std::string_view name() const override { return "shared_smtp"; }
  std::string_view swagger() const override { return swagger_text; }
  std::string_view properties() const override { return properties_text; }
  std::string address(const Value& fields) const override {
    const auto server = server_of(fields);
    return server ? server->url.substr(0, server->url.rfind('/')) : std::string();
  }

  http::Reply verify(const Value& fields, Duration timeout) override {
    const auto server = server_of(fields);
    if (!server) return no_address();
    Transfer transfer(client_, server->url, "smtp,smtps", timeout);
    sign_in(transfer, *server);
    transfer.set(CURLOPT_NOBODY, 1L);
    transfer.set(CURLOPT_CUSTOMREQUEST, "NOOP");
    if (const CURLcode code = transfer.perform(); code != CURLE_OK) return refusal(transfer, code, *server);
    return native_json(200, Value::empty_object());
  }

  http::Reply call(const NativeCall& call) override {
    const auto server = server_of(call.fields);
    if (!server) return no_address();
    OutgoingMail mail;
    if (auto wrong = read(call, mail)) return *wrong;
    const auto composed = compose_mail(mail);
    if (!composed)
      return native_error(400, composed.error().code, composed.error().message + " " + composed.error().cure);
    if (composed->bytes.size() > mail_bytes_max) {
      return native_error(413, "MailTooLarge",
                          "The mail is larger than " + std::to_string(mail_bytes_max) + " bytes with its attachments.");
    }
    Transfer transfer(client_, server->url, "smtp,smtps", call.timeout, call.cancelled);
    sign_in(transfer, *server);
    transfer.set(CURLOPT_MAIL_FROM, ("<" + composed->sender + ">").c_str());
    std::vector<std::string> recipients;
    for (const std::string& one : composed->recipients) recipients.push_back("<" + one + ">");
    transfer.set_list(CURLOPT_MAIL_RCPT, recipients);
    transfer.upload(composed->bytes);
    if (const CURLcode code = transfer.perform(); code != CURLE_OK) return refusal(transfer, code, *server);
    return native_json(200, Value::object({{"recipients", Value(static_cast<std::int64_t>(recipients.size()))},
                                           {"response", Value(transfer.last_line())}}));
  }

 private:
  static http::Reply no_address() {
    return native_error(400, "InvalidConnectionParameters",
                        "The connection's server address or port is none. Give a host such as mail.example.org and a "
                        "port such as 587.");
  }

  static void sign_in(Transfer& transfer, const Server& server) {
    transfer.set(CURLOPT_USE_SSL, static_cast<long>(server.require_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (server.user.empty()) return;
    transfer.set(CURLOPT_USERNAME, server.user.c_str());
    transfer.set(CURLOPT_PASSWORD, server.password.c_str());
  }

  static std::optional<http::Reply> read(const NativeCall& call, OutgoingMail& mail) {
    const Value& body = call.arguments.body;
    const auto text = [&](std::string_view name) {
      const Value* value = body.find_ignoring_case(name);
      return value == nullptr || value->is_null() ? std::string() : text_of_value(*value);
    };
    mail.from = text("From");
    if (trim(mail.from).empty()) mail.from = field_text(call.fields, "userName");
    mail.to = text("To");
    mail.cc = text("CC");
    mail.bcc = text("BCC");
    mail.reply_to = text("ReplyTo");
    mail.subject = text("Subject");
    mail.body = text("Body");
    mail.is_html = !equals_ignoring_case(text("IsHtml"), "false");
    mail.importance = text("Importance");
    if (!call.idempotency_key.empty()) {
      // The same over retries: whoever receives a mail twice can tell.
      unsigned char digest[SHA256_DIGEST_LENGTH];
      SHA256(reinterpret_cast<const unsigned char*>(call.idempotency_key.data()), call.idempotency_key.size(), digest);
      static constexpr char digits[] = "0123456789abcdef";
      for (int i = 0; i < 16; ++i) {
        mail.message_id += digits[digest[i] >> 4];
        mail.message_id += digits[digest[i] & 15];
      }
    }
    const Value* attachments = body.find_ignoring_case("Attachments");
    if (attachments == nullptr || attachments->is_null()) return std::nullopt;
    if (!attachments->is_array() || attachments->size() > attachments_max) {
      return native_error(
          400, "InvalidAttachments",
          "'Attachments' must be a list of at most " + std::to_string(attachments_max) + " attachments.");
    }
    for (const Value& one : attachments->as_array()) {
      MailAttachment attachment;
      const std::string number = std::to_string(mail.attachments.size() + 1);
      const Value* data = one.find_ignoring_case("ContentData");
      if (data == nullptr) data = one.find_ignoring_case("ContentBytes");
      if (!one.is_object() || data == nullptr || data->is_null()) {
        return native_error(400, "InvalidAttachments",
                            "Attachment " + number +
                                " has no 'ContentData'. Give its content, for example the body "
                                "of a step that gets a file.");
      }
      if (data->is_string()) {
        auto bytes = base64_decode(data->as_string());
        if (!bytes) {
          return native_error(400, "InvalidAttachments",
                              "'ContentData' of attachment " + number + " is no base64. Use base64(...) for a text.");
        }
        attachment.bytes = std::move(*bytes);
      } else {
        attachment.bytes = bytes_of(*data);
      }
      const auto member = [&](std::string_view name) {
        const Value* value = one.find_ignoring_case(name);
        return value == nullptr || value->is_null() ? std::string() : text_of_value(*value);
      };
      attachment.name = member("FileName");
      if (attachment.name.empty()) attachment.name = member("Name");
      if (attachment.name.empty()) attachment.name = "attachment-" + number;
      attachment.media_type = member("ContentType");
      if (attachment.media_type.empty() && data->is_object()) attachment.media_type = data->text_of("$content-type");
      if (attachment.media_type.empty()) attachment.media_type = "application/octet-stream";
      attachment.content_id = member("ContentId");
      if (attachment.content_id.find_first_of("<>\r\n ") != std::string::npos)
        return native_error(400, "InvalidAttachments",
                            "'ContentId' of attachment " + number + " holds blanks or brackets.");
      mail.attachments.push_back(std::move(attachment));
    }
    return std::nullopt;
  }

  http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_smtp(const NativeParts& parts) { return std::make_unique<Smtp>(parts); }

}  // namespace flowmend::connector
