#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

namespace flowmend::server {

struct ConnectorGalleryOptions {
  std::string server = "http://127.0.0.1:8080";  ///< FLOWMEND_SERVER
  std::string token;                             ///< FLOWMEND_TOKEN
  std::string api;                               ///< `shared_orders`
  std::int64_t version = 0;                      ///< to restore
};

// The installed connectors of a running server. Each returns 0, 1 when the server refused (the reason on `problems`),
// 2 when it can't be asked.

/// `flowmend connector list`: name, title, operations that can run, a line each; built-in ones say so.
int list_connectors(const ConnectorGalleryOptions& options, std::ostream& out, std::ostream& problems);
/// `flowmend connector show NAME`: who uses it, and its versions, the newest first, with what each changed.
int show_connector(const ConnectorGalleryOptions& options, std::ostream& out, std::ostream& problems);
/// `flowmend connector restore NAME VERSION`.
int restore_connector(const ConnectorGalleryOptions& options, std::ostream& out, std::ostream& problems);
/// `flowmend connector remove NAME`; refused while something uses it.
int remove_connector(const ConnectorGalleryOptions& options, std::ostream& out, std::ostream& problems);

}  // namespace flowmend::server
