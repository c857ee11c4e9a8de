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
  std::string message;     ///< what happened
  std::string how_to_fix;  ///< one advice a line
  std::string action;
  std::string family;
  Fingerprint fingerprint;
  std::optional<connector::ConnectionKey> connection;
  std::string connection_name;
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
};

enum class IncidentState : std::uint8_t { fresh, assigned, muted, fixed, back };
/// `new`, `assigned`, `muted`, `fixed`, `back`.
std::string_view state_name(IncidentState state);
std::optional<IncidentState> parse_state(std::string_view name);

/// A time at which the cause was held to be gone.
struct Fix {
  Timestamp time;
  std::string by;   ///< a user's name, or empty: a repeated run passed
  std::string run;  ///< that passed; may be empty
  std::string version;
};

/// The failures that have one cause (or are held to), over all flows. A plain value: who changes one and when it is
/// stored is Incidents' business.
struct Incident {
  std::string id;  ///< 16 hexadecimal digits
  IncidentState state = IncidentState::fresh;
  std::string assignee;
  Timestamp muted_until;
  std::vector<Fix> fixes;  ///< oldest first; the newest `fixes_max`
  std::vector<IncidentPart> parts;
  std::int64_t repaired = 0;  ///< failed runs of it that went well when they were repeated
  bool read = false;
  Timestamp told;  ///< when people were last told; not set = never

  std::int64_t count() const;
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

/// As it is stored; unreadable documents give nothing.
Value to_document(const Incident& incident);
std::optional<Incident> from_document(const Value& document);

/// The Incident of the API (docs/reference/portal-api.md).
Value incident_view(const Incident& incident);

}  // namespace flowmend::repair
