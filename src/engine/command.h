#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "engine/event.h"
#include "json/value.h"

namespace flowmend::engine {

// Everything that a run may ask of the world. Commands are carried out once the events of the same decision are
// durable, never before, and not at all in a replay or a trial.

/// Send a request. Its outcome comes back as AttemptFinished with the same place and attempt.
struct Call {
  enum class Kind : std::uint8_t {
    http,
    connector,
    workflow,  ///< another flow of this server; the runtime carries it out itself
    sandbox,   ///< a program that the inputs hold; `job` says of which kind
    batch,     ///< a message for another flow's batch; the runtime carries it out itself
  };
  Place place;
  std::uint32_t attempt = 1;
  Kind kind = Kind::http;
  Value inputs;  ///< evaluated. http: {method, uri, headers?, queries?, body?, cookie?}; connector: {host, parameters |
                 ///< method, path ...}; workflow: {host, headers?, body?}
  std::string job;              ///< sandbox: `script`, `xslt`, `xmlValidation`
  Value sealed;                 ///< http: the evaluated authentication; never logged or recorded in clear
  std::string idempotency_key;  ///< of (run, action path, repetition): the same over retries, resumes and crashes
  Duration timeout;             ///< for this attempt
  bool workflow_headers = true;
  bool keep_compressed = false;            ///< hand a compressed reply on as it came
  bool chunked = false;                    ///< send and receive in parts (engine.md 3.10)
  std::uint32_t upload_chunk_bytes = 0;    ///< 0 = what the service asks for, or the sender's default
  std::uint32_t download_chunk_bytes = 0;  ///< 0 = the service decides
  bool get_poll = false;  ///< ask `poll_uri` with the same authentication instead (the asynchronous pattern, a poll)
  std::string poll_uri;
  std::string poll_method = "GET";
  std::string callback_url;  ///< connector: where the service sends its notifications, when the operation wants to know
  std::string tracking_id;   ///< x-ms-action-tracking-id
};

struct CancelCall {
  Place place;
  std::uint32_t attempt = 1;
};

/// Give TimerFired at `due`, not earlier. Replaces a timer of the same place and kind.
struct SetTimer {
  Place place;
  TimerKind kind = TimerKind::wait;
  Timestamp due;
};
struct CancelTimer {
  Place place;
  TimerKind kind = TimerKind::wait;
};

/// Answer the HTTP caller that waits.
struct Respond {
  std::int32_t status_code = 200;
  Value headers;
  Value body;
  bool has_body = false;
};

using Command = std::variant<Call, CancelCall, SetTimer, CancelTimer, Respond>;
using Commands = std::vector<Command>;

}  // namespace flowmend::engine
