#pragma once

#include "base/error.h"
#include "connector/credentials.h"
#include "connector/document.h"

namespace flowmend::connector {

/// A request between its parts and its text: what policies work on. Query names and values are not yet encoded.
struct RequestParts {
  std::string method;
  std::string service_url;  ///< scheme, host and base path
  std::string path;         ///< encoded, with a leading `/`
  Pairs query;              ///< values encoded already when they came through collectionFormat
  Pairs headers;
};

/// Carries out the connector's request policies for this operation, in file order. `fields` are the connection's
/// values; `path_values` the encoded path parameters by name, for routes.
///
/// Error: `PolicyExpressionFailed`, a host or path that needs a value which the connection lacks.
Result<void> apply_request_policies(const Connector& connector, const Operation& operation, const Value& fields,
                                    const Pairs& path_values, RequestParts& parts);

/// The policy language: text with `@headers('n')`, `@queryParameters('n')`, `@connectionParameters('n')`, a second
/// argument being the value when it is missing, with or without braces. `missing` names the first one without a value.
std::string expand_policy_text(std::string_view text, const Value& fields, const RequestParts& parts,
                               std::string& missing);

}  // namespace flowmend::connector
