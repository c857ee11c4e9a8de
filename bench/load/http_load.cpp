// http_load URL CONNECTIONS SECONDS BODY_FILE [RATE]: drives one address over keep-alive connections with POST requests
// and prints one JSON line. Each connection sends its next request when the answer to the last one is there (a closed
// loop); with a RATE (requests/s) requests are due at even times, go out on a connection that is free, and their time
// counts from when they were due, so a server that stalls can't hide it.
//   {"connections","seconds","requests","rate","p50_ms","p99_ms","max_ms","errors","statuses":{"200":n}}
//
// One thread on epoll, no library: the same small client measures every server here, so that ratios are about servers.

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Target {
  std::string host;
  std::string port;
  std::string path;
};

Target parse_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (url.substr(0, scheme.size()) != scheme) {
    std::fprintf(stderr, "http_load: the address must begin with http://\n");
    std::exit(2);
  }
  url.remove_prefix(scheme.size());
  const auto slash = url.find('/');
  const auto authority = url.substr(0, slash);
  const auto colon = authority.rfind(':');
  Target target;
  target.host = std::string(authority.substr(0, colon));
  target.port = colon == std::string_view::npos ? "80" : std::string(authority.substr(colon + 1));
  target.path = slash == std::string_view::npos ? "/" : std::string(url.substr(slash));
  return target;
}

/// Reads one HTTP/1.1 answer after the other from a stream of bytes.
class AnswerReader {
 public:
  /// The status of a complete answer, 0 when more bytes are needed, -1 when the answer can't be understood.
  int feed(const char* data, std::size_t size) {
    buffer_.append(data, size);
    const auto head_end = buffer_.find("\r\n\r\n");
    if (head_end == std::string::npos) return buffer_.size() > 65536 ? -1 : 0;
    std::string head = buffer_.substr(0, head_end);
    std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
    int status = 0;
    if (head.size() < 12 || std::from_chars(head.data() + 9, head.data() + 12, status).ec != std::errc()) return -1;
    std::size_t length = 0;
    const auto field = head.find("\r\ncontent-length:");
    if (field != std::string::npos) {
      length = std::strtoul(head.c_str() + field + 17, nullptr, 10);
    } else if (head.find("\r\ntransfer-encoding:") != std::string::npos) {
      const auto end = buffer_.find("0\r\n\r\n", head_end);
      if (end == std::string::npos) return 0;
      buffer_.clear();
      return status;
    }
    if (buffer_.size() < head_end + 4 + length) return 0;
    buffer_.erase(0, head_end + 4 + length);
    return status;
  }

 private:
  std::string buffer_;
};

struct Connection {
  int socket = -1;
  std::size_t sent = 0;
  Clock::time_point started;
  bool waits = false;  ///< for an answer
  AnswerReader reader;
};

int open_connection(const Target& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found) != 0) return -1;
  const int fd = socket(found->ai_family, SOCK_STREAM, 0);
  const int connected = connect(fd, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  if (connected != 0) {
    close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) {
    std::fprintf(stderr, "usage: http_load URL CONNECTIONS SECONDS BODY_FILE [RATE]\n");
    return 2;
  }
  const Target target = parse_url(argv[1]);
  const int count = std::clamp(std::atoi(argv[2]), 1, 4096);
  const double seconds = std::clamp(std::atof(argv[3]), 0.1, 600.0);
  const double rate = argc == 6 ? std::clamp(std::atof(argv[5]), 1.0, 1e6) : 0;
  std::ifstream file(argv[4], std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "http_load: cannot read %s\n", argv[4]);
    return 2;
  }
  std::stringstream body;
  body << file.rdbuf();
  const std::string request =
      "POST " + target.path + " HTTP/1.1\r\nHost: " + target.host + ":" + target.port +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.str().size()) + "\r\n\r\n" +
      body.str();

  const int poll = epoll_create1(0);
  std::vector<Connection> connections(static_cast<std::size_t>(count));
  std::vector<float> latencies_ms;
  latencies_ms.reserve(1 << 20);
  std::map<int, long> statuses;
  long errors = 0;

  auto send_request = [&](Connection& connection, Clock::time_point due) {
    connection.started = due;
    connection.waits = true;
    std::size_t sent = 0;
    while (sent < request.size()) {
      const auto wrote = write(connection.socket, request.data() + sent, request.size() - sent);
      if (wrote <= 0) return false;
      sent += static_cast<std::size_t>(wrote);
    }
    return true;
  };

  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].socket = open_connection(target);
    if (connections[i].socket < 0) {
      std::fprintf(stderr, "http_load: cannot connect to %s:%s\n", target.host.c_str(), target.port.c_str());
      return 1;
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].socket, &event);
  }

  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const auto between =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(rate > 0 ? 1 / rate : 0));
  auto next_due = begin;
  std::size_t open_count = connections.size();
  auto drop = [&](Connection& connection) {
    close(connection.socket);
    connection.socket = -1;
    connection.waits = false;
    --open_count;
  };
  /// Sends what is due on the connections that are free.
  auto send_due = [&](Clock::time_point now) {
    for (Connection& connection : connections) {
      if (now >= end || (rate > 0 && next_due > now)) return;
      if (connection.socket < 0 || connection.waits) continue;
      if (!send_request(connection, rate > 0 ? next_due : now)) {
        ++errors;
        drop(connection);
      }
      next_due += between;
    }
  };

  std::vector<epoll_event> events(256);
  std::vector<char> buffer(1 << 16);
  const auto any_waits = [&] {
    return std::any_of(connections.begin(), connections.end(), [](const Connection& one) { return one.waits; });
  };
  while (open_count > 0) {
    const auto now = Clock::now();
    send_due(now);
    if (now >= end && !any_waits()) break;
    const bool paced = rate > 0 && now < end;
    const auto rest =
        paced ? std::max(std::min(next_due, end) - now, Clock::duration::zero()) : std::chrono::seconds(5);
    // A request that is late waits for a free connection, not for its time.
    const auto pause = paced && next_due <= now ? std::chrono::seconds(5) : std::chrono::nanoseconds(rest);
    timespec wait{static_cast<time_t>(pause.count() / 1'000'000'000), static_cast<long>(pause.count() % 1'000'000'000)};
    const int ready = epoll_pwait2(poll, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    if (ready <= 0 && !(paced && next_due > now)) {
      errors += static_cast<long>(open_count);
      break;
    }
    for (int i = 0; i < ready; ++i) {
      Connection& connection = connections[events[static_cast<std::size_t>(i)].data.u64];
      if (connection.socket < 0) continue;
      const auto got = read(connection.socket, buffer.data(), buffer.size());
      const int status = got > 0 ? connection.reader.feed(buffer.data(), static_cast<std::size_t>(got)) : -1;
      if (status == 0) continue;
      if (status < 0) {
        ++errors;
        drop(connection);
        continue;
      }
      connection.waits = false;
      const auto answered = Clock::now();
      ++statuses[status];
      latencies_ms.push_back(std::chrono::duration<float, std::milli>(answered - connection.started).count());
      if (rate == 0 && answered < end && !send_request(connection, answered)) {
        ++errors;
        drop(connection);
      }
    }
  }
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(latencies_ms.begin(), latencies_ms.end());
  auto percentile = [&](double share) {
    if (latencies_ms.empty()) return 0.0F;
    return latencies_ms[std::min(latencies_ms.size() - 1,
                                 static_cast<std::size_t>(share * static_cast<double>(latencies_ms.size())))];
  };
  std::printf(
      "{\"connections\":%d,\"seconds\":%.2f,\"requests\":%zu,\"rate\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%"
      ".3f,\"errors\":%ld,\"statuses\":{",
      count, elapsed, latencies_ms.size(), static_cast<double>(latencies_ms.size()) / elapsed,
      static_cast<double>(percentile(0.5)), static_cast<double>(percentile(0.99)),
      static_cast<double>(latencies_ms.empty() ? 0.0F : latencies_ms.back()), errors);
  bool first = true;
  for (const auto& [status, n] : statuses) {
    std::printf("%s\"%d\":%ld", first ? "" : ",", status, n);
    first = false;
  }
  std::printf("}}\n");
  return errors == 0 ? 0 : 1;
}
