#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "connector/connections.h"
#include "json/value.h"
#include "repair/fingerprint.h"
#include "store/rows.h"

namespace flowmend::repair {

using json::Value;

/// What one failed run adds to its incident.
struct Finding {
  store::RunNumber number = 0;
  std::string run;
  std::string flow;
  std::string flow_display_name;
  std::string version;
  Timestamp started;
  Timestamp ended;
  std::string title;       ///< of the explanation
  std::string run_title;   ///< the same, when the run's record could be read; else empty
  std::string message;     ///< what happened
  std::string how_to_fix;  ///< one advice a line
  std::string action;
  std::string family;
  std::string code;  ///< of the step: `401 Unauthorized`
  Fingerprint fingerprint;
  std::optional<connector::ConnectionKey> connection;
  std::string connection_name;
};

enum class IncidentState : std::uint8_t { fresh, assigned, muted, fixed, back };
/// `new`, `assigned`, `muted`, `fixed`, `back`.
std::string_view state_name(IncidentState state);
std::optional<IncidentState> parse_state(std::string_view name);

/// A time at which the cause was held to be gone.
struct Fix {
  Timestamp time;
  std::string by;       ///< a user's name, or empty: a repeated run passed
  std::string run;      ///< that passed; may be empty
  std::string flow;     ///< of `version`
  std::string version;  ///< said by a user: it is fixed in this version, so older ones failing is no news. May be empty
  friend bool operator==(const Fix&, const Fix&) = default;
};

/// What people decided about an incident, and were told of it.
struct Standing {
  IncidentState state = IncidentState::fresh;
  std::string assignee;
  Timestamp muted_until;
  bool read = false;
  Timestamp told;  ///< when people were last told; not set = never
};

/// The failures of one fingerprint. An incident has one, and more after a merge.
struct IncidentPart {
  struct FlowCount {
    std::string display_name;
    std::int64_t count = 0;
  };
  std::string fingerprint;
  std::string rule;
  std::string title;  ///< of the latest failure, as what follows
  std::string message;
  std::string how_to_fix;  ///< one advice a line; may be empty
  std::string action;
  std::string family;
  std::optional<connector::ConnectionKey> connection;
  std::string connection_name;
  std::string last_run;
  std::string last_flow;
  Timestamp first;
  Timestamp last;
  std::int64_t count = 0;
  std::map<std::string, FlowCount> flows;      ///< by id; `flows_max` at most, later ones are only counted
  std::map<std::int64_t, std::int64_t> hours;  ///< failures by hour since 1970, of the last seven days
  std::int64_t repaired = 0;                   ///< failed runs of it that went well when they were repeated
  std::vector<Fix> fixes;                      ///< oldest first; the newest `fixes_max`. They stay with the fingerprint
  std::optional<Standing> before_merge;        ///< of the incident that it came from; a split gives it back
};

/// The failures that have one cause (or are held to), over all flows. A plain value: who changes one and when it is
/// stored is Incidents' business.
struct Incident : Standing {
  std::string id;  ///< 16 hexadecimal digits
  std::vector<IncidentPart> parts;

  std::int64_t count() const;
  std::int64_t repaired() const;
  std::vector<Fix> fixes() const;  ///< of all parts, oldest first
  Timestamp first() const;
  Timestamp last() const;
  /// The part with the latest failure: its words stand for the incident.
  const IncidentPart& face() const;
  bool is_open() const { return state != IncidentState::fixed; }
};

constexpr std::size_t flows_max = 200;
constexpr std::size_t fixes_max = 20;

/// The id of the incident that a fingerprint opens.
std::string incident_id(std::string_view fingerprint);

/// Adds a failure; O(1) in the number of failures before. True: people are to be told, because it is new, back, or more
/// than an hour after they were told last. A muted one tells nothing until its time.
bool fold(Incident& incident, const Finding& finding, Timestamp now);

/// Ends a mute whose time is over.
void end_mute(Incident& incident, Timestamp now);
/// Notes that the cause is held to be gone; the state is `fixed` then.
void note_fix(Incident& incident, const Fix& fix);
/// Puts the failures of `other` under `incident`.
void merge_into(Incident& incident, const Incident& other);
/// Takes a fingerprint out again: each side stands as it did before it was merged, unless both were fixed since. The
/// value is what left; nothing when the incident has no such part, or no other one.
std::optional<Incident> split_off(Incident& incident, std::string_view fingerprint);

/// As it is stored; unreadable documents give nothing.
Value to_document(const Incident& incident);
std::optional<Incident> from_document(const Value& document);

/// The Incident of the API (docs/reference/portal-api.md).
Value incident_view(const Incident& incident);

}  // namespace flowmend::repair
