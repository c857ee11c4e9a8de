#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "connector/arguments.h"
#include "connector/document.h"
#include "http/client.h"
#include "store/store.h"

namespace flowmend::connector {

/// What a native connector is asked to do: one operation of its document, with everything sorted and checked as for a
/// connector that speaks HTTP.
struct NativeCall {
  const Operation* operation = nullptr;
  Arguments arguments;          ///< by the document: defaults put in, types converted
  Value fields;                 ///< the connection's values, in clear: never into an answer, an error or a log
  std::string idempotency_key;  ///< the same over retries, crashes and resubmits; empty when nobody repeats
  std::string flow;             ///< id of the flow that calls; empty in tests and tools
  std::string run;              ///< name of its run; empty for a trigger
  Duration timeout;             ///< a call that takes longer is answered with RequestTimeout in its stead
  std::string state;         ///< a polling trigger: what the last answer's `Location` carried; empty at the first check
  std::string callback_url;  ///< a webhook operation: where to tell what happened
  std::function<bool()> cancelled;  ///< nobody waits any more; looked at between steps of long work
};

/// A connector whose operations are code instead of requests over HTTP: mail, databases, files, queues. It is described
/// by the same documents as every other (OpenAPI 2.0 with x-ms extensions, apiProperties), so that checker, designer,
/// import and explanations see no difference, and its answers have the shape of HTTP replies for the same reason:
///
///   200, 201, 202, 204   done; JSON or bytes in `body`, its `Content-Type` in `headers`
///   400, 404, 409 ...    the call is wrong: `{"error":{"code","message"}}`, in the service's own words where it has
///   some 401, 403             the service refuses the credentials, or the right is missing: the connection hears of it
///   429, 503             try again later; `Retry-After` when the service says so
///   502, 504             the service can't be reached, or broke off
///
/// Or `Reply::error_code` as an HTTP client sets it (http/client.h) when no answer came at all: `ConnectFailure`,
/// `UnresolvableHostName`, `TlsFailure`, `AddressNotAllowed`. It is recorded as such a failure of an HTTP request is.
///
/// A polling trigger answers 200 with what is new, or 202, each with `Location: state:TEXT` (below); what it wrote
/// there comes back as `NativeCall::state` at the next check. TEXT is UTF-8 without line breaks, up to 64 KiB.
///
/// Threads: `call` and `verify` block and are run on a pool's threads (native/pool.h), several at a time. One object
/// for each connector and process. A library's exceptions are caught by the pool and answered as 500.
class NativeConnector {
 public:
  virtual ~NativeConnector() = default;

  virtual std::string_view name() const = 0;     ///< `shared_smtp`
  virtual std::string_view swagger() const = 0;  ///< JSON text
  virtual std::string_view properties() const = 0;
  virtual http::Reply call(const NativeCall& call) = 0;
  /// Signs in with the given values and does nothing else; the answer says whether they are good.
  virtual http::Reply verify(const Value& fields, Duration timeout) = 0;
  /// Where such a connection leads, for records and messages: `smtp://mail.example.org:587`; never a secret. Empty: the
  /// connector's name stands there.
  virtual std::string address(const Value& fields) const {
    static_cast<void>(fields);
    return {};
  }
};

/// What native connectors may use of the server.
struct NativeParts {
  store::Store& store;
  http::Client& client;
  std::vector<std::string> file_roots;  ///< folders that the local file connector may touch; empty = none
  std::string public_url = {};          ///< begins addresses that people get by mail; without a slash at its end
};

/// All of them: the one list where a new one gets its line (native/list.cpp).
std::vector<std::unique_ptr<NativeConnector>> native_connectors(const NativeParts& parts);

/// A value by parameter name, or null; the text of a value, or empty (numbers and booleans as text).
const Value& argument(const NativeCall& call, std::string_view name);
std::string text_argument(const NativeCall& call, std::string_view name);
/// The same of a connection's field, without regard to case.
std::string field_text(const Value& fields, std::string_view name);
/// The bytes of a file's value: a content object (`$content`), or a text as it is. JSON for anything else.
std::string bytes_of(const Value& value);

// Answers.
http::Reply native_json(int status, const Value& body);
http::Reply native_bytes(std::string bytes, std::string media_type);
http::Reply native_error(int status, std::string_view code, std::string_view message);
/// No connection was made, for a reason of http/address.h: the error's code as `Reply::error_code`.
http::Reply not_reached(const Error& error);
/// Before a trigger's state in a `Location`.
inline constexpr std::string_view native_state_scheme = "state:";
/// The same answer, with the state that the next check is to get.
http::Reply with_state(http::Reply reply, std::string_view state);

}  // namespace flowmend::connector
