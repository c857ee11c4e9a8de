#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "http/message.h"
#include "http/outgoing.h"
#include "http/proxy.h"

namespace flowmend::http {

/// A request to send. Credentials are already in `headers` or `url`: the client knows nothing of connections.
struct Request {
  std::string method = "GET";
  std::string url;  ///< absolute, http or https
  Headers headers;  ///< sent as they are; Content-Length and Host are the client's
  std::string body;
  Duration timeout = Duration::seconds(120);         ///< from start to the last byte of the reply
  Duration connect_timeout = Duration::seconds(15);  ///< of that, until a connection stands
  bool decompress = true;                            ///< ask for a compressed reply and unpack it
  /// Shown to a service that asks who calls: a PKCS #12 file with its key. Empty = none.
  struct Certificate {
    std::string pkcs12;
    std::string password;
  } certificate;
  std::size_t reply_bytes_max = 104'857'600;  ///< a longer reply ends with ResponseTooLarge
};

/// What came of a request. Either `status` is set (whatever it is), or `error_code` says why there is no reply:
/// `UnresolvableHostName`, `ConnectFailure`, `RequestTimeout`, `TlsFailure`, `ResponseTooLarge`, `InvalidUri`,
/// `AddressNotAllowed`, `ConnectionClosed`, `Cancelled`.
struct Reply {
  int status = 0;
  Headers headers;
  std::string body;  ///< decoded when the server compressed it
  Timestamp started;
  Timestamp ended;
  std::string error_code;
  std::string error_message;  ///< a sentence that names the host; never holds the query or credentials
};

struct ClientOptions {
  OutgoingPolicy policy;
  ProxyOptions proxy;                 ///< checked by `check_proxy`
  std::size_t connections_max = 256;  ///< open at a time over all hosts
  std::size_t connections_per_host_max = 64;
  std::string certificate_authorities_file;  ///< empty = the system's
};

/// Sends requests on libcurl's multi interface in one thread of its own; connections are kept and reused. Redirects are
/// not followed: a 3xx is a reply.
///
/// Threads: `send` and `cancel` from any thread, they never block. `done` is called exactly once per request, on the
/// client's thread (keep it short: post to your own), never inside `send`. The destructor cancels what is under way:
/// each `done` is called with `Cancelled` before it returns.
class Client {
 public:
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// A number for `cancel`.
  std::uint64_t send(Request request, std::function<void(Reply)> done);
  /// Gives up on a request; its `done` gets `Cancelled` unless it has ended. An unknown number is no error.
  void cancel(std::uint64_t id);
  const ClientOptions& options() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

/// Sends and waits: for tests and command-line tools, never on a shard's or the listener's thread.
Reply send_and_wait(Client& client, Request request);

}  // namespace flowmend::http
