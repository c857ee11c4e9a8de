#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "repair/incident.h"

namespace flowmend::repair::silence {

/// What can be silent about a flow. One incident per flow and kind.
enum class Kind : std::uint8_t {
  off,       ///< switched off by somebody else, suspended, or not to be started any more
  schedule,  ///< its schedule did not fire
  checks,    ///< its trigger's checks keep failing
  volume,    ///< far fewer runs than at this time of the weeks before
  stuck,     ///< a run that takes far longer than the flow's own runs did
};

/// What happened, or rather did not, in words for people. Holds no values of runs and no secret.
struct Silence {
  std::string title;
  std::string message;
  std::string how_to_fix;  ///< one advice a line
  Timestamp since;         ///< when it began
  Timestamp evidence;      ///< of the latest thing that shows it; a fix after it is believed
  std::string run;         ///< name of the run that is meant; empty = none
  std::string action;      ///< name of the step that is meant; empty = none
};

/// What a rule says of one flow now.
struct Verdict {
  enum class State : std::uint8_t {
    unknown,  ///< nothing can be said just now: an open incident stays, none is opened
    well,
    silent,
  };
  State state = State::unknown;
  Silence silence;  ///< of `silent`

  static Verdict well() { return {State::well, {}}; }
  static Verdict unknown() { return {}; }
  static Verdict silent(Silence silence) { return {State::silent, std::move(silence)}; }
};

/// What the watch says to the incidents.
struct Note {
  Kind kind = Kind::off;
  std::string flow;
  std::string flow_display_name;
  Verdict verdict;
};

/// `silence|schedule|<flow>`.
std::string fingerprint_of(Kind kind, std::string_view flow);
bool is_silence(std::string_view fingerprint);
/// The flow's id in such a fingerprint.
std::string_view flow_of(std::string_view fingerprint);

/// Puts a silence into its incident, which may be new (without parts). True: people are to be told, because it is new,
/// back, or no longer muted. One that was set to fixed opens again only for evidence from after the fix.
bool fold(Incident& incident, Kind kind, std::string_view flow, std::string_view flow_display_name,
          const Silence& silence, Timestamp now);

/// The thing is well again. True: the incident was changed. A merged incident stays: its other causes may last.
bool end(Incident& incident, Timestamp now);

// Words that the rules share.
std::string length_words(Duration length);  ///< `3 hours`, `12 minutes`
std::string time_words(Timestamp time);     ///< `2026-11-25 04:30 UTC`
/// What others say, cut to 500 bytes between two characters.
std::string shortened(const std::string& text);

}  // namespace flowmend::repair::silence
