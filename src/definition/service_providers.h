#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::definition {

using json::Value;

// ServiceProvider operations are the built-in connectors of Logic Apps Standard. Some have a connector of this server
// that does the same; service_providers.cpp holds the table. A step's `serviceProviderConfiguration` names provider,
// operation and connection; the connection is a key of the flow's connection references, as for other connectors.

/// What an operation becomes.
struct ServiceProviderOperation {
  std::string_view provider;   ///< the last segment of `serviceProviderId`
  std::string_view operation;  ///< `operationId`
  std::string_view api;        ///< of the connector that does it, unless the connection reference names another
  std::string_view as;         ///< that connector's operation
  /// Its parameters, separated by blanks: `name=FROM:path`. FROM is what is done with the step's parameter at `path`
  /// (levels separated by `/`): nothing (as it is), `folder` and `name` (of a path), `list` (an object's values), `is`
  /// (the text behind the colon itself). `!path`: the operation can't do what this parameter asks for when it is true.
  std::string_view parameters;
  std::string_view
      reply;  ///< what is done with its reply's body: nothing, `content`, `value`, `resultsets`, `messages`
  bool trigger = false;
};

/// Without regard to case; nullptr when nothing here does the same.
const ServiceProviderOperation* find_service_provider(const Value& inputs, bool trigger);

/// Why an operation that is not in the table can't run, and what is nearest: for the checker and for the failed step.
std::string service_provider_missing(const Value& inputs, bool trigger);

/// The evaluated inputs as those of a connector's step, `{host, parameters}`. `InvalidServiceProviderInputs` with the
/// place, for what the connector can't do.
Result<Value> service_provider_call(const ServiceProviderOperation& operation, const Value& inputs,
                                    const Value& connection_references);

/// The reply's body as the provider would give it.
Value service_provider_body(const ServiceProviderOperation& operation, const Value& body);

}  // namespace flowmend::definition
