#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connector/document.h"

namespace flowmend::connector {

/// The keys of an operation's flat map that take the address which the service calls later; empty = it is no webhook.
std::vector<std::string> callback_places(const Connector& connector, const Operation& operation);

/// `parameters` (the flat map of a webhook operation) with the callback address put wherever the operation's document
/// says `x-ms-notification-url`. What the flow gave there itself stays (connectors.md 8.3).
Value with_callback(const Connector& connector, const Operation& operation, const Value& parameters,
                    std::string_view callback_url);

}  // namespace flowmend::connector
