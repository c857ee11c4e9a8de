#include "api/views.h"

#include <algorithm>

#include "api/links.h"
#include "runtime/child_repair.h"

namespace flowmend::api {

namespace {

constexpr const char* api_id = "/providers/Microsoft.PowerApps/apis/shared_logicflows";

/// What lists show of a run beside the family's own fields.
Value own_fields(const Parts& parts, const store::RunRow& row, bool with_resubmits) {
  json::ObjectBuilder own;
  own.add("flow", Value(row.flow));
  const auto flow = parts.store.flow(row.flow);
  own.add("flowDisplayName", Value(flow && *flow ? (*flow)->display_name : row.flow));
  own.add("version", Value(row.version));
  if (row.ended.is_set()) own.add("durationMs", Value((row.ended - row.started).to_milliseconds()));
  if (!row.failed_action.empty()) own.add("failedAction", Value(row.failed_action));
  if (!row.cause.family.empty()) own.add("family", Value(row.cause.family));
  if (!row.cause.code.empty()) own.add("failedCode", Value(row.cause.code));
  if (!row.cause.fingerprint.empty()) {
    if (const auto incident = parts.incidents.incident_of(row.cause.fingerprint); !incident.empty())
      own.add("incident", Value(incident));
  }
  const std::string& summary = row.cause.title.empty() ? row.error_message : row.cause.title;
  if (!summary.empty()) own.add("errorSummary", Value(summary));
  if (!row.resubmit_of.empty()) own.add("resubmitOf", Value::object({{"run", row.resubmit_of}}));
  if (with_resubmits) {
    const auto resubmits = parts.store.resubmits_of(row.name);
    json::ArrayBuilder list;
    if (resubmits) {
      for (const auto& other : *resubmits)
        list.push(Value::object({{"run", other.name}, {"status", store::run_status_name(other.status)}}));
    }
    own.add("resubmittedAs", list.finish());
  }
  return own.finish();
}

/// A step that waits for its service.
Value held_view(const Parts& parts, const LoadedRun& run, const engine::History::Held& held) {
  const auto* action = run.flow->find_action(held.where.action);
  const bool hidden = action != nullptr && action->settings.secure_outputs;
  json::ObjectBuilder out(target_view(parts, held.event.target));
  out.add("action", Value(held.where.action));
  if (!held.where.repetition.empty()) out.add("repetition", Value(held.where.repetition));
  out.add("cause", Value(held.event.cause));
  out.add("message", Value(engine::reason_of(held.event, hidden).message));
  out.add("since", Value(to_string(held.event.time)));
  out.add("until", Value(to_string(held.until)));
  return out.finish();
}

Value correlation(const std::string& client_tracking_id) {
  return Value::object({{"clientTrackingId", client_tracking_id}});
}

json::ObjectBuilder run_properties(const Parts& parts, const Call& call, const store::RunRow& row,
                                   const runtime::LiveFlow* live) {
  json::ObjectBuilder properties;
  properties.add("startTime", Value(to_string(row.started)));
  if (row.ended.is_set()) properties.add("endTime", Value(to_string(row.ended)));
  properties.add("status", Value(store::run_status_name(row.status)));
  if (!row.code.empty()) properties.add("code", Value(row.code));
  if (!row.error_code.empty())
    properties.add("error", Value::object({{"code", row.error_code}, {"message", row.error_message}}));
  properties.add("correlation", correlation(row.client_tracking_id));
  json::ObjectBuilder trigger;
  trigger.add("name", Value(row.trigger));
  if (live != nullptr) {
    const std::string uri =
        content_link(call.base, *live, "/runs/" + row.name + "/contents/TriggerOutputs", now_from_system_clock());
    trigger.add("outputsLink", Value::object({{"uri", uri}}));
  }
  trigger.add("startTime", Value(to_string(row.started)));
  trigger.add("endTime", Value(to_string(row.started)));
  trigger.add("originHistoryName", Value(row.history_name.empty() ? row.name : row.history_name));
  trigger.add("correlation", correlation(row.client_tracking_id));
  trigger.add("status", "Succeeded");
  properties.add("trigger", trigger.finish());
  (void)parts;
  return properties;
}

Value resource(const std::string& id, const std::string& name, const char* type, Value properties) {
  return Value::object({{"name", name}, {"id", id}, {"type", type}, {"properties", std::move(properties)}});
}

std::string run_id(const std::string& flow, const std::string& run) { return flow_id(flow) + "/runs/" + run; }

Value summary_of(const Value& definition) {
  json::ArrayBuilder triggers;
  json::ArrayBuilder actions;
  const auto entry = [](const Value& operation) {
    json::ObjectBuilder out;
    out.add("type", Value(operation.text_of("type")));
    if (!operation.text_of("kind").empty()) out.add("kind", Value(operation.text_of("kind")));
    const Value* inputs = operation.find("inputs");
    const Value* host = inputs == nullptr ? nullptr : inputs->find("host");
    if (host != nullptr && !host->text_of("operationId").empty())
      out.add("swaggerOperationId", Value(host->text_of("operationId")));
    return out.finish();
  };
  const std::function<void(const Value*, unsigned)> walk = [&](const Value* list, unsigned depth) {
    if (list == nullptr || !list->is_object() || depth > 64) return;
    for (const json::Member& action : list->as_object()) {
      if (!action.value.is_object()) continue;
      actions.push(entry(action.value));
      walk(action.value.find("actions"), depth + 1);
      for (const char* branch : {"else", "default"}) {
        if (const Value* inner = action.value.find(branch)) walk(inner->find("actions"), depth + 1);
      }
      const Value* cases = action.value.find("cases");
      if (cases != nullptr && cases->is_object()) {
        for (const json::Member& one : cases->as_object()) walk(one.value.find("actions"), depth + 1);
      }
    }
  };
  const Value* list = definition.find("triggers");
  if (list != nullptr && list->is_object()) {
    for (const json::Member& trigger : list->as_object()) triggers.push(entry(trigger.value));
  }
  walk(definition.find("actions"), 0);
  return Value::object({{"triggers", triggers.finish()}, {"actions", actions.finish()}});
}

}  // namespace

Value target_view(const Parts& parts, const std::string& target) {
  json::ObjectBuilder out;
  out.add("target", Value(target));
  const auto slash = target.find('/');
  if (target.find("://") != std::string::npos || slash == std::string::npos) {
    out.add("displayName", Value(target));
    return out.finish();
  }
  const connector::ConnectionKey key{target.substr(0, slash), target.substr(slash + 1)};
  const auto view = parts.connections.find(key);
  out.add("displayName", Value(view ? view->display_name : key.name));
  out.add("connection", Value::object({{"api", Value(key.api)}, {"name", Value(key.name)}}));
  return out.finish();
}

std::string environment_id() { return "/providers/Microsoft.ProcessSimple/environments/default"; }
std::string flow_id(const std::string& flow) { return environment_id() + "/flows/" + flow; }

Result<LoadedRun> load_run(const Parts& parts, std::string_view flow, std::string_view run) {
  auto row = parts.store.run(run);
  if (!row) return row.error();
  const auto missing =
      make_error("WorkflowRunNotFound", "The workflow run '" + std::string(run) + "' could not be found.", {},
                 "It may have been removed by retention; list the flow's runs.");
  if (!*row) return missing;
  if (!flow.empty() && !http::same_name((*row)->flow, flow)) return missing;
  LoadedRun loaded;
  loaded.row = **row;
  auto live = parts.runtime.flows().find(loaded.row.flow);
  if (!live) return live.error();
  loaded.live = *live;
  auto version = parts.runtime.flows().version(loaded.row.flow, loaded.row.version, loaded.row.trigger);
  if (!version) return version.error();
  loaded.flow = *version;
  auto events = runtime::read_events(parts.store, parts.sealer, loaded.row.number);
  if (!events) return events.error();
  loaded.events = std::move(*events);
  loaded.history = std::make_unique<engine::History>(loaded.flow, loaded.events);
  return loaded;
}

Value flow_view(const Parts& parts, const Call& call, const store::FlowRow& row, bool whole) {
  json::ObjectBuilder properties;
  properties.add("apiId", api_id);
  properties.add("displayName", Value(row.display_name));
  if (row.properties.is_object() && row.properties.find("description") != nullptr)
    properties.add("description", *row.properties.find("description"));
  const Level level = call.access->flow(row.id);
  properties.add("userType", Value(level == Level::own ? "Owner" : role_name(level)));
  properties.add("state", Value(store::flow_state_name(row.state)));
  properties.add("flowSuspensionReason", "None");
  properties.add("createdTime", Value(to_string(row.created)));
  properties.add("lastModifiedTime", Value(to_string(row.changed)));
  properties.add(
      "environment",
      Value::object({{"name", "default"}, {"type", "Microsoft.ProcessSimple/environments"}, {"id", environment_id()}}));
  properties.add("creator", Value::object({{"tenantId", "flowmend"},
                                           {"objectId", row.created_by},
                                           {"userId", row.created_by},
                                           {"userType", "ActiveDirectory"}}));
  const auto version = parts.store.flow_version(row.id, row.version);
  const bool has = version && *version;
  properties.add("definitionSummary", summary_of(has ? (*version)->definition : Value()));
  properties.add("connectionReferences", has && (*version)->connection_references.is_object()
                                             ? (*version)->connection_references
                                             : Value::empty_object());
  if (whole && has) properties.add("definition", (*version)->definition);
  properties.add("installationStatus", "Installed");
  properties.add("provisioningMethod", "FromDefinition");
  properties.add("flowFailureAlertSubscribed", Value(true));
  properties.add("isManaged", Value(false));
  properties.add("plan", "NotSpecified");
  properties.add("referencedResources", Value::empty_array());

  json::ObjectBuilder own;
  const Value* triggers = has ? (*version)->definition.find("triggers") : nullptr;
  if (triggers != nullptr && triggers->is_object() && triggers->size() > 0) {
    json::ArrayBuilder all;
    for (const json::Member& trigger : triggers->as_object()) {
      json::ObjectBuilder about;
      about.add("name", Value(trigger.name()));
      about.add("type", Value(trigger.value.text_of("type")));
      if (!trigger.value.text_of("kind").empty()) about.add("kind", Value(trigger.value.text_of("kind")));
      all.push(about.finish());
    }
    const Value list = all.finish();
    own.add("trigger", list.as_array()[0]);
    if (list.size() > 1) own.add("triggers", list);
  }
  own.add("role", Value(role_name(level)));
  if (whole) {
    const Value foreign = call.access->foreign_connections(row);
    if (foreign.size() > 0) own.add("foreignConnections", foreign);
  }
  own.add("version", Value(row.version));
  own.add("onOutage", Value(row.properties.text_of("onOutage", "fail")));
  store::RunQuery last;
  last.flow = row.id;
  last.limit = 1;
  const auto runs = parts.store.runs(last);
  if (runs && !runs->empty()) {
    const auto& run = runs->front();
    own.add("lastRun", Value::object({{"name", run.name},
                                      {"status", store::run_status_name(run.status)},
                                      {"startTime", to_string(run.started)}}));
  }
  const auto count = [&](store::RunStatus status) {
    store::RunQuery query;
    query.flow = row.id;
    query.status = status;
    query.from = now_from_system_clock() - Duration::days(28);
    const auto counted = parts.store.count_runs(query, 100'000);
    return Value(static_cast<std::int64_t>(counted ? *counted : 0));
  };
  own.add("succeeded28d", count(store::RunStatus::succeeded));
  own.add("failed28d", count(store::RunStatus::failed));
  properties.add("flowmend", own.finish());
  return resource(flow_id(row.id), row.id, "Microsoft.ProcessSimple/environments/flows", properties.finish());
}

Value connection_views(const Parts& parts, const Call& call, const std::vector<connector::ConnectionView>& views) {
  json::ArrayBuilder out;
  std::size_t at = 0;
  for (const Value& described : parts.connections.describe_all(views)) {
    const connector::ConnectionKey& key = views[at++].key;
    const Value* properties = described.find("properties");
    const Value* about = properties == nullptr ? nullptr : properties->find("flowmend");
    json::ObjectBuilder own(about == nullptr ? Value::empty_object() : *about);
    own.set("role", Value(role_name(call.access->connection(key))));
    if (const Value* used = about == nullptr ? nullptr : about->find("usedBy"); used != nullptr && used->is_array()) {
      json::ArrayBuilder seen;
      for (const Value& flow : used->as_array()) {
        if (call.access->sees_flow(flow.text_of("flow"))) seen.push(flow);
      }
      own.set("usedBy", seen.finish());
    }
    json::ObjectBuilder all(properties == nullptr ? Value::empty_object() : *properties);
    all.set("flowmend", own.finish());
    json::ObjectBuilder whole(described);
    whole.set("properties", all.finish());
    out.push(whole.finish());
  }
  return out.finish();
}

Value connection_view(const Parts& parts, const Call& call, const connector::ConnectionView& view) {
  return connection_views(parts, call, {view}).as_array()[0];
}

Value run_view(const Parts& parts, const Call& call, const store::RunRow& row) {
  const auto live = parts.runtime.flows().find(row.flow);
  auto properties = run_properties(parts, call, row, live ? live->get() : nullptr);
  properties.add("flowmend", own_fields(parts, row, false));
  return resource(run_id(row.flow, row.name), row.name, "Microsoft.ProcessSimple/environments/flows/runs",
                  properties.finish());
}

Value run_view(const Parts& parts, const Call& call, const LoadedRun& run, bool with_actions, bool with_workflow) {
  auto properties = run_properties(parts, call, run.row, run.live.get());
  if (with_actions) {
    json::ObjectBuilder actions;
    for (const auto& record : run.history->actions()) {
      actions.add(record.name, *action_view(call, run, record.name, "", record).find("properties"));
    }
    properties.add("actions", actions.finish());
  }
  if (with_workflow) {
    properties.add("workflow", Value::object({{"id", flow_id(run.row.flow) + "/versions/" + run.row.version},
                                              {"name", run.row.version},
                                              {"type", "Microsoft.Logic/workflows/versions"},
                                              {"properties", Value::object({{"definition", run.flow->definition},
                                                                            {"version", run.row.version}})}}));
  }
  json::ObjectBuilder own(own_fields(parts, run.row, true));
  own.add("triggerKind", Value(run.flow->trigger.type_name));
  if (const Value* repair = run.history->trigger().find("repair"); repair != nullptr && repair->is_object())
    own.add("repair", *repair);
  if (const auto site = runtime::call_site(run.history->trigger())) {
    const auto parent = parts.store.run(site->run);
    if (parent && *parent && call.access->sees_flow((*parent)->flow)) {
      json::ObjectBuilder by;
      by.add("run", Value(site->run));
      by.add("flow", Value((*parent)->flow));
      const auto flow = parts.store.flow((*parent)->flow);
      by.add("flowDisplayName", Value(flow && *flow ? (*flow)->display_name : (*parent)->flow));
      by.add("status", Value(store::run_status_name((*parent)->status)));
      by.add("action", Value(site->action));
      if (!site->repetition.empty()) by.add("repetition", Value(site->repetition));
      own.add("calledBy", by.finish());
    }
  }
  json::ArrayBuilder waits;
  for (const auto& held : run.history->held()) waits.push(held_view(parts, run, held));
  if (waits.size() > 0) own.add("waitsFor", waits.finish());
  if (const auto culprit = run.history->culprit()) {
    json::ObjectBuilder at;
    at.add("action", Value(culprit->action));
    if (!culprit->repetition.empty()) at.add("repetition", Value(culprit->repetition));
    own.add("culprit", at.finish());
  }
  properties.add("flowmend", own.finish());
  return resource(run_id(run.row.flow, run.row.name), run.row.name, "Microsoft.ProcessSimple/environments/flows/runs",
                  properties.finish());
}

Value action_view(const Call& call, const LoadedRun& run, const std::string& action, const std::string& repetition,
                  const engine::ActionRecord& record) {
  json::ObjectBuilder properties(record.properties);
  const std::string path = "/runs/" + run.row.name + "/actions/" + action +
                           (repetition.empty() ? "" : "/repetitions/" + repetition) + "/contents/";
  const auto link = [&](bool outputs) {
    const auto content = run.history->content(action, repetition, outputs);
    const std::string which = outputs ? "ActionOutputs" : "ActionInputs";
    properties.add(outputs ? "outputsLink" : "inputsLink",
                   content_object(content_link(call.base, *run.live, path + which, now_from_system_clock()),
                                  content.value, content.secured, outputs ? "outputs" : "inputs"));
  };
  if (record.has_inputs) link(false);
  if (record.has_outputs) link(true);
  std::string id = run_id(run.row.flow, run.row.name) + "/actions/" + action;
  if (repetition.empty())
    return resource(id, record.name, "Microsoft.ProcessSimple/environments/flows/runs/actions", properties.finish());
  return resource(id + "/repetitions/" + repetition, repetition,
                  "Microsoft.ProcessSimple/environments/flows/runs/actions/repetitions", properties.finish());
}

Value trigger_view(const Parts& parts, const store::FlowRow& row, const definition::Flow& flow) {
  json::ObjectBuilder properties;
  properties.add("provisioningState", "Succeeded");
  properties.add("createdTime", Value(to_string(row.created)));
  properties.add("changedTime", Value(to_string(row.changed)));
  properties.add("state", Value(row.state == store::FlowState::started ? "Enabled" : "Disabled"));
  if (flow.trigger.recurrence.is_object()) properties.add("recurrence", flow.trigger.recurrence);
  const std::string& name = flow.trigger.name;
  const Timestamp next = parts.runtime.next_fire(row.id, name);
  if (next.is_set()) properties.add("nextExecutionTime", Value(to_string(next)));
  if (flow.trigger.source == definition::TriggerSource::batch) {
    const auto waiting = static_cast<std::int64_t>(parts.runtime.waiting_messages(row.id, name));
    properties.add("flowmend", Value::object({{"waitingMessages", Value(waiting)}}));
  }
  return resource(flow_id(row.id) + "/triggers/" + name, name, "Microsoft.ProcessSimple/environments/flows/triggers",
                  properties.finish());
}

http::Headers run_headers(const std::string& run, const std::string& workflow_id, const std::string& version) {
  return {{"x-ms-workflow-run-id", run},
          {"x-ms-client-tracking-id", run},
          {"x-ms-trigger-history-name", run},
          {"x-ms-workflow-id", workflow_id},
          {"x-ms-workflow-version", version}};
}

}  // namespace flowmend::api
