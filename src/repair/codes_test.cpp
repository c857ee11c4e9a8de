// Every failure that engine.md 5.3 lists by its code has words of its own: title, what happened, what to do.

#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/pointer.h"
#include "repair/explanation.h"

namespace flowmend::repair {
namespace {

std::shared_ptr<const definition::Flow> flow() {
  static const auto compiled = definition::compile(*json::parse(R"({
    "triggers": {"manual": {"type": "Request", "kind": "Http"}},
    "actions": {"Do_it": {"type": "Compose", "inputs": {"code": "x", "content": "y"}, "limit": {"timeout": "PT1M"}},
                "Ask": {"type": "Workflow", "runAfter": {}, "inputs": {"host": {"triggerName": "manual",
                        "workflow": {"id": "11111111-2222-4333-8444-555555555555"}}}}}})"));
  return compiled.flow;
}

struct Told {
  const char* code;
  const char* family;
  const char* title;
  const char* advice;
  const char* button;   ///< of the first advice; empty = none
  const char* pointer;  ///< the place to look at
};

/// What is told when 'Do it' fails with `code`, or 'Ask' with an answer of that code.
Value told_of(std::string_view code, bool by_called_flow) {
  const Timestamp time = *parse_timestamp("2026-11-23T12:00:00Z");
  engine::RunStarted started;
  started.run = "08584640926573727105946217888CU00";
  started.time = time;
  engine::ActionEnded ended;
  for (const definition::Action& action : flow()->actions) {
    if (action.name == (by_called_flow ? "Ask" : "Do_it")) ended.place.action = action.id;
  }
  ended.status = engine::Status::failed;
  ended.started = time;
  ended.ended = time + Duration::seconds(1);
  if (by_called_flow) {
    ended.code = "BadGateway";
    ended.outputs = Value::object(
        {{"statusCode", 502},
         {"body", Value::object({{"error", Value::object({{"code", code}, {"message", "Nobody answered"}})}})}});
    ended.has_outputs = true;
  } else {
    ended.code = "BadRequest";
    ended.fault = {std::string(code), "The recorded words", Value()};
  }
  engine::RunEnded over;
  over.status = engine::Status::failed;
  over.code = "ActionFailed";
  over.time = ended.ended;
  over.culprit = ended.place;
  const auto explained = explain_run(*flow(), {started, ended, over}, nullptr);
  EXPECT_TRUE(explained) << code;
  return explained ? *explained : Value();
}

const Told cases[] = {
    {"ActionResponseAlreadyDefined", "actionConfiguration", "Do it could not answer the caller a second time",
     "Let only one Response step be reached", "editAction", "/actions/Do_it"},
    {"ActionResponseTimedOut", "timeout", "Do it answered too late: the caller had given up",
     "Answer before the long work begins", "editAction", "/actions/Do_it"},
    {"OperationTimedOut", "timeout", "Do it waited longer than it may for an answer from outside", "Set an expiry",
     "editAction", "/actions/Do_it/limit"},
    {"WorkflowNotFound", "actionConfiguration", "Do it calls a flow that is not there", "Choose the flow again",
     "editAction", "/actions/Do_it"},
    {"NestedWorkflowContainsSplitOnTrigger", "actionConfiguration",
     "Do it calls a flow whose trigger makes several runs", "Remove 'splitOn'", "", "/actions/Do_it"},
    {"WorkflowCallDepthExceeded", "actionConfiguration", "Do it was not called: flows call each other without an end",
     "a condition that ends it", "editAction", "/actions/Do_it"},
    {"ChildRunNotOver", "transient", "Do it can't go on yet: the run that it had called is not over",
     "Wait for the end of that run", "resubmit", "/actions/Do_it"},
    {"ChildRunOfOtherFlow", "actionConfiguration", "Do it calls another flow than the run that it was to go on inside",
     "Resubmit the run without", "resubmit", "/actions/Do_it"},
    {"InvalidCorrection", "actionConfiguration", "Do it can't be repeated as somebody had decided",
     "Plan the repetition anew", "", "/actions/Do_it"},
    {"WorkflowTriggerIsNotEnabled", "actionConfiguration", "Do it calls a flow that is switched off",
     "Turn the called flow on", "", "/actions/Do_it"},
    {"ConnectionAuthorizationFailed", "authentication", "Do it may not use its connection", "Have its owner share it",
     "openConnections", "/actions/Do_it"},
    {"InvokerConnectionOverrideFailed", "authentication", "Do it found no connection of the person who started the run",
     "Add the flow to the app again", "editAction", "/actions/Do_it"},
    {"InvalidConnectionCredentials", "authentication",
     "Do it was refused: the credentials of its connection are not valid", "Enter the right credentials",
     "verifyConnection", "/actions/Do_it"},
    {"SignInExpired", "authentication", "Do it was refused: the sign-in of its connection is over",
     "Sign the connection in again", "verifyConnection", "/actions/Do_it"},
    {"DirectApiAuthorizationRequired", "authentication", "Do it was refused: the address has no signature",
     "Copy the address again", "editAction", "/actions/Do_it"},
    {"DirectApiInvalidAuthorizationSignature", "authentication",
     "Do it was refused: the signature of the address is not valid", "Copy the address again", "editAction",
     "/actions/Do_it"},
    {"AddressNotAllowed", "actionConfiguration", "Do it may not send to this address", "Use an address that flows may",
     "editAction", "/actions/Do_it"},
    {"TlsFailure", "actionConfiguration", "Do it could not trust the service's certificate",
     "Have the service's certificate renewed", "editAction", "/actions/Do_it"},
    {"WorkflowRunActionRepetitionQuotaExceeded", "limit", "Do it has more items than a loop may have",
     "`foreach-items`", "editAction", "/actions/Do_it"},
    {"FlowRunQuotaExceeded", "limit", "Do it could not run: a quota is used up", "Use fewer steps", "editAction",
     "/actions/Do_it"},
    {"ActionResultsSizeLimitExceeded", "limit", "Do it made more data than one step may", "Select only what is needed",
     "editAction", "/actions/Do_it"},
    {"VariableSizeLimitExceeded", "limit", "Do it let a variable grow larger than it may", "`variable-bytes`",
     "editAction", "/actions/Do_it"},
    {"ResponseTooLarge", "limit", "Do it got an answer that is larger than allowed", "`message-bytes`", "editAction",
     "/actions/Do_it"},
    {"RequestBodyTooLarge", "limit", "Do it would send more than allowed", "chunking", "editAction", "/actions/Do_it"},
    {"ExpressionTraceSizeLimitExceeded", "limit", "Do it has an expression whose values are too large to be kept",
     "Split the expression", "editAction", "/actions/Do_it"},
    {"ContentMissing", "data", "Do it needs content that is no longer there", "Resubmit the whole run", "resubmit",
     "/actions/Do_it"},
    {"InvalidContentLink", "data", "Do it has a link to content that is not valid", "Open the run from its page", "",
     "/actions/Do_it"},
    {"BatchMessageTooLarge", "actionConfiguration", "Do it would send a message that is too large for a batch",
     "Send a reference", "editAction", "/actions/Do_it/inputs/content"},
    {"BatchNotFound", "actionConfiguration", "Do it sends to a batch that is not there", "Choose the batch name",
     "editAction", "/actions/Do_it/inputs"},
    {"ActionUntilConditionFailed", "limit", "Do it ended before its condition was met", "Raise the loop's limit",
     "editAction", "/actions/Do_it/limit"},
    {"ActionAborted", "platform", "Do it was ended by the server", "Resubmit the run", "resubmit", "/actions/Do_it"},
    {"ActionCancelled", "unknown", "Do it was cancelled", "Resubmit the run", "resubmit", "/actions/Do_it"},
    {"ActionIgnored", "unknown", "Do it was not run", "See in the steps before it", "", "/actions/Do_it"},
    {"FlowRunActionTerminated", "unknown", "Do it was ended by a Terminate step", "See in the steps before the", "",
     "/actions/Do_it"},
    {"InlineCodeScriptRuntimeFailure", "actionConfiguration", "Do it ran code that threw an error", "Correct the code",
     "editAction", "/actions/Do_it/inputs/code"},
    {"InlineCodeTooLong", "actionConfiguration", "Do it has more code than allowed", "Move a part", "editAction",
     "/actions/Do_it/inputs/code"},
    {"SandboxTimeLimitExceeded", "limit", "Do it ran longer than code of a flow may", "`script-time`", "editAction",
     "/actions/Do_it"},
    {"SandboxMemoryLimitExceeded", "limit", "Do it needed more memory than code of a flow may", "`script-memory-bytes`",
     "editAction", "/actions/Do_it"},
    {"SandboxOutputLimitExceeded", "limit", "Do it made more data than code of a flow may", "Return only", "editAction",
     "/actions/Do_it"},
    {"SandboxUnavailable", "platform", "Do it could not run its code: `flowmend-sandbox` is missing",
     "beside `flowmend`", "resubmit", "/actions/Do_it"},
    {"ArtifactNotFound", "actionConfiguration", "Do it needs a map or schema that is not stored here",
     "/api/v1/artifacts", "resubmit", "/actions/Do_it"},
    {"ActionTypeUnavailable", "actionConfiguration", "Do it is of a type that can't run here", "Replace the step",
     "editAction", "/actions/Do_it"},
    {"ActionSchemaNotSupported", "data", "Do it has a schema that can't be used", "JSON Schema", "editAction",
     "/actions/Do_it"},
    {"InvalidPageResponse", "actionConfiguration", "Do it got a page that is none", "Switch pagination off",
     "editAction", "/actions/Do_it"},
    {"ChunkedTransferNotSupported", "actionConfiguration",
     "Do it could not send its content in parts: the service does not know how", "Switch the step's chunking off",
     "editAction", "/actions/Do_it"},
    {"InvalidChunk", "transient", "Do it got a file that changed while it was read", "Resubmit the run", "resubmit",
     "/actions/Do_it"},
    {"ChunkedTransferStalled", "transient", "Do it could not go on with a transfer in parts", "Resubmit the run",
     "resubmit", "/actions/Do_it"},
    {"DynamicListResponseInvalid", "actionConfiguration", "Do it got a list of choices that can't be read",
     "Enter the value by hand", "editAction", "/actions/Do_it/inputs"},
    {"InternalServerError", "platform", "Do it failed through a defect or a fault of this server", "Resubmit the run",
     "resubmit", "/actions/Do_it"},
    {"JournalDamaged", "platform", "Do it can't go on: its record is damaged", "Resubmit the whole run", "resubmit",
     "/actions/Do_it"},
    // Without a line of their own, by their family.
    {"ServerTimeout", "transient", "Do it failed: the service did not answer (ServerTimeout)", "This is temporary",
     "resubmit", "/actions/Do_it"},
    {"GatewayTimeout", "transient", "Do it failed: the service did not answer (GatewayTimeout)", "This is temporary",
     "resubmit", "/actions/Do_it"},
    {"ServiceTemporarilyUnavailable", "transient",
     "Do it failed: the service did not answer (ServiceTemporarilyUnavailable)", "This is temporary", "resubmit",
     "/actions/Do_it"},
    {"BadGatewayConnection", "transient", "Do it failed: the service did not answer (BadGatewayConnection)",
     "This is temporary", "resubmit", "/actions/Do_it"},
    {"ContentConversionFailed", "data", "Do it failed: a value has a form that can't be used here",
     "Convert the value first", "editAction", "/actions/Do_it"},
    {"InvalidJSON", "data", "Do it failed: a value has a form that can't be used here", "Convert the value first",
     "editAction", "/actions/Do_it"},
    {"ActionTimedOut", "timeout", "Do it took too long", "Raise the step's limit.timeout", "editAction",
     "/actions/Do_it"},
    {"InvalidConnection", "authentication", "Do it has no connection", "Make the connection again", "openConnections",
     "/actions/Do_it"},
    {"ConnectionNotConfigured", "authentication", "Do it has no connection", "Make the connection again",
     "openConnections", "/actions/Do_it"},
    {"OpenApiOperationParameterValidationFailed", "actionConfiguration",
     "Do it failed before anything was sent (OpenApiOperationParameterValidationFailed)", "Compare the step's inputs",
     "editAction", "/actions/Do_it"},
    {"WorkflowOperationParametersRuntimeMissingValue", "actionConfiguration",
     "Do it failed before anything was sent (WorkflowOperationParametersRuntimeMissingValue)",
     "Compare the step's inputs", "editAction", "/actions/Do_it"},
};

TEST(Codes, EachHasWordsOfItsOwn) {
  for (const Told& one : cases) {
    SCOPED_TRACE(one.code);
    const Value told = told_of(one.code, false);
    EXPECT_EQ(told.text_of("family"), one.family);
    EXPECT_EQ(told.text_of("title"), one.title);
    // A step without a connection is told in full by its title; every other story keeps what was recorded.
    const bool tells_all = std::string_view(one.title).ends_with("has no connection");
    EXPECT_EQ(told.text_of("whatHappened").find("The recorded words.") == std::string::npos, tells_all);
    const Value& first = told.find("howToFix")->as_array()[0];
    EXPECT_NE(first.text_of("text").find(one.advice), std::string::npos) << first.text_of("text");
    const Value* button = first.find("button");
    EXPECT_EQ(button == nullptr ? "" : button->text_of("kind"), one.button);
    const std::string_view pointer = told.find("where")->text_of("pointer");
    EXPECT_EQ(pointer, one.pointer);
    EXPECT_NE(json::resolve(flow()->definition, pointer), nullptr);
  }
}

TEST(Codes, ACalledFlowThatDoesNotAnswerIsNoServiceThatIsDown) {
  const Value told = told_of("NoResponse", true);
  EXPECT_EQ(told.text_of("title"), "Ask got no answer from the flow that it called");
  EXPECT_NE(told.find("howToFix")->as_array()[0].text_of("text").find("end with a Response"), std::string::npos);
}

TEST(Codes, AServicesOwnWordsAreNoCodesOfOurs) {
  // A called flow that answers with an unknown code is told by its status.
  EXPECT_EQ(told_of("Whatever", true).text_of("family"), "transient");
}

}  // namespace
}  // namespace flowmend::repair
