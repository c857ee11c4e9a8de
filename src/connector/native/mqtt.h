#pragma once

#include <memory>

#include "connector/native/native.h"

namespace flowmend::connector {

/// MQTT 3.1.1 on libmosquitto: publish, and a trigger on messages of a topic. The trigger's session is a durable one of
/// the broker's (its client id is made of the flow's), so that what arrives between two checks waits there (QoS 1 and
/// 2); what was received is kept in the inbox before it is acknowledged: at least once, in order.
std::unique_ptr<NativeConnector> make_mqtt(const NativeParts& parts);

}  // namespace flowmend::connector
