#include "http/client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/thread_name.h"

namespace flowmend::http {

namespace {

/// The host of a URL for messages, without user, path and query.
std::string host_of(const std::string& url) {
  CURLU* parsed = curl_url();
  std::string host = "the host";
  char* text = nullptr;
  if (curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parsed, CURLUPART_HOST, &text, 0) == CURLUE_OK) {
    host = text;
    curl_free(text);
  }
  curl_url_cleanup(parsed);
  return host;
}

/// One request under way: owns its easy handle and everything that handle points to.
struct Transfer {
  std::uint64_t id = 0;
  Request request;
  std::function<void(Reply)> done;
  Reply reply;
  CURL* easy = nullptr;
  curl_slist* header_list = nullptr;
  const OutgoingPolicy* policy = nullptr;
  const std::vector<sockaddr_storage>* proxy_addresses = nullptr;  // of the client; empty without a proxy
  bool refused = false;                                            // by the policy
  bool too_large = false;

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    curl_slist_free_all(header_list);
  }
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  if (transfer->reply.body.size() + bytes > transfer->request.reply_bytes_max) {
    transfer->too_large = true;
    return 0;
  }
  transfer->reply.body.append(data, bytes);
  return bytes;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  std::string_view line(data, bytes);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.substr(0, 5) == "HTTP/") {
    transfer->reply.headers.clear();  // of an interim answer (100 Continue)
    return bytes;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return bytes;
  auto value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  if (transfer->reply.headers.size() < 256) {
    transfer->reply.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  }
  return bytes;
}

curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto* transfer = static_cast<Transfer*>(user);
  const bool is_proxy = std::ranges::any_of(
      *transfer->proxy_addresses, [&](const sockaddr_storage& one) { return is_same_address(&address->addr, one); });
  if (!is_proxy && !is_allowed(&address->addr, *transfer->policy)) {
    transfer->refused = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void explain_failure(Transfer& transfer, CURLcode code, bool has_proxy) {
  Reply& reply = transfer.reply;
  long tunnel_status = 0;
  if (has_proxy && transfer.easy != nullptr)
    curl_easy_getinfo(transfer.easy, CURLINFO_HTTP_CONNECTCODE, &tunnel_status);
  const std::string host = host_of(transfer.request.url);
  reply.status = 0;
  reply.headers.clear();
  reply.body.clear();
  if (transfer.refused) {
    reply.error_code = "AddressNotAllowed";
    reply.error_message = "Requests to the address of '" + host + "' are not allowed by this server's outgoing policy.";
    return;
  }
  if (transfer.too_large) {
    reply.error_code = "ResponseTooLarge";
    reply.error_message = "The reply of '" + host + "' is larger than the limit of " +
                          std::to_string(transfer.request.reply_bytes_max) + " bytes.";
    return;
  }
  if (tunnel_status >= 300) {
    reply.error_code = "ConnectFailure";
    reply.error_message =
        "The proxy refused the way to '" + host + "': it answered with status " + std::to_string(tunnel_status) + ".";
    return;
  }
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      reply.error_code = "InvalidUri";
      reply.error_message = "The request's address is not a valid http or https URI.";
      return;
    case CURLE_COULDNT_RESOLVE_HOST:
      reply.error_code = "UnresolvableHostName";
      reply.error_message = "The provided host name '" + host + "' could not be resolved.";
      return;
    case CURLE_OPERATION_TIMEDOUT:
      reply.error_code = "RequestTimeout";
      reply.error_message = "The request to '" + host +
                            "' failed: the server did not respond within the timeout limit of " +
                            to_string(transfer.request.timeout) + ".";
      return;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      reply.error_code = "TlsFailure";
      reply.error_message =
          "The secure connection to '" + host + "' could not be established: " + curl_easy_strerror(code) + ".";
      return;
    case CURLE_COULDNT_RESOLVE_PROXY:
      reply.error_code = "ConnectFailure";
      reply.error_message = "No connection to '" + host + "' could be made: the proxy's name could not be resolved.";
      return;
    case CURLE_COULDNT_CONNECT:
      reply.error_code = "ConnectFailure";
      if (has_proxy) {
        reply.error_message = "No connection to '" + host +
                              "' could be made: it, or the proxy before it, refused it or is not reachable.";
        return;
      }
      reply.error_message = "No connection to '" + host + "' could be made: it refused it or is not reachable.";
      return;
    default:
      reply.error_code = "ConnectionClosed";
      reply.error_message =
          "The connection to '" + host + "' broke before a whole reply came: " + curl_easy_strerror(code) + ".";
  }
}

}  // namespace

class Client::Worker {
 public:
  explicit Worker(ClientOptions options)
      : options_(std::move(options)), proxy_addresses_(proxy_addresses(options_.proxy)) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    if (initialised != CURLE_OK || multi_ == nullptr) throw std::runtime_error("libcurl could not be initialised");
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options_.connections_max));
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options_.connections_per_host_max));
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_max));
    thread_ = std::thread([this] {
      name_thread("fm-calls");
      run();
    });
  }

  ~Worker() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }

  std::uint64_t send(Request request, std::function<void(Reply)> done) {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    transfer->policy = &options_.policy;
    std::uint64_t id = 0;
    {
      std::lock_guard lock(mutex_);
      id = ++last_id_;
      transfer->id = id;
      added_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
    return id;
  }

  const ClientOptions& options() const { return options_; }

  void cancel(std::uint64_t id) {
    {
      std::lock_guard lock(mutex_);
      cancelled_.push_back(id);
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void run() {
    for (;;) {
      std::vector<std::unique_ptr<Transfer>> added;
      std::vector<std::uint64_t> cancelled;
      bool stopping = false;
      {
        std::lock_guard lock(mutex_);
        added.swap(added_);
        cancelled.swap(cancelled_);
        stopping = stopping_;
      }
      for (auto& transfer : added) begin(std::move(transfer));
      for (std::uint64_t id : cancelled) give_up(id);
      if (stopping) {
        while (!under_way_.empty()) give_up(under_way_.begin()->first);
        return;
      }
      int running = 0;
      curl_multi_perform(multi_, &running);
      collect();
      curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

  void begin(std::unique_ptr<Transfer> transfer) {
    transfer->reply.started = now_from_system_clock();
    Request& request = transfer->request;
    for (const Header& header : request.headers) {
      if (!is_valid_header(header.name, header.value)) {
        transfer->reply.error_code = "InvalidHeader";
        transfer->reply.error_message =
            "The request's header '" + percent_encode(header.name) + "' holds characters that no header may hold.";
        finish(*transfer);
        return;
      }
    }
    transfer->proxy_addresses = &proxy_addresses_;
    if (!options_.proxy.url.empty() && !may_ask_through_proxy(request.url, options_.policy)) {
      transfer->refused = true;
      explain_failure(*transfer, CURLE_COULDNT_CONNECT, true);
      finish(*transfer);
      return;
    }
    CURL* easy = curl_easy_init();
    transfer->easy = easy;
    curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy.url.c_str());  // empty: none, whatever the environment says
    if (!options_.proxy.url.empty()) {
      curl_easy_setopt(easy, CURLOPT_NOPROXY, options_.proxy.except.c_str());
      curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (request.decompress) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(std::max<std::int64_t>(1, request.timeout.to_milliseconds())));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(std::max<std::int64_t>(1, request.connect_timeout.to_milliseconds())));
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    if (!options_.certificate_authorities_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, options_.certificate_authorities_file.c_str());
    }
    if (!request.certificate.pkcs12.empty()) {
      curl_blob blob{request.certificate.pkcs12.data(), request.certificate.pkcs12.size(), CURL_BLOB_NOCOPY};
      curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "P12");
      curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &blob);
      curl_easy_setopt(easy, CURLOPT_KEYPASSWD, request.certificate.password.c_str());
    }
    const bool has_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (request.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (has_body) {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    auto add = [&](const std::string& line) {
      transfer->header_list = curl_slist_append(transfer->header_list, line.c_str());
    };
    for (const Header& header : request.headers) {
      if (same_name(header.name, "content-length") || same_name(header.name, "host")) continue;
      // libcurl sends a field without a value only when it ends in a semicolon.
      add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    }
    if (!has_header(request.headers, "expect")) add("Expect:");
    if (has_body && !has_header(request.headers, "content-type")) add("Content-Type:");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->header_list);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer.get());
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer.get());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer.get());
    curl_multi_add_handle(multi_, easy);
    const auto id = transfer->id;
    under_way_.emplace(id, std::move(transfer));
  }

  void collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      void* user = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
      const CURLcode code = message->data.result;
      auto found = under_way_.find(static_cast<Transfer*>(user)->id);
      auto transfer = std::move(found->second);
      under_way_.erase(found);
      curl_multi_remove_handle(multi_, transfer->easy);
      long status = 0;
      curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
      transfer->reply.status = static_cast<int>(status);
      if (code != CURLE_OK) explain_failure(*transfer, code, !options_.proxy.url.empty());
      finish(*transfer);
    }
  }

  void give_up(std::uint64_t id) {
    auto found = under_way_.find(id);
    if (found == under_way_.end()) return;
    auto transfer = std::move(found->second);
    under_way_.erase(found);
    curl_multi_remove_handle(multi_, transfer->easy);
    transfer->reply = {};
    transfer->reply.error_code = "Cancelled";
    transfer->reply.error_message = "The request was given up.";
    finish(*transfer);
  }

  static void finish(Transfer& transfer) {
    transfer.reply.ended = now_from_system_clock();
    transfer.done(std::move(transfer.reply));
  }

  const ClientOptions options_;
  const std::vector<sockaddr_storage> proxy_addresses_;
  CURLM* multi_ = nullptr;
  std::thread thread_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::uint64_t last_id_ = 0;
  std::vector<std::unique_ptr<Transfer>> added_;
  std::vector<std::uint64_t> cancelled_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Transfer>> under_way_;
};

Client::Client(ClientOptions options) : worker_(std::make_unique<Worker>(std::move(options))) {}
Client::~Client() = default;

std::uint64_t Client::send(Request request, std::function<void(Reply)> done) {
  return worker_->send(std::move(request), std::move(done));
}

const ClientOptions& Client::options() const { return worker_->options(); }

void Client::cancel(std::uint64_t id) { worker_->cancel(id); }

Reply send_and_wait(Client& client, Request request) {
  std::mutex mutex;
  std::condition_variable ended;
  bool have = false;
  Reply reply;
  client.send(std::move(request), [&](Reply got) {
    std::lock_guard lock(mutex);
    reply = std::move(got);
    have = true;
    ended.notify_one();
  });
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return have; });
  return reply;
}

}  // namespace flowmend::http
