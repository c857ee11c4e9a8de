// Maps and schemas that flows name: what an integration account holds in Logic Apps.

#include "api/routes.h"
#include "sandbox/artifacts.h"

namespace flowmend::api {

namespace {

Value view(const sandbox::Artifact& artifact) {
  return Value::object({{"kind", Value(artifact.kind)},
                        {"name", Value(artifact.name)},
                        {"contentSize", static_cast<std::int64_t>(artifact.content.size())}});
}

http::Response list(const Parts& parts, const Call& call) {
  const auto all = sandbox::artifacts(parts.store, call.parameters[0]);
  if (!all) return error_reply(all.error());
  json::ArrayBuilder items;
  for (const auto& artifact : *all) items.push(view(artifact));
  return list_response(items.finish());
}

http::Response get(const Parts& parts, const Call& call) {
  const auto found = sandbox::find_artifact(parts.store, call.parameters[0], call.parameters[1]);
  if (!found) return error_reply(found.error());
  return {200, {{"Content-Type", "application/xml; charset=utf-8"}}, found->content};
}

http::Response put(const Parts& parts, const Call& call) {
  const sandbox::Artifact artifact{call.parameters[0], call.parameters[1], call.request.body};
  const auto stored = sandbox::put_artifact(parts.store, artifact);
  return stored ? json_response(200, view(artifact)) : error_reply(stored.error());
}

http::Response remove(const Parts& parts, const Call& call) {
  const auto gone = sandbox::remove_artifact(parts.store, call.parameters[0], call.parameters[1]);
  return gone ? empty_response(204) : error_reply(gone.error());
}

}  // namespace

std::vector<RouteEntry> artifact_routes() {
  return {
      {"GET", "api/v1/artifacts/{kind}", "read", list},
      {"GET", "api/v1/artifacts/{kind}/{name}", "read", get},
      {"PUT", "api/v1/artifacts/{kind}/{name}", "write", put},
      {"DELETE", "api/v1/artifacts/{kind}/{name}", "write", remove},
  };
}

}  // namespace flowmend::api
