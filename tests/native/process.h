#pragma once

#include <string>
#include <utility>
#include <vector>

namespace flowmend::testing {

/// A folder below the system's temporary one, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A server that a test starts, in a process group of its own; ended with all that it started when the object goes, and
/// by the kernel when the test itself dies.
class Process {
 public:
  Process() = default;
  ~Process() { stop(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Output goes to `log` when it is given, else nowhere.
  void start(const std::vector<std::string>& command,
             const std::vector<std::pair<std::string, std::string>>& environment = {}, const std::string& log = {});
  void stop();
  bool running();

 private:
  int pid_ = 0;
};

/// A TCP port of 127.0.0.1 that nobody listens on just now.
int free_port();
/// True when something listens there within that time.
bool wait_for_port(int port, int milliseconds);
/// The exit code; -1 when it could not be started.
int run_and_wait(const std::vector<std::string>& command);

}  // namespace flowmend::testing
