#pragma once

#include <curl/curl.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/native/native.h"

namespace flowmend::connector {

/// One conversation of libcurl in a protocol other than HTTP (SMTP, IMAP, a bare connection): with the server's
/// outgoing policy, verified TLS, the call's time and its cancelling. Blocks. Not for several threads.
class Transfer {
 public:
  Transfer(const http::Client& client, std::string url, std::string protocols, Duration timeout,
           std::function<bool()> cancelled = {});
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* easy() { return easy_; }
  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_, option, value);
  }
  /// A list option; the texts are kept until the end.
  void set_list(CURLoption option, const std::vector<std::string>& texts);
  /// What is uploaded; must outlive `perform`.
  void upload(std::string_view bytes);
  CURLcode perform();

  const std::string& body() const { return body_; }
  /// The last line that the service said, without its line break; a farewell is not kept.
  const std::string& last_line() const { return last_line_; }
  /// The number of its last answer (SMTP: 250, 550 ...), 0 when there was none.
  long response_code();
  /// What a failure of the connection is as an answer; nothing for one that is the protocol's own.
  std::optional<http::Reply> connection_failure(CURLcode code, std::string_view service) const;

  bool cancelled() const { return cancelled_ && cancelled_(); }

 private:
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user);
  static std::size_t on_line(char* data, std::size_t size, std::size_t count, void* user);
  static std::size_t on_upload(char* to, std::size_t size, std::size_t count, void* user);
  static curl_socket_t on_socket(void* user, curlsocktype, curl_sockaddr* address);
  static int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  http::OutgoingPolicy policy_;
  std::function<bool()> cancelled_;
  CURL* easy_ = nullptr;
  std::vector<curl_slist*> lists_;
  std::string url_;
  std::string_view rest_;
  std::string body_;
  std::string last_line_;
  bool refused_ = false;
  bool too_large_ = false;
  char error_[CURL_ERROR_SIZE] = {};
};

inline constexpr std::size_t native_bytes_max = 104'857'600;

/// `host` or `host:port` or `[v6]:port` of a connection's field, with the port put in. Nothing for what is no host
/// (spaces, control characters, a path, user information).
std::optional<std::string> host_and_port(std::string_view host, std::string_view port);

}  // namespace flowmend::connector
