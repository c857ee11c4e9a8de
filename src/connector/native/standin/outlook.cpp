// Office 365 Outlook over any mail server: it sends over SMTP, as the connector SMTP does, and reads over IMAP.

#include "connector/native/connectors.h"
#include "connector/native/standin/outlook_inbox.h"
#include "connector/native/standin/standin.h"

namespace flowmend::connector {
namespace {

using namespace std::string_literals;

const std::string document =
    R"json({"swagger":"2.0","info":{"title":"Office 365 Outlook (stand-in)","description":"Sends and reads mail over any mail server.","version":"1.0"},
  "host":"outlook.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "definitions":{"Received":{"type":"object","properties":{"value":{"type":"array","items":{"type":"object","properties":{
      "id":{"type":"string"},"subject":{"type":"string"},"from":{"type":"string"},"toRecipients":{"type":"string"},"ccRecipients":{"type":"string"},"receivedDateTime":{"type":"string","format":"date-time"},
      "internetMessageId":{"type":"string"},"importance":{"type":"string"},"body":{"type":"string"},"isHtml":{"type":"boolean"},"bodyPreview":{"type":"string"},"isRead":{"type":"boolean"},"hasAttachments":{"type":"boolean"},
      "attachments":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"name":{"type":"string"},"contentType":{"type":"string"},"contentBytes":{"type":"string","format":"byte"}}}}}}}}},
    "Mail":{"type":"object","required":["To","Subject","Body"],"properties":{
    "To":{"type":"string"},"Cc":{"type":"string"},"Bcc":{"type":"string"},"Subject":{"type":"string"},"Body":{"type":"string","format":"html"},
    "From":{"type":"string"},"ReplyTo":{"type":"string"},"MailboxAddress":{"type":"string"},"Importance":{"type":"string"},"Sensitivity":{"type":"string"},"IsHtml":{"type":"boolean"},
    "Attachments":{"type":"array","items":{"type":"object","properties":{"Name":{"type":"string"},"ContentBytes":{"type":"string","format":"byte"}}}}}}},
  "paths":{
    "/v2/Mail":{"post":{"operationId":"SendEmailV2","summary":"Send an email (V2)","parameters":[{"name":"emailMessage","in":"body","required":true,"schema":{"$ref":"#/definitions/Mail"}}],"responses":{"200":{"description":"Sent"}}}},
    "/Mail":{"post":{"operationId":"SendEmail","summary":"Send an email","deprecated":true,"parameters":[{"name":"emailMessage","in":"body","required":true,"schema":{"$ref":"#/definitions/Mail"}}],"responses":{"200":{"description":"Sent"}}}},
    "/v2/SharedMailbox/Mail":{"post":{"operationId":"SharedMailboxSendEmailV2","summary":"Send an email from a shared mailbox (V2)","parameters":[{"name":"emailMessage","in":"body","required":true,"schema":{"$ref":"#/definitions/Mail"}}],"responses":{"200":{"description":"Sent"}}}})json"s +
    std::string(outlook_inbox_paths) + "}}";

class Outlook final : public NativeConnector {
 public:
  explicit Outlook(const NativeParts& parts) : smtp_(make_smtp(parts)), inbox_(parts) {
    const Loaded loaded =
        load_connector_text(smtp_->swagger(), smtp_->properties(), {.name = std::string(smtp_->name())});
    smtp_document_ = loaded.connector;
    // Those of outgoing mail, and behind them where received mail lies.
    properties_ = smtp_->properties();
    properties_.insert(properties_.rfind('}', properties_.rfind('}', properties_.rfind('}') - 1) - 1),
                       outlook_inbox_fields);
  }
  std::string_view name() const override { return "shared_office365"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return properties_; }
  std::string address(const Value& fields) const override {
    const std::string inbox = inbox_.address(fields);
    return smtp_->address(fields) + (inbox.empty() ? "" : ", " + inbox);
  }
  http::Reply verify(const Value& fields, Duration timeout) override {
    http::Reply sends = smtp_->verify(fields, timeout);
    return sends.status == 200 ? inbox_.verify(fields, timeout) : sends;
  }

  http::Reply call(const NativeCall& call) override {
    if (OutlookInbox::has(call.operation->id)) return inbox_.call(call);
    const Value& mail = call.arguments.body;
    json::ObjectBuilder out;
    for (const auto& [theirs, ours] : {std::pair{"To", "To"},
                                       {"Cc", "CC"},
                                       {"Bcc", "BCC"},
                                       {"Subject", "Subject"},
                                       {"Body", "Body"},
                                       {"From", "From"},
                                       {"MailboxAddress", "From"},
                                       {"ReplyTo", "ReplyTo"},
                                       {"Importance", "Importance"}}) {
      if (const Value* value = mail.find(theirs); value != nullptr && !value->is_null()) out.set(ours, *value);
    }
    const bool plain_first = call.operation->id == "SendEmail";
    const Value* html = mail.find("IsHtml");
    out.set("IsHtml", html != nullptr && html->is_boolean() ? *html : Value(!plain_first));
    if (const Value* list = mail.find("Attachments"); list != nullptr && list->is_array()) {
      json::ArrayBuilder attachments;
      for (const Value& one : list->as_array()) {
        json::ObjectBuilder attachment;
        if (const Value* file = one.find_ignoring_case("Name")) attachment.add("FileName", *file);
        if (const Value* bytes = one.find_ignoring_case("ContentBytes")) attachment.add("ContentData", *bytes);
        attachments.push(attachment.finish());
      }
      out.set("Attachments", attachments.finish());
    }
    NativeCall sent = call;
    sent.operation = smtp_document_->find_operation("SendEmailV3");
    sent.arguments = {};
    sent.arguments.body = out.finish();
    sent.arguments.has_body = true;
    http::Reply reply = smtp_->call(sent);
    // Flows know an empty answer.
    if (reply.status >= 200 && reply.status < 300) return native_json(200, Value::empty_object());
    return reply;
  }

 private:
  std::unique_ptr<NativeConnector> smtp_;
  OutlookInbox inbox_;
  std::string properties_;
  std::shared_ptr<const Connector> smtp_document_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_outlook_standin(const NativeParts& parts) {
  return std::make_unique<Outlook>(parts);
}

}  // namespace flowmend::connector
