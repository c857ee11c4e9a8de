#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/context.h"

namespace flowmend::api {

/// One line of the route table. Fixed segments of `pattern` compare without regard to case; `{x}` takes one segment.
struct RouteEntry {
  const char* method;
  const char* pattern;
  const char* scope;  ///< what the caller's identity must have; "" = public
  Route run;
  /// What the caller must be allowed to do with the flow, run, connection, incident or job that the pattern names; not
  /// given: use for the scope `read`, edit for any other (guard.h).
  std::optional<Level> level = std::nullopt;
};

/// What a flow is saved with when nothing of it changes; without a version it has no definition.
runtime::FlowDraft draft_of(const store::FlowRow& row, const store::FlowVersionRow* version);

std::vector<RouteEntry> flow_routes();          // flows, triggers: routes_flows.cpp
std::vector<RouteEntry> run_routes();           // runs, actions, contents: routes_runs.cpp
std::vector<RouteEntry> connection_routes();    // connectors, connections: routes_connections.cpp
std::vector<RouteEntry> incident_routes();      // incidents, repair jobs: routes_incidents.cpp
std::vector<RouteEntry> hold_routes();          // what runs wait for: routes_holds.cpp
std::vector<RouteEntry> run_plan_routes();      // repeating one run, planned: routes_run_plan.cpp
std::vector<RouteEntry> table_routes();         // tables and their rows: routes_tables.cpp
std::vector<RouteEntry> approval_routes();      // approvals, and links to them: routes_approvals.cpp
std::vector<RouteEntry> artifact_routes();      // maps and schemas of flows: routes_artifacts.cpp
std::vector<RouteEntry> notification_routes();  // messages to people: routes_notifications.cpp
std::vector<RouteEntry> capsule_routes();       // a failed run to give away: routes_capsules.cpp
std::vector<RouteEntry> gallery_routes();       // import and removal of connectors: routes_gallery.cpp
std::vector<RouteEntry> dynamic_routes();       // what can stand in a parameter, asked live: routes_dynamic.cpp
std::vector<RouteEntry> operation_routes();     // what a step of an operation takes and gives: routes_operations.cpp
std::vector<RouteEntry> sign_in_routes();       // OAuth 2.0: routes_sign_in.cpp
std::vector<RouteEntry> sharing_routes();       // who may do what with flows and connections: routes_sharing.cpp
std::vector<RouteEntry> people_routes();        // accounts: routes_people.cpp
std::vector<RouteEntry> environment_variable_routes();  // values that flows share: routes_environment_variables.cpp
std::vector<RouteEntry> own_routes();                   // /api/v1: routes_own.cpp

/// All of the above.
std::vector<RouteEntry> all_routes();

}  // namespace flowmend::api
