#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "connector/sealer.h"
#include "store/store.h"

namespace flowmend::connector {

// Where a server's master keys come from: a file of its own, the environment, or a credential that systemd hands over.
// Each holds the same text: a line `flowmend-key-1 ` and 43 characters of base64url for each key, newest first. With
// more than one, everything new is sealed under the first, and the others open what was sealed before.

inline constexpr std::size_t master_keys_max = 16;

struct MasterKeySource {
  enum class Kind { file, environment, credential };
  Kind kind = Kind::file;
  std::string path;  ///< of the file or the credential
  std::string text;  ///< of the environment's

  MasterKeySource() = default;
  explicit MasterKeySource(std::string file) : path(std::move(file)) {}
  MasterKeySource(MasterKeySource&&) = default;
  MasterKeySource& operator=(MasterKeySource&&) = default;
  ~MasterKeySource();  ///< wipes the text
};

/// FLOWMEND_MASTER_KEY, when it is set (there ',' may stand for a line's end); else `$CREDENTIALS_DIRECTORY` with a
/// `flowmend-master-key` in it; else `file`. The variable is wiped out of the environment, also from what /proc shows
/// of it, so that no program that is started later sees it: call once, before there are threads.
MasterKeySource find_master_key(std::string file);

enum class IfKeyIsMissing { create, refuse };

/// The sealer under the keys of `source`.
///
/// A missing file is made with a fresh key and mode 0600, durable when this returns, unless `refuse` is asked for (a
/// data folder that already holds secrets: a new key would make them unreadable in silence). Two processes that start
/// at once agree on one key.
///
/// Errors, each with its cure: `MasterKeyExposed` (a file that group or others may read; systemd's own credentials are
/// its matter), `MasterKeyInvalid`, `MasterKeyMissing`, `MasterKeyUnavailable` (the system's reason is in the message).
Result<std::unique_ptr<MasterKeySealer>> open_master_key(const MasterKeySource& source,
                                                         IfKeyIsMissing if_missing = IfKeyIsMissing::create);
/// The same for a file.
Result<std::unique_ptr<MasterKeySealer>> open_master_key(const std::string& path,
                                                         IfKeyIsMissing if_missing = IfKeyIsMissing::create);

/// A fresh key as a line without its end. The caller wipes it.
std::string new_master_key_line();

/// Puts a fresh key before the one of the file; a file that holds several keeps them, for that is a rotation which was
/// begun. Errors as above.
Result<void> add_master_key(const std::string& path);
/// Leaves the newest key of the file alone in it. Errors as above.
Result<void> drop_older_master_keys(const std::string& path);

/// True when the store holds secrets that were sealed under a known master key.
Result<bool> has_master_key(const store::Store& store);
/// Compares the master key with the one that the store's secrets were sealed under; the first server on a store leaves
/// a mark for that. `MasterKeyWrong` with the cure; with `accept` the mark is made anew and what was sealed before is
/// given up: flows get new keys for their addresses, everything else has to be entered again.
Result<void> check_master_key(store::Store& store, const MasterKeySealer& sealer, bool accept);

}  // namespace flowmend::connector
