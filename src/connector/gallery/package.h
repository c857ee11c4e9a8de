#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace flowmend::connector {

/// The documents of one connector as they were found in a folder or package.
struct ConnectorFiles {
  std::string place;       ///< path of its swagger file, for messages
  std::string name;        ///< `shared_orders`, when the package says how flows name it; empty = made of the title
  std::string swagger;     ///< text
  std::string properties;  ///< text; empty when there is none
  bool has_script = false;
};

struct PackageLimits {
  std::size_t package_bytes_max = 50u << 20;
  std::size_t entries_max = 20'000;
  std::size_t file_bytes_max = 16u << 20;  ///< of one document, unpacked
  std::size_t all_bytes_max = 64u << 20;   ///< of all documents, unpacked
};

/// True for a file that says something about a connector, by its name: apiDefinition.swagger.json and
/// apiProperties.json (a connector's folder), `NAME_openapidefinition.json` and its companions and customizations.xml
/// (a solution).
bool is_connector_file(std::string_view path);

/// The connectors among files (path -> text, those for which `is_connector_file` holds), in the order of their paths.
/// A solution's parts of the properties are put together; its customizations.xml says how flows name a connector.
std::vector<ConnectorFiles> find_connectors(const std::map<std::string, std::string>& files);

/// The connectors in a package: a zip with folders of connectors, or an exported solution. Only files of connectors are
/// unpacked, never to the disk, and never more of them than the limits say whatever the package claims.
///
/// Errors: `PackageTooLarge`, `PackageInvalid` (no zip, damaged, encrypted), `PackageNameInvalid` (a name with `..`, an
/// absolute one), `PackageHoldsNoConnector`.
Result<std::vector<ConnectorFiles>> read_package(std::string_view bytes, const PackageLimits& limits = {});

}  // namespace flowmend::connector
