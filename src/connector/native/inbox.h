#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "json/value.h"
#include "store/store.h"

namespace flowmend::connector {

/// Messages that were taken from a broker and that no run was started with yet. A broker forgets a message when it is
/// acknowledged; a run is durable only some time after the trigger's check answered. So a trigger keeps what it
/// received here first, acknowledges it then, and forgets it when the next check says (by its state) that the runs
/// stand.
///
/// Kept as documents of kind `inbox`, keys `NAME/SEQUENCE`. Threads: one user for each name at a time.
class Inbox {
 public:
  /// `name`: the trigger and what it listens to (`inbox_name`).
  Inbox(store::Store& store, std::string name) : store_(store), name_(std::move(name)) {}

  struct Message {
    std::int64_t sequence = 0;  ///< 1, 2, ... in the order of arrival
    json::Value value;
  };

  /// Appends, durable when it returns; `after`: the last sequence that was ever given out, when none is stored.
  Result<void> put(const std::vector<json::Value>& messages, std::int64_t after);
  /// The oldest ones with a sequence above `after`, at most `limit`.
  Result<std::vector<Message>> list(std::int64_t after, std::size_t limit) const;
  /// Drops those up to and with `sequence`.
  Result<void> forget(std::int64_t sequence);

 private:
  std::string key(std::int64_t sequence) const;
  store::Store& store_;
  std::string name_;
  std::optional<std::int64_t> last_;  ///< the last sequence that was put, once it is known
};

/// A name for the inbox and for the broker's session: the same for a flow as long as it listens to the same thing.
/// `source` holds what tells two sources apart (server, user, topic); it is hashed, so no secret is readable in it.
std::string inbox_name(std::string_view flow, std::string_view source);

}  // namespace flowmend::connector
