#pragma once

#include <iosfwd>
#include <string>

namespace flowmend::server {

struct CapsuleOptions {
  std::string run;
  std::string file;
  std::string server = "http://127.0.0.1:8080";
  std::string token;
};

/// `flowmend capsule export RUN`: asks a server for a failed run's capsule and writes it, readable, to the file or to
/// `out`. Returns 0, or 2 when the server refused or the file can't be written.
int export_capsule(const CapsuleOptions& options, std::ostream& out, std::ostream& errors);

/// `flowmend capsule open FILE`: replays a capsule without any effect outside and says how it ended. Returns 0 when the
/// same step failed with the same code, 1 when not, 2 when the file is no capsule.
int open_capsule(const std::string& file, std::ostream& out, std::ostream& errors);

}  // namespace flowmend::server
