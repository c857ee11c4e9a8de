#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace flowmend::server {

/// What `flowmend serve` is started with.
struct ServeOptions {
  std::string data_folder = "data";
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string public_url;       ///< how callers reach the server when a proxy stands before it; empty = as they say
  std::int64_t keep_days = 30;  ///< of runs that are over, from their start (engine.md 8); 0 = for ever
  unsigned threads = 1;         ///< of the listener
  std::size_t body_bytes_max = 104'857'600;
  std::vector<std::string> refuse_addresses;  ///< http::OutgoingPolicy::refuse
  std::vector<std::string> allow_addresses;   ///< http::OutgoingPolicy::allow
  std::string proxy;                          ///< http::ProxyOptions::url
  std::string no_proxy;                       ///< http::ProxyOptions::except
  std::vector<std::string> file_roots;        ///< folders that the local file connector may touch; empty = none
  std::vector<std::string> limits;            ///< `NAME=VALUE`, see limits.h
  bool allow_core_dumps = false;              ///< else a crash leaves no file with secrets in it
  bool accept_new_master_key = false;         ///< give up what was sealed under a key that is lost
  bool demo = false;
  std::uint16_t demo_port = 8081;
};

inline constexpr const char* version = "0.1.0";

/// Wires everything and runs until SIGTERM or SIGINT. Says on standard output where it listens, and the one-time
/// sign-in while there is no account. Returns the exit code; what stopped it from starting is said on standard error
/// with the cure.
int serve(const ServeOptions& options);

/// `flowmend demo`: the demo's services alone.
int serve_demo(std::uint16_t port);

}  // namespace flowmend::server
