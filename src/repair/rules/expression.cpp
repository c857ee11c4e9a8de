// Expressions that failed at run time.

#include <algorithm>

#include "repair/rules/list.h"

namespace flowmend::repair {
namespace {

bool is_expression(const Facts& facts) { return facts.family == Family::expression; }

/// The innermost part that was null, if the culprit met one.
const ExpressionFinding::Part* null_part(const ExpressionFinding& finding) {
  const ExpressionFinding::Part* found = nullptr;
  for (const ExpressionFinding::Part& part : finding.values) {
    const bool inside =
        finding.subexpression.find(part.text) != std::string::npos && part.text != finding.subexpression;
    if (!part.culprit && part.value && part.value->is_null() && inside &&
        (found == nullptr || part.text.size() > found->text.size()))
      found = &part;
  }
  return found;
}

Story expression(const Facts& facts) {
  Story story;
  const std::string place = place_in_loops(facts);
  story.title = facts.step() + " failed" + place + ": its expression could not be evaluated";
  const Failure& failure = *facts.failure;
  if (!facts.expression) {
    story.what_happened =
        sentence(failure.fault_message.empty() ? "An expression of this step failed" : failure.fault_message);
    if (facts.action != nullptr)
      story.how_to_fix.push_back(edit_advice("Correct the expression.", "Edit the step", facts.action->pointer));
    story.how_to_fix.push_back(resubmit_advice("Save, then resubmit the run."));
    story.how_to_fix.push_back(help_advice());
    return story;
  }
  const ExpressionFinding& finding = *facts.expression;
  if (const ExpressionFinding::Part* part = null_part(finding)) {
    story.title = facts.step() + " failed" + place + ": " + part->text + " was null";
    story.what_happened = "In '" + finding.subexpression + "' the value of '" + part->text +
                          "' was null (it was not there), and the function can't work with null. " +
                          sentence(finding.message);
    story.how_to_fix.push_back(edit_advice("Say what to use when the value is missing: write coalesce(" + part->text +
                                               ", '...') in place of " + part->text +
                                               ". Or make sure that the value is always given.",
                                           "Edit the expression", finding.pointer));
  } else {
    story.what_happened = "The part '" + finding.subexpression + "' failed. " + sentence(finding.message);
    for (const ExpressionFinding::Part& value : finding.values) {
      const bool inside = finding.subexpression.find(value.text) != std::string::npos;
      if (value.culprit || !value.value || !inside || value.value->is_object() || value.value->is_array()) continue;
      story.what_happened += " " + value.text + " was " + quoted_value(*value.value) + ".";
      break;
    }
    story.how_to_fix.push_back(
        edit_advice("Correct the expression, or convert the value before it is used (int(), string(), json()).",
                    "Edit the expression", finding.pointer));
  }
  story.how_to_fix.push_back(resubmit_advice("Save, then resubmit the run."));
  story.how_to_fix.push_back(help_advice());
  return story;
}

}  // namespace

std::vector<Rule> expression_rules() { return {{"expression", is_expression, expression}}; }

}  // namespace flowmend::repair
