#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "json/value.h"

namespace flowmend::definition {

/// The value that `values` (`{name: {value}}`) gives to a parameter, whose name knows no case; null when there is none.
const json::Value& deployed_value(const json::Value& values, std::string_view name);

/// Whether every parameter that `definition` declares gets a value that fits, when the flow is saved with the deployed
/// `values` (`{name: {value}}`; null = none): the deployed one, else its `defaultValue` (engine.md 1.2). Findings of
/// severity error, code `InvalidTemplate`: no value at all, a value of another type, one that `allowedValues` does not
/// hold, a deployed value that nothing declares. Texts that an engine or a deployment replaces (`@...`, `[...]`) are
/// taken to be right. `$connections` and `$authentication` need no value. Any JSON values; never fails.
void check_parameters(const json::Value& definition, const json::Value& values, Diagnostics& diagnostics);

/// A parameter whose value an environment variable gives: solutions of Power Automate declare it so
/// (`"metadata": {"schemaName": "contoso_Mailbox"}`).
struct BoundParameter {
  std::string name;
  std::string variable;  ///< as the definition spells it; variables know no case
};

/// In the definition's order, without secure ones, for variables are no secrets, and those whose name begins with `$`:
/// connections are no shared values. Any JSON value; never fails.
std::vector<BoundParameter> bound_parameters(const json::Value& definition);

}  // namespace flowmend::definition
