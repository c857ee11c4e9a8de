#include "http/listener.h"

#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "json/write.h"

namespace flowmend::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {

std::chrono::milliseconds as_chrono(Duration duration) { return std::chrono::milliseconds(duration.to_milliseconds()); }

/// Bytes that may wait in a stream for a client that reads slowly.
constexpr std::size_t stream_backlog_max = 1 << 20;

}  // namespace

Response error_response(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "application/json; charset=utf-8"});
  response.body =
      json::write(Value::object({{"error", Value::object({{"code", Value(code)}, {"message", Value(message)}})}}));
  return response;
}

class Session;

/// Tells those who hold a Responder or a Stream whether the listener's threads still exist. Held shared while a session
/// is used from outside; taken exclusively once, when the listener ends.
struct Lifeline {
  std::shared_mutex mutex;
  bool alive = true;
};

/// What a Responder holds. It may outlive its session and the whole listener: then an answer goes nowhere.
class Responder::Exchange {
 public:
  Exchange(const std::shared_ptr<Session>& session, std::shared_ptr<Lifeline> lifeline)
      : session_(session), lifeline_(std::move(lifeline)) {}
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void send(Response response);
  std::shared_ptr<Stream> stream(Response head);
  bool client_is_there() const;

 private:
  std::weak_ptr<Session> session_;
  std::shared_ptr<Lifeline> lifeline_;
  std::atomic<bool> answered_{false};
};

class Listener::Server {
 public:
  Server(ListenerOptions given, Handler answer) : options(std::move(given)), handler(std::move(answer)) {}
  ~Server() { stop(Duration{}); }

  Result<void> start();
  void stop(Duration grace);
  std::uint16_t port() const { return port_; }

  ListenerOptions options;
  Handler handler;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> under_way{0};  ///< requests handed to the handler and not yet answered
  std::atomic<bool> stopping{false};
  const std::shared_ptr<Lifeline> lifeline = std::make_shared<Lifeline>();

  /// Sessions that wait for their handler are held here and nowhere else.
  void keep(std::shared_ptr<Session> session);
  void forget(const std::shared_ptr<Session>& session);

 private:
  void accept();

  std::mutex sessions_mutex_;
  std::unordered_set<std::shared_ptr<Session>> sessions_;

  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::optional<tcp::acceptor> acceptor_;
  std::vector<std::thread> threads_;
  std::size_t next_context_ = 0;
};

/// One connection: reads a request, waits for its answer, writes it, reads the next. All of it on one thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  // The server outlives every session: its destructor joins the threads that sessions live on.
  Session(tcp::socket socket, Listener::Server& server) : stream_(std::move(socket)), server_(server) {
    ++server_.connections;
    beast::error_code ignored;
    remote_ = stream_.socket().remote_endpoint(ignored).address().to_string();
    stream_.socket().set_option(tcp::no_delay(true), ignored);
  }
  ~Session() { --server_.connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read_head() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_.options.header_bytes_max));
    parser_->body_limit(server_.options.body_bytes_max);
    stream_.expires_after(as_chrono(server_.options.head_timeout));
    bhttp::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code failure, std::size_t) { self->on_head(failure); });
  }

  auto executor() { return stream_.get_executor(); }
  bool is_open() const { return open_.load(std::memory_order_relaxed); }

  void write_answer(Response answer) {
    response_ = {};
    response_.version(11);
    fill_head(response_, answer);
    response_.keep_alive(keep_alive_ && !server_.stopping);
    response_.body() = std::move(answer.body);
    if (answer.status == 204 || answer.status == 304 || (answer.status >= 100 && answer.status < 200)) {
      response_.body().clear();
    }
    if (head_only_) {
      response_.content_length(response_.body().size());
      response_.body().clear();
    } else {
      response_.prepare_payload();
    }
    stream_.expires_after(as_chrono(server_.options.body_timeout));
    if (head_only_) {
      head_serializer_.emplace(response_);
      bhttp::async_write_header(
          stream_, *head_serializer_,
          [self = shared_from_this()](beast::error_code failure, std::size_t) { self->on_written(failure); });
      return;
    }
    bhttp::async_write(stream_, response_, [self = shared_from_this()](beast::error_code failure, std::size_t) {
      self->on_written(failure);
    });
  }

  void begin_stream(const Response& head, std::string first_chunk) {
    std::string text = "HTTP/1.1 " + std::to_string(head.status) + " OK\r\nConnection: close\r\n";
    for (const Header& header : head.headers) {
      if (is_valid_header(header.name, header.value)) text += header.name + ": " + header.value + "\r\n";
    }
    text += "\r\n";
    stream_.expires_never();
    enqueue(text + first_chunk);
    watch_for_close();
  }

  /// False when the connection is closed or too much waits.
  bool offer(std::string chunk) {
    if (!is_open()) return false;
    if (backlog_.fetch_add(chunk.size()) + chunk.size() > stream_backlog_max) {
      asio::post(executor(), [self = shared_from_this()] { self->close(); });
      open_ = false;
      return false;
    }
    asio::post(executor(), [self = shared_from_this(), chunk = std::move(chunk)]() mutable {
      self->enqueue_counted(std::move(chunk));
    });
    return true;
  }

  /// Closes once everything that was offered has been sent.
  void close_when_sent() {
    open_ = false;
    closing_ = true;
    if (queue_.empty()) end_stream();
  }

  void close() {
    open_ = false;
    server_.forget(shared_from_this());
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

 private:
  template <class Message>
  void fill_head(Message& message, const Response& answer) {
    message.result(static_cast<unsigned>(answer.status));
    for (const Header& header : answer.headers) {
      if (same_name(header.name, "content-length") || same_name(header.name, "connection") ||
          same_name(header.name, "transfer-encoding") || !is_valid_header(header.name, header.value)) {
        continue;
      }
      message.insert(header.name, header.value);
    }
  }

  void on_head(beast::error_code failure) {
    if (failure) return refuse(failure);
    const auto& head = parser_->get();
    keep_alive_ = head.keep_alive();
    head_only_ = head.method() == bhttp::verb::head;
    if (parser_->content_length() && *parser_->content_length() > server_.options.body_bytes_max) {
      return refuse(bhttp::error::body_limit);
    }
    if (beast::iequals(head[bhttp::field::expect], "100-continue")) {
      static const std::string proceed = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(stream_, asio::buffer(proceed),
                        [self = shared_from_this()](beast::error_code error, std::size_t) {
                          if (error) return self->close();
                          self->read_body();
                        });
      return;
    }
    read_body();
  }

  void read_body() {
    if (parser_->is_done()) return handle();
    stream_.expires_after(as_chrono(server_.options.body_timeout));
    bhttp::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code failure, std::size_t) {
      if (failure) return self->refuse(failure);
      self->handle();
    });
  }

  void handle() {
    stream_.expires_never();  // how long an answer may take is the handler's matter
    auto message = parser_->release();
    IncomingRequest request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    const auto mark = request.target.find('?');
    request.path = request.target.substr(0, mark);
    if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
    for (const auto& field : message) {
      request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    request.body = std::move(message.body());
    request.remote = remote_;
    ++server_.under_way;
    answering_ = true;
    server_.handler(std::move(request),
                    Responder(std::make_shared<Responder::Exchange>(shared_from_this(), server_.lifeline)));
  }

  /// The request never became whole: say why when the client can still hear it.
  void refuse(beast::error_code failure) {
    keep_alive_ = false;
    if (failure == bhttp::error::body_limit) {
      return write_answer(error_response(413, "RequestEntityTooLarge",
                                         "The request body is larger than the limit of " +
                                             std::to_string(server_.options.body_bytes_max) +
                                             " bytes. Send less, or raise the server's setting for it."));
    }
    if (failure == bhttp::error::header_limit) {
      return write_answer(error_response(431, "RequestHeadersTooLarge",
                                         "The request's head is larger than the limit of " +
                                             std::to_string(server_.options.header_bytes_max) + " bytes."));
    }
    if (failure == beast::error::timeout && buffer_.size() > 0) {
      return write_answer(error_response(408, "RequestTimeout", "The request did not arrive in time. Send it again."));
    }
    if (failure == bhttp::error::end_of_stream || failure == beast::error::timeout ||
        failure == bhttp::error::partial_message || failure == asio::error::connection_reset ||
        failure == asio::error::operation_aborted || failure == asio::error::eof) {
      return close();
    }
    write_answer(error_response(400, "InvalidRequest", "The request is not valid HTTP: " + failure.message() + "."));
  }

  void on_written(beast::error_code failure) {
    head_serializer_.reset();
    if (answering_) {
      answering_ = false;
      --server_.under_way;
    }
    if (failure || !response_.keep_alive()) return close();
    read_head();
  }

  void enqueue_counted(std::string chunk) { enqueue(std::move(chunk)); }

  void enqueue(std::string chunk) {
    queue_.push_back(std::move(chunk));
    if (queue_.size() == 1) write_next();
  }

  void write_next() {
    asio::async_write(stream_, asio::buffer(queue_.front()),
                      [self = shared_from_this()](beast::error_code failure, std::size_t wrote) {
                        self->queue_.pop_front();
                        self->backlog_.fetch_sub(std::min(wrote, self->backlog_.load()));
                        if (failure) return self->end_stream();
                        if (!self->queue_.empty()) return self->write_next();
                        if (self->closing_) self->end_stream();
                      });
  }

  /// A streaming client says nothing more: a read ends when it goes.
  void watch_for_close() {
    stream_.async_read_some(asio::buffer(&scratch_, 1),
                            [self = shared_from_this()](beast::error_code failure, std::size_t) {
                              if (failure) return self->end_stream();
                              self->watch_for_close();
                            });
  }

  void end_stream() {
    if (answering_) {
      answering_ = false;
      --server_.under_way;
    }
    close();
  }

  beast::tcp_stream stream_;
  Listener::Server& server_;
  std::string remote_;
  beast::flat_buffer buffer_;
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  bhttp::response<bhttp::string_body> response_;
  std::optional<bhttp::response_serializer<bhttp::string_body>> head_serializer_;
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool answering_ = false;
  bool closing_ = false;
  char scratch_ = 0;
  std::deque<std::string> queue_;
  std::atomic<std::size_t> backlog_{0};
  std::atomic<bool> open_{true};
};

namespace {

class SessionStream final : public Stream {
 public:
  SessionStream(const std::shared_ptr<Session>& session, std::shared_ptr<Lifeline> lifeline)
      : session_(session), lifeline_(std::move(lifeline)) {}
  ~SessionStream() override { end(); }
  bool write(std::string chunk) override {
    std::shared_lock lock(lifeline_->mutex);
    if (!lifeline_->alive) return false;
    const auto session = session_.lock();
    return session && session->offer(std::move(chunk));
  }
  void close() override { end(); }
  bool is_open() const override {
    std::shared_lock lock(lifeline_->mutex);
    if (!lifeline_->alive) return false;
    const auto session = session_.lock();
    return session && session->is_open();
  }

 private:
  void end() {
    if (ended_.exchange(true)) return;
    std::shared_lock lock(lifeline_->mutex);
    if (!lifeline_->alive) return;
    if (auto session = session_.lock()) {
      asio::post(session->executor(), [session] { session->close_when_sent(); });
    }
  }

  std::weak_ptr<Session> session_;
  std::shared_ptr<Lifeline> lifeline_;
  std::atomic<bool> ended_{false};
};

}  // namespace

Responder::Exchange::~Exchange() {
  if (!answered_) {
    send(error_response(
        500, "InternalServerError",
        "The server ended this request without an answer. Try again; if it happens again, look at the server's log."));
  }
}

void Responder::Exchange::send(Response response) {
  if (answered_.exchange(true)) return;
  std::shared_lock lock(lifeline_->mutex);
  if (!lifeline_->alive) return;
  auto session = session_.lock();
  if (!session) return;
  // On the session's own thread this runs at once: no queue between an answer and its bytes.
  asio::dispatch(session->executor(),
                 [session, answer = std::move(response)]() mutable { session->write_answer(std::move(answer)); });
}

std::shared_ptr<Stream> Responder::Exchange::stream(Response head) {
  if (answered_.exchange(true)) return nullptr;
  std::shared_lock lock(lifeline_->mutex);
  if (!lifeline_->alive) return nullptr;
  auto session = session_.lock();
  if (!session) return nullptr;
  auto result = std::make_shared<SessionStream>(session, lifeline_);
  asio::post(session->executor(), [session, head = std::move(head)] { session->begin_stream(head, head.body); });
  return result;
}

bool Responder::Exchange::client_is_there() const {
  std::shared_lock lock(lifeline_->mutex);
  if (!lifeline_->alive) return false;
  const auto session = session_.lock();
  return session && session->is_open();
}

void Responder::send(Response response) const {
  if (exchange_) exchange_->send(std::move(response));
}

std::shared_ptr<Stream> Responder::stream(Response head) const {
  return exchange_ ? exchange_->stream(std::move(head)) : nullptr;
}

bool Responder::client_is_there() const { return exchange_ && exchange_->client_is_there(); }

Result<void> Listener::Server::start() {
  const unsigned count = std::max(1U, options.threads);
  for (unsigned i = 0; i < count; ++i) {
    contexts_.push_back(std::make_unique<asio::io_context>(1));
    guards_.push_back(asio::make_work_guard(*contexts_.back()));
  }
  boost::system::error_code failure;
  const auto address = asio::ip::make_address(options.address, failure);
  if (failure) {
    return make_error("ListenFailed", "'" + options.address + "' is not an IP address to listen on.", {},
                      "Give an address such as 127.0.0.1:8080 or [::1]:8080.");
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor_.emplace(*contexts_.front());
  acceptor_->open(endpoint.protocol(), failure);
  if (!failure) acceptor_->set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) acceptor_->bind(endpoint, failure);
  if (!failure) acceptor_->listen(asio::socket_base::max_listen_connections, failure);
  if (failure) {
    const std::string place = options.address + ":" + std::to_string(options.port);
    const bool in_use = failure == asio::error::address_in_use;
    return make_error("ListenFailed", "Cannot listen on " + place + ": " + failure.message() + ".", {},
                      in_use ? "Another process uses that port: end it, or choose another with --listen."
                             : "Choose an address of this machine with --listen.");
  }
  port_ = acceptor_->local_endpoint().port();
  accept();
  for (auto& context : contexts_) {
    threads_.emplace_back([&context] { context->run(); });
  }
  return {};
}

void Listener::Server::accept() {
  auto& context = *contexts_[next_context_++ % contexts_.size()];
  acceptor_->async_accept(context, [this](beast::error_code failure, tcp::socket socket) {
    if (stopping) return;
    if (failure) {
      // Out of descriptors: accepting again at once would spin.
      auto pause = std::make_shared<asio::steady_timer>(*contexts_.front(), std::chrono::milliseconds(100));
      pause->async_wait([this, pause](beast::error_code) {
        if (!stopping) accept();
      });
      return;
    }
    if (connections < options.connections_max) {
      auto session = std::make_shared<Session>(std::move(socket), *this);
      keep(session);
      asio::dispatch(session->executor(), [session] { session->read_head(); });
    }
    accept();
  });
}

void Listener::Server::stop(Duration grace) {
  if (stopping.exchange(true)) return;
  if (contexts_.empty()) return;
  asio::post(*contexts_.front(), [this] {
    beast::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
  });
  const auto until = std::chrono::steady_clock::now() + as_chrono(grace);
  while (under_way > 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  guards_.clear();
  for (auto& context : contexts_) context->stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  // From here on nobody outside reaches a session; they go before the contexts that their sockets belong to.
  {
    std::unique_lock lock(lifeline->mutex);
    lifeline->alive = false;
  }
  sessions_.clear();
  acceptor_.reset();
  contexts_.clear();
}

void Listener::Server::keep(std::shared_ptr<Session> session) {
  std::lock_guard lock(sessions_mutex_);
  sessions_.insert(std::move(session));
}

void Listener::Server::forget(const std::shared_ptr<Session>& session) {
  std::lock_guard lock(sessions_mutex_);
  sessions_.erase(session);
}

Listener::Listener(ListenerOptions options, Handler handler)
    : server_(std::make_unique<Server>(std::move(options), std::move(handler))) {}
Listener::~Listener() = default;
Result<void> Listener::start() { return server_->start(); }
std::uint16_t Listener::port() const { return server_->port(); }
void Listener::stop(Duration grace) { server_->stop(grace); }

}  // namespace flowmend::http
