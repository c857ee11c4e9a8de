#pragma once

#include <memory>

#include "connector/native/native.h"

namespace flowmend::connector {

/// AMQP 0-9-1 (RabbitMQ and its like) on librabbitmq: send to an exchange or queue with the broker's confirmation, and
/// a trigger on the messages of a queue. What the trigger takes is kept in the inbox before it is acknowledged: at
/// least once, in order.
std::unique_ptr<NativeConnector> make_amqp(const NativeParts& parts);

}  // namespace flowmend::connector
