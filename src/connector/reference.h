#pragma once

#include <string>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::connector {

using json::Value;

/// Which connection a step means.
struct Reference {
  std::string key;   ///< in the flow's connectionReferences; empty when the step names the connection itself
  std::string api;   ///< `shared_orders`; empty when only the connection's name is known
  std::string name;  ///< of the connection
};

/// Reads `inputs.host` of a connector step (engine.md 1.3: OpenApiConnection with `connectionName`, the newer
/// `connection.referenceName`, ApiConnection's `connection.name`) through the flow's connection references. A key that
/// the flow does not hold is taken for the connection's own name.
///
/// Error: `ConnectionNotConfigured`, when the step or the reference names no connection.
Result<Reference> resolve_reference(const Value& host, const Value& connection_references);

}  // namespace flowmend::connector
