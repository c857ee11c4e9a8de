#pragma once

#include "connector/document.h"
#include "connector/policy_text.h"

namespace flowmend::connector {

/// Carries out one of the policies that change a JSON body (`changes_body(policy.kind)`), connectors.md 3.3. A path
/// that leads nowhere changes nothing. A parent that is an array is changed element by element. `context.body` and
/// `context.item` are set here. Linear in the body. Any thread; pure.
Value apply_body_policy(const Policy& policy, const Value& body, const PolicyContext& context);

}  // namespace flowmend::connector
