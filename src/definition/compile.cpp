#include <algorithm>
#include <deque>
#include <exception>
#include <utility>

#include "definition/action_types.h"
#include "definition/batch.h"
#include "definition/connection_references.h"
#include "definition/flow.h"
#include "definition/order.h"
#include "definition/parameters.h"
#include "definition/secure.h"
#include "definition/service_providers.h"
#include "definition/settings.h"
#include "definition/trigger_types.h"
#include "definition/words.h"
#include "json/pointer.h"
#include "json/value.h"

namespace flowmend::definition {

namespace {

constexpr unsigned nesting_max = 64;  // deeper than any real flow; bounds our own recursion
constexpr unsigned nesting_documented = 8;
constexpr std::size_t switch_cases_max = 25;

class FlowNames final : public expression::Names {
 public:
  explicit FlowNames(const Flow& flow) : flow_(flow) {
    for (std::size_t i = 0; i < flow.variables.size(); ++i) variables_.emplace(lower_case(flow.variables[i].name), i);
    for (std::size_t i = 0; i < flow.parameters.size(); ++i)
      parameters_.emplace(lower_case(flow.parameters[i].name), i);
  }
  std::int32_t action(std::string_view name) const override {
    const Action* found = flow_.find_action(name);
    return found == nullptr ? -1 : static_cast<std::int32_t>(found->id);
  }
  std::int32_t variable(std::string_view name) const override { return slot(variables_, name); }
  std::int32_t parameter(std::string_view name) const override { return slot(parameters_, name); }
  std::vector<std::string_view> actions() const override { return names(flow_.actions); }
  std::vector<std::string_view> variables() const override { return names(flow_.variables); }
  std::vector<std::string_view> parameters() const override { return names(flow_.parameters); }

 private:
  using Slots = std::unordered_map<std::string, std::size_t>;
  static std::int32_t slot(const Slots& slots, std::string_view name) {
    const auto found = slots.find(lower_case(name));
    return found == slots.end() ? -1 : static_cast<std::int32_t>(found->second);
  }
  template <class T>
  static std::vector<std::string_view> names(const std::vector<T>& things) {
    std::vector<std::string_view> out;
    for (const T& thing : things) out.push_back(thing.name);
    return out;
  }
  const Flow& flow_;
  Slots variables_;
  Slots parameters_;
};

std::optional<VariableType> variable_type(std::string_view name) {
  const std::string word = lower_case(name);
  if (word == "string") return VariableType::string;
  if (word == "integer" || word == "int") return VariableType::integer;
  if (word == "float") return VariableType::floating;
  if (word == "boolean" || word == "bool") return VariableType::boolean;
  if (word == "object") return VariableType::object;
  if (word == "array") return VariableType::array;
  return {};
}

/// 0 for a word that runAfter does not know.
std::uint8_t status_bit(std::string_view word) {
  if (word == "succeeded") return succeeded_bit;
  if (word == "failed") return failed_bit;
  if (word == "skipped") return skipped_bit;
  return word == "timedout" ? timed_out_bit : 0;
}

std::string label(const Action& action) { return "action '" + action.name + "' of type '" + action.type_name + "'"; }

/// Reads one definition in four passes: the graph's places, its names, its templates, its edges and rules.
class Reader {
 public:
  Reader(const Value& definition, const CompileOptions& options) : definition_(definition), options_(options) {}

  Compiled read() {
    flow_->id = options_.id;
    flow_->workflow_id = options_.workflow_id;
    flow_->display_name = options_.display_name;
    flow_->environment = options_.environment;
    flow_->version = options_.version;
    flow_->dialect = options_.dialect;
    flow_->definition = definition_;
    flow_->connection_references =
        options_.connection_references.is_object() ? options_.connection_references : Value::empty_object();
    check_connection_references(flow_->connection_references, diagnostics_);
    if (!definition_.is_object()) {
      error("", "InvalidTemplate", "A flow definition must be a JSON object.",
            "Give an object with 'triggers' and 'actions'.");
      return finish();
    }
    flow_->static_results = member_at(definition_, {"staticResults"});
    read_parameters();
    flow_->root.name = "actions";
    const Value& actions = member_at(definition_, {"actions"});
    if (!actions.is_null()) read_branch(actions, "/actions", Place{}, flow_->root, flow_->root_slots);
    check_limits(definition_, options_.limits, diagnostics_);
    names_.emplace(*flow_);
    read_triggers();
    mentions_.resize(flow_->actions.size());
    for (Action& action : flow_->actions) compile_action(action);
    link(flow_->root);
    for (Action& action : flow_->actions) {
      for (Branch& branch : action.branches) link(branch);
    }
    for (const Action& action : flow_->actions) check_mentions(action);
    check_order(*flow_, mentions_, diagnostics_);
    const Value& outputs = member_at(definition_, {"outputs"});
    if (outputs.is_object()) flow_->outputs = Template::compile(outputs, *names_, "/outputs", diagnostics_);
    add_other_triggers();
    spread_secure_data(*flow_, mentions_, flow_->outputs.mentions());
    return finish();
  }

 private:
  struct Place {
    ActionId parent = no_action;
    std::uint32_t branch = 0;
    ActionId loop = no_action;
    unsigned depth = 1;
  };

  void error(std::string pointer, std::string code, std::string message, std::string cure) {
    diagnostics_.push_back(
        {std::move(pointer), Severity::error, std::move(code), std::move(message), std::move(cure), 0, 0});
  }
  void warn(std::string pointer, std::string code, std::string message, std::string cure) {
    diagnostics_.push_back(
        {std::move(pointer), Severity::warning, std::move(code), std::move(message), std::move(cure), 0, 0});
  }

  Compiled finish() {
    const bool broken =
        std::ranges::any_of(diagnostics_, [](const Diagnostic& d) { return d.severity == Severity::error; });
    Compiled compiled;
    if (!broken) compiled.flow = flow_;
    compiled.diagnostics = std::move(diagnostics_);
    return compiled;
  }

  void read_parameters() {
    const Value& parameters = member_at(definition_, {"parameters"});
    if (!parameters.is_object()) return add_implied_parameters();
    for (const json::Member& member : parameters.as_object()) {
      Parameter parameter;
      parameter.name = std::string(member.name());
      parameter.type = std::string(
          member_at(member.value, {"type"}).is_string() ? member_at(member.value, {"type"}).as_string() : "");
      parameter.secure = lower_case(parameter.type).starts_with("secure");
      const Value& deployed = deployed_value(options_.parameter_values, parameter.name);
      parameter.value = deployed.is_null() ? member_at(member.value, {"defaultValue"}) : deployed;
      flow_->parameters.push_back(std::move(parameter));
    }
    add_implied_parameters();
  }

  /// A definition of Power Automate may mention these two without declaring them (engine.md 1.2, rest-api.md 3.2).
  void add_implied_parameters() {
    for (const char* name : {"$connections", "$authentication"}) {
      const bool declared =
          std::ranges::any_of(flow_->parameters, [&](const Parameter& p) { return lower_case(p.name) == name; });
      if (declared) continue;
      Parameter parameter;
      parameter.name = name;
      parameter.secure = parameter.name == "$authentication";
      parameter.type = parameter.secure ? "SecureObject" : "Object";
      parameter.value = Value::empty_object();
      flow_->parameters.push_back(std::move(parameter));
    }
  }

  // Actions get their ids depth first, in document order.
  void read_branch(const Value& actions, const std::string& pointer, Place place, Branch& into, std::uint32_t& slots) {
    if (!actions.is_object()) {
      return error(pointer, "InvalidTemplate", "'actions' must be an object of actions by name.",
                   "Write {\"Name\": {\"type\": ...}}.");
    }
    if (place.depth > nesting_max) {
      return error(pointer, "ActionNestingLimitExceeded",
                   "Actions nest more than " + std::to_string(nesting_max) + " deep.",
                   "Move inner parts into a child flow.");
    }
    if (place.depth == nesting_documented + 1) {
      warn(pointer, "ActionNestingLimitExceeded", "Actions nest more than 8 deep; the cloud refuses that.",
           "Move inner parts into a child flow if the definition has to go back there.");
    }
    std::vector<ActionId> ids;
    for (const json::Member& member : actions.as_object()) {
      const std::string at = json::join(pointer, member.name());
      if (const auto id = read_action(member, at, place, slots)) ids.push_back(*id);
    }
    into.actions = std::move(ids);
  }

  std::optional<ActionId> read_action(const json::Member& member, const std::string& at, Place place,
                                      std::uint32_t& slots) {
    const Value& written = member.value;
    if (!written.is_object()) {
      error(at, "InvalidTemplate", "An action must be an object.", "Write {\"type\": ..., \"inputs\": ...}.");
      return {};
    }
    const Value& type = member_at(written, {"type"});
    if (!type.is_string()) {
      error(at, "MissingRequiredProperty", "Action '" + std::string(member.name()) + "' has no type.",
            "Give it a 'type'.");
      return {};
    }
    const ActionTypeEntry* entry = find_action_type(type.as_string());
    if (entry == nullptr) {
      error(at + "/type", "WorkflowRunActionTypeUnsupported",
            "The type '" + std::string(type.as_string()) + "' of action '" + std::string(member.name()) +
                "' is not known.",
            "Correct the spelling of the type.");
    } else if (!entry->runs) {
      warn(at + "/type", "ActionTypeUnavailable",
           "Flowmend can't run actions of type '" + std::string(entry->name) + "': the flow can be saved, but '" +
               std::string(member.name()) + "' fails when its turn comes.",
           "Replace it by other actions, for example an Http call, or give it static results.");
    }
    const auto id = static_cast<ActionId>(flow_->actions.size());
    Action& action = flow_->actions.emplace_back();
    action.id = id;
    action.name = std::string(member.name());
    action.type = entry != nullptr ? entry->type : ActionType::scope;
    action.type_name = entry != nullptr ? std::string(entry->name) : std::string(type.as_string());
    action.kind = std::string(written.text_of("kind"));
    action.pointer = at;
    action.parent = place.parent;
    action.branch = place.branch;
    action.loop = place.loop;
    action.slot = slots++;
    action.definition = written;
    runs_.push_back(entry);
    if (!flow_->actions_by_name.emplace(lower_case(action.name), id).second) {
      error(at, "DuplicateActionName", "The name '" + action.name + "' is used by more than one action.",
            "Names must be unique in the whole definition: rename one of them.");
    }
    if (action.type == ActionType::response && runs_[id] != nullptr) flow_->has_response = true;
    if (action.type == ActionType::initialize_variable) declare_variable(action, at, place);
    read_children(id, written, at, place, slots);
    return id;
  }

  void declare_variable(const Action& action, const std::string& at, Place place) {
    if (place.parent != no_action) {
      const std::string& container = flow_->actions[place.parent].name;
      error(at, "InvalidVariableInitialization",
            "The variable action '" + action.name +
                "' of type 'InitializeVariable' cannot be nested in an action of type '" + container + "'.",
            "Move it to the top level, before '" + container + "'.");
    }
    const Value& list = member_at(action.definition, {"inputs", "variables"});
    if (!list.is_array() || list.size() == 0) {
      return error(at + "/inputs/variables", "InvalidVariableInitialization",
                   "'variables' must be a list of variables.", "Write [{\"name\": ..., \"type\": ...}].");
    }
    std::size_t index = 0;
    for (const Value& variable : list.as_array())
      declare_one_variable(variable, json::join(at + "/inputs/variables", index++));
  }

  void declare_one_variable(const Value& variable, const std::string& at) {
    const Value& name = member_at(variable, {"name"});
    const Value& type = member_at(variable, {"type"});
    const auto kind = type.is_string() ? variable_type(type.as_string()) : std::nullopt;
    if (!name.is_string() || !kind) {
      return error(at, "InvalidVariableInitialization",
                   "A variable needs a name and a type: String, Integer, Float, Boolean, Object or Array.",
                   "Give it both.");
    }
    if (flow_->find_variable(name.as_string()) >= 0) {
      return error(at + "/name", "InvalidVariableInitialization",
                   "The variable '" + std::string(name.as_string()) + "' is initialized more than once.",
                   "Use 'Set variable', or another name.");
    }
    flow_->variables.push_back({std::string(name.as_string()), *kind});
  }

  void read_children(ActionId id, const Value& written, const std::string& at, Place place, std::uint32_t& slots) {
    const ActionType type = flow_->actions[id].type;
    std::vector<Branch> branches;
    const bool is_loop = type == ActionType::foreach_ || type == ActionType::until;
    std::uint32_t frame_slots = 0;
    std::uint32_t& frame = is_loop ? frame_slots : slots;
    const auto add = [&](std::string name, const Value& actions, const std::string& pointer, Value case_value = {}) {
      Branch branch;
      branch.name = std::move(name);
      branch.case_value = std::move(case_value);
      Place inner{id, static_cast<std::uint32_t>(branches.size()), is_loop ? id : place.loop, place.depth + 1};
      if (!actions.is_null()) read_branch(actions, pointer, inner, branch, frame);
      branches.push_back(std::move(branch));
    };
    switch (type) {
      case ActionType::scope:
      case ActionType::foreach_:
      case ActionType::until: add("actions", member_at(written, {"actions"}), at + "/actions"); break;
      case ActionType::if_:
        add("actions", member_at(written, {"actions"}), at + "/actions");
        add("else", member_at(written, {"else", "actions"}), at + "/else/actions");
        break;
      case ActionType::switch_: {
        const Value& cases = member_at(written, {"cases"});
        if (cases.is_object()) {
          if (cases.size() > switch_cases_max) {
            error(at + "/cases", "AllowedSwitchCaseLimitExceeded", "A Switch can have at most 25 cases.",
                  "Split it, or use a condition on a list.");
          }
          std::vector<Value> seen;
          for (const json::Member& one : cases.as_object()) {
            const std::string pointer = json::join(at + "/cases", one.name());
            Value value = member_at(one.value, {"case"});
            if (seen.size() <= switch_cases_max && !value.is_null() && std::ranges::find(seen, value) != seen.end()) {
              error(pointer + "/case", "InvalidTemplate", "Two cases of the Switch have the same value.",
                    "Change or remove one.");
            }
            if (seen.size() <= switch_cases_max) seen.push_back(value);
            add(std::string(one.name()), member_at(one.value, {"actions"}), pointer + "/actions", std::move(value));
          }
        }
        add("default", member_at(written, {"default", "actions"}), at + "/default/actions");
        break;
      }
      default: break;
    }
    flow_->actions[id].branches = std::move(branches);
    flow_->actions[id].frame_slots = frame_slots;
  }

  void read_triggers() {
    const Value& triggers = member_at(definition_, {"triggers"});
    if (!triggers.is_object() || triggers.size() == 0) {
      return error("/triggers", "MissingRequiredProperty", "The definition has no trigger.",
                   "Add one, for example of type Request.");
    }
    if (triggers.size() > 1 && flow_->dialect == Dialect::pa) {
      warn("/triggers", "WorkflowTriggerCountUnsupported",
           "The definition has " + std::to_string(triggers.size()) +
               " triggers; each starts runs of its own here, but Power Automate allows one.",
           "Split the definition if it has to go back there: one flow per trigger.");
    }
    for (const json::Member& member : triggers.as_object()) {
      Trigger trigger;
      read_trigger(member, trigger);
      if (&member == &triggers.as_object()[0]) {
        flow_->trigger = std::move(trigger);
      } else {
        other_triggers_.push_back(std::move(trigger));
      }
    }
  }

  /// Each further trigger gets a copy of the finished graph: what is hidden, for one, depends on the trigger.
  void add_other_triggers() {
    std::vector<std::shared_ptr<const Flow>> others;
    for (Trigger& trigger : other_triggers_) {
      auto other = std::make_shared<Flow>(*flow_);
      other->trigger = std::move(trigger);
      spread_secure_data(*other, mentions_, other->outputs.mentions());
      others.push_back(std::move(other));
    }
    flow_->others = std::move(others);
  }

  void read_trigger(const json::Member& member, Trigger& trigger) {
    const std::string at = json::join("/triggers", member.name());
    const Value& written = member.value;
    trigger.name = std::string(member.name());
    trigger.definition = written;
    const Value& type = member_at(written, {"type"});
    if (!type.is_string()) {
      return error(at, "MissingRequiredProperty", "Trigger '" + trigger.name + "' has no type.", "Give it a 'type'.");
    }
    const TriggerTypeEntry* entry = find_trigger_type(type.as_string());
    trigger.type_name = std::string(entry != nullptr ? entry->name : type.as_string());
    trigger.kind = std::string(written.text_of("kind"));
    if (entry != nullptr) trigger.source = entry->source;
    if (entry == nullptr) {
      error(at + "/type", "WorkflowTriggerTypeUnsupported",
            "The trigger type '" + trigger.type_name + "' is not known.", "Correct the spelling of the type.");
    } else if (!entry->runs) {
      warn(at + "/type", "TriggerTypeUnavailable",
           "Flowmend can't run triggers of type '" + trigger.type_name +
               "': the flow can be saved and run by hand, but nothing starts it by itself.",
           "Use a Request, a Recurrence or a connector's trigger.");
    }
    trigger.recurrence = member_at(written, {"recurrence"});
    if (entry != nullptr && entry->name == "ServiceProvider") read_service_provider_trigger(written, at, trigger);
    if (entry != nullptr && entry->name == "OpenApiConnectionNotification") ask_often(at, trigger);
    if (entry != nullptr && entry->runs && entry->needs_recurrence)
      check_recurrence(trigger.recurrence, at + "/recurrence", diagnostics_);
    if (trigger.source == TriggerSource::batch && entry != nullptr) check_batch_trigger(written, at);
    trigger.inputs = Template::compile(member_at(written, {"inputs"}), *names_, at + "/inputs", diagnostics_);
    const Value& conditions = member_at(written, {"conditions"});
    if (conditions.is_array()) {
      std::size_t i = 0;
      for (const Value& condition : conditions.as_array()) {
        const std::string pointer = json::join(at + "/conditions", i++) + "/expression";
        const Value& text = member_at(condition, {"expression"});
        if (text.is_string()) {
          trigger.conditions.push_back(Template::compile_expression(text.as_string(), *names_, pointer, diagnostics_));
        } else {
          error(pointer, "InvalidTemplate", "A trigger condition must be an expression.",
                "Write @equals(...) or the like.");
        }
      }
    }
    const Value& split_on = member_at(written, {"splitOn"});
    trigger.split_automatically = split_on.is_string() && same_word(split_on.as_string(), "@autoload()");
    if (!trigger.split_automatically)
      trigger.split_on = Template::compile(split_on, *names_, at + "/splitOn", diagnostics_);
    if (trigger.splits() && flow_->has_response) {
      warn(at + "/splitOn", "WorkflowUnsupportedSplitOnTriggerForResponseAction",
           "Callers are answered with 202 at once, because each item has a run of its own: the Response action answers "
           "nobody. The cloud refuses this.",
           "Remove 'splitOn', or the Response action.");
    }
    trigger.client_tracking_id = Template::compile(member_at(written, {"correlation", "clientTrackingId"}), *names_,
                                                   at + "/correlation/clientTrackingId", diagnostics_);
    trigger.schema_validation = has_option(written, "EnableSchemaValidation");
    trigger.suppress_response_headers = has_option(written, "SuppressWorkflowHeadersOnResponse");
    trigger.single_instance = has_option(written, "SingleInstance");
    trigger.secure_inputs = is_secured(written, "inputs");
    trigger.secure_outputs = is_secured(written, "outputs");
    read_trigger_concurrency(member_at(written, {"runtimeConfiguration", "concurrency"}),
                             at + "/runtimeConfiguration/concurrency", trigger);
  }

  /// A trigger that the provider pushes, or whose recurrence is the provider's own, is asked every half minute.
  void read_service_provider_trigger(const Value& written, const std::string& at, Trigger& trigger) {
    const Value& inputs = member_at(written, {"inputs"});
    if (find_service_provider(inputs, true) == nullptr) {
      trigger.source = TriggerSource::schedule;  // of a type that has none: nothing fires
      return warn(at + "/inputs/serviceProviderConfiguration", "TriggerTypeUnavailable",
                  service_provider_missing(inputs, true) +
                      " The flow can be saved and run by hand, but nothing starts it by itself.",
                  "Use that connector's trigger, a Request or a Recurrence.");
    }
    ask_often(at, trigger);
  }
  void ask_often(const std::string& at, Trigger& trigger) {
    if (trigger.recurrence.is_null()) {
      trigger.recurrence = Value::object({{"frequency", Value("Second")}, {"interval", Value(30)}});
    } else {
      check_recurrence(trigger.recurrence, at + "/recurrence", diagnostics_);
    }
  }

  void check_batch_trigger(const Value& written, const std::string& at) {
    static_cast<void>(read_batches(member_at(written, {"inputs"}), at + "/inputs", diagnostics_));
    if (!flow_->has_response) return;
    error(at, "WorkflowUnsupportedBatchTriggerForResponseAction",
          "A flow with a Batch trigger can't have a Response action: nobody waits for its answer.",
          "Remove the Response action.");
  }

  void read_trigger_concurrency(const Value& concurrency, const std::string& at, Trigger& trigger) {
    if (trigger.single_instance) trigger.concurrency = 1;
    if (!concurrency.is_null()) {
      const Value& runs = member_at(concurrency, {"runs"});
      const auto number = runs.is_null() ? std::optional<std::int64_t>(25) : whole_number(runs);
      if (!number || *number < 1 || *number > options_.limits.trigger_concurrency) {
        const std::string range = "from 1 to " + std::to_string(options_.limits.trigger_concurrency) + ".";
        error(at + "/runs", "InvalidConcurrencyConfiguration", "The concurrency of a trigger must be " + range,
              "Give 'runs' a value " + range);
      } else if (trigger.single_instance) {
        error(at, "InvalidConcurrencyConfiguration", "A trigger can't have both 'SingleInstance' and a concurrency.",
              "Remove one of the two.");
      } else {
        trigger.concurrency = static_cast<std::uint32_t>(*number);
      }
    }
    if (!trigger.concurrency) return;
    const auto waiting = whole_number(member_at(concurrency, {"maximumWaitingRuns"}));
    if (waiting && (*waiting < 1 || *waiting > 200)) {
      error(at + "/maximumWaitingRuns", "InvalidConcurrencyConfiguration", "Waiting runs must be from 1 to 200.",
            "Lower the number.");
    } else {
      trigger.waiting_runs_max = waiting ? static_cast<std::uint32_t>(*waiting) : 10 + *trigger.concurrency;
    }
  }

  void compile_action(Action& action) {
    const ActionTypeEntry* entry = runs_[action.id];
    if (entry == nullptr) return;  // its one diagnostic was given
    const Value& written = action.definition;
    action.settings = read_settings(written, action.type, action.pointer, options_.limits, diagnostics_);
    if (action.type == ActionType::if_ || action.type == ActionType::until) {
      action.condition = std::make_shared<const Condition>(
          compile_condition(need(action, "expression"), *names_, action.pointer + "/expression", diagnostics_));
      action.expression = action.condition->value;
      append_mentions(*action.condition, mentions_[action.id]);
    } else if (action.type == ActionType::switch_ || action.type == ActionType::foreach_) {
      const char* member = action.type == ActionType::switch_ ? "expression" : "foreach";
      action.expression = compile(action, need(action, member), std::string("/") + member);
    }
    if (action.type == ActionType::service_provider) check_service_provider(action);
    compile_inputs(action, *entry);
    compile_limits(action);
    check_static_result(action);
    if (action.type == ActionType::response && action.settings.asynchronous_response) flow_->answers_by_status = true;
    const Value& tracked = member_at(written, {"trackedProperties"});
    if (!tracked.is_null()) action.tracked_properties = compile(action, tracked, "/trackedProperties");
    find_variable(action);
  }

  /// Which operation it is may be an expression: then it is found when the step's turn comes.
  void check_service_provider(Action& action) {
    const Value& inputs = member_at(action.definition, {"inputs"});
    const Value& configuration = member_at(inputs, {"serviceProviderConfiguration"});
    for (const std::string_view name : {"serviceProviderId", "operationId"}) {
      const Value& text = member_at(configuration, {name});
      if (text.is_string() && text.as_string().find('@') != std::string_view::npos) return;
    }
    if (find_service_provider(inputs, false) != nullptr) return;
    warn(action.pointer + "/inputs/serviceProviderConfiguration", "ActionTypeUnavailable",
         service_provider_missing(inputs, false) + " The flow can be saved, but '" + action.name +
             "' fails when its turn comes.",
         "Use that connector, an Http call, or give the action static results.");
  }

  /// Limits that are written as expressions, read when the action's turn comes.
  void compile_limits(Action& action) {
    const Value& limit = member_at(action.definition, {"limit"});
    const auto is_expression = [](const Value& value) {
      return value.is_string() && value.as_string().find('@') != std::string_view::npos;
    };
    const Value& timeout = member_at(limit, {"timeout"});
    if (is_expression(timeout)) action.settings.timeout_expression = compile(action, timeout, "/limit/timeout");
    const Value& count = member_at(limit, {"count"});
    if (action.type == ActionType::until && is_expression(count))
      action.settings.until_count_expression = compile(action, count, "/limit/count");
  }

  void check_static_result(const Action& action) {
    if (!action.settings.static_result) return;
    const std::string& name = *action.settings.static_result;
    const Value* result = name.empty() ? nullptr : flow_->static_results.find_ignoring_case(name);
    if (result == nullptr) {
      return error(action.pointer + "/runtimeConfiguration/staticResult/name", "InvalidStaticResultName",
                   "The static result '" + name + "' of action '" + action.name + "' is not in 'staticResults'.",
                   "Add it there, or set 'staticResultOptions' to Disabled.");
    }
    constexpr std::string_view statuses[] = {"Succeeded", "Failed", "TimedOut", "Skipped"};
    const auto status = result->text_of("status");
    if (std::ranges::none_of(statuses, [&](std::string_view known) { return same_word(known, status); })) {
      error(json::join("/staticResults", name) + "/status", "WorkflowInvalidStaticResults",
            "The static result '" + name + "' has no status that an action can end with.",
            "Give it the status Succeeded or Failed.");
    }
  }

  const Value& need(const Action& action, std::string_view member) {
    const Value& value = member_at(action.definition, {member});
    if (value.is_null()) {
      error(json::join(action.pointer, member), "MissingRequiredProperty",
            "The " + label(action) + " needs '" + std::string(member) + "'.", "Fill it in.");
    }
    return value;
  }

  Template compile(const Action& action, const Value& value, const std::string& below) {
    Template compiled = Template::compile(value, *names_, action.pointer + below, diagnostics_);
    for (auto& mention : compiled.mentions()) mentions_[action.id].push_back(std::move(mention));
    return compiled;
  }

  void compile_inputs(Action& action, const ActionTypeEntry& entry) {
    const Value& inputs = member_at(action.definition, {"inputs"});
    std::string_view rest = entry.required;
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      const std::string_view name = rest.substr(0, space);
      if (!inputs.is_string() && (!inputs.is_object() || inputs.find_ignoring_case(name) == nullptr)) {
        error(action.pointer + "/inputs", "MissingRequiredProperty",
              "The " + label(action) + " needs the input '" + std::string(name) + "'.",
              "Fill in '" + std::string(name) + "'.");
      }
      rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
    }
    if (!inputs.is_object() || action.type == ActionType::compose) {
      action.inputs = compile(action, inputs, "/inputs");
      return;
    }
    const std::string_view apart = action.type == ActionType::query    ? "where"
                                   : action.type == ActionType::select ? "select"
                                   : action.type == ActionType::table  ? "columns"
                                                                       : "";
    json::ObjectBuilder kept;
    bool changed = false;
    for (const json::Member& member : inputs.as_object()) {
      const std::string at = json::join("/inputs", member.name());
      if (action.type == ActionType::http_webhook && same_word(member.name(), "subscribe"))
        check_retry_policy(member_at(member.value, {"retryPolicy"}), action.pointer + at + "/retryPolicy",
                           options_.limits, diagnostics_);
      if (same_word(member.name(), "retryPolicy")) {
        changed = true;
        check_retry_policy(member.value, action.pointer + at, options_.limits, diagnostics_);
        action.settings.retry_policy = compile(action, member.value, at);
      } else if (!apart.empty() && same_word(member.name(), apart)) {
        changed = true;
        if (action.type == ActionType::query && member.value.is_string()) {
          action.item_template =
              Template::compile_expression(member.value.as_string(), *names_, action.pointer + at, diagnostics_);
          for (auto& mention : action.item_template.mentions()) mentions_[action.id].push_back(std::move(mention));
        } else {
          action.item_template = compile(action, member.value, at);
        }
      } else {
        kept.add(member.key, member.value);
      }
    }
    action.inputs = compile(action, changed ? kept.finish() : inputs, "/inputs");
    if (action.type == ActionType::java_script_code) find_script_actions(action, inputs);
  }

  /// What the code of a JavaScriptCode reads: `workflowContext.actions.NAME`, `actions['NAME']`, and what it names as
  /// its dependencies. Found in the text, as the designer does.
  void find_script_actions(Action& action, const Value& inputs) {
    const auto code = inputs.text_of("code");
    std::vector<std::string> names;
    constexpr std::string_view word = "actions";
    for (auto at = code.find(word); at != std::string_view::npos; at = code.find(word, at + 1)) {
      auto rest = code.substr(at + word.size());
      const auto skip = [&] {
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '?' || rest.front() == '\n'))
          rest.remove_prefix(1);
      };
      skip();
      if (rest.starts_with('.')) rest.remove_prefix(1);
      skip();
      if (rest.starts_with("['") || rest.starts_with("[\"")) {
        const auto end = rest.find(rest[1], 2);
        if (end != std::string_view::npos) names.emplace_back(rest.substr(2, end - 2));
      } else {
        std::size_t size = 0;
        while (size < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[size])) != 0 || rest[size] == '_' ||
                                      static_cast<unsigned char>(rest[size]) >= 0x80))
          ++size;
        if (size > 0) names.emplace_back(rest.substr(0, size));
      }
    }
    const Value& explicit_names = member_at(inputs, {"explicitDependencies", "actions"});
    if (explicit_names.is_array()) {
      for (const Value& name : explicit_names.as_array()) {
        if (name.is_string()) names.emplace_back(name.as_string());
      }
    }
    for (const std::string& name : names) {
      const Action* used = flow_->find_action(name);
      if (used == nullptr || used->id == action.id) continue;
      if (std::ranges::find(action.script_actions, used->id) != action.script_actions.end()) continue;
      action.script_actions.push_back(used->id);
      Template::Mention mention;
      mention.kind = Template::Mention::Kind::action;
      mention.name = used->name;
      mention.pointer = action.pointer + "/inputs/code";
      mention.function = "outputs";
      mentions_[action.id].push_back(std::move(mention));
    }
    if (code.find("workflowContext.trigger") != std::string_view::npos) {
      Template::Mention mention;
      mention.kind = Template::Mention::Kind::trigger;
      mention.pointer = action.pointer + "/inputs/code";
      mentions_[action.id].push_back(std::move(mention));
    }
  }

  void find_variable(Action& action) {
    const bool uses = action.type >= ActionType::set_variable && action.type <= ActionType::append_to_string_variable;
    if (!uses) return;
    const Value& name = member_at(action.definition, {"inputs", "name"});
    if (!name.is_string()) return;
    action.variable = names_->variable(name.as_string());
    if (action.variable < 0) {
      return error(action.pointer + "/inputs/name", "InvalidVariableOperation",
                   "The inputs of workflow run action '" + action.name + "' of type '" + action.type_name +
                       "' are not valid. The variable '" + std::string(name.as_string()) +
                       "' must be initialized before it can be used inside action '" + action.name + "'.",
                   "Add 'Initialize variable' for it at the top level.");
    }
    if (action.type != ActionType::set_variable) return;
    for (const auto& mention : mentions_[action.id]) {
      if (mention.kind == Template::Mention::Kind::variable && names_->variable(mention.name) == action.variable) {
        return error(action.pointer + "/inputs/value", "WorkflowRunActionInputsInvalidProperty",
                     "The inputs of workflow run action '" + action.name +
                         "' of type 'SetVariable' are not valid. Self reference is not supported when updating the "
                         "value of variable '" +
                         std::string(name.as_string()) + "'.",
                     "Put the new value into a Compose first, or use Append or Increment.");
      }
    }
  }

  void check_mentions(const Action& action) {
    using Kind = Template::Mention::Kind;
    for (const auto& mention : mentions_[action.id]) {
      const Action* used =
          mention.kind == Kind::variable || mention.kind == Kind::parameter || mention.kind == Kind::trigger
              ? nullptr
              : flow_->find_action(mention.name);
      if (used == nullptr) continue;  // an unknown name was reported where the template was compiled
      if (mention.kind == Kind::action && used->id == action.id) {
        error(action.pointer, "InvalidTemplate", "Action '" + action.name + "' refers to itself.",
              "Refer to an action that runs before it.");
      }
      if (mention.kind != Kind::loop || runs_[used->id] == nullptr) continue;
      ActionId above = action.parent;
      while (above != no_action && above != used->id) above = flow_->actions[above].parent;
      if (above == no_action) {
        error(mention.pointer, "InvalidTemplate",
              "The inputs of template action '" + action.name + "' is invalid. Action '" + used->name +
                  "' must be a parent 'foreach' scope of action '" + action.name +
                  "' to be referenced by 'repeatItems' or 'items' functions.",
              "Move the action into the loop, or read the array instead.");
      }
    }
  }

  // Edges, roots and leaves of one list of siblings; a cycle is what never becomes free (Kahn).
  void link(Branch& branch) {
    std::unordered_map<std::string, ActionId> siblings;
    for (const ActionId id : branch.actions) siblings.emplace(lower_case(flow_->actions[id].name), id);
    for (const ActionId id : branch.actions) link_action(flow_->actions[id], siblings);
    std::unordered_map<ActionId, std::size_t> open;
    std::deque<ActionId> free;
    for (const ActionId id : branch.actions) {
      const Action& action = flow_->actions[id];
      open[id] = action.run_after.size();
      if (action.run_after.empty()) {
        branch.roots.push_back(id);
        free.push_back(id);
      }
      if (action.successors.empty()) branch.leaves.push_back(id);
    }
    std::size_t reached = 0;
    while (!free.empty()) {
      const ActionId id = free.front();
      free.pop_front();
      ++reached;
      for (const ActionId next : flow_->actions[id].successors) {
        if (--open[next] == 0) free.push_back(next);
      }
    }
    if (reached == branch.actions.size()) return;
    for (const ActionId id : branch.actions) {
      if (open[id] == 0) continue;
      error(flow_->actions[id].pointer + "/runAfter", "InvalidTemplate",
            "The circular dependency detected: action '" + flow_->actions[id].name +
                "' waits, over its 'runAfter', for itself.",
            "Remove one of the 'runAfter' entries of the circle.");
      return;
    }
  }

  void link_action(Action& action, const std::unordered_map<std::string, ActionId>& siblings) {
    const Value& after = member_at(action.definition, {"runAfter"});
    if (!after.is_object()) return;
    for (const json::Member& member : after.as_object()) {
      const std::string at = json::join(action.pointer + "/runAfter", member.name());
      const auto found = siblings.find(lower_case(member.name()));
      if (found == siblings.end()) {
        const bool elsewhere = flow_->find_action(member.name()) != nullptr;
        error(at, "InvalidTemplate",
              "Action '" + action.name + "' runs after '" + std::string(member.name()) + "', which is " +
                  (elsewhere ? "in another container." : "not defined."),
              "Name an action of the same container, or remove this entry.");
        continue;
      }
      RunAfter edge;
      edge.action = found->second;
      if (member.value.is_array()) read_statuses(member.value, at, edge);
      const bool known =
          std::ranges::any_of(action.run_after, [&](const RunAfter& e) { return e.action == edge.action; });
      if (known) continue;
      if (edge.statuses == 0) {
        edge.statuses = succeeded_bit;
        edge.written_statuses = {"Succeeded"};
      }
      action.run_after.push_back(std::move(edge));
      flow_->actions[found->second].successors.push_back(action.id);
    }
  }

  void read_statuses(const Value& statuses, const std::string& at, RunAfter& edge) {
    std::size_t i = 0;
    for (const Value& status : statuses.as_array()) {
      const std::string word = status.is_string() ? lower_case(status.as_string()) : "";
      const std::uint8_t bit = status_bit(word);
      if (bit == 0) {
        error(json::join(at, i), "InvalidTemplate",
              "A 'runAfter' status must be Succeeded, Failed, Skipped or TimedOut.", "Choose one of these.");
      } else {
        edge.statuses |= bit;
        edge.written_statuses.emplace_back(status.as_string());
      }
      ++i;
    }
  }

  Value definition_;
  const CompileOptions& options_;
  std::shared_ptr<Flow> flow_ = std::make_shared<Flow>();
  Diagnostics diagnostics_;
  std::optional<FlowNames> names_;
  std::vector<Trigger> other_triggers_;       ///< all but the first
  std::vector<const ActionTypeEntry*> runs_;  ///< by action: its entry, nullptr when Flowmend can't run it
  std::vector<std::vector<Template::Mention>> mentions_;
};

}  // namespace

Compiled compile(const Value& definition, const CompileOptions& options) {
  try {
    return Reader(definition, options).read();
  } catch (const std::exception&) {
    Compiled failed;
    failed.diagnostics.push_back({"", Severity::error, "InternalError", "The definition could not be read.",
                                  "This is a defect of Flowmend: please report the definition.", 0, 0});
    return failed;
  }
}

}  // namespace flowmend::definition
