#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/diagnostic.h"
#include "connector/dynamic/source.h"

namespace flowmend::connector {

/// The shape that a source gave lately for these parameters; nothing when nobody asked. Must not ask anybody.
using RememberedShape = std::function<std::optional<Value>(const Connector& connector, const Operation& operation,
                                                           const DynamicSource& source, const Value& parameters)>;

/// What the flow checker says about fields whose shape only the service knows, as far as it is remembered: names that
/// it does not have (`DynamicPropertyUnknown`), required ones that are missing (`DynamicPropertyMissing`). Warnings,
/// because the service may have changed since. `pointer` is that of the parameters' object.
void check_dynamic(const Connector& connector, const Operation& operation, const Value& parameters,
                   std::string_view pointer, const RememberedShape& remembered, Diagnostics& diagnostics);

}  // namespace flowmend::connector
