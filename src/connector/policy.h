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

/// A value that a policy takes from the service's own answer, before the operation's request can be built.
struct ValueQuestion {
  std::string method;
  std::string path;    ///< encoded, below the service URL, with its query
  PolicySteps answer;  ///< where the JSON answer holds the value
};

/// Carries out the connector's request policies for this operation, in file order. `fields` are the connection's
/// values; `path_values` the encoded path parameters by name, for routes; `body` the JSON that will be sent, null when
/// there is none. `asked` are the answers to the questions of before, in their order.
///
/// A question: ask the service, with `parts` as they are then, and call again with one more answer. Errors:
/// `PolicyExpressionFailed`, a host or path that needs a value which the connection lacks.
Result<std::optional<ValueQuestion>> apply_request_policies(const Connector& connector, const Operation& operation,
                                                            const Value& fields, const Pairs& path_values,
                                                            const std::vector<std::string>& asked, Value* body,
                                                            RequestParts& parts);

/// True when the flow must see something else than what the service answers to this operation.
bool shapes_replies(const Connector& connector, const Operation& operation);
/// The headers of an answer as the policies for its status want them. `fields` without secrets: what they put in is
/// seen by the flow.
void apply_reply_headers(const Connector& connector, const Operation& operation, const Value& fields, int status,
                         Pairs& headers);
/// The same for its decoded body.
Value apply_reply_body(const Connector& connector, const Operation& operation, const Value& fields, int status,
                       const Value& body);
/// True when this status says that the connection must sign in again, beside 401.
bool means_unauthenticated(const Connector& connector, const Operation& operation, int status);

}  // namespace flowmend::connector
