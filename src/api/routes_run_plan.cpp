// Repeating one run: first what it would do, then doing it (docs/reference/portal-api.md).

#include <array>
#include <functional>
#include <mutex>

#include "api/routes.h"
#include "api/views.h"
#include "repair/run_plan.h"

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

http::Response plan(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto how = resubmission_of(*body);
  if (!how) return error_reply(how.error());
  const auto planned =
      repair::plan_run(call.parameters[0], *how, parts.store, parts.sealer, parts.runtime.flows(), parts.registry);
  return planned ? json_response(200, *planned) : error_reply(planned.error());
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
  const auto how = resubmission_of(*body);
  if (!how) return error_reply(how.error());
  const auto version = body->text_of("version");
  std::unique_lock<std::mutex> alone(lock_of(call.parameters[0]), std::defer_lock);
  if (!version.empty()) {
    alone.lock();
    const auto planned =
        repair::plan_run(call.parameters[0], *how, parts.store, parts.sealer, parts.runtime.flows(), parts.registry);
    if (!planned) return error_reply(planned.error());
    if (planned->text_of("version") != version)
      return error_reply(make_error("RepairPlanStale",
                                    "The flow was saved, or the run was repeated, since this was planned.", {},
                                    "Plan it again, and look at what it would do now."));
  }
  const auto started = parts.runtime.resubmit(call.parameters[0], *how, call.caller.user_name);
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
