#pragma once

#include <vector>

#include "base/time.h"
#include "json/value.h"

namespace flowmend::repair::silence {

/// When the server was there, as far as the watch knows: it notes at each look that it is. A plain value, kept as the
/// document `silence`/`watch`.
class Uptime {
 public:
  struct Gap {
    Timestamp from, until;
  };
  /// `document` as `to_document` gave it; anything else begins anew.
  static Uptime from_document(const json::Value& document);
  json::Value to_document() const;

  /// The server is there at `now`; `beat` is the time between two looks. A longer silence since the last one (three
  /// beats), the process's start, and a clock that was set back are gaps.
  void note(Timestamp now, Duration beat, bool process_started);

  Timestamp since() const { return since_; }           ///< there without a gap since then; not set = never noted
  Timestamp down_since() const;                        ///< the start of the last gap; not set = none known
  bool covers(Timestamp from, Timestamp until) const;  ///< at most a twentieth of it is gap, or before the first note

 private:
  Timestamp first_, since_, seen_;
  std::vector<Gap> gaps_;  ///< oldest first; the newest few hundred
};

}  // namespace flowmend::repair::silence
