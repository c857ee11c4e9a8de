#include "connector/native/transfer.h"

#include <algorithm>

#include "connector/text.h"

namespace flowmend::connector {

Transfer::Transfer(const http::Client& client, std::string url, std::string protocols, Duration timeout,
                   std::function<bool()> cancelled)
    : policy_(client.options().policy),
      cancelled_(std::move(cancelled)),
      easy_(curl_easy_init()),
      url_(std::move(url)) {
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_PROTOCOLS_STR, protocols.c_str());  // copied by libcurl
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");  // the server's proxy speaks HTTP; the environment's is never taken
  set(CURLOPT_ERRORBUFFER, error_);
  const std::int64_t wait = timeout.ticks > 0 ? timeout.to_milliseconds() : 120'000;
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, wait)));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::clamp<std::int64_t>(wait, 1, 15'000)));
  if (const std::string& file = client.options().certificate_authorities_file; !file.empty())
    set(CURLOPT_CAINFO, file.c_str());
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_line);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(CURLOPT_XFERINFODATA, this);
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  for (curl_slist* list : lists_) curl_slist_free_all(list);
}

void Transfer::set_list(CURLoption option, const std::vector<std::string>& texts) {
  curl_slist* list = nullptr;
  for (const std::string& text : texts) list = curl_slist_append(list, text.c_str());
  lists_.push_back(list);
  set(option, list);
}

void Transfer::upload(std::string_view bytes) {
  rest_ = bytes;
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_READFUNCTION, &Transfer::on_upload);
  set(CURLOPT_READDATA, this);
  set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(bytes.size()));
}

CURLcode Transfer::perform() {
  body_.clear();
  return curl_easy_perform(easy_);
}

long Transfer::response_code() {
  long code = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto* self = static_cast<Transfer*>(user);
  if (self->body_.size() + size * count > native_bytes_max) {
    self->too_large_ = true;
    return 0;
  }
  self->body_.append(data, size * count);
  return size * count;
}

std::size_t Transfer::on_line(char* data, std::size_t size, std::size_t count, void* user) {
  auto* self = static_cast<Transfer*>(user);
  const std::string_view line = trim(std::string_view(data, size * count));
  // The farewell of a mail server (221) would hide what it said before.
  if (!line.empty() && !line.starts_with("221")) self->last_line_ = line.substr(0, 2000);
  return size * count;
}

std::size_t Transfer::on_upload(char* to, std::size_t size, std::size_t count, void* user) {
  auto* self = static_cast<Transfer*>(user);
  const std::size_t part = std::min(size * count, self->rest_.size());
  std::copy_n(self->rest_.data(), part, to);
  self->rest_.remove_prefix(part);
  return part;
}

curl_socket_t Transfer::on_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto* self = static_cast<Transfer*>(user);
  if (!http::is_allowed(&address->addr, self->policy_)) {
    self->refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int Transfer::on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->cancelled() ? 1 : 0;
}

std::optional<http::Reply> Transfer::connection_failure(CURLcode code, std::string_view service) const {
  const std::string name(service);
  const auto failed = [](const char* error_code, std::string message) {
    http::Reply reply;
    reply.error_code = error_code;
    reply.error_message = std::move(message);
    return reply;
  };
  if (refused_)
    return failed("AddressNotAllowed",
                  "Connections to the address of '" + name + "' are not allowed by this server's outgoing policy.");
  if (too_large_) {
    return failed("ResponseTooLarge",
                  "'" + name + "' sent more than the limit of " + std::to_string(native_bytes_max) + " bytes.");
  }
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return failed("UnresolvableHostName", "The host name of '" + name + "' could not be resolved.");
    case CURLE_COULDNT_CONNECT:
      return failed("ConnectFailure",
                    "No connection to '" + name + "' could be made: it refused it or is not reachable.");
    case CURLE_OPERATION_TIMEDOUT: return failed("RequestTimeout", "'" + name + "' did not answer in time.");
    case CURLE_ABORTED_BY_CALLBACK: return failed("Cancelled", "The call was given up.");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_USE_SSL_FAILED:
      return failed("TlsFailure", "The secure connection to '" + name + "' could not be established: " +
                                      (error_[0] != '\0' ? error_ : curl_easy_strerror(code)) + ".");
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return failed("ConnectionClosed", "The connection to '" + name + "' broke: " + curl_easy_strerror(code) + ".");
    default: return std::nullopt;
  }
}

std::optional<std::string> host_and_port(std::string_view host, std::string_view port) {
  host = trim(host);
  port = trim(port);
  const auto is_host = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':' || c == '[' || c == ']';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (host.empty() || host.size() > 255 || !std::all_of(host.begin(), host.end(), is_host)) return std::nullopt;
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos &&
                        (host.front() == '[' || host.find(':') == colon);
  if (has_port) return std::string(host);
  if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return std::nullopt;
  const bool bare_v6 = host.front() != '[' && colon != std::string_view::npos;
  return (bare_v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + std::string(port);
}

}  // namespace flowmend::connector
