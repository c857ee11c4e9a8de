#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace flowmend::server {

/// What the commands that speak to a running server are given.
struct ClientOptions {
  std::string server = "http://127.0.0.1:8080";  ///< FLOWMEND_SERVER
  std::string token;                             ///< FLOWMEND_TOKEN; made by `flowmend token create`
  std::string id;                                ///< of the run or incident
  bool original = false;                         ///< the run's own version of the flow instead of the latest
  bool keep_done = false;
  std::string from;        ///< step to go on from
  std::string repetition;  ///< item of the loops around `from`
  std::string output;      ///< JSON: the output of the step `from`, which then is not done
  bool skip = false;       ///< the step `from` is not done
  std::string why;
  bool plan_only = false;
  bool no_wait = false;
};

/// `flowmend run show|resubmit|cancel RUN`, `flowmend incident list|resubmit ID`: over the REST API of a running
/// server (docs/reference/portal-api.md), so they do what the portal does, no more.
class ClientCommands {
 public:
  /// `run`: the group of commands about runs, which others add to as well.
  ClientCommands(CLI::App& app, CLI::App& run);
  /// Whether one of them was asked for.
  bool chosen() const;
  /// 0; 1 when the server refused or the work failed (the reason and its cure on `problems`); 2 when it can't be asked.
  int run(std::ostream& out, std::ostream& problems) const;

 private:
  ClientOptions options_;
  CLI::App* show_ = nullptr;
  CLI::App* resubmit_ = nullptr;
  CLI::App* cancel_ = nullptr;
  CLI::App* incident_ = nullptr;
};

}  // namespace flowmend::server
