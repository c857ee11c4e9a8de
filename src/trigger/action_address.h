#pragma once

#include <string>
#include <string_view>

#include "trigger/request.h"

namespace flowmend::trigger {

/// Where a service answers one occurrence of a webhook action:
/// `/workflows/{id}/runs/{run}/actions/{action}/repetitions/{frame}/run`, signed as a trigger's address is.
struct ActionTarget {
  std::string workflow_id;
  std::string run;
  std::string action;
  std::uint32_t frame = 0;  ///< of the run's state: which iteration
  std::string sp, sv, sig;
  Headers queries;  ///< the caller's own, decoded, in order
};

std::string make_action_address(std::string_view base_url, const ActionTarget& target, std::string_view key);
/// `WorkflowNotFound` for a path of another form.
Result<ActionTarget> read_action_target(std::string_view path, std::string_view query);
/// As `verify` of a trigger's address: `DirectApiAuthorizationRequired`, `DirectApiInvalidAuthorizationSignature`.
Result<void> verify(const ActionTarget& target, const Headers& headers, std::string_view primary,
                    std::string_view secondary);

}  // namespace flowmend::trigger
