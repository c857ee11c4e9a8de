#pragma once

#include "connector/document.h"

namespace flowmend::connector {

/// `parameters` (the flat map of a webhook operation) with the callback address put wherever the operation's document
/// says `x-ms-notification-url`. What the flow gave there itself stays (connectors.md 8.3).
Value with_callback(const Connector& connector, const Operation& operation, const Value& parameters,
                    std::string_view callback_url);

}  // namespace flowmend::connector
