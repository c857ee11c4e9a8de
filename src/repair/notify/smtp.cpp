#include "repair/notify/smtp.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "connector/text.h"

namespace flowmend::repair::notify {
namespace {

struct EasyEnd {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct MimeEnd {
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
using List = std::unique_ptr<curl_slist, ListEnd>;

void append(List& list, const std::string& line) {
  curl_slist* grown = curl_slist_append(list.get(), line.c_str());
  if (grown == nullptr) return;
  static_cast<void>(list.release());
  list.reset(grown);
}

/// `Wed, 25 Nov 2026 04:30:00 +0000`
std::string mail_date(Timestamp time) {
  const std::time_t seconds = static_cast<std::time_t>(time.to_unix_milliseconds() / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char rest[40];
  std::snprintf(rest, sizeof rest, "%04d %02d:%02d:%02d +0000", utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return std::string(days[static_cast<std::size_t>(utc.tm_wday)]) + ", " + std::to_string(utc.tm_mday) + " " +
         months[static_cast<std::size_t>(utc.tm_mon)] + " " + rest;
}

void add_part(curl_mime* mime, const std::string& text, const char* type) {
  curl_mimepart* part = curl_mime_addpart(mime);
  curl_mime_data(part, text.data(), text.size());
  curl_mime_type(part, type);
  curl_mime_encoder(part, "quoted-printable");
}

/// Keeps the server's latest refusal: what libcurl says of it is its number alone.
int keep_answer(CURL*, curl_infotype type, char* data, size_t size, void* into) {
  if (type == CURLINFO_HEADER_IN && size > 0 && (data[0] == '4' || data[0] == '5'))
    static_cast<std::string*>(into)->assign(data, std::min<std::size_t>(size, 300));
  return 0;
}

}  // namespace

bool is_mail_address(std::string_view text) {
  const auto at = text.rfind('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at + 1 == text.size() || at > 64) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '<' || c == '>' || c == ',' || c == ';' || c == '"' || c == '(' ||
        c == ')' || c == '\\' || c == ':' || c == '[' || c == ']')
      return false;
  }
  return text.find('@') == at && text[at + 1] != '.' && text[at + 1] != '-';
}

std::string encode_subject(std::string_view text) {
  std::string clean;
  for (const char c : text) clean += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  const bool plain =
      std::all_of(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (plain && clean.size() <= 60 && clean.find("=?") == std::string::npos) return clean;
  std::string out;
  for (std::size_t at = 0; at < clean.size();) {
    std::size_t end = std::min(at + 42, clean.size());
    // A word may not end inside a character.
    while (end < clean.size() && end > at + 1 && (static_cast<unsigned char>(clean[end]) & 0xc0) == 0x80) --end;
    if (!out.empty()) out += "\r\n ";
    out += "=?utf-8?B?" + connector::base64_encode(std::string_view(clean).substr(at, end - at)) + "?=";
    at = end;
  }
  return out;
}

Result<void> send_mail(const SmtpSettings& settings, const Mail& mail) {
  const auto failed = [&](std::string_view why) {
    return make_error("MailFailed",
                      "The mail server " + settings.host + ":" + std::to_string(settings.port) +
                          " took no message: " + std::string(why),
                      {}, "Check host, port, security, user and password under Settings > Notifications.");
  };
  if (settings.host.empty())
    return make_error("MailNotSetUp", "There is no mail server to send with.", {},
                      "Enter one under Settings > Notifications.");
  std::unique_ptr<CURL, EasyEnd> easy(curl_easy_init());
  if (!easy) return failed("libcurl could not be started.");
  const std::string url = (settings.security == SmtpSecurity::tls ? "smtps://" : "smtp://") + settings.host + ":" +
                          std::to_string(settings.port) + "/flowmend.local";
  char error[CURL_ERROR_SIZE] = "";
  std::string answer;
  CURL* handle = easy.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, 30L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(handle, CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, keep_answer);
  curl_easy_setopt(handle, CURLOPT_DEBUGDATA, &answer);
  if (settings.security == SmtpSecurity::starttls)
    curl_easy_setopt(handle, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!settings.user_name.empty()) {
    curl_easy_setopt(handle, CURLOPT_USERNAME, settings.user_name.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, settings.password.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_MAIL_FROM, ("<" + settings.from + ">").c_str());
  List recipients;
  append(recipients, "<" + mail.to + ">");
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());

  const std::string host = settings.from.substr(settings.from.rfind('@') + 1);
  List headers;
  append(headers, "Date: " + mail_date(mail.date));
  append(headers, "From: Flowmend <" + settings.from + ">");
  append(headers, "To: <" + mail.to + ">");
  append(headers, "Subject: " + encode_subject(mail.subject));
  append(headers, "Message-ID: <" + mail.id + "@" + host + ">");
  // So that no out-of-office answer comes back (RFC 3834).
  append(headers, "Auto-Submitted: auto-generated");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());

  std::unique_ptr<curl_mime, MimeEnd> mime(curl_mime_init(handle));
  curl_mime* alternatives = curl_mime_init(handle);
  add_part(alternatives, mail.text, "text/plain; charset=utf-8");
  add_part(alternatives, mail.html, "text/html; charset=utf-8");
  curl_mimepart* whole = curl_mime_addpart(mime.get());
  curl_mime_subparts(whole, alternatives);
  curl_mime_type(whole, "multipart/alternative");
  List inline_header;
  append(inline_header, "Content-Disposition: inline");
  curl_mime_headers(whole, inline_header.get(), 0);
  curl_easy_setopt(handle, CURLOPT_MIMEPOST, mime.get());

  const CURLcode code = curl_easy_perform(handle);
  if (code == CURLE_OK) return {};
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  std::string why = error[0] != '\0' ? error : curl_easy_strerror(code);
  while (!answer.empty() && (answer.back() == '\n' || answer.back() == '\r')) answer.pop_back();
  if (status >= 400 && !answer.empty()) why += " (it said: " + answer + ")";
  // The password must not come back in an answer that repeats what it was sent.
  if (!settings.password.empty()) {
    for (auto at = why.find(settings.password); at != std::string::npos; at = why.find(settings.password, at + 3))
      why.replace(at, settings.password.size(), "***");
  }
  if (status == 501 || (status >= 550 && status <= 553))
    return make_error("MailRefused", "The mail server " + settings.host + " refuses mail for " + mail.to + ": " + why,
                      {}, "Correct the address.");
  return failed(why);
}

}  // namespace flowmend::repair::notify
