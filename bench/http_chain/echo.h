#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace flowmend::bench {

/// Answers every GET on a free loopback port with 200 and its target as JSON, over connections that stay open: as
/// little of a service as there can be, so that what is measured is the caller. One thread, epoll.
class Echo {
 public:
  Echo();
  ~Echo();
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint64_t answered() const { return answered_.load(); }

 private:
  void run();

  int listener_ = -1;
  int epoll_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace flowmend::bench
