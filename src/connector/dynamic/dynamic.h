#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "connector/connections.h"
#include "connector/dynamic/reply.h"
#include "connector/dynamic/source.h"
#include "runtime/effects.h"

namespace flowmend::connector {

/// What somebody who writes a flow wants to know about one parameter of a step.
struct DynamicQuestion {
  ConnectionKey connection;  ///< through which the service is asked
  std::string operation;     ///< id of the step's operation
  std::string parameter;     ///< in the flat map: `table`, `item/Status`; empty = the shape of the reply
  Value parameters;          ///< the step's flat map as far as it is filled; null = nothing yet
  Value selected;            ///< of a tree: the node (`TreeNode::item`) to open; null = the roots
  bool refresh = false;      ///< ask the service, whatever is remembered
};

template <class T>
struct DynamicList {
  std::vector<T> items;
  bool more = false;  ///< the service has more than `DynamicLimits::items_max`
  Timestamp asked;    ///< when the service answered: older than now when it is remembered
};

struct DynamicShape {
  Value schema;  ///< JSON schema with the x-ms extensions
  Timestamp asked;
};

struct DynamicLimits {
  Duration age = Duration::seconds(60);      ///< how long an answer is remembered
  std::size_t answers_max = 200;             ///< remembered; the least used goes first
  std::size_t bytes_max = 16u << 20;         ///< of all answers that are remembered, and of one, as JSON text
  std::size_t items_max = 1'000;             ///< of one list, over all its pages
  std::size_t pages_max = 20;                ///< of one list
  std::size_t asking_max = 2;                ///< questions under way at a time
  Duration timeout = Duration::seconds(20);  ///< of one request; no page is begun after it
};

/// Asks services for the choices and shapes that their connectors' documents name. Requests go the way of a run's
/// requests: credentials, policies, renewal of tokens, and what a refusal does to the connection. Answers are
/// remembered for a short time, by connection (and its credentials), operation and arguments; failures are not.
///
/// Errors of all questions: `ApiConnectionNotFound`, `ApiNotFound`, `WorkflowOperationInputsApiOperationNotFound`,
/// `DynamicContentNotFound` (the parameter names no source), `DynamicContentUnsupported` (a form that no service
/// answers), `DynamicParameterMissing` (another parameter comes first; `where` is its pointer), `DynamicCallFailed`
/// (with the operation and the service's own message), `DynamicReplyUnexpected`, `TooManyRequests`,
/// `ServerStopping`.
///
/// Threads: any. Questions block until the service answered or the time is up: never on a shard's or the client's
/// thread. `effects` and `connections` must outlive it, and no question may be under way at its end.
class DynamicContent {
 public:
  using Clock = Timestamp (*)();

  /// `effects` must be its own: it names calls without regard to runs.
  DynamicContent(runtime::Effects& effects, const Connections& connections, DynamicLimits limits = {},
                 Clock clock = now_from_system_clock);

  Result<DynamicList<Choice>> values(const DynamicQuestion& question);
  Result<DynamicList<TreeNode>> tree(const DynamicQuestion& question);
  Result<DynamicShape> shape(const DynamicQuestion& question);

  /// Gives up on what is under way; questions from now on are answered with `ServerStopping`.
  void stop();

  /// What has a source among a step's parameters, also inside of shapes that are remembered. Asks nobody.
  Result<std::vector<DynamicParameter>> parameters(const DynamicQuestion& question);

  /// The shape of a body parameter as it is remembered; nothing when it is not, or when two connections remember
  /// different ones. Asks nobody: for the flow checker.
  std::optional<Value> remembered_shape(const Connector& connector, const Operation& operation,
                                        const DynamicSource& source, const Value& parameters);

 private:
  struct Target {
    std::shared_ptr<const Connector> connector;
    const Operation* operation = nullptr;
    std::uint64_t generation = 0;
    std::vector<std::string> secrets;
  };
  struct Answer {
    Value value;  ///< items of a list as an array, or a reply as it came
    bool more = false;
    Timestamp asked;
    std::size_t bytes = 0;
    std::list<std::string>::iterator use;
  };

  Result<Target> target_of(const DynamicQuestion& question) const;
  Result<DynamicSource> source_of(const DynamicQuestion& question, const Target& target);
  Result<Answer> ask(const DynamicQuestion& question, const Target& target, const DynamicCall& call, bool list);
  Result<Value> send(const DynamicQuestion& question, const Target& target, const Operation& operation,
                     const Value& arguments, const std::string& link, std::string& next);
  std::optional<Answer> remembered(const std::string& key);
  void remember(const std::string& key, Answer answer);

  runtime::Effects& effects_;
  const Connections& connections_;
  const DynamicLimits limits_;
  const Clock clock_;
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::list<std::string> uses_;  ///< keys of `answers_`, the latest used first
  std::size_t bytes_ = 0;
  std::size_t asking_ = 0;
  std::int64_t last_call_ = 0;
  std::set<std::int64_t> calls_;  ///< under way
  bool stopping_ = false;
};

}  // namespace flowmend::connector
