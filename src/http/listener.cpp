#include "http/listener.h"

#include <array>
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
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
#include <optional>
#include <shared_mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/thread_name.h"
#include "json/write.h"

namespace flowmend::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {

/// Sockets that name their executor's type: the type-erased one of Asio's default costs an allocation for each step.
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using SteadyClock = std::chrono::steady_clock;

/// How often deadlines are looked at: a timer of its own for each read and write would cost more than the write.
constexpr std::chrono::milliseconds sweep_period{250};

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

  /// One thread and the sessions that live on it. Sessions that wait for their handler are held here and nowhere else.
  struct Loop {
    asio::io_context context{1};
    asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor> sweep{context};
    std::unordered_set<std::shared_ptr<Session>> sessions;
  };

 private:
  void accept();
  void plan_sweep(Loop& loop);

  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<asio::executor_work_guard<Executor>> guards_;
  std::optional<tcp::acceptor> acceptor_;
  std::vector<std::thread> threads_;
  std::size_t next_loop_ = 0;
};

/// One connection: reads a request, waits for its answer, writes it, reads the next. All of it on one thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  // The server outlives every session: its destructor joins the threads that sessions live on.
  Session(Socket socket, Listener::Server& server, Listener::Server::Loop& loop)
      : socket_(std::move(socket)), server_(server), loop_(loop) {
    ++server_.connections;
    beast::error_code ignored;
    remote_ = socket_.remote_endpoint(ignored).address().to_string();
    socket_.set_option(tcp::no_delay(true), ignored);
  }
  ~Session() { --server_.connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read_head() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_.options.header_bytes_max));
    parser_->body_limit(server_.options.body_bytes_max);
    expires_after(server_.options.head_timeout);
    bhttp::async_read_header(
        socket_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code failure, std::size_t) { self->on_head(failure); });
  }

  auto executor() { return socket_.get_executor(); }
  bool is_open() const { return open_.load(std::memory_order_relaxed); }

  void write_answer(Response answer) {
    answer_again_ = keep_alive_ && !server_.stopping;
    head_.clear();
    write_status(answer.status);
    for (const Header& header : answer.headers) {
      if (same_name(header.name, "content-length") || same_name(header.name, "connection") ||
          same_name(header.name, "transfer-encoding")) {
        continue;
      }
      write_header(header);
    }
    const bool bodiless = answer.status == 204 || answer.status == 304 || (answer.status >= 100 && answer.status < 200);
    if (!bodiless) head_.append("Content-Length: ").append(std::to_string(answer.body.size())).append("\r\n");
    if (!answer_again_) head_ += "Connection: close\r\n";
    head_ += "\r\n";
    body_ = bodiless || head_only_ ? std::string() : std::move(answer.body);
    expires_after(server_.options.body_timeout);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head_), asio::buffer(body_)};
    asio::async_write(socket_, parts, [self = shared_from_this()](beast::error_code failure, std::size_t) {
      self->on_written(failure);
    });
  }

  void begin_stream(const Response& head, std::string first_chunk) {
    head_.clear();
    write_status(head.status);
    head_ += "Connection: close\r\n";
    for (const Header& header : head.headers) write_header(header);
    head_ += "\r\n";
    deadline_.reset();
    enqueue(head_ + first_chunk);
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
    deadline_.reset();
    beast::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    loop_.sessions.erase(shared_from_this());
  }

  /// Ends what is under way and took too long; its handler sees `timed_out_`.
  void look_at_deadline(SteadyClock::time_point now) {
    if (!deadline_ || now < *deadline_) return;
    deadline_.reset();
    timed_out_ = true;
    beast::error_code ignored;
    socket_.cancel(ignored);
  }

 private:
  void expires_after(Duration duration) {
    timed_out_ = false;
    deadline_ = SteadyClock::now() + as_chrono(duration);
  }

  void write_status(int status) {
    const auto reason = bhttp::obsolete_reason(bhttp::int_to_status(static_cast<unsigned>(status)));
    head_.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason.data(), reason.size());
    head_ += "\r\n";
  }

  /// A header that would break out of its line is left out.
  void write_header(const Header& header) {
    if (!is_valid_header(header.name, header.value)) return;
    head_.append(header.name).append(": ").append(header.value).append("\r\n");
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
      asio::async_write(socket_, asio::buffer(proceed),
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
    expires_after(server_.options.body_timeout);
    bhttp::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](beast::error_code failure, std::size_t) {
      if (failure) return self->refuse(failure);
      self->handle();
    });
  }

  void handle() {
    deadline_.reset();  // how long an answer may take is the handler's matter
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
    if (timed_out_) {
      if (buffer_.size() == 0 && !parser_->got_some()) return close();
      return write_answer(error_response(408, "RequestTimeout", "The request did not arrive in time. Send it again."));
    }
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
    if (failure == bhttp::error::end_of_stream || failure == bhttp::error::partial_message ||
        failure == asio::error::connection_reset || failure == asio::error::operation_aborted ||
        failure == asio::error::eof) {
      return close();
    }
    write_answer(error_response(400, "InvalidRequest", "The request is not valid HTTP: " + failure.message() + "."));
  }

  void on_written(beast::error_code failure) {
    deadline_.reset();
    if (answering_) {
      answering_ = false;
      --server_.under_way;
    }
    if (failure || !answer_again_) return close();
    read_head();
  }

  void enqueue_counted(std::string chunk) { enqueue(std::move(chunk)); }

  void enqueue(std::string chunk) {
    queue_.push_back(std::move(chunk));
    if (queue_.size() == 1) write_next();
  }

  void write_next() {
    asio::async_write(socket_, asio::buffer(queue_.front()),
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
    socket_.async_read_some(asio::buffer(&scratch_, 1),
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

  Socket socket_;
  Listener::Server& server_;
  Listener::Server::Loop& loop_;
  std::optional<SteadyClock::time_point> deadline_;
  bool timed_out_ = false;
  std::string remote_;
  beast::flat_buffer buffer_;
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  std::string head_;  ///< of the answer
  std::string body_;
  bool keep_alive_ = true;
  bool answer_again_ = true;
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
    loops_.push_back(std::make_unique<Loop>());
    guards_.push_back(asio::make_work_guard(loops_.back()->context));
  }
  boost::system::error_code failure;
  const auto address = asio::ip::make_address(options.address, failure);
  if (failure) {
    return make_error("ListenFailed", "'" + options.address + "' is not an IP address to listen on.", {},
                      "Give an address such as 127.0.0.1:8080 or [::1]:8080.");
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor_.emplace(loops_.front()->context);
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
  for (auto& loop : loops_) {
    plan_sweep(*loop);
    threads_.emplace_back([&loop] {
      name_thread("fm-http");
      loop->context.run();
    });
  }
  return {};
}

void Listener::Server::accept() {
  auto& loop = *loops_[next_loop_++ % loops_.size()];
  acceptor_->async_accept(loop.context.get_executor(), [this, &loop](beast::error_code failure, Socket socket) {
    if (stopping) return;
    if (failure) {
      // Out of descriptors: accepting again at once would spin.
      auto pause = std::make_shared<asio::steady_timer>(loops_.front()->context, std::chrono::milliseconds(100));
      pause->async_wait([this, pause](beast::error_code) {
        if (!stopping) accept();
      });
      return;
    }
    if (connections < options.connections_max) {
      auto session = std::make_shared<Session>(std::move(socket), *this, loop);
      asio::dispatch(loop.context, [session, &loop] {
        loop.sessions.insert(session);
        session->read_head();
      });
    }
    accept();
  });
}

void Listener::Server::plan_sweep(Loop& loop) {
  loop.sweep.expires_after(sweep_period);
  loop.sweep.async_wait([this, &loop](beast::error_code failure) {
    if (failure) return;
    const auto now = SteadyClock::now();
    for (const auto& session : loop.sessions) session->look_at_deadline(now);
    plan_sweep(loop);
  });
}

void Listener::Server::stop(Duration grace) {
  if (stopping.exchange(true)) return;
  if (loops_.empty()) return;
  asio::post(loops_.front()->context, [this] {
    beast::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
  });
  const auto until = std::chrono::steady_clock::now() + as_chrono(grace);
  while (under_way > 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  guards_.clear();
  for (auto& loop : loops_) loop->context.stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  // From here on nobody outside reaches a session; they go before the contexts that their sockets belong to.
  {
    std::unique_lock lock(lifeline->mutex);
    lifeline->alive = false;
  }
  for (auto& loop : loops_) loop->sessions.clear();
  acceptor_.reset();
  loops_.clear();
}

Listener::Listener(ListenerOptions options, Handler handler)
    : server_(std::make_unique<Server>(std::move(options), std::move(handler))) {}
Listener::~Listener() = default;
Result<void> Listener::start() { return server_->start(); }
std::uint16_t Listener::port() const { return server_->port(); }
void Listener::stop(Duration grace) { server_->stop(grace); }

}  // namespace flowmend::http
