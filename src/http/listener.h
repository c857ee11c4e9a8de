#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "http/message.h"

namespace flowmend::http {

/// A request as it came in, complete with its body.
struct IncomingRequest {
  std::string method;  ///< upper case
  std::string target;  ///< as on the request line; may hold credentials (a signature): never log it
  std::string path;    ///< of `target`, still percent-encoded
  std::string query;   ///< behind the `?`, still encoded; empty when there is none
  Headers headers;
  std::string body;
  std::string remote;  ///< the peer's address without its port

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

/// An answer. Content-Length, Connection and Date are the listener's.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

/// An answer that goes on (server-sent events). Any thread; writes are queued and sent in order.
class Stream {
 public:
  virtual ~Stream() = default;
  /// False when the client is gone, or reads so slowly that more than 1 MiB waits: then the stream is closed.
  virtual bool write(std::string chunk) = 0;
  virtual void close() = 0;
  virtual bool is_open() const = 0;
};

/// The right to answer one request, once. May be kept and used later, from any thread. One that is dropped without an
/// answer gives the client a 500, so that no caller waits for ever.
class Responder {
 public:
  class Exchange;  ///< the connection's side, private to this room
  Responder() = default;
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  /// Sends the answer; a second call does nothing.
  void send(Response response) const;
  /// Sends the head and keeps the answer open; `head.body` is sent first. No Content-Length; the end of the connection
  /// is the end of the answer.
  std::shared_ptr<Stream> stream(Response head) const;
  /// False once the client has closed its connection (known only after it tried).
  bool client_is_there() const;

 private:
  std::shared_ptr<Exchange> exchange_;
};

using Handler = std::function<void(IncomingRequest, Responder)>;

struct ListenerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0 = any free one
  unsigned threads = 1;
  std::size_t header_bytes_max = 32 * 1024;
  std::size_t body_bytes_max = 104'857'600;
  std::size_t connections_max = 4096;
  Duration head_timeout = Duration::seconds(30);  ///< for the head of a request once it has begun, and between requests
  Duration body_timeout = Duration::seconds(300);  ///< for its body
};

/// Listens for HTTP/1.1 on Beast. A malformed, too large or too slow request is answered by the listener itself with
/// the error envelope (400, 413, 431, 408) and never reaches the handler.
///
/// Threads: the handler is called on a listener thread and must not block it.
class Listener {
 public:
  class Server;  ///< private to this room
  Listener(ListenerOptions options, Handler handler);
  ~Listener();  ///< as `stop` without grace
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds and begins to accept. `ListenFailed` with the cure when the address is in use or not ours.
  Result<void> start();
  std::uint16_t port() const;
  /// Accepts no more, lets requests under way be answered for up to `grace`, closes what is left.
  void stop(Duration grace);

 private:
  std::unique_ptr<Server> server_;
};

/// `{"error":{"code","message"}}` with its status and content type.
Response error_response(int status, std::string_view code, std::string_view message);

}  // namespace flowmend::http
