#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connector/connections.h"
#include "engine/journal.h"
#include "repair/incident.h"
#include "repair/silence/finding.h"
#include "runtime/runtime.h"
#include "store/store.h"

namespace flowmend::repair {

/// Looks at every run that failed, explains it, and folds it into the incident of its cause. What the bell tells comes
/// from here too: it speaks of incidents, so that one cause never gives more than one message an hour.
///
/// Incidents are kept as documents of kind `incident`; a run's row carries the fingerprint under which it was folded. A
/// run is looked at after it is durable, on a thread of this class, many in one transaction when many fail; what a
/// crash left out is caught up at the next `start`. The newest `kept_max` incidents are kept.
///
/// An incident is fixed when the step that had failed went well in a repetition that began after its latest failure
/// (verdict.h), or when a user says so.
///
/// Threads: any. `store`, `sealer`, `flows` and `connections` must outlive it; the destructor waits for the work under
/// way.
class Incidents final : public runtime::RunListener {
 public:
  static constexpr std::size_t kept_max = 5000;

  struct Parts {
    store::Store& store;
    const engine::Sealer& sealer;
    runtime::Flows& flows;
    const connector::Connections& connections;
    std::function<void(std::size_t unread)> on_notify;     ///< after each change of the bell's count; may be empty
    std::function<void(const std::string& id)> on_change;  ///< after each change of an incident; may be empty
    /// People are to be told of this incident. Called inside the transaction that stores it, so that what it writes is
    /// durable together with the incident or not at all; may be empty.
    std::function<Result<void>(store::Transaction&, const Incident&)> on_tell;
    std::function<Timestamp()> clock = now_from_system_clock;
  };
  explicit Incidents(Parts parts);
  ~Incidents() override;

  /// Reads what is stored and catches up on failed runs of before. Call once, before events arrive.
  Result<void> start();

  void run_started(const store::RunRow& run) override;
  void run_ended(const store::RunRow& run) override;
  void run_held(const store::RunRow& run) override;
  /// For Connections::on_status_change.
  void connection_changed(const connector::ConnectionView& connection);
  /// What the watch for silence found out about a flow: opens, keeps or ends the incident of it.
  void silence_judged(silence::Note note);

  struct Filter {
    std::optional<IncidentState> state;
    bool open_only = false;
    std::string flow;
  };
  /// The latest failure first.
  std::vector<Incident> list(const Filter& filter) const;
  std::optional<Incident> find(std::string_view id) const;
  /// The open incident under which a run with this fingerprint was folded; empty when there is none.
  std::string incident_of(std::string_view fingerprint) const;

  struct Change {
    std::optional<IncidentState> state;  ///< `back` can't be set
    std::optional<std::string> assignee;
    Timestamp muted_until;  ///< of state muted; not set = until it is taken back
    /// Of state fixed: `latest` or a version's name. Failures of older versions of that flow do not bring it back.
    std::string fixed_in_version;
    std::string fixed_in_flow;  ///< may be left out when the incident touches one flow
  };
  /// `IncidentNotFound`, `InvalidIncidentChange`, the store's.
  Result<Incident> change(std::string_view id, const Change& change, std::string_view by);
  /// Puts all failures of `other` under `id`, now and later; `other` is gone. `IncidentNotFound`,
  /// `InvalidIncidentChange` (into itself), the store's.
  Result<Incident> merge(std::string_view id, std::string_view other);
  /// Takes one fingerprint out of a merged incident: it is an incident of its own again. `IncidentNotFound`,
  /// `InvalidIncidentChange` (no such part, or the only one).
  Result<Incident> split(std::string_view id, std::string_view fingerprint);

  /// The runs of an incident that failed and were not yet repeated well, newest first, at most `limit`.
  Result<std::vector<store::RunRow>> broken_runs(const Incident& incident, std::size_t limit) const;

  /// What the bell shows: `{unread, value: [...]}`, newest first, 50 at most (docs/reference/portal-api.md).
  Value notifications() const;
  std::size_t unread() const;
  /// Marks these as read, or all when `ids` is null; unknown ids are no error. Gives what is left unread.
  Result<std::size_t> mark_read(const std::vector<std::string>* ids);

  /// Waits until everything heard so far has been looked at, or the time is over.
  void drain(std::chrono::milliseconds most = std::chrono::minutes(10)) const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace flowmend::repair
