#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/identity.h"
#include "api/sharing.h"
#include "connector/connections.h"
#include "repair/incident.h"
#include "store/store.h"

namespace flowmend::api {

/// What one caller may do with which flow and connection: the one place where it is decided. Administrators, and tokens
/// that were made on the server's machine, may do everything that their scopes allow. Reads the store when it is asked
/// and remembers for the length of a request. One thread; the parts must outlive it.
class Access {
 public:
  Access(const store::Store& store, const connector::Connections& connections, Identity caller);

  bool has_everything() const { return caller_.sees_all; }
  /// Of what does not exist: none.
  Level flow(std::string_view id) const;
  Level connection(const connector::ConnectionKey& key) const;
  bool sees_flow(std::string_view id) const { return flow(id) >= Level::use; }

  /// An incident is seen by whoever sees one of its flows, or its connection; changed by whoever may edit them all.
  Level incident(const repair::Incident& incident) const;
  /// The incident as the caller may see it: nothing of the flows of others.
  Value view(const repair::Incident& incident) const;

  const std::vector<Account>& accounts() const;
  Shares shares_of_flow(std::string_view id) const;
  Shares shares_of(const connector::ConnectionKey& key) const;

  /// The flow's connections that none of its owners may use, as `[{reference, api, name, displayName}]`.
  Value foreign_connections(const store::FlowRow& flow) const;

  /// Whether the caller may save that: every connection and every flow that it names must be one that the caller may
  /// use, or that `before` (null: a new flow) used already. `ConnectionNotShared`, `FlowNotShared`, naming the step.
  Result<void> may_save(const Value& definition, const Value& references, const Value& parameter_values,
                        const store::FlowVersionRow* before) const;

 private:
  Level level_in(const Shares& shares) const;
  std::optional<Value> document(const std::string& key) const;

  const store::Store& store_;
  const connector::Connections& connections_;
  Identity caller_;
  mutable std::map<std::string, Level, std::less<>> flows_;
  mutable std::optional<std::vector<Account>> accounts_;
};

/// For repair::notify::Notifier::Parts::may_hear: who sees the flow of the latest failure, or the connection.
bool may_hear(store::Transaction& transaction, const store::Document& user, const repair::Incident& incident);

}  // namespace flowmend::api
