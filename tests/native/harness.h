#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/document.h"
#include "connector/native/native.h"
#include "engine/input.h"
#include "http/client.h"
#include "store/store.h"

// What the suites of native connectors share: real servers, started on free loopback ports with folders of their own
// and ended by their process ids, and a connector that is called as a run calls it.

namespace flowmend::native_tests {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::string& path() const { return path_; }
  std::string write(std::string_view name, std::string_view text) const;  ///< gives the file's path

 private:
  std::string path_;
};

/// A program that runs until the end of this object, in a process group of its own: SIGTERM to it, after five seconds
/// or its end SIGKILL to all that it started. The kernel ends it when the test itself dies.
class Server {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;
  /// `arguments[0]` is the program's path or its name. `environment` is added to the test's own. What it says goes to
  /// `log` in `folder`.
  Server(const TemporaryFolder& folder, std::vector<std::string> arguments, const Environment& environment = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Waits until the port takes connections; false when the program ends first or after so many seconds.
  bool wait_for(int port, int seconds = 30) const;
  std::string log() const;

 private:
  pid_t pid_ = -1;
  std::string log_path_;
};

int free_port();
/// The path of an installed program; empty when it is not there, which fails the test with the package to install.
std::string program(std::string_view name);
/// Runs a program, named as above, to its end; its exit code.
int run(const std::vector<std::string>& arguments);

/// A self-signed certificate, trusted by clients that get `certificate` as their authority. `names` as openssl writes
/// them.
struct Certificate {
  std::string certificate;
  std::string key;
};
Certificate make_certificate(const TemporaryFolder& folder, std::string_view names = "IP:127.0.0.1,DNS:localhost");

json::Value json_of(std::string_view text);

/// One connection of a native connector, called with a step's parameters as a run does.
class Session {
 public:
  Session(connector::NativeConnector& native, std::string_view fields);

  engine::AttemptFinished run(std::string_view operation, std::string_view parameters = "{}");
  engine::AttemptFinished run_with(std::string_view operation, const json::Value& parameters);
  /// A check of a polling trigger: goes on from where the last one left off.
  engine::AttemptFinished check(std::string_view operation, std::string_view parameters = "{}");
  void begin_anew() { state_.clear(); }
  /// The next check goes on from there: an answer that was lost.
  const std::string& state() const { return state_; }
  void go_back_to(std::string state) { state_ = std::move(state); }
  http::Reply verify() const;
  Duration timeout = Duration::seconds(30);
  std::string callback_url;  ///< of a webhook operation

 private:
  engine::AttemptFinished send(std::string_view operation, const json::Value& parameters, bool poll);
  connector::NativeConnector& native_;
  std::shared_ptr<const connector::Connector> connector_;
  json::Value fields_;
  std::string state_;
};

/// `{"error": {"message"}}` of an answer, or its fault's message.
std::string message_of(const engine::AttemptFinished& outcome);
std::string code_of(const engine::AttemptFinished& outcome);

}  // namespace flowmend::native_tests
