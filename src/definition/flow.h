#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/diagnostic.h"
#include "base/error.h"
#include "base/time.h"
#include "definition/condition.h"
#include "definition/limits.h"
#include "definition/trigger_types.h"
#include "expression/template.h"
#include "json/value.h"

namespace flowmend::definition {

using expression::Template;

/// Whose defaults a flow follows: Power Automate's or Logic Apps' (engine.md, "dialect").
enum class Dialect : std::uint8_t { pa, la };

/// The number of an action in `Flow::actions`: depth first, in document order. Stable for one version of a flow.
using ActionId = std::uint32_t;
inline constexpr ActionId no_action = 0xffffffff;

/// Final statuses that runAfter may name, as bits of a set.
enum StatusBit : std::uint8_t { succeeded_bit = 1, failed_bit = 2, skipped_bit = 4, timed_out_bit = 8 };

/// One edge of the graph: `action` must end in one of `statuses` before its successor may run.
struct RunAfter {
  ActionId action = no_action;
  std::uint8_t statuses = 0;                  ///< StatusBit set
  std::vector<std::string> written_statuses;  ///< as the definition spells them, for skip messages
};

/// Every action type that Flowmend runs. A type that nobody knows never gets here: the checker refuses it.
enum class ActionType : std::uint8_t {
  http,
  response,
  compose,
  parse_json,
  query,
  select,
  join,
  table,
  initialize_variable,
  set_variable,
  increment_variable,
  decrement_variable,
  append_to_array_variable,
  append_to_string_variable,
  if_,
  switch_,
  foreach_,
  until,
  scope,
  terminate,
  wait,
  open_api_connection,
  api_connection,
  expression,
  workflow,  ///< runs another flow and waits for its Response
  http_webhook,
  api_connection_webhook,
  open_api_connection_webhook,
  function,        ///< an Azure function: a call of its address
  api_management,  ///< a call through an API Management gateway
  xslt,
  xml_validation,
  java_script_code,
  send_to_batch,
  service_provider,  ///< a built-in connector of Logic Apps Standard: a connector of this server that does the same
  unavailable        ///< known, and not to be run here: the checker warns of it, and the step fails when its turn comes
};

/// Actions that give a service an address and wait until it calls that.
constexpr bool is_webhook(ActionType type) {
  return type == ActionType::http_webhook || type == ActionType::api_connection_webhook ||
         type == ActionType::open_api_connection_webhook;
}

/// Actions whose inputs hold a program: it runs in a process of its own.
constexpr bool is_sandboxed(ActionType type) {
  return type == ActionType::xslt || type == ActionType::xml_validation || type == ActionType::java_script_code;
}

/// Actions that ask something of the outside, of another flow or of the sandbox, and wait for its reply.
constexpr bool sends_requests(ActionType type) {
  return type == ActionType::function || type == ActionType::api_management || type == ActionType::send_to_batch ||
         type == ActionType::service_provider || is_sandboxed(type) || type == ActionType::http ||
         type == ActionType::open_api_connection || type == ActionType::api_connection ||
         type == ActionType::workflow || is_webhook(type);
}

/// One list of actions inside a container. Scope, Foreach and Until have one; If has `actions` and `else`; Switch has
/// its cases in document order and then `default` (always there, maybe empty).
struct Branch {
  std::string name;               ///< `actions`, `else`, the case's key, `default`
  Value case_value;               ///< of a Switch case: String or Integer
  std::vector<ActionId> actions;  ///< its first-level actions, in document order
  std::vector<ActionId> roots;    ///< those without runAfter
  std::vector<ActionId> leaves;   ///< those that no sibling runs after
};

enum class VariableType : std::uint8_t { string, integer, floating, boolean, object, array };

/// A setting that was wrong at save time never gets here; one that is an expression is evaluated when it is needed.
struct ActionSettings {
  Template retry_policy;                     ///< of `inputs.retryPolicy`; the constant null = the dialect's default
  std::optional<Duration> timeout;           ///< `limit.timeout`
  Template timeout_expression;               ///< of the same, when it is one; the constant null = it is not
  std::uint32_t until_count = 60;            ///< `limit.count`
  Template until_count_expression;           ///< of the same
  std::optional<std::uint32_t> concurrency;  ///< of a Foreach: 1..50; absent = the dialect's default
  bool sequential = false;
  bool disable_async_pattern = false;
  bool asynchronous_response = false;
  bool fail_when_limits_reached = false;
  bool suppress_workflow_headers = false;
  bool keep_compressed = false;            ///< DisableAutomaticDecompression
  bool chunked = false;                    ///< `contentTransfer.transferMode`
  std::uint32_t upload_chunk_bytes = 0;    ///< 0 = what the service asks for, or the server's default
  std::uint32_t download_chunk_bytes = 0;  ///< 0 = the service decides
  bool secure_inputs = false;              ///< hidden in every view, also because it uses secured outputs
  bool secure_outputs = false;
  std::uint32_t pagination_minimum = 0;      ///< 0 = off
  std::optional<std::string> static_result;  ///< the name in `staticResults`, when enabled
};

struct Action {
  ActionId id = no_action;
  std::string name;
  ActionType type = ActionType::compose;
  std::string type_name;  ///< in its usual spelling: `OpenApiConnection`
  std::string kind;
  std::string pointer;          ///< JSON pointer in the definition: `/actions/Try/actions/Get_order`
  ActionId parent = no_action;  ///< the container, or no_action at the top level
  std::uint32_t branch = 0;     ///< which branch of the container
  ActionId loop = no_action;    ///< the innermost enclosing Foreach or Until
  std::uint32_t slot = 0;       ///< its place in the frame of that loop (or of the run): 0 .. slots-1
  std::vector<RunAfter> run_after;
  std::vector<ActionId> successors;  ///< the siblings that run after this one
  Template inputs;                   ///< `inputs` without retryPolicy and without what the type compiles apart
  Template expression;  ///< If: the condition; Until: its condition; Switch: its subject; Foreach: the array
  std::shared_ptr<const Condition> condition;  ///< If and Until: for evaluate_condition(); absent otherwise
  Template item_template;       ///< Query: `where`; Select: `select`; Table: `columns`; evaluated per item
  Template tracked_properties;  ///< the constant null = none
  std::vector<Branch> branches;
  std::uint32_t frame_slots = 0;  ///< of a Foreach or Until: slots of one iteration's frame
  ActionSettings settings;
  std::vector<ActionId> script_actions;  ///< JavaScriptCode: the actions that its code may read
  std::int32_t variable = -1;            ///< variable actions: the slot of the variable
  Value definition;                      ///< the action as written, shared
};

/// The compiled trigger.
struct Trigger {
  /// Each item of an array that it brings starts a run of its own.
  bool splits() const { return split_automatically || !split_on.is_constant(); }

  std::string name;
  std::string type_name;  ///< `Request`, `Recurrence` ...
  TriggerSource source = TriggerSource::schedule;
  std::string kind;
  Template inputs;
  Value recurrence;  ///< as written, checked
  std::vector<Template> conditions;
  Template split_on;                 ///< the constant null = none, or `split_automatically`
  bool split_automatically = false;  ///< `@autoload()`: the one array of the body, or the body that is one
  bool schema_validation = false;
  bool suppress_response_headers = false;
  bool single_instance = false;
  std::optional<std::uint32_t> concurrency;
  std::uint32_t waiting_runs_max = 0;
  bool secure_inputs = false;
  bool secure_outputs = false;
  Template client_tracking_id;
  Value definition;
};

struct Parameter {
  std::string name;
  std::string type;
  Value value;
  bool secure = false;
};

struct Variable {
  std::string name;
  VariableType type = VariableType::string;
};

/// A flow compiled to a graph: everything that a run needs to decide, and nothing that changes. Immutable, shared by
/// all runs of that version (`shared_ptr<const Flow>`), safe on any thread.
struct Flow {
  std::string id;           ///< the flow's GUID; empty for a definition that is only checked
  std::string workflow_id;  ///< 32 hex digits: signed addresses, x-ms-workflow-id
  std::string display_name;
  std::string environment;
  std::string version;  ///< version name, 20 digits
  Dialect dialect = Dialect::pa;
  Value definition;
  Value connection_references;  ///< key -> {connectionName, id, source}; `{}` when none
  Trigger trigger;              ///< the one that starts its runs; of several the first: see with_trigger()
  /// The same flow once more for each further trigger of the definition, in document order. A run has one trigger, so
  /// whoever handles a run, or a trigger, holds the flow as that trigger's. Theirs is empty.
  std::vector<std::shared_ptr<const Flow>> others;
  std::vector<Action> actions;
  Branch root;  ///< the top-level actions
  std::uint32_t root_slots = 0;
  std::vector<Parameter> parameters;
  std::vector<Variable> variables;
  Template outputs;
  bool secure_outputs = false;  ///< `outputs` uses what is hidden, so it is hidden too
  Value static_results;
  bool has_response = false;       ///< some action is a Response
  bool answers_by_status = false;  ///< a Response is Asynchronous: callers get 202 and ask for the answer later
  std::unordered_map<std::string, ActionId> actions_by_name;  ///< keys in lower case

  const Action& action(ActionId id_) const { return actions[id_]; }
  /// Without regard to case; nothing when unknown.
  const Action* find_action(std::string_view name) const;
  std::int32_t find_parameter(std::string_view name) const;  ///< -1 when unknown
  std::int32_t find_variable(std::string_view name) const;
};

/// The flow as its trigger `name` starts it; nullptr when it has none of that name.
std::shared_ptr<const Flow> with_trigger(const std::shared_ptr<const Flow>& flow, std::string_view name);
/// As with_trigger(), and as its first trigger starts it when it has none of that name.
std::shared_ptr<const Flow> with_trigger_or_first(const std::shared_ptr<const Flow>& flow, std::string_view name);
/// The flow as each of its triggers starts it, in document order: one for most flows.
std::vector<std::shared_ptr<const Flow>> by_trigger(const std::shared_ptr<const Flow>& flow);

/// What a definition is compiled with.
struct CompileOptions {
  std::string id;
  std::string workflow_id;
  std::string display_name;
  std::string environment;
  std::string version;
  Dialect dialect = Dialect::pa;
  Value connection_references;  ///< as the flow stores them; null = none known: references are not checked
  Value parameter_values;       ///< deployed values {name:{value}}; null = none
  Limits limits;                ///< how large it may be
};

struct Compiled {
  std::shared_ptr<const Flow> flow;  ///< absent when a diagnostic has severity error
  Diagnostics diagnostics;
};

/// Reads, checks and compiles a definition. Total: any JSON value gives diagnostics, never a crash or an exception.
/// Cost is linear in the size of the definition. Any thread.
Compiled compile(const Value& definition, const CompileOptions& options = {});

}  // namespace flowmend::definition
