#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "definition/batch.h"
#include "runtime/executor.h"
#include "runtime/flows.h"
#include "runtime/runtime.h"
#include "trigger/recurrence.h"

namespace flowmend::runtime {

/// What a SendToBatch action sends.
struct BatchMessage {
  std::string batch;      ///< its name among the trigger's `configurations`
  std::string partition;  ///< messages of different partitions are released apart
  std::string id;
  Value content;
};

/// The batches of all flows with a Batch trigger (engine.md 2.11): messages that wait, and their release.
///
/// A message is a document (`batchMessage`, `flow id/number`), written before its sender hears that it was taken. It is
/// erased in the commit that starts the run which gets it: a crash neither loses a message nor gives it to two runs.
/// When the times of a batch's recurrence are counted from is a document too (`batchTimes`, trigger_key() and the
/// batch's name).
///
/// Messages wait while their flow is off, and go with it when it is deleted.
///
/// Used on the executor's thread alone.
class Batches {
 public:
  struct Parts {
    store::Store& store;
    std::shared_ptr<Executor> executor;  ///< commits may be reported after this object is gone
    Flows& flows;
    /// Starts the run that gets a batch and commits `documents` with it. `started` is called once: with the run, or
    /// with why none was started.
    std::function<void(const std::shared_ptr<const definition::Flow>& flow, const Value& outputs,
                       std::vector<store::Document> documents, std::function<void(Result<StartedRun>)> started)>
        fire;
  };

  explicit Batches(Parts parts);
  ~Batches();

  /// Reads what waits. Releases nothing before it has returned.
  Result<void> recover();
  void flow_changed(const std::string& id);

  /// Takes a message for the trigger of `flow`, together with `also`; `done` once both are durable.
  /// `BatchNotFound`, `BatchMessageTooLarge`, `BatchMessagesLimitExceeded`, the expression's own.
  void take(const std::shared_ptr<const definition::Flow>& flow, BatchMessage message,
            std::vector<store::Document> also, std::function<void(Result<void>)> done);
  /// Releases what waits, whatever the criteria say; `key`: trigger_key(). `BatchEmpty`.
  void release_now(const std::string& key, std::function<void(Result<StartedRun>)> done);
  /// How many messages wait for the trigger.
  std::size_t waiting(const std::string& key) const;

 private:
  struct Waiting {
    std::string document;  ///< its key
    std::int64_t bytes = 0;
  };
  /// The messages of one batch and partition, oldest first.
  struct Group {
    std::deque<Waiting> messages;
    std::int64_t bytes = 0;
    bool releasing = false;  ///< a run is being started with some of them
    std::size_t due = 0;     ///< so many are to be released: the batch's time has come, or a person said so
    std::function<void(Result<StartedRun>)> done;
  };
  struct Timing {
    Value source;
    trigger::Recurrence recurrence;
    Timestamp saved, last, next;
    std::uint64_t turn = 0;  ///< tells a posted wake-up of an older plan from this one's
  };
  using GroupName = std::pair<std::string, std::string>;  ///< batch, partition
  struct Entry {
    std::map<std::string, definition::BatchConfiguration> batches;
    std::map<std::string, Timing> timings;
    std::map<GroupName, Group> groups;
    bool on = false;
  };

  void plan(const std::string& key, const definition::Flow& flow, bool on);
  void plan_times(const std::string& key, Entry& entry, const definition::BatchConfiguration& batch);
  void wake(const std::string& key, const std::string& batch);
  void time_has_come(const std::string& key, const std::string& batch);
  void check(const std::string& key, const GroupName& name);
  void check_later(const std::string& key, const GroupName& name, Duration wait);
  void release(const std::string& key, const GroupName& name, std::size_t count);
  void released(const std::string& key, const GroupName& name, std::size_t count, const Result<StartedRun>& started);
  void forget_flow(const std::string& id);
  void keep_times(const std::string& key, const std::string& batch, const Timing& timing);
  std::string next_key(std::string_view flow);

  Parts parts_;
  std::map<std::string, Entry> entries_;  ///< by trigger_key()
  std::uint64_t turns_ = 0;
  std::uint64_t last_number_ = 0;  ///< of a message: later ones have higher ones
  std::shared_ptr<Batches*> self_;
};

}  // namespace flowmend::runtime
