#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connector/tables.h"
#include "store/store.h"

namespace flowmend::connector {

// Triggers that hear of a row when it is added, changed or deleted, as Dataverse's do:
//   kind `row_watch`     key entity/flow/trigger   what a trigger wants to hear
//   kind `row_delivery`  key time/change/flow/trigger   a row that a trigger is due to hear of
// A delivery is written in the transaction that changes the row, and removed in the commit that starts the run
// (api/row_delivery.h): no change is lost over a crash, none starts two runs.

enum class RowEvent : std::uint8_t { created = 1, deleted = 2, updated = 4 };  ///< bits

/// Bounds what one change of a row costs.
inline constexpr std::size_t row_watches_of_table_max = 500;

struct RowWatch {
  std::string entity;  ///< logical name, `account`
  std::string flow;
  std::string trigger;
  unsigned events = 0;  ///< bits of RowEvent
  /// Of an update: one of these was given. Empty = any.
  std::vector<std::string> columns;
  std::string filter;  ///< OData, on the row as it is after the change (before, when it is deleted); empty = any
  std::string token;   ///< tells this subscription from later ones of the same trigger
};

/// A row that a trigger is due to hear of.
struct RowDelivery {
  std::string key;
  std::string flow;
  std::string trigger;
  Value body;
};
inline constexpr std::string_view row_delivery_kind = "row_delivery";

/// Threads: any but the store's. Errors: the store's.
class RowWatches {
 public:
  explicit RowWatches(store::Store& store) : store_(store) {}

  /// In the stead of what the same trigger heard of the same entity before.
  Result<void> put(const RowWatch& watch);
  /// Nothing when another one took its place meanwhile.
  Result<void> remove(std::string_view entity, std::string_view flow, std::string_view trigger, std::string_view token);
  /// What is due, oldest first, behind the key `after`.
  Result<std::vector<RowDelivery>> due(std::size_t limit, std::string_view after = {}) const;
  /// Drops a delivery whose trigger is gone.
  Result<void> drop(std::string_view key);

 private:
  store::Store& store_;
};

/// Writes what is due to the triggers that hear of this change: called in the transaction that makes it. `row`: as it
/// is after the change, or was before it was deleted (Tables' view); `given`: the columns of an update. A flow that is
/// off hears nothing.
Result<void> note_row_change(store::Transaction& transaction, const Table& table, RowEvent event, const Value& row,
                             const Value& given);

}  // namespace flowmend::connector
