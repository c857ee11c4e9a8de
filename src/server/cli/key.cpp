#include "server/cli/key.h"

#include <filesystem>
#include <ostream>

#include "connector/key_rotation.h"
#include "connector/master_key.h"
#include "store/sqlite/open.h"

namespace flowmend::server {
namespace {

int refuse(const Error& error, std::ostream& errors) {
  errors << "flowmend: " << error.message;
  if (!error.cure.empty()) errors << "\n    " << error.cure;
  errors << std::endl;
  return 1;
}

Result<connector::Rotation> seal_anew_under_given_keys(store::Store& store, const connector::MasterKeySource& source) {
  const auto sealer = connector::open_master_key(source);
  if (!sealer) return sealer.error();
  if (const auto right = connector::check_master_key(store, **sealer, false); !right) return right.error();
  if ((*sealer)->key_count() == 1) {
    return make_error(
        "MasterKeyAlone",
        "The master key is given from outside the data folder, and there is only one: nothing to rotate to.", {},
        "Put a fresh line of `flowmend key new` before the old one in FLOWMEND_MASTER_KEY or in the "
        "credential (both lines, the new one first), and rotate again.");
  }
  return connector::seal_anew(store, **sealer);
}

}  // namespace

int print_new_key(std::ostream& out) {
  out << connector::new_master_key_line() << std::endl;
  return 0;
}

int rotate_key(const std::string& data_folder, std::ostream& out, std::ostream& errors) {
  const auto source = connector::find_master_key(data_folder + "/keys/master.key");
  // Otherwise opening the store would make a folder where none was.
  if (!std::filesystem::exists(data_folder + "/flowmend.db")) {
    return refuse(make_error("DataFolderMissing", "'" + data_folder + "' is no data folder of a server.", {},
                             "Name it with --data."),
                  errors);
  }
  auto store = store::sqlite::open({data_folder});
  if (!store) return refuse(store.error(), errors);
  const bool from_file = source.kind == connector::MasterKeySource::Kind::file;
  const auto done =
      from_file ? connector::rotate_master_key(**store, source.path) : seal_anew_under_given_keys(**store, source);
  if (!done) return refuse(done.error(), errors);
  out << "Sealed anew: " << done->documents << " documents, the keys of " << done->flows << " flows, " << done->records
      << " records of runs.\n";
  if (done->unreadable > 0)
    out << done->unreadable << " flows or runs hold secrets that no known key opens; they are left as they were.\n";
  out << (from_file ? "The old key is dropped. Back up keys/master.key; backups from before need the old key.\n"
                    : "The old line may be removed now. Backups from before need the old key.\n");
  return 0;
}

}  // namespace flowmend::server
