// Failures that their code says all about: one line of data each. A code comes from engine.md 5.3, which imported
// histories and the cloud's users know, or from our own rooms.

#include <array>

#include "json/pointer.h"
#include "repair/rules/list.h"

namespace flowmend::repair {
namespace {

using Kind = Button::Kind;

struct CodeStory {
  std::string_view code;
  std::string_view title;   ///< after the step's name
  std::string_view what;    ///< before the recorded message
  std::string_view advice;  ///< the first one; those to resubmit and to ask for help follow
  Kind button = Kind::edit_action;
  std::string_view below = {};  ///< of edit_action: the place in the step
};

constexpr std::string_view edit_label = "Edit the step";

constexpr std::array stories = {
    // The flow answers, or is answered.
    CodeStory{"NoResponse", "got no answer from the flow that it called", "The called flow ran, and ended without one.",
              "Open the called flow's run, and let every way through that flow end with a Response step.", Kind::none},
    CodeStory{"ActionResponseAlreadyDefined", "could not answer the caller a second time",
              "A run answers its caller once.",
              "Let only one Response step be reached: put them into the branches of a condition."},
    CodeStory{"ActionResponseTimedOut", "answered too late: the caller had given up",
              "A caller waits two minutes, then it gets 504.",
              "Answer before the long work begins, or give the Response the option Asynchronous."},
    CodeStory{
        "OperationTimedOut", "waited longer than it may for an answer from outside",
        "Nobody answered in the time that the step or the run has.",
        "Set an expiry that fits, and add steps that run after it \"has timed out\"; for longer waits start a second "
        "flow when the answer comes.",
        Kind::edit_action, "/limit"},
    // Flows that call flows.
    CodeStory{"WorkflowNotFound", "calls a flow that is not there", "It was deleted, or never brought here.",
              "Choose the flow again.", Kind::edit_action, "/inputs/host"},
    CodeStory{"NestedWorkflowContainsSplitOnTrigger", "calls a flow whose trigger makes several runs",
              "A call has one run and one answer.", "Remove 'splitOn' from the called flow's trigger.", Kind::none},
    CodeStory{"WorkflowTriggerIsNotEnabled", "calls a flow that is switched off", "A flow that is off starts no runs.",
              "Turn the called flow on.", Kind::none},
    CodeStory{"WorkflowCallDepthExceeded", "was not called: flows call each other without an end",
              "Fifty flows wait for each other already.", "Give the flow that calls itself a condition that ends it.",
              Kind::edit_action, "/inputs/host"},
    CodeStory{"ChildRunNotOver", "can't go on yet: the run that it had called is not over",
              "A repetition goes on inside the run that the step had called, and nothing is done there twice.",
              "Wait for the end of that run, or cancel it; then resubmit this one.", Kind::resubmit},
    CodeStory{"ChildRunOfOtherFlow", "calls another flow than the run that it was to go on inside",
              "The step was edited since the run was planned.",
              "Resubmit the run without what was decided about the "
              "called one.",
              Kind::resubmit},
    CodeStory{"InvalidCorrection", "can't be repeated as somebody had decided",
              "The called flow was edited since the run was planned.", "Plan the repetition anew.", Kind::none},
    // Who may.
    CodeStory{"ConnectionAuthorizationFailed", "may not use its connection",
              "The connection is there, but it is not shared with the flow's owner.",
              "Have its owner share it, or choose another connection.", Kind::open_connections},
    CodeStory{"InvokerConnectionOverrideFailed", "found no connection of the person who started the run",
              "The step uses the connection of whoever starts the flow, and none was handed over.",
              "Add the flow to the app again, or let the step use a connection of its own.", Kind::edit_action,
              "/inputs/host"},
    CodeStory{"InvalidConnectionCredentials", "was refused: the credentials of its connection are not valid",
              "The service does not accept them.", "Enter the right credentials for the connection.",
              Kind::verify_connection},
    CodeStory{"SignInExpired", "was refused: the sign-in of its connection is over",
              "The service asks for a new sign-in: the old one has expired or was withdrawn.",
              "Sign the connection in again.", Kind::verify_connection},
    CodeStory{"DirectApiAuthorizationRequired", "was refused: the address has no signature",
              "A flow's address is only good whole, with everything behind the question mark.",
              "Copy the address again from the called flow's page.", Kind::edit_action, "/inputs/uri"},
    CodeStory{"DirectApiInvalidAuthorizationSignature", "was refused: the signature of the address is not valid",
              "The address was changed, or the flow's key was made anew since.",
              "Copy the address again from the called flow's page.", Kind::edit_action, "/inputs/uri"},
    CodeStory{"AddressNotAllowed", "may not send to this address",
              "This server keeps flows away from addresses inside its own network. Nothing was sent.",
              "Use an address that flows may call; docs/connectors.md says which are refused."},
    CodeStory{"TlsFailure", "could not trust the service's certificate",
              "The connection was closed before anything was sent.",
              "Have the service's certificate renewed, or add the authority that signed it to this server's."},
    // Sizes and counts.
    CodeStory{"WorkflowRunActionRepetitionQuotaExceeded", "has more items than a loop may have",
              "No item was worked on.",
              "Filter the list first or work on it in parts; an administrator can raise the limit `foreach-items`.",
              Kind::edit_action, "/foreach"},
    CodeStory{"FlowRunQuotaExceeded", "could not run: a quota is used up", "What a plan allows in a time was reached.",
              "Use fewer steps, or spread the runs over more time."},
    CodeStory{"ActionResultsSizeLimitExceeded", "made more data than one step may",
              "What came of it would not fit into the record.",
              "Select only what is needed, or work on the data in parts."},
    CodeStory{"VariableSizeLimitExceeded", "let a variable grow larger than it may",
              "A text or list grew with each item.",
              "Write what is collected to a file or table; an administrator can raise the limit `variable-bytes`."},
    CodeStory{"ResponseTooLarge", "got an answer that is larger than allowed", "It was not read to its end.",
              "Ask for less at a time, or switch the step's chunking on; an administrator can raise the limit "
              "`message-bytes`."},
    CodeStory{"RequestBodyTooLarge", "would send more than allowed", "Nothing was sent.",
              "Switch the step's chunking on, or send less; an administrator can raise the limit `message-bytes`."},
    CodeStory{"ExpressionTraceSizeLimitExceeded", "has an expression whose values are too large to be kept",
              "The run itself is not touched by it.", "Split the expression over Compose steps."},
    CodeStory{"ContentMissing", "needs content that is no longer there", "What was recorded outside was removed.",
              "Resubmit the whole run: it makes the content again.", Kind::resubmit},
    CodeStory{"InvalidContentLink", "has a link to content that is not valid", "It was cut or changed.",
              "Open the run from its page, which makes fresh links.", Kind::none},
    CodeStory{"BatchMessageTooLarge", "would send a message that is too large for a batch", "Nothing was sent.",
              "Send a reference, such as a file's path, in its place.", Kind::edit_action, "/inputs/content"},
    CodeStory{"BatchNotFound", "sends to a batch that is not there", "Nothing was sent.",
              "Choose the batch name that the receiving flow's trigger has.", Kind::edit_action, "/inputs"},
    // Loops and containers.
    CodeStory{"ActionUntilConditionFailed", "ended before its condition was met",
              "The loop reached its limit of rounds or of time.",
              "Raise the loop's limit, or look at why the condition does not become true.", Kind::edit_action,
              "/limit"},
    CodeStory{"ActionAborted", "was ended by the server", "The run was stopped while this step was under way.",
              "Resubmit the run.", Kind::resubmit},
    CodeStory{"ActionCancelled", "was cancelled", "The run was cancelled while this step was under way.",
              "Resubmit the run to do its work after all.", Kind::resubmit},
    CodeStory{"ActionIgnored", "was not run", "The run ended on another way before it.",
              "See in the steps before it why the flow took this way.", Kind::none},
    CodeStory{"FlowRunActionTerminated", "was ended by a Terminate step", "The flow ended itself on another way.",
              "See in the steps before the Terminate why the flow took this way.", Kind::none},
    // Code, maps and schemas that flows bring.
    CodeStory{"InlineCodeScriptRuntimeFailure", "ran code that threw an error", "", "Correct the code.",
              Kind::edit_action, "/inputs/code"},
    CodeStory{"InlineCodeTooLong", "has more code than allowed", "", "Move a part into a step of its own.",
              Kind::edit_action, "/inputs/code"},
    CodeStory{"SandboxTimeLimitExceeded", "ran longer than code of a flow may", "It was ended.",
              "Do less in one step; an administrator can raise the limits `script-time` and `transform-time`."},
    CodeStory{"SandboxMemoryLimitExceeded", "needed more memory than code of a flow may", "It was ended.",
              "Work on less at a time; an administrator can raise the limits `script-memory-bytes` and "
              "`transform-memory-bytes`."},
    CodeStory{"SandboxOutputLimitExceeded", "made more data than code of a flow may", "It was ended.",
              "Return only what is needed."},
    CodeStory{"SandboxUnavailable", "could not run its code: `flowmend-sandbox` is missing",
              "Code of flows runs in a program of its own, which is not where it should be.",
              "Have the administrator put `flowmend-sandbox` beside `flowmend`, then resubmit the run.",
              Kind::resubmit},
    CodeStory{"ArtifactNotFound", "needs a map or schema that is not stored here", "",
              "Have it stored under the name that the step gives (`/api/v1/artifacts`), then resubmit the run.",
              Kind::resubmit},
    CodeStory{"ActionTypeUnavailable", "is of a type that can't run here",
              "The flow could be saved so that it can be changed.",
              "Replace the step; docs/compatibility.md names what to use."},
    CodeStory{"ActionSchemaNotSupported", "has a schema that can't be used", "",
              "Write the schema in JSON Schema draft 4 or 7.", Kind::edit_action, "/inputs/schema"},
    // Large messages and pages.
    CodeStory{"InvalidPageResponse", "got a page that is none", "The pages before it were read.",
              "Switch pagination off for this step, or correct what it asks for.", Kind::edit_action,
              "/runtimeConfiguration"},
    CodeStory{"ChunkedTransferNotSupported", "could not send its content in parts: the service does not know how", "",
              "Switch the step's chunking off.", Kind::edit_action, "/runtimeConfiguration"},
    CodeStory{"InvalidChunk", "got a file that changed while it was read", "Its parts do not fit together.",
              "Resubmit the run.", Kind::resubmit},
    CodeStory{"ChunkedTransferStalled", "could not go on with a transfer in parts", "", "Resubmit the run.",
              Kind::resubmit},
    // Connectors.
    CodeStory{"DynamicListResponseInvalid", "got a list of choices that can't be read", "", "Enter the value by hand.",
              Kind::edit_action, "/inputs"},
    // The server's own.
    CodeStory{"InternalServerError", "failed through a defect or a fault of this server", "", "Resubmit the run.",
              Kind::resubmit},
    CodeStory{"JournalDamaged", "can't go on: its record is damaged",
              "The record could not be read back as it was written: see the server's log and the disk's health.",
              "Resubmit the whole run from its trigger.", Kind::resubmit},
};

/// The error's code; without a step the run's. A flow that was called answers with its code in the body, as a service
/// does; a service's own words are no codes of ours, its status tells more.
std::string_view code_of(const Facts& facts) {
  const Failure& failure = *facts.failure;
  if (!failure.has_step) return failure.run_code;
  if (!failure.fault_code.empty()) return failure.fault_code;
  if (facts.action != nullptr && facts.action->type == definition::ActionType::workflow) return facts.said.code;
  return facts.status == 0 ? std::string_view(failure.code) : std::string_view();
}

const CodeStory* story_of(const Facts& facts) {
  const std::string_view code = code_of(facts);
  for (const CodeStory& one : stories) {
    if (one.code == code) return &one;
  }
  return nullptr;
}

bool is_known(const Facts& facts) { return story_of(facts) != nullptr; }

/// `below` when the step is written with it; else the step itself.
std::string place_of(const Facts& facts, std::string_view below) {
  const std::string& step = facts.action->pointer;
  if (below.empty() || json::resolve(facts.flow->definition, step + std::string(below)) == nullptr) return step;
  return step + std::string(below);
}

Story tell(const Facts& facts) {
  const CodeStory& known = *story_of(facts);
  Story story;
  story.title = (facts.action == nullptr ? std::string("The run") : facts.step()) + place_in_loops(facts) + " " +
                std::string(known.title);
  const Failure& failure = *facts.failure;
  const std::string& message = failure.has_step ? failure.fault_message : failure.run_message;
  story.what_happened = std::string(known.what);
  if (!message.empty()) story.what_happened += (known.what.empty() ? "" : " ") + sentence(message);
  if (story.what_happened.empty()) story.what_happened = "Nothing more was recorded.";
  const std::string advice(known.advice);
  switch (known.button) {
    case Kind::edit_action:
      if (facts.action == nullptr) {
        story.how_to_fix.push_back({advice, {}});
      } else {
        story.pointer = place_of(facts, known.below);
        story.how_to_fix.push_back(edit_advice(advice, std::string(edit_label), story.pointer));
      }
      break;
    case Kind::resubmit: story.how_to_fix.push_back(resubmit_advice(advice)); break;
    case Kind::verify_connection:
      story.how_to_fix.push_back({advice, {Kind::verify_connection, "Verify password", {}}});
      break;
    case Kind::open_connections:
      story.how_to_fix.push_back({advice, {Kind::open_connections, "Open connections", {}}});
      break;
    default: story.how_to_fix.push_back({advice, {}}); break;
  }
  if (known.button != Kind::resubmit) story.how_to_fix.push_back(resubmit_advice("Then resubmit the run."));
  story.how_to_fix.push_back(help_advice());
  return story;
}

}  // namespace

std::vector<Rule> code_rules() { return {{"code", is_known, tell}}; }

}  // namespace flowmend::repair
