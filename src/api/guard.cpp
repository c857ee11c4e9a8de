#include "api/guard.h"

namespace flowmend::api {

std::map<std::string_view, std::string> named_parameters(std::string_view pattern,
                                                         const std::vector<std::string>& values) {
  std::map<std::string_view, std::string> out;
  std::size_t number = 0;
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1)) {
    const std::size_t end = pattern.find('}', at);
    if (end == std::string_view::npos || number >= values.size()) break;
    out.emplace(pattern.substr(at + 1, end - at - 1), values[number++]);
  }
  return out;
}

std::optional<Error> lacks(Level has, Level needs, std::string_view what) {
  if (has >= needs) return std::nullopt;
  const char* wish = needs == Level::own ? "own" : needs == Level::edit ? "change" : "use";
  return make_error(
      "AuthorizationFailed",
      "You may not " + std::string(needs == Level::own ? "give away, share or delete" : wish) + " this " +
          std::string(what) + ".",
      {}, "Ask one of its owners, or an administrator, to share it with you as " + std::string(role_name(needs)) + ".");
}

std::optional<Error> refuse(const RouteEntry& entry, const Parts& parts, const Call& call) {
  const Access& access = *call.access;
  if (access.has_everything()) return std::nullopt;
  const auto named = named_parameters(entry.pattern, call.parameters);
  const Level needs = entry.level ? *entry.level : entry.scope == std::string_view("read") ? Level::use : Level::edit;
  const auto given = [&](std::string_view name) {
    const auto found = named.find(name);
    return found == named.end() ? nullptr : &found->second;
  };
  const auto judge = [&](Level has, std::string_view what, Error missing) -> std::optional<Error> {
    if (has == Level::none) return missing;
    return lacks(has, needs, what);
  };

  if (const std::string* flow = given("flow")) {
    const auto row = parts.store.flow(*flow);
    if (!row) return row.error();
    if (!*row) return std::nullopt;  // the route says what is missing
    return judge(access.flow((*row)->id), "flow",
                 make_error("FlowNotFound", "There is no flow '" + *flow + "'.", {},
                            "It may have been deleted, or is not shared with you; list the flows."));
  }
  if (const std::string* run = given("run")) {
    const auto row = parts.store.run(*run);
    if (!row) return row.error();
    if (!*row) return std::nullopt;
    return judge(access.flow((*row)->flow), "flow",
                 make_error("WorkflowRunNotFound", "The workflow run '" + *run + "' could not be found.", {},
                            "It may have been removed by retention; list the flow's runs."));
  }
  if (given("api") != nullptr && given("name") != nullptr) {
    const connector::ConnectionKey key{connector::api_name(*given("api")), *given("name")};
    if (!parts.connections.find(key)) return std::nullopt;
    const bool makes = entry.method == std::string_view("PUT") && !entry.level;
    return judge(access.connection(key), "connection",
                 makes ? make_error("ConnectionNameTaken", "There is a connection '" + key.name + "' already.", {},
                                    "Choose another name.")
                       : make_error("ConnectionNotFound", "The connection '" + key.name + "' could not be found.", {},
                                    "It may have been deleted, or is not shared with you; list the connections."));
  }
  if (const std::string* id = given("incident")) {
    const auto incident = parts.incidents.find(*id);
    if (!incident) return std::nullopt;
    const Level has = access.incident(*incident);
    if (has == Level::use && needs > Level::use)
      return make_error("AuthorizationFailed", "This incident touches flows that you may not change.", {},
                        "Ask an administrator, or the owners of those flows.");
    return judge(has, "incident",
                 make_error("IncidentNotFound", "There is no incident '" + *id + "'.", {},
                            "List the incidents: it may have been merged into another one."));
  }
  if (const std::string* id = given("job")) {
    const auto job = parts.bulk.find(*id);
    if (!job) return std::nullopt;
    const Value* flows = job->find("flowIds");
    bool all = job->text_of("by") == call.caller.user_name;
    if (flows != nullptr && flows->is_array()) {
      for (const Value& flow : flows->as_array()) all = all && access.flow(flow.as_string()) >= needs;
    }
    if (!all)
      return make_error("RepairJobNotFound", "There is no repair job '" + *id + "'.", {},
                        "It may touch flows that are not shared with you; list the jobs.");
  }
  return std::nullopt;
}

}  // namespace flowmend::api
