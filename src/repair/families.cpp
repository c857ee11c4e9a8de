#include "repair/families.h"

#include <optional>
#include <utility>

namespace flowmend::repair {
namespace {

struct CodeFamily {
  std::string_view code;
  Family family;
};

// engine.md 5.3 and the codes that our own rooms give. A prefix ends in `*`.
constexpr CodeFamily codes[] = {
    {"InvalidTemplate", Family::expression},
    {"ExpressionEvaluationFailed", Family::expression},
    {"Unauthorized", Family::authentication},
    {"Forbidden", Family::authentication},
    {"ConnectionAuthorizationFailed", Family::authentication},
    {"InvokerConnectionOverrideFailed", Family::authentication},
    {"InvalidConnection*", Family::authentication},
    {"ConnectionNotConfigured", Family::authentication},
    {"ApiConnectionNotFound", Family::authentication},
    {"ConnectionReferenceInvalid", Family::authentication},
    {"DirectApiAuthorizationRequired", Family::authentication},
    {"DirectApiInvalidAuthorizationSignature", Family::authentication},
    {"SignInExpired", Family::authentication},
    {"SecretUnreadable", Family::authentication},
    {"ApiNotFound", Family::action_configuration},
    {"ApiOperationNotFound", Family::action_configuration},
    {"WorkflowOperation*", Family::action_configuration},
    {"InvalidWorkflowOperation*", Family::action_configuration},
    {"OpenApiOperation*", Family::action_configuration},
    {"InvalidHttpInputs", Family::action_configuration},
    {"InvalidUri", Family::action_configuration},
    {"AuthenticationTypeUnsupported", Family::action_configuration},
    {"AddressNotAllowed", Family::action_configuration},
    {"UnresolvableHostName", Family::action_configuration},
    {"TlsFailure", Family::action_configuration},
    {"Connector*", Family::action_configuration},
    {"Policy*", Family::action_configuration},
    {"SignInAnswerInvalid", Family::action_configuration},
    {"InvalidRetryPolicy", Family::action_configuration},
    {"ConnectFailure", Family::transient},
    {"ConnectionClosed", Family::transient},
    {"RequestTimeout", Family::transient},
    {"ServerTimeout", Family::transient},
    {"GatewayTimeout", Family::transient},
    {"ServiceTemporarilyUnavailable", Family::transient},
    {"BadGatewayConnection", Family::transient},
    {"InvalidChunk", Family::transient},
    {"ChunkedTransferStalled", Family::transient},
    {"NoResponse", Family::action_configuration},
    {"ActionResponseAlreadyDefined", Family::action_configuration},
    {"WorkflowNotFound", Family::action_configuration},
    {"WorkflowTriggerIsNotEnabled", Family::action_configuration},
    {"NestedWorkflowContainsSplitOnTrigger", Family::action_configuration},
    {"WorkflowCallDepthExceeded", Family::action_configuration},
    {"ChildRunNotOver", Family::transient},
    {"ChildRunOfOtherFlow", Family::action_configuration},
    {"InvalidCorrection", Family::action_configuration},
    {"InlineCode*", Family::action_configuration},
    {"ArtifactNotFound", Family::action_configuration},
    {"ActionTypeUnavailable", Family::action_configuration},
    {"InvalidPageResponse", Family::action_configuration},
    {"ChunkedTransferNotSupported", Family::action_configuration},
    {"Dynamic*", Family::action_configuration},
    {"Batch*", Family::action_configuration},
    {"InvalidProtocolResponse", Family::transient},
    {"ContentConversionFailed", Family::data},
    {"InvalidJSON", Family::data},
    {"ValidationFailed", Family::data},
    {"ActionSchemaNotSupported", Family::data},
    {"ContentMissing", Family::data},
    {"InvalidContentLink", Family::data},
    {"ActionTimedOut", Family::timeout},
    {"TimedOut", Family::timeout},
    {"OperationTimedOut", Family::timeout},
    {"ActionResponseTimedOut", Family::timeout},
    {"FlowRunQuotaExceeded", Family::limit},
    {"ResponseTooLarge", Family::limit},
    {"RequestBodyTooLarge", Family::limit},
    {"ActionUntilConditionFailed", Family::limit},
    {"WorkflowRunActionRepetitionQuotaExceeded", Family::limit},
    {"InternalServerError", Family::platform},
    {"JournalDamaged", Family::platform},
    {"SandboxUnavailable", Family::platform},
    {"ActionAborted", Family::platform},
};

std::optional<Family> by_code(std::string_view code) {
  if (code.empty()) return std::nullopt;
  for (const CodeFamily& entry : codes) {
    const bool prefix = entry.code.ends_with('*');
    if (prefix ? code.starts_with(entry.code.substr(0, entry.code.size() - 1)) : code == entry.code)
      return entry.family;
  }
  if (code.ends_with("LimitExceeded") || code.ends_with("QuotaExceeded")) return Family::limit;
  return std::nullopt;
}

std::optional<Family> by_status(int status) {
  if (status == 401 || status == 403) return Family::authentication;
  if (status == 408 || status == 429 || status >= 500) return Family::transient;
  if (status >= 400) return Family::action_configuration;
  return std::nullopt;
}

}  // namespace

std::string_view family_name(Family family) {
  switch (family) {
    case Family::authentication: return "authentication";
    case Family::action_configuration: return "actionConfiguration";
    case Family::transient: return "transient";
    case Family::expression: return "expression";
    case Family::data: return "data";
    case Family::timeout: return "timeout";
    case Family::limit: return "limit";
    case Family::platform: return "platform";
    case Family::unknown: return "unknown";
  }
  return "unknown";
}

Family family_of(const Failure& failure) {
  if (!failure.has_step)
    return by_code(failure.run_code).value_or(failure.run_status == "TimedOut" ? Family::timeout : Family::unknown);
  if (const auto family = by_code(failure.fault_code)) return *family;
  if (const auto family = by_status(failure.status_code())) return *family;
  if (failure.status == "TimedOut") return Family::timeout;
  return by_code(failure.code).value_or(Family::unknown);
}

bool is_temporary(const Failure& failure) { return family_of(failure) == Family::transient; }

}  // namespace flowmend::repair
