// webhook_floor PORT FILE: the floor that the webhook benchmark is held against. A bare Beast server that parses the
// JSON body of each POST, appends 3 kB to FILE and answers after an fdatasync; one sync serves every request that waits
// for it. It does nothing that a flow server could leave out, so its rate is what the machine allows at that
// durability.

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t record_bytes = 3000;

/// Appends records and syncs them in groups; `done` runs after the sync that covers its record.
class GroupedFile {
 public:
  explicit GroupedFile(const char* path) : file_(open(path, O_CREAT | O_WRONLY | O_APPEND, 0600)) {
    if (file_ < 0) {
      std::perror("webhook_floor");
      std::exit(1);
    }
    writer_ = std::thread([this] { run(); });
  }

  void append(std::function<void()> done) {
    {
      std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(done));
    }
    wake_.notify_one();
  }

 private:
  [[noreturn]] void run() {
    std::vector<std::function<void()>> group;
    std::string records;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !waiting_.empty(); });
        group.swap(waiting_);
      }
      records.assign(group.size() * record_bytes, 'x');
      if (write(file_, records.data(), records.size()) < 0 || fdatasync(file_) != 0) std::abort();
      for (auto& done : group) done();
      group.clear();
    }
  }

  int file_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::function<void()>> waiting_;
  std::thread writer_;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, GroupedFile& file) : stream_(std::move(socket)), file_(file) {
    stream_.socket().set_option(tcp::no_delay(true));
  }

  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_, [self = shared_from_this()](beast::error_code failure, std::size_t) {
      if (!failure) self->handle();
    });
  }

 private:
  void handle() {
    boost::json::error_code failure;
    const auto body = boost::json::parse(request_.body(), failure);
    response_ = {failure ? http::status::bad_request : http::status::ok, request_.version()};
    response_.keep_alive(request_.keep_alive());
    response_.set(http::field::content_type, "application/json");
    response_.body() = failure ? "{}" : boost::json::serialize(body);
    response_.prepare_payload();
    file_.append([self = shared_from_this()] {
      asio::post(self->stream_.get_executor(), [self] {
        http::async_write(self->stream_, self->response_, [self](beast::error_code error, std::size_t) {
          if (!error && self->response_.keep_alive()) self->read();
        });
      });
    });
  }

  beast::tcp_stream stream_;
  GroupedFile& file_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(tcp::acceptor& acceptor, GroupedFile& file) {
  acceptor.async_accept([&](beast::error_code failure, tcp::socket socket) {
    if (!failure) std::make_shared<Session>(std::move(socket), file)->read();
    accept(acceptor, file);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: webhook_floor PORT FILE\n");
    return 2;
  }
  asio::io_context context(1);
  GroupedFile file(argv[2]);
  tcp::acceptor acceptor(context,
                         {asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(std::atoi(argv[1]))});
  accept(acceptor, file);
  std::printf("ready\n");
  std::fflush(stdout);
  context.run();
}
