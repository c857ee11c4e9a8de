#include "connector/native/native.h"

namespace flowmend::connector {

std::vector<std::unique_ptr<NativeConnector>> native_connectors(const NativeParts& parts) {
  std::vector<std::unique_ptr<NativeConnector>> list;
  static_cast<void>(parts);
  return list;
}

}  // namespace flowmend::connector
