#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "connector/request.h"
#include "engine/command.h"
#include "http/client.h"

namespace flowmend::connector {

// Large messages (engine.md 3.10): one call of a flow that takes several requests.
//
// Upload: an empty request with `x-ms-transfer-mode: chunked` and the whole length; the service names a place
// (`Location`) and perhaps a size (`x-ms-chunk-size`); then PATCH after PATCH with `Content-Range`, each answered with
// how far it came (`Range`). The last answer is the call's.
// Download: a GET answered with 206 is followed by GETs with `Range` until all of `Content-Range` is there; the parts
// are handed on as one reply with status 200.
//
// A failed request ends the call with its answer: the engine's retry policy decides, and begins anew.

/// How much one call may move.
struct MessageLimits {
  std::size_t message_bytes_max = 104'857'600;    ///< without chunks
  std::size_t chunked_bytes_max = 1'073'741'824;  ///< with them, in either direction
  std::size_t chunk_bytes_default = 8u << 20;     ///< of an upload, when neither flow nor service says
  std::size_t url_bytes_max = 16'384;             ///< of an HTTP action
};

/// Whether the call's body goes up in parts.
bool uploads_in_chunks(const engine::Call& call, const OutgoingRequest& request);

/// Sends one request of the call, and tells how it ended. False: the call was given up, nothing more is to be sent.
using SendOne = std::function<bool(http::Request, std::function<void(http::Reply)>)>;

/// Sends `request` in as many requests as it takes; `done` is called once, on the thread that `send` calls back on.
void transfer(const OutgoingRequest& request, const engine::Call& call, const MessageLimits& limits, SendOne send,
              std::function<void(http::Reply)> done);

}  // namespace flowmend::connector
