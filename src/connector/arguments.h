#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/diagnostic.h"
#include "base/error.h"
#include "connector/document.h"

namespace flowmend::connector {

/// The values that a step gives to an operation, sorted to their parameters, with defaults and internal values put in
/// and types converted where nothing is lost.
struct Arguments {
  std::unordered_map<std::string, Value> values;  ///< by parameter name, all places but the body
  Value body;
  bool has_body = false;
};

/// Sorts the flat map `inputs.parameters` of an OpenApiConnection step (`{"id": 7, "body/customer/name": "..."}`) to
/// the operation's parameters. Keys are: the exact name of a parameter; the body parameter's name for the whole body;
/// or that name, `/` and a path of properties along the schema.
///
/// Errors, all naming the parameter: `WorkflowOperationParametersRuntimeMissingValue`,
/// `WorkflowOperationParametersExtraParameter`, `OpenApiOperationParameterTypeConversionFailed`,
/// `InvalidWorkflowOperationParametersRuntimeValue` (not one of an enum). `where` is the pointer below
/// `/inputs/parameters`: `/id`.
Result<Arguments> bind_arguments(const Connector& connector, const Operation& operation, const Value& parameters);

/// What the flow checker says about a step's parameters before it ever ran: unknown names, required ones that are
/// missing, literal values of the wrong kind or not in an enum, internal ones that are given. Values that hold
/// expressions are taken to be right. `pointer` is that of the parameters' object in the definition.
void check_arguments(const Connector& connector, const Operation& operation, const Value& parameters,
                     std::string_view pointer, Diagnostics& diagnostics);

/// True for a text that the expression language would evaluate.
bool holds_expression(const Value& value);

}  // namespace flowmend::connector
