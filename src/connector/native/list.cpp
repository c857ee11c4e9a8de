#include "connector/native/amqp.h"
#include "connector/native/mqtt.h"
#include "connector/native/native.h"

namespace flowmend::connector {

std::vector<std::unique_ptr<NativeConnector>> native_connectors(const NativeParts& parts) {
  std::vector<std::unique_ptr<NativeConnector>> list;
  list.push_back(make_amqp(parts));
  list.push_back(make_mqtt(parts));
  return list;
}

}  // namespace flowmend::connector
