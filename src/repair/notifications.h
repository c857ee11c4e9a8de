#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connector/connections.h"
#include "engine/journal.h"
#include "runtime/runtime.h"
#include "store/store.h"

namespace flowmend::repair {

/// Looks at every run that failed: finds its family, explains it, and puts one notification under the bell; another one
/// for a connection that stopped working. Kept as documents of kind `notification`, the newest 500.
///
/// A run is looked at after it is durable, on a thread of this class; what a crash left out is caught up at the next
/// `start`. A notification about a run is read by itself when a resubmit of that run succeeds.
///
/// Threads: any. `store`, `sealer`, `flows` and `connections` must outlive it; the destructor waits for the work under
/// way.
class Notifications final : public runtime::RunListener {
 public:
  struct Parts {
    store::Store& store;
    const engine::Sealer& sealer;
    runtime::Flows& flows;
    const connector::Connections& connections;
    std::function<void(std::size_t unread)> on_change;  ///< after each change of the count; may be empty
  };
  explicit Notifications(Parts parts);
  ~Notifications() override;

  /// Reads what is stored and catches up on failed runs of before. Call once, before events arrive.
  Result<void> start();

  void run_started(const store::RunRow& run) override;
  void run_ended(const store::RunRow& run) override;
  /// For Connections::on_status_change.
  void connection_changed(const connector::ConnectionView& connection);

  /// `{unread, value: [...]}`, newest first, 50 at most (docs/reference/portal-api.md).
  Value list() const;
  std::size_t unread() const;
  /// Marks these as read, or all when `ids` is null; unknown ids are no error. Gives what is left unread.
  Result<std::size_t> mark_read(const std::vector<std::string>* ids);

  /// Waits until everything heard so far has been looked at (for tests and a graceful stop).
  void drain();

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace flowmend::repair
