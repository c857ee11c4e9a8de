#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "definition/flow.h"
#include "json/value.h"

namespace flowmend::trigger {

// The Request trigger (engine.md 2.5, rest-api.md 5.1): signed callback addresses and what a call of one becomes.
// All functions are pure; any thread.

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A call as the listener received it.
struct CallbackRequest {
  std::string method;  ///< upper case
  std::string path;    ///< still percent-encoded, without the query
  std::string query;   ///< still percent-encoded, without `?`
  Headers headers;
  std::string body;
};

/// What an address says, before anything is checked.
struct CallbackTarget {
  std::string workflow_id;
  std::string version;  ///< empty, or the version that the path names
  std::string trigger;
  std::string relative_path;  ///< still encoded, without leading slash
  std::string api_version;
  std::string sp, sv, sig, se;
  Headers queries;  ///< the caller's own, decoded, in order
};

/// A signed address and its parts, as listCallbackUrl answers them.
struct CallbackAddress {
  std::string value;
  std::string method;
  std::string base_path;      ///< up to `/paths/invoke`
  std::string relative_path;  ///< the template with its `{parameters}`; empty when there is none
  std::vector<std::string> relative_path_parameters;
  std::string api_version;
  std::string sp, sv, sig, se;
};

/// Reads `/workflows/{id}/triggers/{t}/paths/invoke[/...]` (also `/invoke`, with `/versions/{v}` before `/triggers`,
/// and below
/// `/powerautomate/automations/direct`). `WorkflowNotFound` for any other path.
Result<CallbackTarget> read_target(std::string_view path, std::string_view query);

/// The address of a trigger, signed with HMAC-SHA256 under `key` (any bytes; 32 are usual). `base_url` has no slash at
/// its end. `not_after` not set: it does not expire.
///
/// Signed text: `workflow id LF sp LF sv LF se`, all decoded; it stays so for ever, because callers keep addresses.
CallbackAddress make_address(std::string_view base_url, const definition::Flow& flow, std::string_view key,
                             Timestamp not_after);

/// Checks who calls: `DirectApiAuthorizationRequired` (no signature, or an Authorization header as well),
/// `DirectApiInvalidAuthorizationSignature` (not of `primary` nor `secondary`; expired; for another path).
Result<void> verify(const CallbackTarget& target, const Headers& headers, std::string_view primary,
                    std::string_view secondary, Timestamp now);

/// Checks a value against a JSON schema; each finding is one text.
using SchemaCheck = std::function<std::vector<std::string>(const Value& schema, const Value& value)>;

/// The trigger's outputs `{headers, queries?, relativePathParameters?, body?}`. `TriggerRequestMethodNotValid`,
/// `TriggerRelativePathNotValid`, `InvalidJSON`, `TriggerInputSchemaMismatch`.
Result<Value> make_outputs(const definition::Flow& flow, const CallbackTarget& target, const CallbackRequest& request,
                           const SchemaCheck& check);

/// Decodes a body by its Content-Type (engine.md 2.5). Nothing for an empty body. `InvalidJSON` for JSON that is none.
Result<std::optional<Value>> decode_body(std::string_view content_type, std::string_view body);

/// The first header of that name, without regard to case; empty when there is none.
std::string_view header(const Headers& headers, std::string_view name);

}  // namespace flowmend::trigger
