#pragma once

#include "base/diagnostic.h"
#include "json/value.h"

namespace flowmend::definition {

/// Warns of each reference that asks for the connection of whoever runs the flow ("provided by run-only user": `source`
/// or `runtimeSource` is Invoker, engine.md 1.3): here every run uses the one that the reference names. Code
/// `InvokerConnectionUnavailable`, pointer `/connectionReferences/KEY`. Any JSON value; never fails.
void check_connection_references(const json::Value& references, Diagnostics& diagnostics);

}  // namespace flowmend::definition
