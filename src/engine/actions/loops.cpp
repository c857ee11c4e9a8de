// Foreach and Until (engine.md 4.5, 4.6).

#include "definition/condition.h"
#include "definition/settings.h"
#include "engine/actions/list.h"

namespace flowmend::engine {

void start_foreach(Step& step) {
  auto items = step.action.expression.evaluate(step.context);
  if (!items) return step.fail(items.error());
  if (!items->is_array()) {
    const Value& written = step.action.expression.source();
    return step.fail("BadRequest",
                     {"ExpressionEvaluationFailed",
                      "The execution of template action '" + step.action.name +
                          "' failed: the result of the evaluation of 'foreach' expression '" +
                          (written.is_string() ? std::string(written.as_string()) : std::string()) + "' is of type '" +
                          std::string(json::type_name(items->type())) + "'. The result must be a valid array.",
                      {}});
  }
  const std::size_t items_max = step.state.limits.foreach_items_max;
  if (items->size() > items_max) {
    return step.fail("BadRequest", {"WorkflowRunActionRepetitionQuotaExceeded",
                                    "The loop '" + step.action.name + "' has " + std::to_string(items->size()) +
                                        " items; at most " + std::to_string(items_max) + " are allowed.",
                                    {}});
  }
  step.inputs = std::move(*items);
  step.has_inputs = true;
  step.started();
}

void start_until(Step& step) { step.started(); }

namespace {

/// How many iterations an Until may make. False: its limit can't be read, and the loop has been ended.
bool read_count(Step& step, std::uint32_t& count) {
  const auto& settings = step.action.settings;
  count = settings.until_count;
  if (settings.until_count_expression.source().is_null()) return true;
  Value value;
  if (!step.evaluate(settings.until_count_expression, value)) return false;
  const auto number = definition::whole_number(value);
  const std::uint32_t most = step.state.limits.until_count_max;
  if (number && *number >= 1 && *number <= most) {
    count = static_cast<std::uint32_t>(*number);
    return true;
  }
  step.fail("BadRequest",
            {"WorkflowRunActionUntilLimitInvalid",
             "The limit of the loop '" + step.action.name +
                 "' can't be used: 'count' must be a whole number from 1 to " + std::to_string(most) + ".",
             {}});
  return false;
}

/// Until: after an iteration (or before the first one) decides whether another begins.
void advance_until(Step& step, const Loop& loop) {
  if (loop.frames.empty()) {
    step.out.events.emplace_back(IterationStarted{step.place, 0, step.facts.now});
    return;
  }
  const Frame& last = step.state.frames[loop.frames.back()];
  // The condition reads the steps of the iteration that just ended.
  RunContext inside(step.state, {step.place.action, loop.frames.back()}, step.facts, step.random);
  const auto done = definition::evaluate_condition(*step.action.condition, inside);
  if (!done) return step.fail(done.error(), true);
  const auto end_as_last = [&] {
    if (last.status == Status::failed)
      return step.end(Status::failed, "ActionFailed",
                      {"ActionFailed", "An action failed. No dependent actions succeeded.", {}});
    step.end(last.status == Status::timed_out ? Status::timed_out : Status::succeeded, "NotSpecified");
  };
  if (done->is_boolean() && done->as_boolean()) return end_as_last();
  const Slot* slot = step.state.find(step.place);
  std::optional<Duration> limit;
  std::uint32_t count = 0;
  if (!step.evaluate_timeout(limit) || !read_count(step, count)) return;
  const Duration timeout = limit.value_or(Duration::hours(1));
  const bool count_reached = loop.next >= count;
  const bool time_reached = step.facts.now - slot->started >= timeout;
  if (!count_reached && !time_reached) {
    step.out.events.emplace_back(IterationStarted{step.place, loop.next, step.facts.now});
    return;
  }
  if (!step.action.settings.fail_when_limits_reached) return end_as_last();
  const std::string code = count_reached ? "CountLimitReached" : "TimeLimitReached";
  step.fail(code, {code,
                   "The loop '" + step.action.name + "' reached its limit of " +
                       (count_reached ? std::to_string(count) + " iterations" : to_string(timeout)) +
                       " before its condition became true.",
                   {}});
}

}  // namespace

void advance_loop(Step& step) {
  const Loop* loop = step.state.find_loop(step.place);
  if (step.action.type == definition::ActionType::until) return advance_until(step, *loop);
  if (loop->next < loop->items.size()) {
    step.out.events.emplace_back(IterationStarted{step.place, loop->next, step.facts.now});
    return;
  }
  if (loop->any_failed)
    return step.end(Status::failed, "ActionFailed",
                    {"ActionFailed", "An action failed. No dependent actions succeeded.", {}});
  step.end(loop->any_timed_out ? Status::timed_out : Status::succeeded, "NotSpecified");
}

}  // namespace flowmend::engine
