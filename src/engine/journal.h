#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/event.h"

namespace flowmend::engine {

/// Encrypts and decrypts the sealed parts of events (a request's credentials). Given by the server, with its master
/// key.
class Sealer {
 public:
  virtual ~Sealer() = default;
  virtual std::string seal(std::string_view plain) const = 0;
  virtual Result<std::string> open(std::string_view sealed) const = 0;
};

/// Writes events as one record: the events of one commit are one row. The format is described in journal.cpp: a version
/// byte, then events; a value that occurs several times in one record (the same node) is written once.
std::string encode(const Events& events, const Sealer& sealer);

/// Reads a record. Any bytes: a damaged record is an error (`JournalDamaged`), never a crash. Values of one record
/// share nodes as they did when written.
Result<Events> decode(std::string_view record, const Sealer& sealer);

}  // namespace flowmend::engine
