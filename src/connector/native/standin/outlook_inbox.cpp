#include "connector/native/standin/outlook_inbox.h"

#include "connector/native/connectors.h"
#include "connector/native/standin/standin.h"
#include "connector/text.h"
#include "json/parse.h"

namespace flowmend::connector {

const std::string_view outlook_inbox_paths = R"json(,
    "/v3/Mail/OnNewEmail":{"get":{"operationId":"OnNewEmailV3","summary":"When a new email arrives (V3)","x-ms-trigger":"batch","parameters":[
      {"name":"folderPath","in":"query","type":"string","default":"Inbox","x-ms-summary":"Folder"},{"name":"to","in":"query","type":"string","x-ms-summary":"To"},{"name":"from","in":"query","type":"string","x-ms-summary":"From"},
      {"name":"importance","in":"query","type":"string","default":"Any","enum":["Any","Low","Normal","High"],"x-ms-summary":"Importance"},{"name":"fetchOnlyWithAttachment","in":"query","type":"boolean","default":false,"x-ms-summary":"Only with Attachments"},
      {"name":"includeAttachments","in":"query","type":"boolean","default":false,"x-ms-summary":"Include Attachments"},{"name":"subjectFilter","in":"query","type":"string","x-ms-summary":"Subject Filter"}],
      "responses":{"200":{"description":"New mail","schema":{"$ref":"#/definitions/Received"}}}}},
    "/v3/Mail":{"get":{"operationId":"GetEmailsV3","summary":"Get emails (V3)","parameters":[
      {"name":"folderPath","in":"query","type":"string","default":"Inbox","x-ms-summary":"Folder"},{"name":"to","in":"query","type":"string","x-ms-summary":"To"},{"name":"from","in":"query","type":"string","x-ms-summary":"From"},
      {"name":"importance","in":"query","type":"string","default":"Any","enum":["Any","Low","Normal","High"],"x-ms-summary":"Importance"},{"name":"fetchOnlyWithAttachment","in":"query","type":"boolean","default":false,"x-ms-summary":"Only with Attachments"},
      {"name":"subjectFilter","in":"query","type":"string","x-ms-summary":"Subject Filter"},{"name":"fetchOnlyUnread","in":"query","type":"boolean","default":true,"x-ms-summary":"Fetch Only Unread Messages"},
      {"name":"includeAttachments","in":"query","type":"boolean","default":false,"x-ms-summary":"Include Attachments"},{"name":"searchQuery","in":"query","type":"string","x-ms-summary":"Search Query","description":"Not done by the stand-in"},
      {"name":"top","in":"query","type":"integer","default":10,"x-ms-summary":"Top"}],"responses":{"200":{"description":"Mail","schema":{"$ref":"#/definitions/Received"}}}}},
    "/v2/Mail/Move/{messageId}":{"post":{"operationId":"MoveV2","summary":"Move email (V2)","parameters":[{"name":"messageId","in":"path","required":true,"type":"string","x-ms-summary":"Message Id"},
      {"name":"folderPath","in":"query","required":true,"type":"string","x-ms-summary":"Folder"}],"responses":{"200":{"description":"The mail"}}}},
    "/v2/Mail/Flag/{messageId}":{"post":{"operationId":"Flag_V2","summary":"Flag email (V2)","parameters":[{"name":"messageId","in":"path","required":true,"type":"string","x-ms-summary":"Message Id"},
      {"name":"body","in":"body","schema":{"type":"object","properties":{"flag":{"type":"object","properties":{"flagStatus":{"type":"string","default":"flagged","enum":["flagged","notFlagged","complete"],"x-ms-summary":"Flag Status"}}}}}}],"responses":{"200":{"description":"Done"}}}},
    "/v2/Mail/{messageId}/Attachments/{attachmentId}":{"get":{"operationId":"GetAttachment_V2","summary":"Get Attachment (V2)","parameters":[{"name":"messageId","in":"path","required":true,"type":"string","x-ms-summary":"Message Id"},
      {"name":"attachmentId","in":"path","required":true,"type":"string","x-ms-summary":"Attachment Id"}],"responses":{"200":{"description":"The attachment","schema":{"type":"object"}}}}},
    "/v2/Mail/{messageId}/$value":{"get":{"operationId":"ExportEmail_V2","summary":"Export email (V2)","parameters":[{"name":"messageId","in":"path","required":true,"type":"string","x-ms-summary":"Message Id"}],
      "responses":{"200":{"description":"The mail as it came","schema":{"type":"string","format":"binary"}}}}})json";

const std::string_view outlook_inbox_fields = R"json(,
  "inboxServer":{"type":"string","uiDefinition":{"displayName":"Server for received mail","tooltip":"imap.example.org (IMAP); empty when flows only send","constraints":{"required":"false","tabIndex":6}}},
  "inboxPort":{"type":"int","defaultValue":993,"uiDefinition":{"displayName":"Its port","constraints":{"required":"false","tabIndex":7}}})json";

namespace {

std::string inbox_server(const Value& fields) { return std::string(trim(field_text(fields, "inboxServer"))); }

/// What the IMAP connector calls the connection's fields; user, password and encryption are those of outgoing mail.
Value imap_fields(const Value& fields) {
  json::ObjectBuilder out;
  out.add("serverAddress", Value(inbox_server(fields)));
  const std::string port = field_text(fields, "inboxPort");
  out.add("port", Value(port.empty() ? std::string("993") : port));
  for (const char* name : {"userName", "password", "enableSSL"}) {
    if (const Value* value = fields.find_ignoring_case(name)) out.add(name, *value);
  }
  return out.finish();
}

/// `Inbox` and `Id::Archive` as a mail server names them.
std::string folder_of(std::string_view given) {
  if (given.starts_with("Id::")) given.remove_prefix(4);
  return given.empty() || equals_ignoring_case(given, "Inbox") ? "INBOX" : std::string(given);
}

/// Writes the folder behind a mail's id.
Value with_folder(const Value& mail, const std::string& folder) {
  json::ObjectBuilder out(mail);
  out.set("id", Value(std::string(mail.text_of("id")) + "." + folder));
  return out.finish();
}

http::Reply with_folders(http::Reply reply, const std::string& folder) {
  if (reply.status != 200) return reply;
  const auto body = json::parse(reply.body);
  const Value* mails = body ? body->find("value") : nullptr;
  if (mails == nullptr || !mails->is_array()) return reply;
  json::ArrayBuilder out;
  for (const Value& mail : mails->as_array()) out.push(with_folder(mail, folder));
  http::Reply shown = native_json(200, Value::object({{"value", out.finish()}}));
  reply.body = std::move(shown.body);
  return reply;
}

}  // namespace

OutlookInbox::OutlookInbox(const NativeParts& parts) : imap_(make_imap(parts)) {
  document_ =
      load_connector_text(imap_->swagger(), imap_->properties(), {.name = std::string(imap_->name())}).connector;
}

bool OutlookInbox::has(std::string_view operation) {
  return operation == "OnNewEmailV3" || operation == "GetEmailsV3" || operation == "MoveV2" || operation == "Flag_V2" ||
         operation == "GetAttachment_V2" || operation == "ExportEmail_V2";
}

http::Reply OutlookInbox::verify(const Value& fields, Duration timeout) {
  return inbox_server(fields).empty() ? native_json(200, Value::empty_object())
                                      : imap_->verify(imap_fields(fields), timeout);
}

std::string OutlookInbox::address(const Value& fields) const {
  return inbox_server(fields).empty() ? std::string() : imap_->address(imap_fields(fields));
}

http::Reply OutlookInbox::run(const NativeCall& call, std::string_view operation, const std::string& folder,
                              std::unordered_map<std::string, Value> values) {
  NativeCall sent = call;
  sent.operation = document_->find_operation(operation);
  sent.fields = imap_fields(call.fields);
  sent.arguments = {};
  sent.arguments.values = std::move(values);
  sent.arguments.values["folderPath"] = Value(folder);
  return imap_->call(sent);
}

http::Reply OutlookInbox::call(const NativeCall& call) {
  if (inbox_server(call.fields).empty())
    return native_error(400, "InvalidConnectionParameters",
                        "The connection names no server for received mail. Enter one at 'Server for received mail'.");
  const std::string& operation = call.operation->id;
  if (operation == "OnNewEmailV3" || operation == "GetEmailsV3") {
    if (!text_argument(call, "searchQuery").empty())
      return not_stood_in("'searchQuery' is a language of its own. Use From, To and Subject Filter.");
    const std::string folder = folder_of(text_argument(call, "folderPath"));
    return with_folders(
        run(call, operation == "GetEmailsV3" ? "GetEmails" : "OnNewEmail", folder, call.arguments.values), folder);
  }
  const std::string id = text_argument(call, "messageId");
  const std::size_t uid = id.find('.');
  const std::size_t end = uid == std::string::npos ? uid : id.find('.', uid + 1);
  if (end == std::string::npos || end + 1 == id.size())
    return native_error(
        400, "InvalidMessageId",
        "'" + id.substr(0, 100) + "' is no message id. Use the id that the trigger or Get emails gave.");
  const std::string folder = id.substr(end + 1);
  std::unordered_map<std::string, Value> values{{"messageId", Value(id.substr(0, end))}};
  if (operation == "MoveV2") {
    values["destination"] = Value(folder_of(text_argument(call, "folderPath")));
    return run(call, "MoveEmail", folder, std::move(values));
  }
  if (operation == "Flag_V2") {
    const Value* flag = call.arguments.body.is_object() ? call.arguments.body.find("flag") : nullptr;
    const std::string_view status = flag == nullptr ? "flagged" : flag->text_of("flagStatus", "flagged");
    values["isFlagged"] = Value(equals_ignoring_case(status, "flagged"));
    return run(call, "Flag", folder, std::move(values));
  }
  if (operation == "GetAttachment_V2") {
    values["attachmentId"] = argument(call, "attachmentId");
    return run(call, "GetAttachment", folder, std::move(values));
  }
  return run(call, "ExportEmail", folder, std::move(values));
}

}  // namespace flowmend::connector
