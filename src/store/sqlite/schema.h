#pragma once

#include "base/error.h"
#include "store/sqlite/connection.h"

namespace flowmend::store::sqlite {

/// `FLMD`: says that a file is ours.
inline constexpr int application_id = 0x464c4d44;

/// Sets the connection's pragmas and carries out the numbered migrations that the file has not seen yet
/// (`PRAGMA user_version`). `StoreIsNewer` when it has seen more than this program knows, `StoreCorrupt` when it is
/// another program's database.
Result<void> migrate(Connection& connection);

/// The pragmas of every connection.
void prepare_connection(Connection& connection, Connection::Mode mode);

}  // namespace flowmend::store::sqlite
