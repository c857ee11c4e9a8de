#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/context.h"
#include "engine/history.h"

namespace flowmend::api {

/// A run with everything that its views need.
struct LoadedRun {
  store::RunRow row;
  std::shared_ptr<const runtime::LiveFlow> live;  ///< the flow as it is now
  std::shared_ptr<const definition::Flow> flow;   ///< the version that the run used
  engine::Events events;
  std::unique_ptr<engine::History> history;
};

/// `WorkflowRunNotFound`, also when it belongs to another flow than `flow` (unless that is empty); `FlowNotFound`.
Result<LoadedRun> load_run(const Parts& parts, std::string_view flow, std::string_view run);

std::string environment_id();
std::string flow_id(const std::string& flow);

/// A flow as the Flow family shows it; with its definition when `whole`.
Value flow_view(const Parts& parts, const Call& call, const store::FlowRow& row, bool whole);
/// The caller's own level of each and, of the flows that use them, only those that the caller may see.
Value connection_view(const Parts& parts, const Call& call, const connector::ConnectionView& view);
Value connection_views(const Parts& parts, const Call& call, const std::vector<connector::ConnectionView>& views);
/// A run of a list.
Value run_view(const Parts& parts, const Call& call, const store::RunRow& row);
/// A run by itself, with its actions and its definition when asked for.
Value run_view(const Parts& parts, const Call& call, const LoadedRun& run, bool with_actions, bool with_workflow);
/// An action or repetition resource: `{name, id, type, properties}` with links to its contents.
Value action_view(const Call& call, const LoadedRun& run, const std::string& action, const std::string& repetition,
                  const engine::ActionRecord& record);
Value trigger_view(const Parts& parts, const store::FlowRow& row, const definition::Flow& flow);

/// The headers that tell a caller about the run it started (rest-api.md 5.2).
http::Headers run_headers(const std::string& run, const std::string& workflow_id, const std::string& version);

/// What a held step waits for: `{target, displayName, connection?}`.
Value target_view(const Parts& parts, const std::string& target);

}  // namespace flowmend::api
