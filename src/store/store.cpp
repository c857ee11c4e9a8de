#include "store/store.h"

namespace flowmend::store {

Result<std::int64_t> Store::put_document(std::string_view kind, std::string_view key, const Value& value,
                                         std::int64_t expected) {
  std::int64_t version = 0;
  const auto written = write([&](Transaction& transaction) -> Result<void> {
    const auto put = transaction.put_document(kind, key, value, expected);
    if (!put) return put.error();
    version = *put;
    return {};
  });
  if (!written) return written.error();
  return version;
}

Result<bool> Store::erase_document(std::string_view kind, std::string_view key, std::int64_t expected) {
  bool existed = false;
  const auto written = write([&](Transaction& transaction) -> Result<void> {
    const auto erased = transaction.erase_document(kind, key, expected);
    if (!erased) return erased.error();
    existed = *erased;
    return {};
  });
  if (!written) return written.error();
  return existed;
}

}  // namespace flowmend::store
