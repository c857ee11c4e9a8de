#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace flowmend::repair::notify {

enum class SmtpSecurity : std::uint8_t {
  none,      ///< plain; for a server on the same machine or network
  starttls,  ///< plain at first, then TLS or nothing is sent
  tls,       ///< TLS from the first byte
};

struct SmtpSettings {
  std::string host;  ///< empty: e-mail is not set up
  int port = 587;
  SmtpSecurity security = SmtpSecurity::starttls;
  std::string user_name;  ///< empty: no sign-in
  std::string password;
  std::string from;
};

/// One message to one address.
struct Mail {
  std::string to;
  std::string subject;
  std::string text;
  std::string html;
  std::string id;  ///< Message-ID without its host; equal when the same message is sent again
  Timestamp date;
};

/// `name@host` without anything that could end a header or a command; 254 bytes at most.
bool is_mail_address(std::string_view text);

/// Sends and waits, half a minute at most. `MailRefused`: this server will never take this message for this address;
/// `MailFailed`: anything else, worth another try. The server's own words are in the message, a password never is.
Result<void> send_mail(const SmtpSettings& settings, const Mail& mail);

/// The value of a Subject header: encoded words (RFC 2047) unless the text is short plain ASCII.
std::string encode_subject(std::string_view text);

}  // namespace flowmend::repair::notify
