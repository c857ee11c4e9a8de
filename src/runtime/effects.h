#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "definition/flow.h"
#include "engine/command.h"
#include "engine/input.h"

namespace flowmend::runtime {

/// What a request is sent on behalf of: enough for the workflow headers (rest-api.md 5.2), for choosing the connection
/// and for logs. Shared by all calls of a run.
struct CallContext {
  std::shared_ptr<const definition::Flow> flow;
  std::string run;  ///< its name
  std::string client_tracking_id;
  std::string action;              ///< the action's name
  std::string repeat_scope;        ///< the innermost loop's name; empty outside loops
  std::int64_t repeat_index = -1;  ///< the iteration's index there
};

/// How one call is named between runtime and effects: a run's number and the place and attempt in it.
struct CallId {
  std::int64_t run = 0;
  engine::Place place;
  std::uint32_t attempt = 1;
  friend bool operator==(const CallId&, const CallId&) = default;
};

/// The outside world: sends requests (http, connector). The runtime calls it only after the events that a request rests
/// on are durable. Implemented outside of this room and handed in by `main`.
///
/// Threads: called from any shard's thread; never blocks. `done` is called exactly once per `send`, from any thread but
/// never from inside `send` or `cancel`, also when the request could not be sent at all (then with a Fault).
class Effects {
 public:
  virtual ~Effects() = default;

  /// Sends `call`. `done` gets an outcome with the call's place and attempt; `started`/`ended` are set by the sender.
  /// Must end by `call.timeout` with fault code `RequestTimeout`. After a crash the same call comes again, with the
  /// same idempotency key.
  virtual void send(const CallId& id, const engine::Call& call, const CallContext& context,
                    std::function<void(engine::AttemptFinished)> done) = 0;

  /// Gives up on a call: the connection is closed when that can be done. `done` of that call is still called (its
  /// outcome is ignored). An unknown id is no error.
  virtual void cancel(const CallId& id) = 0;
};

}  // namespace flowmend::runtime
