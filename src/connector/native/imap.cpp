// IMAP: mail that arrives, and the folders it lies in. A mail's id is `UIDVALIDITY.UID`, so that an id of a folder that
// was made anew never means another mail. Looking at a mail does not mark it as read.

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

#include "connector/native/connectors.h"
#include "connector/native/imap_session.h"
#include "connector/native/mail_message.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view swagger_text = R"json({
  "swagger": "2.0",
  "info": {"title": "IMAP", "version": "1.0", "description": "Reads, moves and flags the mail of any mail server."},
  "paths": {
    "/trigger/new": {"get": {
      "operationId": "OnNewEmail", "summary": "When a new email arrives", "x-ms-trigger": "batch",
      "parameters": [
        {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder"},
        {"name": "from", "in": "query", "type": "string", "x-ms-summary": "From", "description": "A part of the sender's address."},
        {"name": "subjectFilter", "in": "query", "type": "string", "x-ms-summary": "Subject filter", "description": "A part of the subject."},
        {"name": "to", "in": "query", "type": "string", "x-ms-summary": "To", "description": "A part of a recipient's address."},
        {"name": "importance", "in": "query", "type": "string", "enum": ["Any", "Low", "Normal", "High"], "x-ms-summary": "Importance"},
        {"name": "fetchOnlyWithAttachment", "in": "query", "type": "boolean", "default": false, "x-ms-summary": "Only with attachments"},
        {"name": "includeAttachments", "in": "query", "type": "boolean", "default": false, "x-ms-summary": "Include attachments"}],
      "responses": {"200": {"description": "New mail", "schema": {"$ref": "#/definitions/Mails"}}}}},
    "/mails": {"get": {
      "operationId": "GetEmails", "summary": "Get emails",
      "parameters": [
        {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder"},
        {"name": "top", "in": "query", "type": "integer", "default": 10, "x-ms-summary": "Top", "description": "At most so many, newest first; up to 250."},
        {"name": "fetchOnlyUnread", "in": "query", "type": "boolean", "default": false, "x-ms-summary": "Only unread"},
        {"name": "from", "in": "query", "type": "string", "x-ms-summary": "From"},
        {"name": "to", "in": "query", "type": "string", "x-ms-summary": "To"},
        {"name": "subjectFilter", "in": "query", "type": "string", "x-ms-summary": "Subject filter"},
        {"name": "importance", "in": "query", "type": "string", "enum": ["Any", "Low", "Normal", "High"], "x-ms-summary": "Importance"},
        {"name": "fetchOnlyWithAttachment", "in": "query", "type": "boolean", "default": false, "x-ms-summary": "Only with attachments"},
        {"name": "includeAttachments", "in": "query", "type": "boolean", "default": false, "x-ms-summary": "Include attachments"}],
      "responses": {"200": {"description": "Mail", "schema": {"$ref": "#/definitions/Mails"}}}}},
    "/mails/{messageId}": {
      "get": {"operationId": "GetEmail", "summary": "Get email",
        "parameters": [
          {"name": "messageId", "in": "path", "required": true, "type": "string", "x-ms-summary": "Message id"},
          {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder"},
          {"name": "includeAttachments", "in": "query", "type": "boolean", "default": false, "x-ms-summary": "Include attachments"}],
        "responses": {"200": {"description": "The mail", "schema": {"$ref": "#/definitions/Mail"}}}},
      "delete": {"operationId": "DeleteEmail", "summary": "Delete email",
        "parameters": [
          {"name": "messageId", "in": "path", "required": true, "type": "string", "x-ms-summary": "Message id"},
          {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder"}],
        "responses": {"200": {"description": "Deleted"}}}},
    "/mails/{messageId}/move": {"post": {
      "operationId": "MoveEmail", "summary": "Move email",
      "parameters": [
        {"name": "messageId", "in": "path", "required": true, "type": "string", "x-ms-summary": "Message id"},
        {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder", "description": "Where it lies."},
        {"name": "destination", "in": "query", "required": true, "type": "string", "x-ms-summary": "To folder"}],
      "responses": {"200": {"description": "Moved"}}}},
    "/mails/{messageId}/markAsRead": {"post": {
      "operationId": "MarkAsRead", "summary": "Mark as read or unread",
      "parameters": [
        {"name": "messageId", "in": "path", "required": true, "type": "string", "x-ms-summary": "Message id"},
        {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder"},
        {"name": "isRead", "in": "query", "type": "boolean", "default": true, "required": true, "x-ms-summary": "Mark as", "description": "Yes: read, No: unread"}],
      "responses": {"200": {"description": "Marked"}}}},
    "/mails/{messageId}/flag": {"post": {
      "operationId": "Flag", "summary": "Flag email",
      "parameters": [
        {"name": "messageId", "in": "path", "required": true, "type": "string", "x-ms-summary": "Message id"},
        {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder"},
        {"name": "isFlagged", "in": "query", "type": "boolean", "default": true, "required": true, "x-ms-summary": "Flagged"}],
      "responses": {"200": {"description": "Flagged"}}}},
    "/mails/{messageId}/attachments/{attachmentId}": {"get": {
      "operationId": "GetAttachment", "summary": "Get attachment",
      "parameters": [
        {"name": "messageId", "in": "path", "required": true, "type": "string", "x-ms-summary": "Message id"},
        {"name": "attachmentId", "in": "path", "required": true, "type": "string", "x-ms-summary": "Attachment id"},
        {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder"}],
      "responses": {"200": {"description": "The attachment", "schema": {"$ref": "#/definitions/Attachment"}}}}},
    "/mails/{messageId}/export": {"get": {
      "operationId": "ExportEmail", "summary": "Export email", "description": "The mail as it came (.eml).",
      "parameters": [
        {"name": "messageId", "in": "path", "required": true, "type": "string", "x-ms-summary": "Message id"},
        {"name": "folderPath", "in": "query", "type": "string", "default": "INBOX", "required": true, "x-ms-summary": "Folder"}],
      "responses": {"200": {"description": "The mail", "schema": {"type": "string", "format": "binary"}}}}},
    "/folders": {"get": {
      "operationId": "ListFolders", "summary": "List folders", "x-ms-visibility": "advanced",
      "responses": {"200": {"description": "Folders", "schema": {"type": "object", "properties": {"value": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}}}}}}}
  },
  "definitions": {
    "Mails": {"type": "object", "properties": {"value": {"type": "array", "items": {"$ref": "#/definitions/Mail"}}}},
    "Attachment": {"type": "object", "properties": {
      "id": {"type": "string"}, "name": {"type": "string"}, "contentType": {"type": "string"}, "size": {"type": "integer"},
      "isInline": {"type": "boolean"}, "contentBytes": {"type": "string", "format": "byte"}}},
    "Mail": {"type": "object", "properties": {
      "id": {"type": "string"}, "subject": {"type": "string"}, "from": {"type": "string"}, "toRecipients": {"type": "string"},
      "ccRecipients": {"type": "string"}, "replyTo": {"type": "string"}, "receivedDateTime": {"type": "string", "format": "date-time"},
      "internetMessageId": {"type": "string"}, "importance": {"type": "string"}, "body": {"type": "string"}, "isHtml": {"type": "boolean"},
      "bodyPreview": {"type": "string"}, "isRead": {"type": "boolean"}, "isFlagged": {"type": "boolean"}, "hasAttachments": {"type": "boolean"},
      "attachments": {"type": "array", "items": {"$ref": "#/definitions/Attachment"}}}}
  }
})json";

constexpr std::string_view properties_text =
    R"json({"properties": {"iconBrandColor": "#1a6fb5", "connectionParameters": {
  "serverAddress": {"type": "string", "uiDefinition": {"displayName": "Server address", "tooltip": "mail.example.org; imap:// before it for STARTTLS on another port than 143", "constraints": {"required": "true", "tabIndex": 1}}},
  "port": {"type": "int", "defaultValue": 993, "uiDefinition": {"displayName": "Port", "constraints": {"required": "false", "tabIndex": 2}}},
  "userName": {"type": "string", "uiDefinition": {"displayName": "User name", "constraints": {"required": "true", "tabIndex": 3}}},
  "password": {"type": "securestring", "uiDefinition": {"displayName": "Password", "constraints": {"required": "true", "tabIndex": 4}}},
  "enableSSL": {"type": "bool", "defaultValue": true, "uiDefinition": {"displayName": "Encrypt (TLS)?", "constraints": {"required": "false", "tabIndex": 5}}}
}}})json";

constexpr std::size_t mails_a_check = 25;
constexpr std::size_t mails_max = 250;
constexpr std::size_t looked_at_max = 1'000;  ///< for one answer, when few are wanted

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The number after `[NAME ` in an answer to SELECT.
std::uint32_t code_number(const ImapSession::Answer& answer, std::string_view name) {
  for (const auto& one : answer.untagged) {
    const std::size_t at = one.text.find("[" + std::string(name) + " ");
    if (at == std::string::npos) continue;
    const std::size_t from = at + name.size() + 2;
    return number(std::string_view(one.text).substr(from, one.text.find(']', from) - from)).value_or(0);
  }
  return 0;
}

std::vector<std::uint32_t> found_numbers(const ImapSession::Answer& answer) {
  std::vector<std::uint32_t> out;
  for (const auto& one : answer.untagged) {
    if (!one.text.starts_with("* SEARCH")) continue;
    std::string_view rest = std::string_view(one.text).substr(8);
    while (!(rest = trim(rest)).empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      if (const auto uid = number(word)) out.push_back(*uid);
      rest.remove_prefix(word.size());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool is_true(const NativeCall& call, std::string_view name);

/// What only the mail itself tells: its importance, and whether something is attached.
bool is_wanted(const NativeCall& call, const Value& mail) {
  const std::string importance = text_argument(call, "importance");
  if (!importance.empty() && !equals_ignoring_case(importance, "Any") &&
      !equals_ignoring_case(importance, mail.text_of("importance")))
    return false;
  return !is_true(call, "fetchOnlyWithAttachment") || mail.find("hasAttachments")->as_boolean();
}

bool is_true(const NativeCall& call, std::string_view name) {
  return equals_ignoring_case(text_argument(call, name), "true");
}

/// What a call fails with half-way: an answer.
using Failure = std::optional<http::Reply>;

class Mailbox {
 public:
  Mailbox(const http::Client& client, const NativeCall& call)
      : session_(client, call.fields, call.timeout, call.cancelled) {}

  Failure open(const std::string& folder, bool writes) {
    if (auto failed = session_.open()) return failed;
    opened_ = true;
    const std::string written = imap_mailbox(folder);
    if (written.empty())
      return native_error(400, "InvalidFolder", "'" + folder + "' can't be the name of a mail folder.");
    const auto selected = session_.command((writes ? "SELECT " : "EXAMINE ") + written);
    if (auto broken = broke(selected)) return broken;
    if (!selected.ok)
      return native_error(404, "FolderNotFound", "The folder '" + folder + "' can't be opened: " + selected.text);
    validity_ = code_number(selected, "UIDVALIDITY");
    next_ = code_number(selected, "UIDNEXT");
    return std::nullopt;
  }
  ~Mailbox() {
    if (opened_ && !broken_) session_.close();
  }

  Failure broke(const ImapSession::Answer& answer) {
    if (!answer.broken) return std::nullopt;
    broken_ = true;
    return native_error(504, "MailServerGone", answer.text);
  }

  /// The mail's number of an id; a failure when the id is of another life of this folder.
  Failure uid_of(const std::string& id, std::uint32_t& uid) const {
    const std::size_t dot = id.find('.');
    const auto validity = number(std::string_view(id).substr(0, dot));
    const auto read = dot == std::string::npos ? std::nullopt : number(std::string_view(id).substr(dot + 1));
    if (!validity || !read || *read == 0) {
      return native_error(400, "InvalidMessageId",
                          "'" + id + "' is no message id. Use the id that the trigger or Get emails gave.");
    }
    if (*validity != validity_) return not_found(id);
    uid = *read;
    return std::nullopt;
  }
  static http::Reply not_found(const std::string& id) {
    return native_error(404, "MessageNotFound",
                        "There is no mail '" + id + "' in this folder: it was moved or deleted, or it lies elsewhere.");
  }

  /// The mail and its flags; `raw` gets its bytes.
  Failure fetch(std::uint32_t uid, bool contents, Value& mail, std::string* raw = nullptr) {
    const auto answer = session_.command("UID FETCH " + std::to_string(uid) + " (UID FLAGS INTERNALDATE BODY.PEEK[])");
    if (auto failed = broke(answer)) return failed;
    for (const auto& one : answer.untagged) {
      if (one.literals.empty() || one.text.find("FETCH") == std::string::npos) continue;
      const std::string& bytes = one.literals.back();
      if (raw != nullptr) *raw = bytes;
      json::ObjectBuilder out(parse_mail(bytes, contents));
      const std::size_t date = one.text.find("INTERNALDATE \"");
      if (date != std::string::npos && one.text.size() > date + 40) {
        std::string text = one.text.substr(date + 14, 26);  // `17-Jul-1996 02:44:25 -0700`
        std::replace(text.begin(), text.begin() + 11, '-', ' ');
        if (const time_t seconds = curl_getdate(text.c_str(), nullptr); seconds > 0)
          out.set("receivedDateTime", Value(to_string(Timestamp::from_unix_milliseconds(seconds * 1000LL))));
      }
      out.add("isRead", Value(contains_ignoring_case(one.text, "\\Seen")));
      out.add("isFlagged", Value(contains_ignoring_case(one.text, "\\Flagged")));
      json::ObjectBuilder whole;
      whole.add("id", Value(std::to_string(validity_) + "." + std::to_string(uid)));
      const Value rest = out.finish();
      for (const json::Member& member : rest.as_object()) whole.add(member.key, member.value);
      mail = whole.finish();
      return std::nullopt;
    }
    return not_found(std::to_string(validity_) + "." + std::to_string(uid));
  }

  Failure search(const std::string& criteria, const std::vector<std::string>& literals,
                 std::vector<std::uint32_t>& uids) {
    const auto answer = session_.command("UID SEARCH " + criteria, literals);
    if (auto failed = broke(answer)) return failed;
    if (!answer.ok) return native_error(400, "SearchRefused", answer.text);
    uids = found_numbers(answer);
    return std::nullopt;
  }

  ImapSession& session() { return session_; }
  std::uint32_t validity() const { return validity_; }
  std::uint32_t next() const { return next_; }

 private:
  ImapSession session_;
  std::uint32_t validity_ = 0;
  std::uint32_t next_ = 0;
  bool opened_ = false;
  bool broken_ = false;
};

class Imap final : public NativeConnector {
 public:
  explicit Imap(const NativeParts& parts) : client_(parts.client) {}

  std::string_view name() const override { return "shared_imap"; }
  std::string_view swagger() const override { return swagger_text; }
  std::string_view properties() const override { return properties_text; }
  std::string address(const Value& fields) const override { return ImapSession::address(fields); }

  http::Reply verify(const Value& fields, Duration timeout) override {
    ImapSession session(client_, fields, timeout, {});
    if (auto failed = session.open()) return *failed;
    session.close();
    return native_json(200, Value::empty_object());
  }

  http::Reply call(const NativeCall& call) override {
    const std::string& operation = call.operation->id;
    const std::string folder = text_argument(call, "folderPath");
    if (operation == "ListFolders") return list_folders(call);
    Mailbox mailbox(client_, call);
    const bool reads = operation == "OnNewEmail" || call.operation->method == "GET";
    if (auto failed = mailbox.open(folder.empty() ? "INBOX" : folder, !reads)) return *failed;
    if (operation == "OnNewEmail") return new_mail(call, mailbox);
    if (operation == "GetEmails") return get_mails(call, mailbox);
    std::uint32_t uid = 0;
    const std::string id = text_argument(call, "messageId");
    if (auto failed = mailbox.uid_of(id, uid)) return *failed;
    if (operation == "GetEmail") {
      Value mail;
      if (auto failed = mailbox.fetch(uid, is_true(call, "includeAttachments"), mail)) return *failed;
      return native_json(200, mail);
    }
    if (operation == "ExportEmail") {
      Value mail;
      std::string raw;
      if (auto failed = mailbox.fetch(uid, false, mail, &raw)) return *failed;
      return native_bytes(std::move(raw), "message/rfc822");
    }
    if (operation == "GetAttachment") return get_attachment(call, mailbox, uid);
    std::vector<std::uint32_t> found;
    if (auto failed = mailbox.search("UID " + std::to_string(uid), {}, found)) return *failed;
    if (found.empty()) return Mailbox::not_found(id);
    const std::string which = std::to_string(uid);
    if (operation == "MarkAsRead") return store(mailbox, which, is_true(call, "isRead"), "\\Seen");
    if (operation == "Flag") return store(mailbox, which, is_true(call, "isFlagged"), "\\Flagged");
    if (operation == "DeleteEmail") return remove(mailbox, which);
    if (operation == "MoveEmail") return move(call, mailbox, which);
    return native_error(404, "OperationNotFound", "There is no operation '" + operation + "'.");
  }

 private:
  http::Reply new_mail(const NativeCall& call, Mailbox& mailbox) const {
    const std::string begin = std::to_string(mailbox.validity()) + ":";
    if (!call.state.starts_with(begin)) {
      // The first check, or a folder that was made anew: what lies there is old.
      std::uint32_t last = mailbox.next() == 0 ? 0 : mailbox.next() - 1;
      if (mailbox.next() == 0) {
        std::vector<std::uint32_t> all;
        if (auto failed = mailbox.search("ALL", {}, all)) return *failed;
        last = all.empty() ? 0 : all.back();
      }
      return with_state(native_json(202, Value::object({{"value", Value::empty_array()}})),
                        begin + std::to_string(last));
    }
    std::uint32_t last = number(std::string_view(call.state).substr(begin.size())).value_or(0);
    std::vector<std::uint32_t> uids;
    if (auto failed = mailbox.search("UID " + std::to_string(last + 1) + ":*", {}, uids)) return *failed;
    // `*` means the last mail, also when it is older than the first number.
    std::erase_if(uids, [&](std::uint32_t uid) { return uid <= last; });
    const bool more = uids.size() > mails_a_check;
    if (more) uids.resize(mails_a_check);
    json::ArrayBuilder mails;
    const std::string from = text_argument(call, "from");
    const std::string to = text_argument(call, "to");
    const std::string subject = text_argument(call, "subjectFilter");
    for (const std::uint32_t uid : uids) {
      Value mail;
      const auto failed = mailbox.fetch(uid, is_true(call, "includeAttachments"), mail);
      if (failed && failed->status != 404) return *failed;
      last = uid;
      if (failed) continue;  // gone again
      if (!from.empty() && !contains_ignoring_case(mail.text_of("from"), from)) continue;
      if (!subject.empty() && !contains_ignoring_case(mail.text_of("subject"), subject)) continue;
      if (!to.empty() && !contains_ignoring_case(mail.text_of("toRecipients"), to)) continue;
      if (!is_wanted(call, mail)) continue;
      mails.push(std::move(mail));
    }
    const int status = mails.size() == 0 ? 202 : 200;
    http::Reply reply = native_json(status, Value::object({{"value", mails.finish()}}));
    if (more) reply.headers.push_back({"Retry-After", "1"});
    return with_state(std::move(reply), begin + std::to_string(last));
  }

  static http::Reply get_mails(const NativeCall& call, Mailbox& mailbox) {
    std::string criteria = is_true(call, "fetchOnlyUnread") ? "UNSEEN" : "ALL";
    std::vector<std::string> literals;
    for (const auto& [name, word] : {std::pair("from", "FROM"), {"to", "TO"}, {"subjectFilter", "SUBJECT"}}) {
      std::string text = text_argument(call, name);
      if (text.empty()) continue;
      if (text.find('\0') != std::string::npos)
        return native_error(400, "InvalidSearch", "'" + std::string(name) + "' holds a NUL character.");
      criteria += std::string(" ") + word + " \x01";
      literals.push_back(std::move(text));
    }
    if (!literals.empty()) criteria = "CHARSET UTF-8 " + criteria;
    std::vector<std::uint32_t> uids;
    if (auto failed = mailbox.search(criteria, literals, uids)) return *failed;
    std::reverse(uids.begin(), uids.end());
    const Value& top = argument(call, "top");
    const std::int64_t wanted = top.is_integer() ? top.as_integer() : 10;
    if (wanted < 1 || wanted > static_cast<std::int64_t>(mails_max)) {
      return native_error(400, "InvalidTop", "'top' must be between 1 and " + std::to_string(mails_max) + ".");
    }
    json::ArrayBuilder mails;
    std::size_t looked_at = 0;
    for (const std::uint32_t uid : uids) {
      if (mails.size() >= static_cast<std::size_t>(wanted) || ++looked_at > looked_at_max) break;
      Value mail;
      const auto failed = mailbox.fetch(uid, is_true(call, "includeAttachments"), mail);
      if (failed && failed->status != 404) return *failed;
      if (!failed && is_wanted(call, mail)) mails.push(std::move(mail));
    }
    return native_json(200, Value::object({{"value", mails.finish()}}));
  }

  static http::Reply get_attachment(const NativeCall& call, Mailbox& mailbox, std::uint32_t uid) {
    Value mail;
    std::string raw;
    if (auto failed = mailbox.fetch(uid, false, mail, &raw)) return *failed;
    const std::string id = text_argument(call, "attachmentId");
    const MailAttachment found = mail_attachment(raw, id);
    if (found.name.empty()) return native_error(404, "AttachmentNotFound", "The mail has no attachment '" + id + "'.");
    return native_json(200, Value::object({{"id", Value(id)},
                                           {"name", Value(found.name)},
                                           {"contentType", Value(found.media_type)},
                                           {"size", Value(static_cast<std::int64_t>(found.bytes.size()))},
                                           {"contentBytes", Value(base64_encode(found.bytes))}}));
  }

  static http::Reply outcome(Mailbox& mailbox, const ImapSession::Answer& answer) {
    if (auto failed = mailbox.broke(answer)) return *failed;
    if (!answer.ok) {
      const bool missing =
          contains_ignoring_case(answer.text, "TRYCREATE") || contains_ignoring_case(answer.text, "doesn't exist");
      return native_error(missing ? 404 : 403, missing ? "FolderNotFound" : "MailRefused", answer.text);
    }
    return native_json(200, Value::empty_object());
  }

  static http::Reply store(Mailbox& mailbox, const std::string& uid, bool set, const std::string& flag) {
    return outcome(mailbox,
                   mailbox.session().command("UID STORE " + uid + (set ? " +" : " -") + "FLAGS.SILENT (" + flag + ")"));
  }

  static http::Reply remove(Mailbox& mailbox, const std::string& uid) {
    http::Reply marked = store(mailbox, uid, true, "\\Deleted");
    if (marked.status != 200) return marked;
    // Without UIDPLUS only all deleted mails could be removed at once; then it stays marked.
    const auto expunged = mailbox.session().command("UID EXPUNGE " + uid);
    if (auto failed = mailbox.broke(expunged)) return *failed;
    return native_json(200, Value::empty_object());
  }

  static http::Reply move(const NativeCall& call, Mailbox& mailbox, const std::string& uid) {
    const std::string folder = text_argument(call, "destination");
    const std::string to = imap_mailbox(folder);
    if (to.empty()) return native_error(400, "InvalidFolder", "'" + folder + "' can't be the name of a mail folder.");
    const auto able = mailbox.session().command("CAPABILITY");
    if (auto failed = mailbox.broke(able)) return *failed;
    const bool moves = std::any_of(able.untagged.begin(), able.untagged.end(), [](const auto& one) {
      return (one.text + " ").find(" MOVE ") != std::string::npos;
    });
    if (moves) return outcome(mailbox, mailbox.session().command("UID MOVE " + uid + " " + to));
    http::Reply copied = outcome(mailbox, mailbox.session().command("UID COPY " + uid + " " + to));
    return copied.status == 200 ? remove(mailbox, uid) : copied;
  }

  http::Reply list_folders(const NativeCall& call) const {
    ImapSession session(client_, call.fields, call.timeout, call.cancelled);
    if (auto failed = session.open()) return *failed;
    const auto answer = session.command(R"(LIST "" "*")");
    if (answer.broken) return native_error(504, "MailServerGone", answer.text);
    session.close();
    json::ArrayBuilder folders;
    for (const auto& one : answer.untagged) {
      if (!one.text.starts_with("* LIST ") || contains_ignoring_case(one.text, "\\Noselect")) continue;
      // `* LIST (\HasNoChildren) "/" INBOX`: the name is the last of three, quoted, bare or a literal.
      std::string name;
      if (!one.literals.empty()) {
        name = one.literals.back();
      } else if (one.text.back() == '"') {
        const std::size_t from = one.text.rfind(" \"");
        for (std::size_t i = from + 2; i + 1 < one.text.size(); ++i) {
          if (one.text[i] == '\\' && i + 2 < one.text.size()) ++i;
          name += one.text[i];
        }
      } else {
        name = one.text.substr(one.text.rfind(' ') + 1);
      }
      folders.push(Value::object({{"name", Value(imap_mailbox_name(name))}}));
    }
    return native_json(200, Value::object({{"value", folders.finish()}}));
  }

  http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_imap(const NativeParts& parts) { return std::make_unique<Imap>(parts); }

}  // namespace flowmend::connector
