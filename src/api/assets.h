#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flowmend::api {

/// One file of the portal, embedded in the binary and compressed when it was built.
struct Asset {
  std::string_view path;  ///< `/assets/index-1a2b.js`
  std::string_view content_type;
  std::string_view gzip;  ///< the file, gzip-compressed
};

/// The file at that path; nothing when there is none.
const Asset* find_asset(std::string_view path);
/// False when the binary was built without the portal.
bool has_portal();
/// For clients that don't take gzip.
std::optional<std::string> unpack(const Asset& asset);

}  // namespace flowmend::api
