// Data that does not fit, time, limits, Terminate, and whatever no other rule knows.

#include "repair/rules/list.h"

namespace flowmend::repair {
namespace {

std::string pointer_of(const Facts& facts, std::string_view below) {
  return facts.action == nullptr ? std::string() : facts.action->pointer + std::string(below);
}

bool is_schema(const Facts& facts) {
  return facts.action != nullptr && facts.action->type == definition::ActionType::parse_json;
}

Story schema(const Facts& facts) {
  Story story;
  story.title = facts.step() + " failed" + place_in_loops(facts) + ": the data does not fit the schema";
  story.what_happened = sentence(facts.failure->fault_message.empty() ? "The content is not what the schema describes"
                                                                      : facts.failure->fault_message);
  story.pointer = pointer_of(facts, "/inputs/schema");
  story.how_to_fix.push_back(
      edit_advice("Let the schema allow what came: for a value that may be missing write \"type\": [\"string\", "
                  "\"null\"], and name in \"required\" only what is always there.",
                  "Edit the schema", story.pointer));
  story.how_to_fix.push_back(resubmit_advice("Save, then resubmit the run."));
  story.how_to_fix.push_back(help_advice());
  return story;
}

bool is_data(const Facts& facts) { return facts.family == Family::data; }

Story data(const Facts& facts) {
  Story story;
  story.title = facts.step() + " failed" + place_in_loops(facts) + ": a value has a form that can't be used here";
  story.what_happened =
      sentence(facts.failure->fault_message.empty() ? "A value could not be converted" : facts.failure->fault_message);
  story.how_to_fix.push_back(edit_advice("Convert the value first, with json(), string(), base64ToBinary() or xml().",
                                         "Edit the step", pointer_of(facts, "/inputs")));
  story.how_to_fix.push_back(resubmit_advice("Save, then resubmit the run."));
  story.how_to_fix.push_back(help_advice());
  return story;
}

bool is_timeout(const Facts& facts) { return facts.family == Family::timeout; }

Story timeout(const Facts& facts) {
  Story story;
  if (facts.action == nullptr) {
    story.title = "The run took longer than it may";
    story.what_happened =
        "It was ended when its time was over." +
        (facts.failure->run_message.empty() ? std::string() : " " + sentence(facts.failure->run_message));
    story.how_to_fix.push_back(resubmit_advice("Resubmit the run, or shorten what it does."));
    story.how_to_fix.push_back(help_advice());
    return story;
  }
  story.title = facts.step() + " took too long" + place_in_loops(facts);
  const Duration limit = facts.action->settings.timeout.value_or(Duration());
  story.what_happened =
      "The step did not end in its time" + (limit.ticks > 0 ? " of " + to_string(limit) : std::string()) +
      ", so it was given up." +
      (facts.failure->fault_message.empty() ? std::string() : " " + sentence(facts.failure->fault_message));
  story.how_to_fix.push_back(
      edit_advice("Raise the step's limit.timeout, or add a step that runs after it \"has timed out\".",
                  "Edit the step", pointer_of(facts, "")));
  story.how_to_fix.push_back(resubmit_advice("When it was an exception, resubmit the run."));
  story.how_to_fix.push_back(help_advice());
  return story;
}

bool is_limit(const Facts& facts) { return facts.family == Family::limit; }

Story limit(const Facts& facts) {
  Story story;
  story.title = facts.step() + " reached a limit" + place_in_loops(facts);
  story.what_happened =
      sentence(facts.failure->fault_message.empty() ? "More was asked than is allowed" : facts.failure->fault_message);
  story.how_to_fix.push_back(
      edit_advice("Ask for less at a time: filter first, or split the work.", "Edit the step", pointer_of(facts, "")));
  story.how_to_fix.push_back(help_advice());
  return story;
}

bool is_terminate(const Facts& facts) {
  return facts.failure->run_code == "Terminated" ||
         (facts.action != nullptr && facts.action->type == definition::ActionType::terminate);
}

Story terminate(const Facts& facts) {
  Story story;
  story.title = "The flow ended itself" + (facts.action == nullptr ? std::string() : " at " + facts.step());
  const std::string& message =
      facts.failure->run_message.empty() ? facts.failure->fault_message : facts.failure->run_message;
  story.what_happened = "A Terminate step said so" + (message.empty() ? std::string(".") : ": " + sentence(message));
  story.how_to_fix.push_back({"See in the steps before it why the flow took this way.", {}});
  story.how_to_fix.push_back(resubmit_advice("When the reason is gone, resubmit the run."));
  return story;
}

bool is_cancelled(const Facts& facts) { return facts.failure->run_status == "Cancelled"; }

Story cancelled(const Facts& facts) {
  Story story;
  story.title = "The run was cancelled";
  story.what_happened =
      sentence(facts.failure->run_message.empty() ? "Somebody asked it to stop" : facts.failure->run_message);
  story.how_to_fix.push_back(resubmit_advice("Resubmit the run to do its work after all."));
  return story;
}

bool is_response(const Facts& facts) {
  return facts.action != nullptr && facts.action->type == definition::ActionType::response;
}

Story response(const Facts& facts) {
  Story story;
  story.title = facts.step() + " could not answer the caller";
  story.what_happened =
      sentence(facts.failure->fault_message.empty() ? "The caller was no longer waiting, or had its answer already"
                                                    : facts.failure->fault_message);
  story.how_to_fix.push_back(
      edit_advice("Answer earlier in the flow, or give the Response the option Asynchronous; answer only once.",
                  "Edit the step", pointer_of(facts, "")));
  story.how_to_fix.push_back(help_advice());
  return story;
}

bool always(const Facts&) { return true; }

Story unknown(const Facts& facts) {
  Story story;
  const Failure& failure = *facts.failure;
  const std::string code =
      failure.has_step ? (failure.fault_code.empty() ? failure.code : failure.fault_code) : failure.run_code;
  story.title = (facts.action == nullptr ? std::string("The run") : facts.step()) + " failed" + place_in_loops(facts) +
                (code.empty() ? std::string() : " (" + code + ")");
  const std::string& message = failure.has_step ? failure.fault_message : failure.run_message;
  story.what_happened = message.empty()
                            ? "Nothing more is known than what was recorded: see the inputs and outputs of the step."
                            : sentence(message);
  story.how_to_fix.push_back({"Ask for help: the report holds all that is known about the failure, without secrets.",
                              {Button::Kind::ask_for_help, "Ask for help", {}}});
  if (facts.action != nullptr)
    story.how_to_fix.push_back(edit_advice("See how the step is defined.", "Edit the step", facts.action->pointer));
  story.how_to_fix.push_back(resubmit_advice("Resubmit the run when the cause is gone."));
  return story;
}

}  // namespace

std::vector<Rule> other_rules() {
  return {{"cancelled", is_cancelled, cancelled},
          {"terminate", is_terminate, terminate},
          {"schema", is_schema, schema},
          {"response", is_response, response},
          {"data", is_data, data},
          {"timeout", is_timeout, timeout},
          {"limit", is_limit, limit},
          {"unknown", always, unknown}};
}

}  // namespace flowmend::repair
