#pragma once

#include <iosfwd>
#include <string>

namespace flowmend::server {

/// `flowmend key new`: a fresh master key as a line.
int print_new_key(std::ostream& out);

/// `flowmend key rotate`: seals all secrets of a data folder anew and says what was done. With keys/master.key it makes
/// the new key itself and drops the old one at the end; with keys from elsewhere (connector/master_key.h) it uses the
/// new one that was put before the old, and says when the old may go. Refuses while a server runs on the folder.
/// Returns 0, or 1 with the reason and the cure on `errors`.
int rotate_key(const std::string& data_folder, std::ostream& out, std::ostream& errors);

}  // namespace flowmend::server
