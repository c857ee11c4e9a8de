#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "connector/sealer.h"
#include "store/store.h"

namespace flowmend::connector {

/// What a rotation did.
struct Rotation {
  std::size_t documents = 0;   ///< sealed anew
  std::size_t flows = 0;       ///< whose address keys were sealed anew
  std::size_t records = 0;     ///< of runs, sealed anew
  std::size_t unreadable = 0;  ///< flows and runs with secrets that none of the keys opens: left as they are
};

/// Seals everything that was sealed under an older key anew under the newest: secrets in documents of any kind, the
/// keys of flows' addresses, the sealed values in runs' records. Goes on where an earlier one ended: what is sealed
/// under the newest key already is left alone. Each step is durable before the next begins.
///
/// Nobody else may write to the store meanwhile. Blocks. Errors: the store's.
Result<Rotation> seal_anew(store::Store& store, const MasterKeySealer& sealer);

/// Rotates the master key of a file: puts a new key before the old one, seals everything anew, and only then drops the
/// old key. One that was interrupted, at whatever moment, leaves all secrets readable; calling it again ends it.
/// Errors: those of master_key.h, the store's.
Result<Rotation> rotate_master_key(store::Store& store, const std::string& key_file);

}  // namespace flowmend::connector
