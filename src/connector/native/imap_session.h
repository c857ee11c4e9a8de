#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/native/transfer.h"

namespace flowmend::connector {

/// A signed-in IMAP connection (RFC 3501): libcurl connects, encrypts and signs in; the commands after that are its
/// own, because libcurl's mark what they fetch as read. Blocks; for one thread.
class ImapSession {
 public:
  /// One untagged answer. Literals stand in `literals`, in order; in `text` is their `{length}`.
  struct Untagged {
    std::string text;
    std::vector<std::string> literals;
  };
  struct Answer {
    bool ok = false;
    bool broken = false;  ///< the connection is of no more use
    std::string text;     ///< of the tagged line, after OK, NO or BAD; or why the connection broke
    std::vector<Untagged> untagged;
  };

  ImapSession(const http::Client& client, const Value& fields, Duration timeout, std::function<bool()> cancelled);
  /// Nothing when it is signed in; else the answer that says why not.
  std::optional<http::Reply> open();
  /// Sends a command. A `\x01` in it stands for the next of `literals`, which may hold any bytes but NUL.
  Answer command(std::string_view text, const std::vector<std::string>& literals = {});
  void close();

  /// `imaps://mail.example.org:993`; empty when the fields hold no address.
  static std::string address(const Value& fields);

 private:
  bool send(std::string_view bytes);
  bool fill();
  bool read_line(std::string& line);
  bool wait(short events);

  std::unique_ptr<Transfer> transfer_;
  std::string name_;
  std::string user_;
  std::string password_;
  bool require_tls_ = true;
  std::string buffer_;
  std::string failure_;
  unsigned tag_ = 0;
  std::size_t received_ = 0;
  std::chrono::steady_clock::time_point due_;
};

/// A mailbox name as IMAP writes it (modified UTF-7), quoted; and back. Empty for a name that can't be one.
std::string imap_mailbox(std::string_view name);
std::string imap_mailbox_name(std::string_view written);

}  // namespace flowmend::connector
