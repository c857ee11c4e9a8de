#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "engine/event.h"

namespace flowmend::engine {

// Everything that can reach a run from outside. An input is not journalled; the events it leads to are.

/// Whether a step may wait for its service instead of failing. The runtime's choice, made when the outcome arrives: it
/// knows what the flow's and the connection's owners want.
struct HoldOffer {
  bool authentication = false;  ///< also when the service refuses the credentials: somebody can mend them
  Duration limit;               ///< then the step fails after all
};

/// What came of a Call.
struct AttemptFinished {
  Place place;
  std::uint32_t attempt = 1;
  Timestamp started;
  Timestamp ended;
  std::int32_t status_code = 0;  ///< 0: no response; then `fault` says why
  Value headers;                 ///< of the response, names as received; null when there was none
  Value body;  ///< decoded by engine.md 3.2: JSON parsed, text a string, other {$content-type,$content}
  bool has_body = false;
  /// How the operation of a connector names the parts of a page (x-ms-pageable); empty = the usual names.
  std::string next_link_name;
  std::string items_name;
  Fault fault;         ///< connectivity and decoding failures: UnresolvableHostName, ConnectFailure, RequestTimeout ...
  Value request;       ///< as AttemptEnded's
  std::string target;  ///< whom it was sent to: `api/connection`, or an origin `https://host`; may be empty
  std::optional<HoldOffer> hold;  ///< nothing: a failure is the step's failure
};

struct TimerFired {
  Place place;
  TimerKind kind = TimerKind::wait;
};

/// Ends the wait of a held step: its request is sent again, or it fails as it would have.
struct EndHold {
  Place place;
  std::string by;
  bool send_again = true;
};

/// A service called the address of a webhook action.
struct Notified {
  Place place;
  Value outputs;  ///< {headers, queries?, body?, statusCode}
};

struct CancelRun {
  std::string by;
};

/// The HTTP caller went away or waited past the limit.
struct CallerGone {};

/// More of what is ready: given after a decision said `more`.
struct Continue {};

using Input = std::variant<RunStarted, AttemptFinished, TimerFired, CancelRun, CallerGone, Continue, Notified, EndHold>;

/// Gives the signed addresses behind listCallbackUrl(). Knows the flow's key, which the engine does not.
class CallbackAddresses {
 public:
  virtual ~CallbackAddresses() = default;
  virtual std::string address(Place place) const = 0;
};

/// What a pure engine may not find out by itself: it comes with each input.
struct Facts {
  Timestamp now;
  std::uint64_t seed = 0;  ///< fresh randomness for this input (guid(), rand(), draws); results are journalled
  const CallbackAddresses* callbacks = nullptr;  ///< nothing: there are none (a trial, a test)
};

}  // namespace flowmend::engine
