#include "store/sqlite/open.h"

#include "store/sqlite/folder.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"

namespace flowmend::store::sqlite {

Result<std::unique_ptr<Store>> open(const Options& options) {
  auto lock = take_folder(options.folder);
  if (!lock) return lock.error();
  const auto path = options.folder + "/flowmend.db";
  try {
    auto connection = std::make_unique<Connection>(path, Connection::Mode::write);
    prepare_connection(*connection, Connection::Mode::write);
    const auto migrated = migrate(*connection);
    if (!migrated) return migrated.error();
    return std::unique_ptr<Store>(
        std::make_unique<SqliteStore>(options, std::move(*lock), path, std::move(connection)));
  } catch (const Failure& failure) {
    return error_of(failure);
  }
}

}  // namespace flowmend::store::sqlite
