#include "connector/native/mail_message.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "base/time.h"
#include "connector/content.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

using json::Value;

void start_gmime() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

struct Unreference {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Object = std::unique_ptr<T, Unreference>;

/// One text from GLib's memory.
std::string take(char* text) {
  std::string out = text == nullptr ? std::string() : std::string(text);
  g_free(text);
  return out;
}

std::string text_or_empty(const char* text) {
  if (text == nullptr) return {};
  return is_utf8(text) ? std::string(text) : utf8_of_windows_1252(text);
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// Semicolons between addresses as commas; those inside quotes stay.
std::string with_commas(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    out += c == ';' && !quoted ? ',' : c;
  }
  while (!out.empty() && (out.back() == ',' || out.back() == ' ')) out.pop_back();
  return out;
}

Error invalid_address(std::string_view field, std::string_view text) {
  return make_error("InvalidMailAddress",
                    "'" + std::string(field) + "' holds '" + std::string(text) + "', which is no mail address.", {},
                    "Write addresses as name@example.org, separated by semicolons.");
}

/// Reads a field's addresses into `list`; every one must be name@host.
Result<void> read_addresses(std::string_view field, const std::string& written, InternetAddressList* list,
                            std::vector<std::string>* plain) {
  const std::string text = with_commas(trim(written));
  if (text.empty()) return {};
  if (has_control_characters(text)) return invalid_address(field, "a line break or control character");
  Object<InternetAddressList> parsed(internet_address_list_parse(nullptr, text.c_str()));
  if (!parsed) return invalid_address(field, text);
  for (int i = 0; i < internet_address_list_length(parsed.get()); ++i) {
    InternetAddress* address = internet_address_list_get_address(parsed.get(), i);
    if (!INTERNET_ADDRESS_IS_MAILBOX(address)) return invalid_address(field, text_or_empty(address->name));
    const std::string plain_text = text_or_empty(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)));
    const std::size_t at = plain_text.rfind('@');
    if (at == std::string::npos || at == 0 || at + 1 == plain_text.size() ||
        plain_text.find_first_of(" \t<>\"") != std::string::npos)
      return invalid_address(field, plain_text);
    internet_address_list_add(list, address);
    if (plain != nullptr && std::find(plain->begin(), plain->end(), plain_text) == plain->end())
      plain->push_back(plain_text);
  }
  return {};
}

GMimePart* new_part(const MailAttachment& attachment) {
  Object<GMimeContentType> type(g_mime_content_type_parse(nullptr, attachment.media_type.c_str()));
  GMimePart* part = g_mime_part_new_with_type(g_mime_content_type_get_media_type(type.get()),
                                              g_mime_content_type_get_media_subtype(type.get()));
  const Object<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(attachment.bytes.data(), attachment.bytes.size()));
  const Object<GMimeDataWrapper> content(
      g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part, content.get());
  g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
  g_mime_object_set_disposition(GMIME_OBJECT(part), attachment.content_id.empty() ? "attachment" : "inline");
  if (!attachment.content_id.empty()) g_mime_part_set_content_id(part, attachment.content_id.c_str());
  std::string name = attachment.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '_');
  g_mime_part_set_filename(part, name.c_str());
  return part;
}

std::string addresses_text(InternetAddressList* list) {
  return list == nullptr ? std::string() : take(internet_address_list_to_string(list, nullptr, FALSE));
}

std::string bytes_of_part(GMimePart* part) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const Object<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_data_wrapper_write_to_stream(content, stream.get());
  GByteArray* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return {reinterpret_cast<const char*>(array->data), array->len};
}

/// What a mail is made of, read in one walk.
struct Pieces {
  std::string html, text;
  bool has_html = false, has_text = false;
  std::vector<GMimePart*> attachments;
};

void read_piece(GMimeObject*, GMimeObject* object, gpointer user) {
  auto* pieces = static_cast<Pieces*>(user);
  if (!GMIME_IS_PART(object)) return;
  const char* disposition = g_mime_object_get_disposition(object);
  GMimeContentType* type = g_mime_object_get_content_type(object);
  const bool attached = disposition != nullptr && equals_ignoring_case(disposition, "attachment");
  if (!attached && GMIME_IS_TEXT_PART(object)) {
    const bool html = g_mime_content_type_is_type(type, "text", "html");
    const bool plain = g_mime_content_type_is_type(type, "text", "plain");
    if ((html && !pieces->has_html) || (plain && !pieces->has_text)) {
      std::string text = take(g_mime_text_part_get_text(GMIME_TEXT_PART(object)));
      if (!is_utf8(text)) text = utf8_of_windows_1252(text);
      (html ? pieces->html : pieces->text) = std::move(text);
      (html ? pieces->has_html : pieces->has_text) = true;
      return;
    }
  }
  pieces->attachments.push_back(GMIME_PART(object));
}

Object<GMimeMessage> read_message(std::string_view bytes) {
  start_gmime();
  const Object<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const Object<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  return Object<GMimeMessage>(g_mime_parser_construct_message(parser.get(), nullptr));
}

std::string part_name(GMimePart* part, std::size_t index) {
  const std::string name = text_or_empty(g_mime_part_get_filename(part));
  return name.empty() ? "attachment-" + std::to_string(index + 1) : name;
}

std::string preview_of(std::string_view text, bool is_html) {
  std::string out;
  bool tag = false;
  for (const char c : text) {
    if (is_html && c == '<') tag = true;
    const bool skipped = tag;
    if (is_html && c == '>') tag = false;
    if (skipped) continue;
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
    if (out.size() >= 255) break;
  }
  while (!out.empty() && !is_utf8(out)) out.pop_back();  // cut inside a letter
  return std::string(trim(out));
}

}  // namespace

Result<ComposedMail> compose_mail(const OutgoingMail& mail) {
  start_gmime();
  ComposedMail out;
  const Object<GMimeMessage> message(g_mime_message_new(TRUE));
  const auto add = [&](GMimeAddressType type, std::string_view field, const std::string& text,
                       std::vector<std::string>* plain) {
    return read_addresses(field, text, g_mime_message_get_addresses(message.get(), type), plain);
  };
  std::vector<std::string> senders;
  if (auto read = add(GMIME_ADDRESS_TYPE_FROM, "From", mail.from, &senders); !read) return read.error();
  if (senders.size() != 1)
    return make_error("InvalidMailAddress", "'From' must be one mail address.", {}, "Give the sender's address.");
  out.sender = senders.front();
  if (auto read = add(GMIME_ADDRESS_TYPE_TO, "To", mail.to, &out.recipients); !read) return read.error();
  if (auto read = add(GMIME_ADDRESS_TYPE_CC, "CC", mail.cc, &out.recipients); !read) return read.error();
  if (auto read = add(GMIME_ADDRESS_TYPE_REPLY_TO, "ReplyTo", mail.reply_to, nullptr); !read) return read.error();
  const Object<InternetAddressList> hidden(internet_address_list_new());
  if (auto read = read_addresses("BCC", mail.bcc, hidden.get(), &out.recipients); !read) return read.error();
  if (out.recipients.empty())
    return make_error("MailRecipientMissing", "The mail has no recipient.", {}, "Give 'To', 'CC' or 'BCC'.");

  std::string subject = mail.subject;
  std::replace_if(
      subject.begin(), subject.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  g_mime_message_set_subject(message.get(), subject.c_str(), "utf-8");
  GDateTime* now = g_date_time_new_now_utc();
  g_mime_message_set_date(message.get(), now);
  g_date_time_unref(now);
  const std::string host = out.sender.substr(out.sender.rfind('@') + 1);
  const std::string id =
      mail.message_id.empty() ? take(g_mime_utils_generate_message_id(host.c_str())) : mail.message_id + "@" + host;
  g_mime_message_set_message_id(message.get(), id.c_str());
  if (equals_ignoring_case(mail.importance, "High") || equals_ignoring_case(mail.importance, "Low")) {
    const bool high = equals_ignoring_case(mail.importance, "High");
    g_mime_object_set_header(GMIME_OBJECT(message.get()), "Importance", high ? "high" : "low", nullptr);
    g_mime_object_set_header(GMIME_OBJECT(message.get()), "X-Priority", high ? "1" : "5", nullptr);
  }

  const Object<GMimeTextPart> text(g_mime_text_part_new_with_subtype(mail.is_html ? "html" : "plain"));
  g_mime_text_part_set_charset(text.get(), "utf-8");
  g_mime_text_part_set_text(text.get(), mail.body.c_str());
  g_mime_part_set_content_encoding(GMIME_PART(text.get()), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  if (mail.attachments.empty()) {
    g_mime_message_set_mime_part(message.get(), GMIME_OBJECT(text.get()));
  } else {
    const bool pictures = std::any_of(mail.attachments.begin(), mail.attachments.end(),
                                      [](const MailAttachment& one) { return !one.content_id.empty(); });
    const Object<GMimeMultipart> mixed(g_mime_multipart_new_with_subtype("mixed"));
    const Object<GMimeMultipart> related(g_mime_multipart_new_with_subtype("related"));
    g_mime_multipart_add(pictures ? related.get() : mixed.get(), GMIME_OBJECT(text.get()));
    if (pictures) g_mime_multipart_add(mixed.get(), GMIME_OBJECT(related.get()));
    for (const MailAttachment& attachment : mail.attachments) {
      const Object<GMimePart> part(new_part(attachment));
      g_mime_multipart_add(attachment.content_id.empty() ? mixed.get() : related.get(), GMIME_OBJECT(part.get()));
    }
    g_mime_message_set_mime_part(message.get(), GMIME_OBJECT(mixed.get()));
  }

  const Object<GMimeStream> memory(g_mime_stream_mem_new());
  const Object<GMimeStream> stream(g_mime_stream_filter_new(memory.get()));
  const Object<GMimeFilter> lines(g_mime_filter_unix2dos_new(TRUE));
  g_mime_stream_filter_add(GMIME_STREAM_FILTER(stream.get()), lines.get());
  g_mime_object_write_to_stream(GMIME_OBJECT(message.get()), nullptr, stream.get());
  g_mime_stream_flush(stream.get());
  GByteArray* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory.get()));
  out.bytes.assign(reinterpret_cast<const char*>(array->data), array->len);
  return out;
}

Value parse_mail(std::string_view bytes, bool contents) {
  const auto message = read_message(bytes);
  json::ObjectBuilder out;
  if (!message) {
    out.add("subject", Value(""));
    out.add("body", Value(is_utf8(bytes) ? std::string(bytes) : utf8_of_windows_1252(bytes)));
    out.add("isHtml", Value(false));
    out.add("hasAttachments", Value(false));
    out.add("attachments", Value::empty_array());
    return out.finish();
  }
  Pieces pieces;
  g_mime_message_foreach(message.get(), read_piece, &pieces);
  const auto addresses = [&](GMimeAddressType type) {
    return Value(addresses_text(g_mime_message_get_addresses(message.get(), type)));
  };
  out.add("subject", Value(text_or_empty(g_mime_message_get_subject(message.get()))));
  out.add("from", addresses(GMIME_ADDRESS_TYPE_FROM));
  out.add("toRecipients", addresses(GMIME_ADDRESS_TYPE_TO));
  out.add("ccRecipients", addresses(GMIME_ADDRESS_TYPE_CC));
  out.add("replyTo", addresses(GMIME_ADDRESS_TYPE_REPLY_TO));
  if (GDateTime* date = g_mime_message_get_date(message.get())) {
    out.add("receivedDateTime", Value(to_string(Timestamp::from_unix_milliseconds(g_date_time_to_unix(date) * 1000))));
  }
  const std::string id = text_or_empty(g_mime_message_get_message_id(message.get()));
  out.add("internetMessageId", Value(id.empty() ? id : "<" + id + ">"));
  const std::string importance =
      lower_case(text_or_empty(g_mime_object_get_header(GMIME_OBJECT(message.get()), "Importance")));
  out.add("importance", Value(importance == "high" || importance == "low" ? importance : "normal"));
  const bool is_html = pieces.has_html;
  const std::string& body = is_html ? pieces.html : pieces.text;
  out.add("body", Value(body));
  out.add("isHtml", Value(is_html));
  out.add("bodyPreview", Value(preview_of(pieces.has_text ? pieces.text : body, is_html && !pieces.has_text)));
  out.add("hasAttachments", Value(!pieces.attachments.empty()));
  json::ArrayBuilder attachments;
  for (std::size_t i = 0; i < pieces.attachments.size(); ++i) {
    GMimePart* part = pieces.attachments[i];
    const std::string data = bytes_of_part(part);
    json::ObjectBuilder one;
    one.add("id", Value(std::to_string(i + 1)));
    one.add("name", Value(part_name(part, i)));
    one.add("contentType",
            Value(take(g_mime_content_type_get_mime_type(g_mime_object_get_content_type(GMIME_OBJECT(part))))));
    one.add("size", Value(static_cast<std::int64_t>(data.size())));
    const char* disposition = g_mime_object_get_disposition(GMIME_OBJECT(part));
    one.add("isInline", Value(disposition != nullptr && equals_ignoring_case(disposition, "inline")));
    if (const char* content_id = g_mime_part_get_content_id(part))
      one.add("contentId", Value(text_or_empty(content_id)));
    if (contents) one.add("contentBytes", Value(base64_encode(data)));
    attachments.push(one.finish());
  }
  out.add("attachments", attachments.finish());
  return out.finish();
}

MailAttachment mail_attachment(std::string_view bytes, std::string_view id) {
  MailAttachment out;
  const auto message = read_message(bytes);
  if (!message) return out;
  Pieces pieces;
  g_mime_message_foreach(message.get(), read_piece, &pieces);
  for (std::size_t i = 0; i < pieces.attachments.size(); ++i) {
    GMimePart* part = pieces.attachments[i];
    if (std::to_string(i + 1) != id) continue;
    out.name = part_name(part, i);
    out.media_type = take(g_mime_content_type_get_mime_type(g_mime_object_get_content_type(GMIME_OBJECT(part))));
    out.bytes = bytes_of_part(part);
  }
  return out;
}

}  // namespace flowmend::connector
