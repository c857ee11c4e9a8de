#include "connector/native/imap_session.h"

#include <poll.h>
#include <unicode/ucnv.h>

#include <algorithm>
#include <charconv>

#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t line_bytes_max = 1'048'576;

std::string converted(const char* to, const char* from, std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const std::int32_t size = static_cast<std::int32_t>(text.size());
  std::string out(text.size() * 4 + 16, '\0');
  const std::int32_t length =
      ucnv_convert(to, from, out.data(), static_cast<std::int32_t>(out.size()), text.data(), size, &error);
  if (U_FAILURE(error)) return {};
  out.resize(static_cast<std::size_t>(length));
  return out;
}

/// The length of the literal that a line announces at its end (`{123}`), or nothing.
std::optional<std::size_t> announced(std::string_view line) {
  if (line.empty() || line.back() != '}') return std::nullopt;
  const std::size_t open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  std::size_t length = 0;
  const auto read = std::from_chars(line.data() + open + 1, line.data() + line.size() - 1, length);
  if (read.ec != std::errc() || read.ptr != line.data() + line.size() - 1) return std::nullopt;
  return length;
}

}  // namespace

std::string imap_mailbox(std::string_view name) {
  const std::string encoded = converted("IMAP-mailbox-name", "UTF-8", name);
  if (encoded.empty() || encoded.size() > 1000) return {};
  std::string out = "\"";
  for (const char c : encoded) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) return {};
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string imap_mailbox_name(std::string_view written) {
  std::string name = converted("UTF-8", "IMAP-mailbox-name", written);
  return name.empty() ? std::string(written) : name;
}

ImapSession::ImapSession(const http::Client& client, const Value& fields, Duration timeout,
                         std::function<bool()> cancelled)
    : user_(field_text(fields, "userName")),
      password_(field_text(fields, "password")),
      require_tls_(!equals_ignoring_case(field_text(fields, "enableSSL"), "false")) {
  const std::string url = address(fields);
  name_ = url.substr(std::min(url.size(), url.find("://") + 3));
  const std::int64_t wait = timeout.ticks > 0 ? timeout.to_milliseconds() : 120'000;
  due_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait);
  if (!url.empty()) transfer_ = std::make_unique<Transfer>(client, url, "imap,imaps", timeout, std::move(cancelled));
}

std::string ImapSession::address(const Value& fields) {
  std::string host = field_text(fields, "serverAddress");
  std::string port = field_text(fields, "port");
  bool tls_first = port == "993";
  if (lower_case(host).starts_with("imaps://")) {
    host.erase(0, 8);
    tls_first = true;
  } else if (lower_case(host).starts_with("imap://")) {
    host.erase(0, 7);
    tls_first = false;
  }
  if (port.empty()) port = tls_first ? "993" : "143";
  const auto found = host_and_port(host, port);
  return found ? (tls_first ? "imaps://" : "imap://") + *found : std::string();
}

std::optional<http::Reply> ImapSession::open() {
  if (!transfer_) {
    return native_error(400, "InvalidConnectionParameters",
                        "The connection's server address or port is none. Give a host such as mail.example.org and a "
                        "port such as 993.");
  }
  if (user_.empty())
    return native_error(401, "Unauthorized", "The connection has no user name. Give one to sign in with.");
  transfer_->set(CURLOPT_CONNECT_ONLY, 1L);
  transfer_->set(CURLOPT_USERNAME, user_.c_str());
  transfer_->set(CURLOPT_PASSWORD, password_.c_str());
  transfer_->set(CURLOPT_USE_SSL, static_cast<long>(require_tls_ ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  const CURLcode code = transfer_->perform();
  if (code == CURLE_OK) return std::nullopt;
  if (code == CURLE_LOGIN_DENIED) {
    std::string words = transfer_->last_line();
    // `A002 NO [AUTHENTICATIONFAILED] Authentication failed.`: the tag is ours.
    if (const std::size_t no = words.find(" NO "); no != std::string::npos && no < 12) words.erase(0, no + 4);
    return native_error(401, "Unauthorized", words.empty() ? "The mail server refused the sign-in." : words);
  }
  if (auto failure = transfer_->connection_failure(code, name_)) return failure;
  return native_error(502, "MailFailed", "The mail server '" + name_ + "' failed: " + curl_easy_strerror(code) + ".");
}

bool ImapSession::wait(short events) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(transfer_->easy(), CURLINFO_ACTIVESOCKET, &socket);
  if (socket == CURL_SOCKET_BAD) {
    failure_ = "The mail server '" + name_ + "' closed the connection.";
    return false;
  }
  while (true) {
    if (transfer_->cancelled()) {
      failure_ = "The call was given up.";
      return false;
    }
    if (std::chrono::steady_clock::now() >= due_) {
      failure_ = "The mail server '" + name_ + "' did not answer in time.";
      return false;
    }
    pollfd waiting{socket, events, 0};
    if (::poll(&waiting, 1, 200) > 0) return true;
  }
}

bool ImapSession::send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    const CURLcode code = curl_easy_send(transfer_->easy(), bytes.data(), bytes.size(), &sent);
    if (code == CURLE_AGAIN) {
      if (!wait(POLLOUT)) return false;
      continue;
    }
    if (code != CURLE_OK) {
      failure_ = "The connection to the mail server '" + name_ + "' broke.";
      return false;
    }
    bytes.remove_prefix(sent);
  }
  return true;
}

bool ImapSession::fill() {
  char part[16'384];
  while (true) {
    std::size_t count = 0;
    const CURLcode code = curl_easy_recv(transfer_->easy(), part, sizeof part, &count);
    if (code == CURLE_AGAIN) {
      if (!wait(POLLIN)) return false;
      continue;
    }
    if (code != CURLE_OK || count == 0) {
      failure_ = "The mail server '" + name_ + "' closed the connection.";
      return false;
    }
    received_ += count;
    if (received_ > native_bytes_max * 2) {
      failure_ = "The mail server '" + name_ + "' sent more than the limit.";
      return false;
    }
    buffer_.append(part, count);
    return true;
  }
}

bool ImapSession::read_line(std::string& line) {
  std::size_t end = 0;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    if (buffer_.size() > line_bytes_max) {
      failure_ = "The mail server '" + name_ + "' sent a line without an end.";
      return false;
    }
    if (!fill()) return false;
  }
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

ImapSession::Answer ImapSession::command(std::string_view text, const std::vector<std::string>& literals) {
  Answer answer;
  const auto broken = [&] {
    answer.broken = true;
    answer.text = failure_;
    return answer;
  };
  const std::string tag = "F" + std::to_string(++tag_);
  std::string out = tag + " ";
  std::size_t next = 0;
  std::string line;
  for (const char c : text) {
    if (c != '\x01') {
      out += c;
      continue;
    }
    const std::string& literal = literals.at(next++);
    out += "{" + std::to_string(literal.size()) + "}\r\n";
    if (!send(out)) return broken();
    out = literal;
    do {
      if (!read_line(line)) return broken();
      if (line.starts_with(tag + " ")) {
        answer.text = line.substr(tag.size() + 1);
        return answer;
      }
    } while (!line.starts_with('+'));
  }
  if (!send(out + "\r\n")) return broken();
  while (true) {
    if (!read_line(line)) return broken();
    if (line.starts_with(tag + " ")) {
      const std::string rest = line.substr(tag.size() + 1);
      answer.ok = rest.starts_with("OK");
      answer.text = trim(rest.substr(std::min(rest.size(), rest.find(' '))));
      return answer;
    }
    Untagged one;
    while (true) {
      one.text += line;
      const auto length = announced(line);
      if (!length) break;
      if (*length > native_bytes_max) {
        failure_ = "A mail is larger than the limit of " + std::to_string(native_bytes_max) + " bytes.";
        return broken();
      }
      while (buffer_.size() < *length) {
        if (!fill()) return broken();
      }
      one.literals.push_back(buffer_.substr(0, *length));
      buffer_.erase(0, *length);
      if (!read_line(line)) return broken();
    }
    answer.untagged.push_back(std::move(one));
  }
}

void ImapSession::close() { static_cast<void>(command("LOGOUT")); }

}  // namespace flowmend::connector
