// Environment variables and the flows that take them (docs/reference/portal-api.md).

#include <algorithm>

#include "api/changed_flows.h"
#include "api/routes.h"
#include "definition/parameters.h"
#include "runtime/environment_variables.h"

namespace flowmend::api {
namespace {

using runtime::EnvironmentVariable;
using runtime::EnvironmentVariables;

bool same_variable(std::string_view a, std::string_view b) { return http::same_name(a, b); }

struct Use {
  store::FlowRow flow;
  std::string variable;  ///< as the flow spells it
};

/// What the flows' latest versions are bound to, one line for each flow and variable.
Result<std::vector<Use>> uses_of_variables(const Parts& parts) {
  const auto rows = parts.store.flows();
  if (!rows) return rows.error();
  std::vector<Use> out;
  for (const store::FlowRow& row : *rows) {
    const auto version = parts.store.flow_version(row.id, row.version);
    if (!version) return version.error();
    if (!*version) continue;
    for (const auto& parameter : definition::bound_parameters((*version)->definition)) {
      const bool known = std::ranges::any_of(out, [&](const Use& use) {
        return use.flow.id == row.id && same_variable(use.variable, parameter.variable);
      });
      if (!known) out.push_back({row, parameter.variable});
    }
  }
  return out;
}

Value flow_line(const store::FlowRow& row) {
  return Value::object({{"name", Value(row.id)}, {"displayName", Value(row.display_name)}});
}

/// The flows that take it: those that the caller sees by name, the others by their number.
void add_uses(json::ObjectBuilder& out, const Call& call, const std::vector<Use>& uses, std::string_view name) {
  json::ArrayBuilder seen;
  std::int64_t all = 0;
  for (const Use& use : uses) {
    if (!same_variable(use.variable, name)) continue;
    ++all;
    if (call.access->sees_flow(use.flow.id)) seen.push(flow_line(use.flow));
  }
  out.set("flows", seen.finish());
  out.set("flowsCount", Value(all));
}

Value describe_variable(const Call& call, const EnvironmentVariable& variable, const std::vector<Use>& uses) {
  json::ObjectBuilder out;
  out.set("name", Value(variable.name));
  out.set("isSet", Value(true));
  out.set("value", variable.value);
  out.set("description", Value(variable.description));
  out.set("changedBy", Value(variable.changed_by));
  out.set("changedTime", Value(to_string(variable.changed)));
  add_uses(out, call, uses, variable.name);
  return out.finish();
}

Error no_such_variable(std::string_view name) {
  return make_error("EnvironmentVariableNotFound", "There is no environment variable '" + std::string(name) + "'.", {},
                    "Look at the list of all.");
}

/// All that are set, then those that flows name and nobody has set: their defaults hold.
http::Response list_variables(const Parts& parts, const Call& call) {
  const auto variables = EnvironmentVariables(parts.store).list();
  if (!variables) return error_reply(variables.error());
  const auto uses = uses_of_variables(parts);
  if (!uses) return error_reply(uses.error());
  json::ArrayBuilder out;
  for (const EnvironmentVariable& variable : *variables) out.push(describe_variable(call, variable, *uses));
  std::vector<std::string> wanted;
  for (const Use& use : *uses) {
    const auto is_same = [&](const auto& name) { return same_variable(name, use.variable); };
    if (!call.access->sees_flow(use.flow.id) || std::ranges::any_of(wanted, is_same) ||
        std::ranges::any_of(*variables, is_same, &EnvironmentVariable::name))
      continue;
    wanted.push_back(use.variable);
    json::ObjectBuilder line;
    line.set("name", Value(use.variable));
    line.set("isSet", Value(false));
    add_uses(line, call, *uses, use.variable);
    out.push(line.finish());
  }
  return list_response(out.finish());
}

http::Response get_variable(const Parts& parts, const Call& call) {
  const auto variable = EnvironmentVariables(parts.store).find(call.parameters[0]);
  if (!variable) return error_reply(variable.error());
  if (!*variable) return error_reply(no_such_variable(call.parameters[0]));
  const auto uses = uses_of_variables(parts);
  if (!uses) return error_reply(uses.error());
  return json_response(200, describe_variable(call, **variable, *uses));
}

/// Saves a flow as it is: the runtime puts in what its variables give now.
Result<store::FlowRow> take_variables(const Parts& parts, const Call& call, const store::FlowRow& row) {
  const auto version = parts.store.flow_version(row.id, row.version);
  if (!version) return version.error();
  return save_shared(parts, call, row.id, draft_of(row, *version ? &**version : nullptr));
}

http::Response set_variable(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const Value* value = body->is_object() ? body->find("value") : nullptr;
  if (value == nullptr)
    return error_reply(make_error("InvalidRequestContent", "The body has no 'value'.", {},
                                  "Send {\"value\": ..., \"description\"?: \"...\"}."));
  EnvironmentVariables variables(parts.store);
  const auto before = variables.find(call.parameters[0]);
  if (!before) return error_reply(before.error());
  EnvironmentVariable variable = *before ? **before : EnvironmentVariable{};
  if (!*before) variable.name = call.parameters[0];
  variable.value = *value;
  if (const Value* description = body->find("description")) {
    if (!description->is_string())
      return error_reply(make_error("InvalidRequestContent", "'description' must be a text.", "/description"));
    variable.description = std::string(description->as_string().substr(0, 1'000));
  }
  variable.changed_by = call.caller.user_name;
  variable.changed = now_from_system_clock();
  if (const auto set = variables.set(variable); !set) return error_reply(set.error());
  const auto uses = uses_of_variables(parts);
  if (!uses) return error_reply(uses.error());
  ChangedFlows flows;
  for (const Use& use : *uses)
    if (same_variable(use.variable, variable.name)) flows.add(use.flow, take_variables(parts, call, use.flow));
  json::ObjectBuilder out(describe_variable(call, variable, *uses));
  flows.write(out);
  return json_response(*before ? 200 : 201, out.finish());
}

http::Response remove_variable(const Parts& parts, const Call& call) {
  const auto uses = uses_of_variables(parts);
  if (!uses) return error_reply(uses.error());
  std::string flows;
  for (const Use& use : *uses)
    if (same_variable(use.variable, call.parameters[0]))
      flows += (flows.empty() ? "'" : ", '") + use.flow.display_name + "'";
  if (!flows.empty())
    return error_reply(make_error("EnvironmentVariableInUse",
                                  "Flows take the environment variable '" + call.parameters[0] + "': " + flows + ".",
                                  {}, "Let their parameters take another one first, or give this one another value."));
  const auto erased = EnvironmentVariables(parts.store).erase(call.parameters[0]);
  if (!erased) return error_reply(erased.error());
  return *erased ? empty_response(204) : error_reply(no_such_variable(call.parameters[0]));
}

}  // namespace

std::vector<RouteEntry> environment_variable_routes() {
  return {
      {"GET", "api/v1/environmentVariables", "read", list_variables},
      {"GET", "api/v1/environmentVariables/{variable}", "read", get_variable},
      {"PUT", "api/v1/environmentVariables/{variable}", "admin", set_variable},
      {"DELETE", "api/v1/environmentVariables/{variable}", "admin", remove_variable},
  };
}

}  // namespace flowmend::api
