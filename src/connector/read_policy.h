#pragma once

#include <optional>

#include "connector/document.h"

namespace flowmend::connector {

/// One `{templateId, parameters}` of policyTemplateInstances, but `pollingtrigger` (connectors.md 3.3). Template ids,
/// sections and parameter names are compared without case. Nothing when the template is unknown, can't stand in that
/// section, or has a path that is none.
std::optional<Policy> read_policy(const Value& instance);

}  // namespace flowmend::connector
