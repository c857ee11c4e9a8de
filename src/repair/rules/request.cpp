// Requests: refused values, things that are not there, services that don't answer.

#include "repair/rules/list.h"

namespace flowmend::repair {
namespace {

std::string origin_of_value(const Facts& facts) {
  if (!facts.blamed || facts.blamed->expression.empty()) return {};
  return " The value comes from the expression " + facts.blamed->expression + ".";
}

Advice correct_value(const Facts& facts) {
  const BlamedInput& blamed = *facts.blamed;
  if (!blamed.expression.empty()) {
    return edit_advice("Correct '" + blamed.field + "', or the step or data that its value comes from.",
                       "Edit the step", blamed.pointer);
  }
  return edit_advice("Correct '" + blamed.field + "': it is " + quoted_value(blamed.value) + " now.", "Edit the step",
                     blamed.pointer);
}

void finish(const Facts& facts, Story& story) {
  if (facts.blamed) {
    story.how_to_fix.push_back(correct_value(facts));
  } else if (facts.action != nullptr) {
    story.how_to_fix.push_back(edit_advice("Compare the step's inputs with what the service expects, and correct them.",
                                           "Edit the step", facts.action->pointer + "/inputs"));
  }
  story.how_to_fix.push_back(resubmit_advice("Save, then resubmit the run: it takes the corrected definition."));
  story.how_to_fix.push_back(help_advice());
}

// A value that was refused before anything was sent.
bool is_refused_input(const Facts& facts) {
  return facts.family == Family::action_configuration && facts.status == 0 && facts.action != nullptr;
}

Story refused_input(const Facts& facts) {
  const Failure& failure = *facts.failure;
  Story story;
  if (failure.fault_code == "UnresolvableHostName") {
    story.title = facts.step() + " could not reach '" + facts.host() + "': no such host";
    story.what_happened =
        sentence(failure.fault_message) + " The name is misspelt, or the server that knows it can't be asked just now.";
    const std::string pointer = facts.action->pointer + "/inputs/uri";
    story.pointer = pointer;
    story.how_to_fix.push_back(edit_advice("Check the host name in the address.", "Edit the step", pointer));
    story.how_to_fix.push_back(
        resubmit_advice("When the name is right and the network was at fault, resubmit the run."));
    return story;
  }
  if (facts.blamed) {
    story.title =
        facts.step() + " failed" + place_in_loops(facts) + ": '" + facts.blamed->field + "' has no usable value";
  } else {
    story.title =
        facts.step() + " failed" + place_in_loops(facts) + " before anything was sent (" + failure.fault_code + ")";
  }
  story.what_happened = sentence(failure.fault_message) + " Nothing was sent.";
  if (const std::string_view cure = failure.fault_details.text_of("cure"); !cure.empty()) {
    const std::string pointer = facts.blamed ? facts.blamed->pointer : facts.action->pointer;
    story.how_to_fix.push_back(edit_advice(std::string(cure), "Edit the step", pointer));
    story.how_to_fix.push_back(resubmit_advice("Save, then resubmit the run."));
    story.how_to_fix.push_back(help_advice());
    return story;
  }
  finish(facts, story);
  return story;
}

bool is_not_found(const Facts& facts) { return facts.status == 404 || facts.status == 410; }

Story not_found(const Facts& facts) {
  Story story;
  const std::string what = facts.blamed ? "'" + facts.blamed->field + "'" : std::string();
  story.title = facts.step() + " failed" + place_in_loops(facts) + ": the service found nothing for " +
                (facts.blamed ? what + " = " + quoted_value(facts.blamed->value) : std::string("this request")) +
                " (Not Found, " + std::to_string(facts.status) + ")";
  story.what_happened =
      "What the step asks for does not exist at the service: it was renamed, moved or deleted, or its name is "
      "misspelt." +
      service_words(facts) + origin_of_value(facts);
  finish(facts, story);
  return story;
}

bool is_refused(const Facts& facts) {
  return facts.status >= 400 && facts.status < 500 && facts.status != 408 && facts.status != 429;
}

Story refused(const Facts& facts) {
  Story story;
  if (facts.blamed) {
    story.title = facts.step() + " failed" + place_in_loops(facts) + ": the service refused '" + facts.blamed->field +
                  "' = " + quoted_value(facts.blamed->value) + " (" +
                  std::string(connector::reason_phrase(facts.status)) + ", " + std::to_string(facts.status) + ")";
  } else {
    story.title = facts.step() + " failed" + place_in_loops(facts) + ": the service refused the request (" +
                  status_words(facts.status) + ")";
  }
  story.what_happened = "The service could not use what the step sent." + service_words(facts) + origin_of_value(facts);
  finish(facts, story);
  return story;
}

bool is_transient(const Facts& facts) { return facts.family == Family::transient; }

Story transient(const Facts& facts) {
  Story story;
  story.temporary = true;
  const Failure& failure = *facts.failure;
  const std::size_t attempts = failure.attempts.size();
  const std::string host = facts.host().empty() ? std::string("The service") : "The service at '" + facts.host() + "'";
  if (facts.status == 429) {
    story.title = facts.step() + " failed" + place_in_loops(facts) + ": the service had too many requests (429)";
    story.what_happened = host + " asks for fewer requests in a time.";
  } else if (facts.status != 0) {
    story.title = facts.step() + " failed" + place_in_loops(facts) + ": the service is temporarily unavailable (" +
                  status_words(facts.status) + ")";
    story.what_happened =
        host + " had a problem of its own: the request was fine, and the same request may succeed later.";
  } else {
    story.title =
        facts.step() + " failed" + place_in_loops(facts) + ": the service did not answer (" + failure.fault_code + ")";
    story.what_happened = sentence(failure.fault_message);
  }
  if (attempts > 1) {
    const Duration spent = failure.attempts.back().ended - failure.attempts.front().started;
    story.what_happened += " It was tried " + std::to_string(attempts) + " times within " +
                           std::to_string((spent.to_milliseconds() + 500) / 1000) + " seconds.";
  }
  story.what_happened += service_words(facts);
  story.how_to_fix.push_back(resubmit_advice("This is temporary. Resubmit the run once the service is back."));
  if (facts.action != nullptr) {
    story.how_to_fix.push_back(edit_advice("When it happens often, give the step a longer retry policy.",
                                           "Edit the step", facts.action->pointer + "/inputs"));
  }
  story.how_to_fix.push_back(help_advice());
  return story;
}

}  // namespace

std::vector<Rule> request_rules() {
  return {{"transient", is_transient, transient},
          {"404", is_not_found, not_found},
          {"refused input", is_refused_input, refused_input},
          {"4xx", is_refused, refused}};
}

}  // namespace flowmend::repair
