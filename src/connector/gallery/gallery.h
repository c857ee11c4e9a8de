#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/error.h"
#include "base/time.h"
#include "connector/registry.h"
#include "store/store.h"

namespace flowmend::connector {

/// What a new document of a connector changes for the flows that use it. Names of operations, in the documents' order.
struct ConnectorChange {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;         ///< anything of them, what they refer to included
  std::vector<std::string> newly_required;  ///< `Operation: parameter`: steps without it fail from now on
};

ConnectorChange compare_connectors(const Connector& before, const Connector& after);

/// One document of a connector that was or is installed.
struct ConnectorVersion {
  std::int64_t number = 0;  ///< from 1
  Timestamp time;           ///< not set for what was installed before versions were kept
  std::string by;
  std::string from;  ///< a file's name, `version 3`; may be empty
  std::size_t operations = 0;
  ConnectorChange change;  ///< against the version before
  bool current = false;
};

struct Imported {
  std::shared_ptr<const Connector> connector;
  Diagnostics findings;
  bool made = false;     ///< there was none of that name
  bool changed = false;  ///< false: the same documents are installed already, and nothing was written
  std::int64_t version = 0;
  ConnectorChange change;
};

/// Importing connectors with a history: each import of other documents makes a version; the last 20 are kept and can be
/// restored. Versions are documents of kind `connector-version`, key `name/000001`, written together with what they
/// replace. Threads: any; calls wait for the store.
class Gallery {
 public:
  static constexpr std::size_t versions_max = 20;

  Gallery(store::Store& store, Registry& registry) : store_(store), registry_(registry) {}

  /// Errors: those of `Registry::install`, `ConnectorNameInvalid`.
  Result<Imported> import(const Value& swagger, const Value& properties, const LoadOptions& options,
                          const std::string& by, const std::string& from);

  /// The newest first. `ApiNotFound`; a built-in connector has none.
  Result<std::vector<ConnectorVersion>> versions(std::string_view api) const;

  /// Makes a version with the documents of a former one. `ApiNotFound`, `ConnectorVersionNotFound`.
  Result<Imported> restore(std::string_view api, std::int64_t number, const std::string& by);

  /// Removes a connector with its versions; true when there was one.
  Result<bool> remove(std::string_view api);

 private:
  store::Store& store_;
  Registry& registry_;
};

}  // namespace flowmend::connector
