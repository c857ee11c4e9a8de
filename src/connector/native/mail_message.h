#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::connector {

struct MailAttachment {
  std::string name;
  std::string media_type = "application/octet-stream";
  std::string bytes;
  std::string content_id;  ///< for pictures inside the text: `cid:` and this; empty = a plain attachment
};

/// A mail to be sent. Addresses as people write them: `ann@example.org; "Doe, John" <john@example.org>`, separated by
/// semicolons or commas.
struct OutgoingMail {
  std::string from, to, cc, bcc, reply_to;
  std::string subject;
  std::string body;
  bool is_html = true;
  std::string importance;  ///< Low, Normal or High
  std::vector<MailAttachment> attachments;
  std::string message_id;  ///< the part before the `@`; empty = a random one
};

struct ComposedMail {
  std::string bytes;  ///< RFC 5322 with CRLF; Bcc is not in it
  std::string sender;
  std::vector<std::string> recipients;  ///< of to, cc and bcc, each once
};

/// Errors: `InvalidMailAddress` naming the field and the text that is no address, `MailRecipientMissing`.
Result<ComposedMail> compose_mail(const OutgoingMail& mail);

/// A received mail as flows see it, in the names of the field's mail connectors: subject, from, toRecipients,
/// ccRecipients, replyTo, receivedDateTime (its Date), internetMessageId, importance, body, isHtml, bodyPreview,
/// hasAttachments, attachments with id, name, contentType, size, isInline and, with `contents`, contentBytes (base64).
/// The body is the HTML part when there is one. Total: any bytes give a mail.
json::Value parse_mail(std::string_view bytes, bool contents);

/// The attachment of that id with its bytes; an empty name when there is none.
MailAttachment mail_attachment(std::string_view bytes, std::string_view id);

}  // namespace flowmend::connector
