#include "http/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <mutex>
#include <thread>

#include "http/client.h"

namespace flowmend::http {
namespace {

/// Takes one connection after the other, keeps the head of each request and gives the same answer to all.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> heads() {
    const std::lock_guard hold(mutex_);
    return heads_;
  }

 private:
  void serve() {
    for (int one = 0; (one = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(one)) {
      std::string head;
      char part[4096];
      while (head.find("\r\n\r\n") == std::string::npos) {
        const auto got = ::recv(one, part, sizeof part, 0);
        if (got <= 0) break;
        head.append(part, static_cast<std::size_t>(got));
      }
      {
        const std::lock_guard hold(mutex_);
        heads_.push_back(head);
      }
      static_cast<void>(::send(one, answer_.data(), answer_.size(), MSG_NOSIGNAL));
    }
  }
  std::string answer_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> heads_;
  std::thread thread_;
};

constexpr const char* fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

Reply ask(const ClientOptions& options, const std::string& url) {
  Client client(options);
  Request request;
  request.url = url;
  request.headers = {{"Authorization", "Bearer of the service"}};
  return send_and_wait(client, std::move(request));
}

TEST(Proxy, GetsTheWholeAddressAndItsOwnCredentials) {
  OneAnswer proxy(fine);
  ClientOptions options;
  options.proxy.url = "http://user:word@" + proxy.address();
  const Reply reply = ask(options, "http://service.example/orders?open=1");
  EXPECT_EQ(reply.status, 200) << reply.error_message;
  EXPECT_EQ(reply.body, "ok");
  ASSERT_EQ(proxy.heads().size(), 1U);
  EXPECT_THAT(proxy.heads()[0], testing::StartsWith("GET http://service.example/orders?open=1 HTTP/1.1\r\n"));
  EXPECT_THAT(proxy.heads()[0], testing::HasSubstr("Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n"));
}

TEST(Proxy, IsLeftOutForTheExceptions) {
  OneAnswer proxy(fine);
  OneAnswer service(fine);
  ClientOptions options;
  options.proxy.url = "http://" + proxy.address();
  options.proxy.except = "intern.example,127.0.0.1";
  EXPECT_EQ(ask(options, "http://" + service.address() + "/x").status, 200);
  EXPECT_EQ(proxy.heads().size(), 0U);
  ASSERT_EQ(service.heads().size(), 1U);
  EXPECT_THAT(service.heads()[0], testing::StartsWith("GET /x HTTP/1.1\r\n"));
}

TEST(Proxy, IsNeverTakenFromTheEnvironment) {
  OneAnswer proxy(fine);
  OneAnswer service(fine);
  ASSERT_EQ(::setenv("http_proxy", ("http://" + proxy.address()).c_str(), 1), 0);
  EXPECT_EQ(ask({}, "http://" + service.address() + "/x").status, 200);
  ::unsetenv("http_proxy");
  EXPECT_EQ(proxy.heads().size(), 0U);
  EXPECT_EQ(service.heads().size(), 1U);
}

TEST(Proxy, IsNoWayAroundThePolicy) {
  OneAnswer proxy(fine);
  ClientOptions options;
  options.proxy.url = "http://" + proxy.address();
  ASSERT_TRUE(options.policy.refuse("loopback"));
  ASSERT_TRUE(options.policy.refuse("private"));
  for (const char* url :
       {"http://169.254.169.254/latest/meta-data/", "http://2852039166/", "http://0xa9.254.169.254/", "http://127.1/",
        "http://localhost/", "http://a.localhost./", "http://[::1]/", "http://[::ffff:10.1.2.3]/", "http://10.1.2.3./",
        "http://0251.0376.0251.0376/", "http://%31%36%39.254.169.254/",
        "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "https://192.168.1.1/", "http://[fe80::1%25lo]/"}) {
    const Reply reply = ask(options, url);
    EXPECT_EQ(reply.error_code, "AddressNotAllowed") << url << " " << reply.status << reply.error_message;
  }
  EXPECT_EQ(proxy.heads().size(), 0U);
  // The proxy itself stands at a refused address: it is the way, not the aim.
  EXPECT_EQ(ask(options, "http://service.example/").status, 200);
  // An exception is asked directly, and judged as ever.
  options.proxy.except = "*";
  EXPECT_EQ(ask(options, "http://127.0.0.1:1/").error_code, "AddressNotAllowed");
}

TEST(Proxy, ThatRefusesATunnelIsNamed) {
  OneAnswer proxy("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  ClientOptions options;
  options.proxy.url = "http://user:word@" + proxy.address();
  const Reply reply = ask(options, "https://service.example/orders");
  EXPECT_EQ(reply.error_code, "ConnectFailure");
  EXPECT_EQ(reply.error_message, "The proxy refused the way to 'service.example': it answered with status 407.");
  ASSERT_GE(proxy.heads().size(), 1U);
  EXPECT_THAT(proxy.heads()[0], testing::StartsWith("CONNECT service.example:443 HTTP/1.1\r\n"));
  EXPECT_THAT(proxy.heads()[0], testing::Not(testing::HasSubstr("Bearer of the service")));
}

TEST(Proxy, ThatIsDownIsNamed) {
  ClientOptions options;
  options.proxy.url = "http://user:word@127.0.0.1:1";
  const Reply reply = ask(options, "http://service.example/");
  EXPECT_EQ(reply.error_code, "ConnectFailure");
  EXPECT_THAT(reply.error_message, testing::HasSubstr("proxy"));
  EXPECT_THAT(reply.error_message, testing::Not(testing::HasSubstr("word")));
}

TEST(Proxy, AddressesAreChecked) {
  for (const char* url : {"", "http://proxy:3128", "https://user:word@proxy.example:443", "socks5h://[::1]:1080"})
    EXPECT_TRUE(check_proxy({url, {}})) << url;
  for (const char* url : {"proxy", "http://", "ftp://proxy:21", "http://user:word@proxy", ":3128", "http://a b:1"}) {
    const auto checked = check_proxy({url, {}});
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().code, "InvalidProxy");
    EXPECT_THAT(checked.error().message, testing::Not(testing::HasSubstr("word")));
  }
}

}  // namespace
}  // namespace flowmend::http
