#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "json/value.h"

namespace flowmend::store {

// The rows that every store keeps. Plain values: what they mean to a run is the runtime's business, how they are laid
// out is the implementation's. Secrets (access keys, credentials) arrive sealed; the store never sees one in clear.

/// A run's number in its store: counts up in the order of starts, 1..2^43-1. The runtime gives it.
using RunNumber = std::int64_t;

enum class RunStatus : std::uint8_t { waiting = 1, running, succeeded, failed, cancelled, timed_out, aborted };

/// `Succeeded`, `TimedOut` ... as records spell it.
std::string_view run_status_name(RunStatus status);
/// Without regard to case; nothing for another word.
std::optional<RunStatus> parse_run_status(std::string_view name);
inline bool is_over(RunStatus status) { return status >= RunStatus::succeeded; }

/// `RunRow::code` of a waiting run whose step waits for a service (engine::ActionHeld), not for its turn to begin. Its
/// `error_code`, `error_message` and `failed_action` then say why and where.
inline constexpr std::string_view held_code = "ActionHeld";

/// What repair found out about a failed run.
struct RunCause {
  std::string family;       ///< `authentication` ...; empty until it has looked
  std::string fingerprint;  ///< equal for failures of one cause
  std::string code;         ///< of the failed step: `401 Unauthorized`, `InvalidTemplate`
  std::string title;        ///< in plain words: `Get order was refused: ...`
};

/// What lists and the portal need of a run without reading its journal.
struct RunRow {
  RunNumber number = 0;
  std::string name;     ///< engine.md 6.1; sorts newest first
  std::string flow;     ///< GUID
  std::string version;  ///< of the flow that it runs
  RunStatus status = RunStatus::running;
  Timestamp started;
  Timestamp ended;           ///< not set while it runs
  Timestamp wait_ended;      ///< when a waiting run began to run; not set when it never waited
  std::string trigger;       ///< name of the trigger
  std::string history_name;  ///< of the trigger history; empty = the run's own name
  std::string code;          ///< record code of the run
  std::string error_code;
  std::string error_message;  ///< shortened for lists; the journal has it whole
  std::string failed_action;  ///< name of the innermost failed action (engine.md 5.5)
  RunCause cause;
  std::string resubmit_of;  ///< name of the run that this one repeats
  std::string client_tracking_id;
  std::string started_by;
  bool needs_work = false;  ///< replay it at start: it has requests or steps under way, or waits for its turn. False
                            ///< for one that only sleeps

  bool is_held() const { return status == RunStatus::waiting && code == held_code; }
};

/// One commit's events of one run. A run's records are read back in the order of `sequence`.
struct JournalRow {
  RunNumber run = 0;
  std::uint32_t sequence = 0;  ///< from 0, below 2^20
  std::string record;          ///< engine/journal.h
};

struct TimerRow {
  Timestamp due;
  RunNumber run = 0;
  std::uint32_t action = 0;
  std::uint32_t frame = 0;
  std::uint8_t kind = 0;  ///< engine::TimerKind
};

/// A check of a trigger that started no run (Skipped, Failed). Checks that fired are not stored again: the run says it.
struct TriggerHistoryRow {
  std::string flow;
  std::string trigger;
  std::string name;  ///< as a run's name; sorts newest first
  Timestamp started;
  Timestamp ended;
  Timestamp scheduled;  ///< not set for other than schedules
  std::string status;   ///< Succeeded, Skipped, Failed
  std::string code;
  std::string error_code;
  std::string error_message;
  Value outputs;  ///< what the check saw; null when there is none
  bool fired = false;
  std::string run;  ///< name of the run it started
};

enum class FlowState : std::uint8_t { started = 1, stopped, suspended };
std::string_view flow_state_name(FlowState state);

struct FlowRow {
  std::string id;           ///< GUID
  std::string workflow_id;  ///< 32 hex digits: signed addresses
  std::string environment;
  std::string display_name;
  FlowState state = FlowState::started;
  std::string version;  ///< the latest version's name
  std::string dialect = "pa";
  Timestamp created;
  Timestamp changed;
  std::string created_by;
  Value properties;           ///< what else the API keeps about it; null when nothing
  std::string primary_key;    ///< sealed
  std::string secondary_key;  ///< sealed
};

struct FlowVersionRow {
  std::string flow;
  std::string version;
  Timestamp saved;
  std::string saved_by;
  Value definition;
  Value connection_references;  ///< `{}` when none
  Value parameter_values;       ///< null when none
};

/// One JSON document of a named kind: connections, connectors, users, sessions, tokens, notifications, settings,
/// trigger states. `version` counts the writes of this key from 1.
struct Document {
  std::string kind;
  std::string key;
  Value value;
  std::int64_t version = 0;
  Timestamp updated;
};

}  // namespace flowmend::store
