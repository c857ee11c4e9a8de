#pragma once

#include <string>

#include "connector/connections.h"
#include "json/value.h"

namespace flowmend::api {

using json::Value;

/// A flow's parts that name connections, with another one of the same connector in the place of `from`.
struct Repointed {
  bool uses = false;       ///< the flow led to `from`
  std::string still_at;    ///< pointer of a step that would lead to it all the same; empty = none
  Value references;        ///< connectionReferences, in the form that they had
  Value parameter_values;  ///< with the value of `$connections`
};

/// A step that names the connection itself, past the references, is led on by a reference of that name. Total: any
/// values may be given.
Repointed repoint(const Value& definition, const Value& references, const Value& parameter_values,
                  const connector::ConnectionKey& from, const std::string& to);

}  // namespace flowmend::api
