#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "connector/connections.h"
#include "json/value.h"

namespace flowmend::repair {

using json::Value;

/// One step as one run recorded it.
struct StepRecord {
  Timestamp started;
  Timestamp ended;
  Value definition;        ///< of the step as that version of the flow wrote it, without the steps inside it
  Value inputs;            ///< null when they could not be evaluated, or are kept secure
  Value outputs;           ///< null when there are none, or they are kept secure
  int status_code = 0;     ///< that a service answered; 0 = none
  std::string connection;  ///< `api/name`; empty = none
};

/// One thing that is different now.
struct Change {
  enum class Kind { definition, connection, inputs, source, response, duration };
  Kind kind = Kind::definition;
  std::string text;     ///< for people; holds names, types, counts and times, no recorded value
  std::string pointer;  ///< of a definition change: in the step; of a change of data: in it
  Value before;         ///< of a definition change: what it said; null = it was not there
  Value after;
};
std::string_view kind_name(Change::Kind kind);  ///< `definition`, `connection` ...

/// What differs between two definitions of a step, 10 at most.
std::vector<Change> definition_changes(const Value& before, const Value& after);

/// What differs in the shape of two values: members that are gone, new or null now, other types, lists that are empty
/// now. `what` begins each text: `Its input`. 10 at most. Of a list's items (the first 1,000) it is said what all of
/// them had and some lack now; else the first ones are compared.
std::vector<Change> shape_changes(Change::Kind kind, std::string_view what, const Value& before, const Value& after);

/// What differs in how a service answered: the status, the type and the size of the body (three times as large or
/// small, and a kilobyte at least), the time it took (three times as long, and a second at least).
std::vector<Change> response_changes(const StepRecord& before, const StepRecord& after);

}  // namespace flowmend::repair
