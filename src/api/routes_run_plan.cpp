// Repeating one run: first what it would do, then doing it (docs/reference/portal-api.md).

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>

#include "api/routes.h"
#include "api/views.h"
#include "repair/run_plan.h"
#include "runtime/child_repair.h"

namespace flowmend::api {

namespace {

Result<runtime::Resubmission> resubmission_of(const Value& body) {
  if (!body.is_null() && !body.is_object()) return make_error("InvalidRequestContent", "The body must be an object.");
  runtime::Resubmission how;
  const auto which = body.text_of("definition");
  if (!which.empty() && which != "latest" && which != "original")
    return make_error("InvalidRequestContent", "'definition' must be latest or original.", "/definition");
  if (which == "original") how.definition = runtime::DefinitionChoice::original;
  const auto keep = body.text_of("keep");
  if (!keep.empty() && keep != "done" && keep != "nothing")
    return make_error("InvalidRequestContent", "'keep' must be done or nothing.", "/keep");
  auto correction = runtime::read_correction(body);
  if (!correction) return correction.error();
  how.correction = std::move(*correction);
  if (keep == "nothing" && !how.correction.is_empty())
    return make_error("InvalidRequestContent",
                      "A run that goes on from a step, or with corrected steps, keeps the others.", "/keep",
                      "Leave 'keep' away.");
  how.keep_done = keep == "done";
  return how;
}

/// The run to repeat, and how: that of the address, or the one that had called it (`withParent`).
Result<runtime::RunRepair> wish_of(const Parts& parts, const Call& call, const Value& body) {
  auto how = resubmission_of(body);
  if (!how) return how.error();
  const Value* with_parent = body.find("withParent");
  if (with_parent != nullptr && !with_parent->is_boolean())
    return make_error("InvalidRequestContent", "'withParent' must be true or false.", "/withParent");
  if (with_parent == nullptr || !with_parent->as_boolean()) return runtime::RunRepair{call.parameters[0], *how};
  if (body.text_of("keep") == "nothing")
    return make_error("InvalidRequestContent",
                      "The run that called it goes on where it failed: it keeps what was done.", "/keep",
                      "Leave 'keep' away.");
  return runtime::with_parents({parts.store, parts.sealer, parts.runtime.flows()}, call.parameters[0], *how);
}

bool reaches_into_children(const runtime::Resubmission& how) {
  return std::ranges::any_of(how.correction.steps, [](const runtime::StepCorrection& step) {
    return step.kind == runtime::StepCorrection::Kind::child;
  });
}

/// What the caller may see of a plan: of runs of flows that are not shared with them, that they go on.
Value shared_part(const Access& access, const Value& plan) {
  const Value* steps = plan.find("steps");
  if (steps == nullptr) return plan;
  json::ArrayBuilder shown;
  for (const Value& step : steps->as_array()) {
    const Value* child = step.find("child");
    if (child == nullptr) {
      shown.push(step);
      continue;
    }
    json::ObjectBuilder one(step);
    const bool hidden = child->find("flow") != nullptr && !access.sees_flow(child->text_of("flow"));
    one.set("child", hidden ? Value::object({{"run", Value(child->text_of("run"))}}) : shared_part(access, *child));
    shown.push(one.finish());
  }
  json::ObjectBuilder out(plan);
  out.set("steps", shown.finish());
  return out.finish();
}

/// A repetition that a person decides over several flows needs the right to each of them.
std::optional<Error> refuse_runs(const Access& access, const Value& plan, Level needs) {
  const std::string flow(plan.text_of("flow"));
  if (flow.empty()) return std::nullopt;
  const Level has = access.flow(flow);
  if (has < needs)
    return make_error("AuthorizationFailed",
                      "Run '" + std::string(plan.text_of("run")) +
                          "' would go on too, and it is one of a flow that you may not change.",
                      {}, "Ask one of its owners, or an administrator, to share that flow with you, or to repeat it.");
  const Value* steps = plan.find("steps");
  if (steps == nullptr) return std::nullopt;
  for (const Value& step : steps->as_array()) {
    const Value* child = step.find("child");
    if (child == nullptr) continue;
    if (auto refused = refuse_runs(access, *child, needs)) return refused;
  }
  return std::nullopt;
}

/// The plan of a wish that the caller may have carried out. `needs`: of every flow that it decides about.
Result<Value> plan_wish(const Parts& parts, const Call& call, const runtime::RunRepair& wish, Level needs) {
  const auto planned =
      repair::plan_run(wish.run, wish.how, parts.store, parts.sealer, parts.runtime.flows(), parts.registry);
  if (!planned || call.access->has_everything() || !reaches_into_children(wish.how)) return planned;
  if (auto refused = refuse_runs(*call.access, *planned, needs)) return *refused;
  return planned;
}

http::Response plan(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto wish = wish_of(parts, call, *body);
  if (!wish) return error_reply(wish.error());
  const auto planned = plan_wish(parts, call, *wish, Level::use);
  return planned ? json_response(200, shared_part(*call.access, *planned)) : error_reply(planned.error());
}

/// Held from looking at a plan's version until its run has started: of two that carry out the same plan at the same
/// moment (a double click), the second one finds it stale. Runs may share one, which costs only time.
std::mutex& lock_of(const std::string& run) {
  static std::array<std::mutex, 64> locks;
  return locks[std::hash<std::string>()(run) % locks.size()];
}

http::Response resubmit(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto wish = wish_of(parts, call, *body);
  if (!wish) return error_reply(wish.error());
  const auto version = body->text_of("version");
  std::unique_lock<std::mutex> alone(lock_of(wish->run), std::defer_lock);
  if (!version.empty()) alone.lock();
  const bool shared = !call.access->has_everything() && reaches_into_children(wish->how);
  if (!version.empty() || shared) {
    const auto planned = plan_wish(parts, call, *wish, Level::edit);
    if (!planned) return error_reply(planned.error());
    if (!version.empty() && planned->text_of("version") != version)
      return error_reply(make_error("RepairPlanStale",
                                    "The flow was saved, or the run was repeated, since this was planned.", {},
                                    "Plan it again, and look at what it would do now."));
  }
  const auto started = parts.runtime.resubmit(wish->run, wish->how, call.caller.user_name);
  if (!started) return error_reply(started.error());
  return json_response(
      202, Value::object(
               {{"run", Value(started->run)}, {"flow", Value(started->flow)}, {"version", Value(started->version)}}));
}

}  // namespace

std::vector<RouteEntry> run_plan_routes() {
  return {{"POST", "api/v1/runs/{run}/plan", "read", plan}, {"POST", "api/v1/runs/{run}/resubmit", "run", resubmit}};
}

}  // namespace flowmend::api
