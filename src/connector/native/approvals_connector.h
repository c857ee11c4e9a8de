#pragma once

#include <memory>

#include "connector/native/native.h"

namespace flowmend::connector {

/// `shared_approvals`: asks people and waits (connector/approvals.h), with the vendor's operation ids and parameter
/// names.
std::unique_ptr<NativeConnector> make_approvals_connector(const NativeParts& parts);

}  // namespace flowmend::connector
