#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
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

/// A program that runs until the end of this object: SIGTERM, then SIGKILL after five seconds.
class Server {
 public:
  /// `arguments[0]` is the program's path. What it says goes to `log` in `folder`.
  Server(const TemporaryFolder& folder, std::vector<std::string> arguments);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Waits until the port takes connections; false when the program ends first or after 30 s.
  bool wait_for(int port) const;
  std::string log() const;

 private:
  pid_t pid_ = -1;
  std::string log_path_;
};

int free_port();
/// The path of an installed program; empty when it is not there.
std::string program(std::string_view name);
/// Runs a program to its end; its exit code.
int run(const std::vector<std::string>& arguments);

/// A self-signed certificate for 127.0.0.1 and localhost, trusted by clients that get `certificate` as their authority.
struct Certificate {
  std::string certificate;
  std::string key;
};
Certificate make_certificate(const TemporaryFolder& folder);

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
  http::Reply verify() const;
  Duration timeout = Duration::seconds(30);

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
