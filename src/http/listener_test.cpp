#include "http/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "http/client.h"

namespace flowmend::http {
namespace {

/// A listener on a free port that answers with what `handler` does.
class Served {
 public:
  explicit Served(Handler handler, ListenerOptions options = {})
      : listener_(with_free_port(options), std::move(handler)) {
    const auto started = listener_.start();
    EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message);
  }
  std::string url(const std::string& target) const {
    return "http://127.0.0.1:" + std::to_string(listener_.port()) + target;
  }
  Listener& listener() { return listener_; }

  /// Sends raw bytes and reads until the server closes.
  std::string raw(const std::string& bytes) const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener_.port());
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    std::string got;
    char buffer[4096];
    timeval wait{.tv_sec = 5, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) got.append(buffer, static_cast<std::size_t>(n));
    close(fd);
    return got;
  }

 private:
  static ListenerOptions with_free_port(ListenerOptions options) {
    options.port = 0;
    return options;
  }
  Listener listener_;
};

Response text(std::string body) { return {200, {{"Content-Type", "text/plain"}}, std::move(body)}; }

TEST(Listener, HandsOverWholeRequestsAndAnswersFromAnyThread) {
  Served served([](IncomingRequest request, Responder responder) {
    std::thread([request = std::move(request), responder] {
      responder.send(text(request.method + " " + request.path + " ? " + request.query + " : " + request.body));
    }).detach();
  });
  Client client;
  Request request{.method = "POST", .url = served.url("/a%20b?x=1&y=%2F"), .body = "hello"};
  const Reply reply = send_and_wait(client, request);
  EXPECT_EQ(reply.status, 200) << reply.error_message;
  EXPECT_EQ(reply.body, "POST /a%20b ? x=1&y=%2F : hello");
}

TEST(Listener, KeepsConnectionsAndManyRequestsApart) {
  Served served([](IncomingRequest request, Responder responder) { responder.send(text(request.body)); },
                {.threads = 2});
  Client client;
  std::atomic<int> good{0};
  std::atomic<int> ended{0};
  for (int i = 0; i < 300; ++i) {
    const std::string body = "body " + std::to_string(i);
    client.send({.method = "POST", .url = served.url("/"), .body = body}, [&, body](const Reply& reply) {
      if (reply.status == 200 && reply.body == body) ++good;
      ++ended;
    });
  }
  for (int i = 0; i < 1000 && ended < 300; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(good, 300);
}

TEST(Listener, RefusesWhatIsTooLargeOrNoHttp) {
  Served served([](IncomingRequest, Responder responder) { responder.send(text("no")); },
                {.header_bytes_max = 2000, .body_bytes_max = 1000});
  EXPECT_NE(served.raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 104857601\r\n\r\n").find("HTTP/1.1 413"),
            std::string::npos);
  EXPECT_NE(served.raw("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(5000, 'x') + "\r\n\r\n").find("HTTP/1.1 431"),
            std::string::npos);
  EXPECT_NE(served.raw("nonsense\r\n\r\n").find("HTTP/1.1 400"), std::string::npos);
  EXPECT_NE(served
                .raw("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" +
                     std::string(2048, 'a') + "\r\n0\r\n\r\n")
                .find("413"),
            std::string::npos);
}

TEST(Listener, TimesOutASlowHead) {
  Served served([](IncomingRequest, Responder responder) { responder.send(text("no")); },
                {.head_timeout = Duration::milliseconds(200)});
  EXPECT_EQ(served.raw("").size(), 0U);
  const std::string slow = served.raw("GET / HTTP/1.1\r\nHost");
  EXPECT_TRUE(slow.empty() || slow.find("408") != std::string::npos) << slow;
}

TEST(Listener, AnswersADroppedResponder) {
  Served served([](IncomingRequest, Responder) {});
  Client client;
  EXPECT_EQ(send_and_wait(client, {.url = served.url("/")}).status, 500);
}

TEST(Listener, StreamsUntilTheClientGoes) {
  std::shared_ptr<Stream> stream;
  Served served([&](IncomingRequest, Responder responder) {
    stream = responder.stream({200, {{"Content-Type", "text/event-stream"}}, ": hello\n\n"});
    stream->write("data: 1\n\n");
    stream->close();
  });
  const std::string got = served.raw("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(got.find("Content-Type: text/event-stream"), std::string::npos) << got;
  EXPECT_NE(got.find(": hello\n\ndata: 1\n\n"), std::string::npos) << got;
}

TEST(Listener, HeadHasNoBody) {
  Served served([](IncomingRequest, Responder responder) { responder.send(text("body")); });
  Client client;
  const Reply reply = send_and_wait(client, {.method = "HEAD", .url = served.url("/")});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
}

TEST(Listener, SaysWhenThePortIsTaken) {
  Served first([](IncomingRequest, Responder responder) { responder.send(text("x")); });
  Listener second({.port = first.listener().port()}, [](IncomingRequest, Responder) {});
  const auto started = second.start();
  ASSERT_TRUE(started.has_error());
  EXPECT_EQ(started.error().code, "ListenFailed");
  EXPECT_NE(started.error().cure.find("--listen"), std::string::npos);
}

TEST(Listener, StopsGracefully) {
  std::atomic<bool> handled{false};
  auto served = std::make_unique<Served>([&](IncomingRequest, Responder responder) {
    std::thread([&handled, responder] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      responder.send(text("late"));
      handled = true;
    }).detach();
  });
  Client client;
  std::atomic<int> status{0};
  client.send({.url = served->url("/")}, [&](const Reply& reply) { status = reply.status; });
  std::this_thread::sleep_for(std::chrono::milliseconds(80));
  served->listener().stop(Duration::seconds(5));
  for (int i = 0; i < 200 && status == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(status, 200);
  EXPECT_TRUE(handled);
}

TEST(Listener, LeavesLateAnswersWithoutEffect) {
  Responder kept;
  std::shared_ptr<Stream> stream;
  std::atomic<int> handled{0};
  auto served = std::make_unique<Served>([&](IncomingRequest request, Responder responder) {
    if (request.path == "/stream") {
      stream = responder.stream(text("begin"));
    } else {
      kept = responder;
    }
    ++handled;
  });
  Client client;
  client.send({.url = served->url("/")}, [](const Reply&) {});
  client.send({.url = served->url("/stream")}, [](const Reply&) {});
  for (int i = 0; i < 500 && handled < 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  served.reset();
  EXPECT_FALSE(kept.client_is_there());
  kept.send(text("too late"));
  ASSERT_NE(stream, nullptr);
  EXPECT_FALSE(stream->write("too late"));
}

TEST(Client, ExplainsWhyThereIsNoReply) {
  Client client;
  EXPECT_EQ(send_and_wait(client, {.url = "http://127.0.0.1:1/"}).error_code, "ConnectFailure");
  EXPECT_EQ(send_and_wait(client, {.url = "http://no-such-host.invalid/secret?sig=abc"}).error_code,
            "UnresolvableHostName");
  EXPECT_EQ(send_and_wait(client, {.url = "ftp://127.0.0.1/"}).error_code, "InvalidUri");
  EXPECT_EQ(send_and_wait(client, {.url = "not a uri"}).error_code, "InvalidUri");
  EXPECT_EQ(send_and_wait(client, {.url = "http://169.254.169.254/latest"}).error_code, "AddressNotAllowed");
  EXPECT_EQ(send_and_wait(client, {.url = "http://127.0.0.1:1/", .headers = {{"X", "a\r\nY: b"}}}).error_code,
            "InvalidHeader");
}

TEST(Client, EndsWhatIsTooSlowOrTooLarge) {
  Served slow([](IncomingRequest request, Responder responder) {
    if (request.path == "/large") return responder.send(text(std::string(100'000, 'x')));
    std::thread([responder] {
      std::this_thread::sleep_for(std::chrono::milliseconds(600));
      responder.send(text("late"));
    }).detach();
  });
  Client client;
  const Reply late = send_and_wait(client, {.url = slow.url("/slow"), .timeout = Duration::milliseconds(150)});
  EXPECT_EQ(late.error_code, "RequestTimeout");
  EXPECT_NE(late.error_message.find("did not respond within the timeout limit"), std::string::npos);
  EXPECT_EQ(send_and_wait(client, {.url = slow.url("/large"), .reply_bytes_max = 1000}).error_code, "ResponseTooLarge");
}

TEST(Message, DecodesAndEncodes) {
  EXPECT_EQ(percent_decode("a%20b+c%zz%"), "a b+c%zz%");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_encode("a b/ü~"), "a%20b%2F%C3%BC~");
  EXPECT_FALSE(is_valid_header("X\n", "y"));
  EXPECT_TRUE(is_valid_header("X-Y", "ü\t"));
}

}  // namespace
}  // namespace flowmend::http
