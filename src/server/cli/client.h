#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "server/cli/api_client.h"

namespace CLI {
class App;
}

namespace flowmend::server {

/// What the commands that speak to a running server are given; each reads what it needs.
struct ClientOptions {
  std::string server = "http://127.0.0.1:8080";  ///< FLOWMEND_SERVER
  std::string token;                             ///< FLOWMEND_TOKEN; made by `flowmend token create`
  std::string id;                                ///< of the run, incident or job; a target
  std::string other;                             ///< a second id, a fingerprint, a person
  bool original = false;                         ///< the run's own version of the flow instead of the latest
  bool keep_done = false;
  std::string from;               ///< step to go on from
  std::string repetition;         ///< item of the loops around `from`
  std::string output;             ///< JSON: the output of the step `from`, which then is not done
  std::string input;              ///< JSON: the inputs of the step `from`
  std::string input_expressions;  ///< JSON: places in them, and the expressions that stand there
  bool skip = false;              ///< the step `from` is not done
  bool with_parent = false;       ///< the run that had called it goes on with what it brings now
  std::string why;
  bool plan_only = false;
  bool no_wait = false;
  std::string state;                     ///< of the incidents to list
  std::string flow;                      ///< id
  std::string status;                    ///< of the runs to repeat
  std::string started_from;              ///< ISO 8601
  std::string started_until;             ///< ISO 8601
  std::string code;                      ///< of the failed step
  std::string connection;                ///< name of one that the flow uses
  std::string value;                     ///< that the run recorded; of an environment variable
  bool value_is_json = false;            ///< not a text
  std::string description;               ///< of an environment variable
  std::string until;                     ///< ISO 8601: the end of a mute
  std::string version;                   ///< in which it is fixed
  int rate = 0;                          ///< runs a second; 0 = the server's choice
  int stop_percent = -1;                 ///< -1 = the server's choice
  bool at_once = false;                  ///< without stages
  std::string on_outage;                 ///< hold, fail, flow
  int limit_minutes = 0;                 ///< 0 = as it is
  int runs_max = 0;                      ///< 0 = as it is
  std::string file;                      ///< a definition to read or write
  std::string trigger;                   ///< name; empty = the flow's only or first one
  std::string body;                      ///< JSON: what a trigger is started with
  std::string incident;                  ///< id
  std::string display_name;              ///< of a flow or person
  bool from_input = false;               ///< read what is secret from standard input
  std::string with;                      ///< the connection that takes another's place
  std::string role;                      ///< of a person
  std::vector<std::string> connections;  ///< KEY=NAME
};

/// Does a command's work: 0, or the exit code. Throws `Stopped`.
using ClientWork = std::function<int(ApiClient& server, const ClientOptions& options, std::ostream& out)>;
using ClientCommand = std::pair<CLI::App*, ClientWork>;

/// The commands about runs, incidents, jobs and holds, over the REST API of a running server
/// (docs/reference/portal-api.md), so they do what the portal does, no more.
class ClientCommands {
 public:
  /// `run`: the group of commands about runs, which others add to as well.
  ClientCommands(CLI::App& app, CLI::App& run);
  ClientCommands(const ClientCommands&) = delete;  // the parser writes into `options_`
  /// Whether one of them was asked for.
  bool chosen() const;
  /// 0; 1 when the server refused or the work failed (the reason and its cure on `problems`); 2 when it can't be asked.
  int run(std::ostream& out, std::ostream& problems) const;

 private:
  const ClientCommand* chosen_command() const;

  ClientOptions options_;
  std::vector<ClientCommand> commands_;
};

/// A group of such commands: `flowmend NAME ...`.
class ClientGroup {
 public:
  ClientGroup(CLI::App& app, const char* name, const char* about, ClientOptions& options,
              std::vector<ClientCommand>& commands);
  /// One of them. `id` names what its argument is, which becomes `ClientOptions::id`; empty = it takes none.
  CLI::App& add(const char* name, const char* about, const char* id, ClientWork work);

 private:
  CLI::App* group_;
  ClientOptions& options_;
  std::vector<ClientCommand>& commands_;
};

/// The status of a run once it is over or waits for its service; asks again until then.
std::string wait_for_end(ApiClient& server, const std::string& run);
/// Waits for the run, prints how it ended; 0 when it went well or waits, else 1.
int tell_end(ApiClient& server, const std::string& run, std::ostream& out);
/// Prints what came of a change for the flows that share what was changed, `{changed, left}`; `does` says what the
/// changed ones do, `none` is for no flow at all. 0 when none was left as it is, else 1.
int tell_changed_flows(const Value& answer, const char* does, const char* none, std::ostream& out);

void add_server_options(CLI::App& command, ClientOptions& options);
/// --original, --keep-done, --plan, --no-wait
void add_repeat_options(CLI::App& command, ClientOptions& options);
/// --from, --repetition, --output, --input, --input-expressions, --skip, --why
void add_correction_options(CLI::App& command, ClientOptions& options);
/// A plan's `wouldSend` on one line.
std::string would_send(const Value& would);
/// The body that says how runs are repeated. Throws `Stopped` for JSON that is none.
Value how_to_repeat(const ClientOptions& options);

}  // namespace flowmend::server
