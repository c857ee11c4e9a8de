#pragma once

#include "base/error.h"
#include "connector/content.h"
#include "connector/request.h"
#include "engine/command.h"
#include "engine/input.h"
#include "http/client.h"
#include "runtime/effects.h"

namespace flowmend::connector {

/// The request of an Http action (engine.md 3.2): method, uri, queries, headers without those that are not the flow's
/// to set, cookie, body by its Content-Type, authentication None, Basic, Raw, ClientCertificate or
/// ActiveDirectoryOAuth. The last asks for a token first (OutgoingRequest::question), which is then the one of `asked`.
///
/// Errors: `InvalidHttpInputs` with the place, `AuthenticationTypeUnsupported`, `ContentConversionFailed`.
Result<OutgoingRequest> build_http_call(const engine::Call& call, std::size_t url_bytes_max = 16'384,
                                        const std::vector<std::string>& asked = {});

/// What the token that this call signs in for is kept as (http_sign_in.h); empty when it signs in for none.
std::string token_key(const engine::Call& call);

/// What every request of a run carries beside its own: the workflow headers (unless suppressed) and, for a request that
/// writes, `Idempotency-Key`. A header that the flow sets itself wins.
void add_run_headers(const engine::Call& call, const runtime::CallContext& context, OutgoingRequest& request);

/// The GET that asks how an asynchronous operation stands: `call.poll_uri`, absolute or relative to `original`; the
/// credential goes along only to the same origin.
OutgoingRequest build_poll(const engine::Call& call, const OutgoingRequest& original);

http::Request to_http(const OutgoingRequest& request, const engine::Call& call);

/// A reply as the engine wants it. `keep` as the operation says. For an Http action a JSON type with a text that is no
/// JSON is a failure (`InvalidProtocolResponse`) unless the status is one already.
engine::AttemptFinished to_outcome(const engine::Call& call, const OutgoingRequest& request, http::Reply reply,
                                   Keep keep);

/// An attempt that came to nothing before it was sent.
engine::AttemptFinished refused(const engine::Call& call, const Error& error, Timestamp now, Value details = {});

}  // namespace flowmend::connector
