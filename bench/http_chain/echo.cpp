#include "http_chain/echo.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unordered_map>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace flowmend::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void watch(int epoll, int socket) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = socket;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
}

std::string answer_to(std::string_view request) {
  const auto begin = request.find(' ') + 1;
  const std::string body =
      "{\"target\":\"" + std::string(request.substr(begin, request.find(' ', begin) - begin)) + "\"}";
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

Echo::Echo() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the sockets API's own way
  if (bind(listener_, plain, size) != 0 || listen(listener_, 1024) != 0 || getsockname(listener_, plain, &size) != 0)
    fail("listen");
  port_ = ntohs(address.sin_port);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) fail("epoll_create1");
  watch(epoll_, listener_);
  thread_ = std::thread([this] { run(); });
}

Echo::~Echo() {
  stopping_ = true;
  thread_.join();
  close(epoll_);
  close(listener_);
}

void Echo::run() {
  std::unordered_map<int, std::string> received;
  std::array<epoll_event, 256> events{};
  std::array<char, 16'384> buffer{};
  while (!stopping_) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener_) {
        const int caller = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (caller < 0) continue;
        const int on = 1;
        setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(epoll_, caller);
        continue;
      }
      const ssize_t size = read(socket, buffer.data(), buffer.size());
      if (size <= 0) {
        received.erase(socket);
        close(socket);
        continue;
      }
      std::string& text = received[socket];
      text.append(buffer.data(), static_cast<std::size_t>(size));
      for (auto end = text.find("\r\n\r\n"); end != std::string::npos; end = text.find("\r\n\r\n")) {
        const std::string answer = answer_to(text);
        // An answer is small: it fits the socket's buffer whole.
        if (write(socket, answer.data(), answer.size()) != static_cast<ssize_t>(answer.size())) fail("write");
        text.erase(0, end + 4);
        answered_.fetch_add(1, std::memory_order_relaxed);
      }
    }
  }
  for (const auto& [socket, text] : received) close(socket);
}

}  // namespace flowmend::bench
