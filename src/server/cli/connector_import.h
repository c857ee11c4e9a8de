#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace flowmend::server {

struct ConnectorImportOptions {
  std::vector<std::string> paths;
  std::string server = "http://127.0.0.1:8080";  ///< FLOWMEND_SERVER
  std::string token;                             ///< FLOWMEND_TOKEN, with the scope admin
  std::string name;                              ///< how flows name it; of one connector only
};

/// `flowmend connector import PATH...`: hands connectors to a running server. A PATH is a swagger file (its
/// apiProperties.json and script.csx are looked for beside it), a folder that holds one, a folder of such folders (8
/// levels deep, links are not followed), or a package (.zip). Each connector is a request by itself; one line of `out`
/// says what became of it. Returns 0 when all were taken, 1 when one was refused, 2 when a path can't be read or the
/// server can't be asked.
int import_connectors(const ConnectorImportOptions& options, std::ostream& out, std::ostream& problems);

}  // namespace flowmend::server
