#pragma once

#include <iosfwd>
#include <string>

namespace flowmend::server {

struct FindOptions {
  std::string value;
  std::string server = "http://127.0.0.1:8080";
  std::string token;
  std::string flow;
  std::string status;
  int most = 50;
};

/// `flowmend run find VALUE`: asks a server for the runs that recorded a value and prints one a line: run, status,
/// start, flow, and where the value stands. Returns 0 when some were found, 1 when none was, 2 when the server refused.
int run_find(const FindOptions& options, std::ostream& out, std::ostream& errors);

}  // namespace flowmend::server
