#include "api/changed_flows.h"

namespace flowmend::api {

Result<store::FlowRow> save_shared(const Parts& parts, const Call& call, const std::string& id,
                                   const runtime::FlowDraft& draft) {
  auto saved = parts.runtime.flows().update(id, draft, call.caller.user_name);
  if (!saved) return saved.error();
  if (saved->flow) return *std::move(saved->flow);
  for (const Diagnostic& found : saved->diagnostics)
    if (found.severity == Severity::error)
      return make_error("InvalidDefinition", found.message, found.pointer, "Edit the flow and correct it first.");
  return make_error("InvalidDefinition", "The definition was refused.", {}, "Edit the flow and correct it first.");
}

void ChangedFlows::add(const store::FlowRow& row, const Result<store::FlowRow>& saved) {
  json::ObjectBuilder entry;
  entry.add("flow", Value(row.id));
  entry.add("displayName", Value(row.display_name));
  if (saved) {
    entry.add("version", Value(saved->version));
    changed_.push_back(entry.finish());
    return;
  }
  const Error& error = saved.error();
  entry.add("error", Value::object({{"code", Value(error.code)},
                                    {"message", Value(error.message)},
                                    {"where", Value(error.where)},
                                    {"cure", Value(error.cure)}}));
  left_.push_back(entry.finish());
}

void ChangedFlows::write(json::ObjectBuilder& out) const {
  out.add("changed", Value::array(changed_));
  out.add("left", Value::array(left_));
}

}  // namespace flowmend::api
