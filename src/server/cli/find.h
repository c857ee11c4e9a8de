#pragma once

#include <iosfwd>
#include <string>

namespace flowmend::server {

struct FindOptions {
  std::string value;  ///< empty = any run
  std::string server = "http://127.0.0.1:8080";
  std::string token;
  std::string flow;
  std::string status;
  std::string code;        ///< of the failed step: `401`, `Unauthorized`
  std::string connection;  ///< name of one that the run's flow uses
  int most = 50;
};

/// `flowmend run find VALUE` and `flowmend run list`: asks a server for runs and prints one a line, newest first: run,
/// status, start, flow, and where the value stands or what happened. Returns 0 when some were found, 1 when none was, 2
/// when the server refused.
int run_find(const FindOptions& options, std::ostream& out, std::ostream& errors);

}  // namespace flowmend::server
