#pragma once

#include <memory>
#include <optional>
#include <string>

#include "connector/chunks.h"
#include "connector/connections.h"
#include "connector/http_call.h"
#include "connector/native/native.h"
#include "connector/polling.h"
#include "runtime/effects.h"

namespace flowmend::connector {

/// What a request is sent with, and whom to tell what came of it.
struct Prepared {
  OutgoingRequest request;
  Keep keep = Keep::by_content_type;
  std::optional<ConnectionKey> connection;
  std::uint64_t generation = 0;
  std::int64_t requests_per_minute = 0;
  std::string target;  ///< engine::AttemptFinished::target
  std::string next_link_name;
  std::string items_name;
  const Polling* polling = nullptr;   ///< of a trigger whose service keeps no place
  NativeConnector* native = nullptr;  ///< does it itself; then `request` is only what the record shows
  NativeCall native_call;
  bool shapes_reply = false;                   ///< the connector's policies change what the flow sees of the answer
  const Operation* operation = nullptr;        ///< of a connector over HTTP
  Value clear_fields;                          ///< of the connection, for those policies: without its secrets
  std::shared_ptr<const Connector> connector;  ///< keeps what `native_call`, `operation` and `polling` point into
};

/// Why a call can't be sent at all.
struct Refusal {
  Error error;
  Value details;  ///< of engine::Fault
};

/// Fills `prepared` for a run's call: finds connection and operation, and puts the step's parameters, the connection's
/// credentials and the run's own headers into the request. Sends nothing. Any thread.
///
/// `asked` is what had to be asked for first, in its order: values of the connector's policies, an Http action's token;
/// while one is missing the request is the question (OutgoingRequest::question).
///
/// Refusals: those of `build_http_call`, `resolve_reference`, `Connections::material`, `build_request` and
/// `build_native_call`; `WorkflowOperationInputsApiOperationNotFound`; `RequestBodyTooLarge`.
std::optional<Refusal> prepare_call(const engine::Call& call, const runtime::CallContext& context,
                                    const Connections& connections, const MessageLimits& limits,
                                    const std::vector<std::string>& asked, Prepared& prepared);

}  // namespace flowmend::connector
