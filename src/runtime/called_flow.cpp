#include "runtime/called_flow.h"

#include <algorithm>

namespace flowmend::runtime {

namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// How the action names the flow: Power Automate's `workflowReferenceName`, or the last part of Logic Apps' id.
std::string target_name(const Value& inputs) {
  const Value* host = inputs.find_ignoring_case("host");
  if (host == nullptr) return {};
  if (const auto name = host->text_of("workflowReferenceName"); !name.empty()) return std::string(name);
  const Value* workflow = host->find_ignoring_case("workflow");
  const auto id = workflow == nullptr ? host->text_of("workflowId") : workflow->text_of("id");
  return std::string(id.substr(id.rfind('/') == std::string_view::npos ? 0 : id.rfind('/') + 1));
}

}  // namespace

Result<std::shared_ptr<const LiveFlow>> find_called_flow(const store::Store& store, Flows& flows, const Value& inputs) {
  const std::string name = target_name(inputs);
  const auto missing = [&](const std::string& why) {
    return make_error("WorkflowNotFound", "The flow '" + name + "' that the action calls " + why, "/inputs/host",
                      "Choose the flow to call.");
  };
  if (name.empty()) return missing("is not named.");
  if (auto found = flows.find(name); found || found.error().code != "FlowNotFound") return found;
  if (auto found = flows.find_by_workflow_id(name); found || found.error().code != "FlowNotFound") return found;
  const auto rows = store.flows();
  if (!rows) return rows.error();
  const store::FlowRow* match = nullptr;
  for (const auto& row : *rows) {
    if (!equal_ignoring_case(row.display_name, name) && !equal_ignoring_case(row.id, name)) continue;
    if (match != nullptr) return missing("is not known by its id, and several flows have that name.");
    match = &row;
  }
  if (match == nullptr) return missing("does not exist.");
  return flows.find(match->id);
}

std::string_view called_trigger_name(const Value& inputs) {
  const Value* host = inputs.find_ignoring_case("host");
  return host == nullptr ? std::string_view() : host->text_of("triggerName");
}

engine::AttemptFinished refused_call(const engine::Call& call, Timestamp now, const Error& error) {
  engine::AttemptFinished out;
  out.place = call.place;
  out.attempt = call.attempt;
  out.started = out.ended = now;
  out.fault = {error.code, error.message, Value::object({{"kind", Value("inputs")}})};
  return out;
}

}  // namespace flowmend::runtime
