#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "connector/document.h"
#include "connector/dynamic/check.h"
#include "store/store.h"

namespace flowmend::connector {

/// `shared_orders` of `shared_orders`, `/providers/Microsoft.PowerApps/apis/shared_orders` or an address below it.
std::string api_name(std::string_view api_or_id);

/// The connectors that are installed: documents of kind `connector` in the store, compiled when they are first needed
/// and kept. Threads: any.
class Registry {
 public:
  struct Installed {
    std::shared_ptr<const Connector> connector;
    Diagnostics diagnostics;
  };
  /// Runs in the transaction that stores a connector, on the store's thread. `documents` is what is to be stored; false
  /// leaves what is stored as it is.
  using BeforeStoring =
      std::function<Result<bool>(store::Transaction& transaction, const Connector& next, const Value& documents)>;
  using BeforeRemoving = std::function<Result<void>(store::Transaction& transaction, const std::string& name)>;

  explicit Registry(store::Store& store);
  ~Registry();

  /// Takes connectors whose operations are code (native/native.h) into the list: they are found like all others, and
  /// stand before an installed one of the same name. Call before use. Errors: a document that does not load, a name
  /// that is taken by another native connector.
  Result<void> add_native(std::vector<std::unique_ptr<NativeConnector>> natives);

  /// Loads, checks and stores a connector under its name; replaces one of the same name. The diagnostics say what was
  /// repaired or can't run. Errors: the first one that stopped it (`ConnectorFormatUnsupported` ...),
  /// `ConnectorNameReserved` for that of a native one, or the store's.
  Result<Diagnostics> install(const Value& swagger, const Value& properties, const LoadOptions& options = {});
  Result<Installed> install(const Value& swagger, const Value& properties, const LoadOptions& options,
                            const BeforeStoring& before);
  /// True when there was one.
  Result<bool> remove(std::string_view api, const BeforeRemoving& before = {});

  /// By name or api id; nothing when unknown or when its stored documents no longer load.
  std::shared_ptr<const Connector> find(std::string_view api) const;
  std::vector<std::shared_ptr<const Connector>> list() const;

  /// What the flow checker says about the connector steps of a definition: unknown connectors and operations,
  /// operations that can't run here, wrong parameters. Walks every action, also inside containers.
  Diagnostics check_definition(const Value& definition) const;
  /// Where the checker finds shapes that services told lately (dynamic/dynamic.h). Set before use.
  void set_remembered_shapes(RememberedShape remembered) { remembered_shapes_ = std::move(remembered); }

 private:
  store::Store& store_;
  RememberedShape remembered_shapes_;
  std::vector<std::unique_ptr<NativeConnector>> natives_;
  std::map<std::string, std::shared_ptr<const Connector>, std::less<>> native_connectors_;  ///< fixed after the start
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const Connector>, std::less<>> compiled_;
};

}  // namespace flowmend::connector
