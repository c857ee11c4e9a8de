#pragma once

#include <functional>
#include <memory>

#include "connector/connections.h"
#include "engine/journal.h"
#include "repair/incidents.h"
#include "repair/silence/checks.h"
#include "runtime/flows.h"
#include "store/store.h"

namespace flowmend::repair::silence {

struct WatchSettings {
  Duration every = Duration::minutes(1);  ///< between two looks
  CheckPatience patience;
  std::size_t flows_a_look = 500;  ///< more flows take more looks to come round
};

/// Looks at every flow now and then for what did not happen: a schedule that did not fire, checks that keep failing, a
/// flow that was switched off, far fewer runs than usual, a run that takes far too long. Each opens an incident as a
/// failure does, and ends it when the thing is well again.
///
/// Its work is bounded: a look reads a few rows of at most `flows_a_look` flows, and counts runs once an hour. What it
/// remembers over a restart is the document `silence`/`watch` (uptime.h); all else it reads anew. Times at which the
/// server was down are told as that, or not judged. A flow whose owner chose so (`watchSilence` of its notifications)
/// is not watched.
///
/// Threads: one of its own. What `Parts` names must outlive it; the destructor waits for the look under way.
class Watcher {
 public:
  struct Parts {
    store::Store& store;
    const engine::Sealer& sealer;
    runtime::Flows& flows;
    const connector::Connections& connections;
    Incidents& incidents;
    std::function<Timestamp()> clock = now_from_system_clock;
  };
  Watcher(Parts parts, WatchSettings settings);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Begins to look at the settings' pace.
  void start();
  /// One look, for tests; not together with `start`.
  void look();

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace flowmend::repair::silence
