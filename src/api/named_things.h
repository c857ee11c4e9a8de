#pragma once

#include <string>
#include <vector>

#include "json/value.h"

namespace flowmend::api {

using json::Value;

/// A connection or a flow that a step of a definition names.
struct NamedThing {
  std::string api;        ///< of a connection, when it is known
  std::string name;       ///< of the connection; id or name of the flow
  std::string where;      ///< pointer of the step, or of the reference
  bool computed = false;  ///< an expression: what it names is known at run time
};

struct NamedThings {
  std::vector<NamedThing> connections;
  std::vector<NamedThing> flows;
};

/// Everything that a flow's steps, triggers, connection references and `$connections` value may reach, whatever the
/// steps are nested in. Total: any values may be given.
NamedThings named_things(const Value& definition, const Value& references, const Value& parameter_values);

}  // namespace flowmend::api
