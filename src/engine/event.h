#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "engine/place.h"
#include "json/value.h"

namespace flowmend::engine {

// The journal's words: everything that can happen in a run. A run is the sequence of its events and nothing else;
// recovery, history, resubmit and trials read them. A released event is never re-interpreted: to change its meaning,
// add a version (journal.h says how events are written).

/// What a failed or skipped action or run says: `{code, message}`. Empty code = no error.
struct Fault {
  std::string code;
  std::string message;
  Value details;  ///< structured reason for explanations (an expression's culprit ...); null when there is none
};

struct RunStarted {
  std::string run;      ///< its name (ids.h)
  std::string flow;     ///< GUID
  std::string version;  ///< version of the flow that this run is pinned to
  Timestamp time;
  Value trigger;  ///< {name, inputs?, outputs, startTime, endTime, scheduledTime?, originHistoryName, status, code,
                  ///< trackingId}
  std::string client_tracking_id;
  std::string resubmit_of;    ///< the run that this one repeats; empty for a first one
  std::string origin;         ///< the first run of the chain of repetitions; empty for a first one
  std::string started_by;     ///< user or token that asked; empty for a trigger
  bool caller_waits = false;  ///< an HTTP caller waits for a Response
  std::uint64_t seed = 0;     ///< of tracking ids and draws
};

/// An action that takes time or holds others began: inputs as recorded (evaluated, secrets shown as `*sanitized*`).
struct ActionStarted {
  Place place;
  Timestamp time;
  Value inputs;
  bool has_inputs = false;
  Value sealed;  ///< what `inputs` masks and a repeated request needs (evaluated authentication); encrypted in the
                 ///< journal
};

/// An attempt of a request ended. The last attempt is followed by ActionEnded, the others by a wait.
struct AttemptEnded {
  Place place;
  std::uint32_t attempt = 1;  ///< from 1
  Timestamp started;
  Timestamp ended;
  std::int32_t status_code = 0;  ///< 0: no response
  Fault fault;                   ///< when there was no usable response
  Value request;                 ///< {method, uri, headers} as sent, secrets masked; of a call of a flow {childRun}
  Value response;                ///< {headers, body} of an attempt that is not the last; null otherwise
  double draw = 0;               ///< in [0,1), of the wait
  Timestamp retry_at;            ///< when the next attempt is due; not set when there is none
};

/// An action ended. When it never got an ActionStarted (data steps, skips), `started` and `inputs` say what it would.
struct ActionEnded {
  Place place;
  Status status = Status::succeeded;
  std::string code;  ///< record code: OK, NotSpecified, ActionSkipped, BadRequest, NotFound ...
  Fault fault;       ///< record error
  Timestamp started;
  Timestamp ended;
  Value inputs;
  bool has_inputs = false;
  Value outputs;
  bool has_outputs = false;
  Value tracked_properties;
};

/// A variable got a value (by the action that ends next).
struct VariableSet {
  std::uint32_t variable = 0;
  Value value;
};

/// A variable grew at its end: an element of an array, or text. Its own event, because writing the whole value each
/// time would make a loop that collects n items cost n * n.
struct VariableAppended {
  std::uint32_t variable = 0;
  Value value;
};

/// An iteration of a loop began; it becomes the frame with the next number.
struct IterationStarted {
  Place loop;
  std::uint32_t index = 0;
  Timestamp time;
};

struct IterationEnded {
  FrameId frame = 0;
  Status status = Status::succeeded;
  std::string code;
  Fault fault;
  Timestamp time;
};

/// A timer of this action is wanted (a Wait, a retry, a timeout); purpose in TimerKind.
enum class TimerKind : std::uint8_t { wait, retry, timeout, response, run_duration, poll, hold };
struct TimerSet {
  Place place;
  TimerKind kind = TimerKind::wait;
  Timestamp due;
};
struct TimerEnded {  ///< fired or no longer wanted
  Place place;
  TimerKind kind = TimerKind::wait;
};

/// The waiting caller got its answer, or will never get one (`status_code` 504: it gave up).
struct Responded {
  std::int32_t status_code = 0;
};

struct CancelRequested {
  std::string by;
  Timestamp time;
};

struct RunEnded {
  Status status = Status::succeeded;
  std::string code;
  Fault fault;
  Timestamp time;
  Value outputs;
  Place culprit;  ///< the innermost failed action (engine.md 5.5); action == no_action when nothing failed
};

/// An input that no longer fitted (a reply for an attempt that was given up, a timer that was ended): said, not
/// dropped.
struct InputIgnored {
  std::string what;
  Timestamp time;
};

/// The run's own record broke an invariant: it stops here with a report; its shard goes on.
struct RunQuarantined {
  std::string report;
  Timestamp time;
};

/// A request failed for good because its service refuses the connection or does not work, and the step waits for it
/// instead of failing. Says what the step's end will say when the wait is given up.
struct ActionHeld {
  Place place;
  Timestamp time;
  std::string target;  ///< what is waited for (AttemptFinished::target)
  std::string cause;   ///< `Unauthorized`, or `ServiceUnavailable`
  std::string code;    ///< record code
  Fault fault;
  Value outputs;
  bool has_outputs = false;
};

/// The wait of ActionHeld is over: the request is sent again, or the step ends as ActionHeld says.
struct HoldEnded {
  Place place;
  Timestamp time;
  std::string by;  ///< user, `probe`, or `limit`
  bool sent_again = true;
};

using Event = std::variant<RunStarted, ActionStarted, AttemptEnded, ActionEnded, VariableSet, IterationStarted,
                           IterationEnded, TimerSet, TimerEnded, Responded, CancelRequested, RunEnded, InputIgnored,
                           RunQuarantined, VariableAppended, ActionHeld, HoldEnded>;
using Events = std::vector<Event>;

}  // namespace flowmend::engine
