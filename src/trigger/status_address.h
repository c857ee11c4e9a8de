#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "trigger/request.h"

namespace flowmend::trigger {

// Where a caller of a flow with an asynchronous Response asks for its answer (engine.md 3.4): the `Location` of the
// 202. Pure; any thread.

struct StatusTarget {
  std::string workflow_id;
  std::string run;
  std::string sp, sv, sig;
};

/// `<base>/workflows/{id}/runs/{run}/operations/response?api-version&sp&sv&sig`, signed like a trigger's address.
std::string make_status_address(std::string_view base_url, std::string_view workflow_id, std::string_view run,
                                std::string_view key);

/// `WorkflowNotFound` for any other path.
Result<StatusTarget> read_status_target(std::string_view path, std::string_view query);

/// As for a trigger's address: `DirectApiAuthorizationRequired`, `DirectApiInvalidAuthorizationSignature`.
Result<void> verify(const StatusTarget& target, const Headers& headers, std::string_view primary,
                    std::string_view secondary);

}  // namespace flowmend::trigger
