#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connector/arguments.h"
#include "connector/credentials.h"
#include "connector/pkcs12.h"

namespace flowmend::connector {

/// Says that a request is none of the step's own yet: something has to be asked for first.
struct Question {
  PolicySteps answer;     ///< where the JSON answer holds the value that is to be given as the next of `asked`
  bool signs_in = false;  ///< the value is a token: the Http action's own sign-in
  std::string kept_as;    ///< of a token: who has the same key may use it while it holds; empty = nobody
};

/// A request ready to be sent. `secrets` are the texts that records of it must not show.
struct OutgoingRequest {
  std::string method;
  std::string url;
  Pairs headers;
  std::string body;
  bool has_body = false;
  std::vector<std::string> secrets;
  std::optional<Question> question;
  std::shared_ptr<const Pkcs12> certificate;  ///< shown to a service that asks who calls; usually none

  /// The first header of that name without regard to case; nothing when absent.
  const std::string* header(std::string_view name) const;
};

/// Builds the request of a connector's operation from the flat parameters of a step and a connection's values in clear.
/// The credential is placed first, then the connector's policies run, so that they may read and replace it. `asked`:
/// what the answers to the questions of before held (OutgoingRequest::question).
///
/// Errors: those of `bind_arguments`; `ConnectorHostMissing`; `PolicyExpressionFailed`; `ContentConversionFailed`; the
/// code of an operation that can't run here (`ConnectorScriptUnsupported` ...). Any thread; pure but for multipart
/// boundaries.
Result<OutgoingRequest> build_request(const Connector& connector, const Operation& operation, const Value& parameters,
                                      const Value& fields, const std::vector<std::string>& asked = {});
/// What the answer to a question holds. `PolicyValueMissing` when it is no JSON, or has no such scalar.
Result<std::string> answered_value(const OutgoingRequest& question, std::string_view body);

/// The same for a Logic Apps ApiConnection step: `{method, path, queries?, headers?, body?}`. The operation is found by
/// method and path, most literal segments first; `ApiOperationNotFound` when none fits.
struct MatchedOperation {
  const Operation* operation = nullptr;
  Value parameters;  ///< flat, as build_request wants them
};
Result<MatchedOperation> match_api_connection(const Connector& connector, const Value& inputs);

/// The media type that a body of this operation is sent as (connectors.md 5.2); empty = by the value.
std::string preferred_media_type(const std::vector<std::string>& consumes);

}  // namespace flowmend::connector
