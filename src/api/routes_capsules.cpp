// Capsules: a failed run in one document to give away (docs/troubleshooting.md).

#include "api/routes.h"
#include "api/views.h"
#include "repair/capsule/capsule.h"

namespace flowmend::api {
namespace {

http::Response capsule(const Parts& parts, const Call& call) {
  const auto run = load_run(parts, "", call.parameters[0]);
  if (!run) return error_reply(run.error());
  const auto version = parts.store.flow_version(run->row.flow, run->row.version);
  if (!version) return error_reply(version.error());
  if (!*version)
    return error_reply(make_error("FlowVersionNotFound", "The version that the run had is not there any more."));
  repair::capsule::Source source;
  source.flow = run->flow;
  source.definition = (*version)->definition;
  source.connection_references = (*version)->connection_references;
  source.parameter_values = (*version)->parameter_values;
  source.events = &run->events;
  source.version = parts.version;
  const auto made = repair::capsule::make_capsule(source);
  if (!made) return error_reply(made.error());
  return json_response(
      200, *made,
      {{"Content-Disposition", "attachment; filename=\"flowmend-run-" + run->row.name + ".capsule.json\""}});
}

}  // namespace

std::vector<RouteEntry> capsule_routes() { return {{"GET", "api/v1/runs/{run}/capsule", "read", capsule}}; }

}  // namespace flowmend::api
