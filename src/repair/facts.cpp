#include <algorithm>

#include "connector/mask.h"
#include "connector/reference.h"
#include "connector/text.h"
#include "repair/blame.h"
#include "repair/explanation.h"

namespace flowmend::repair {
namespace {

/// The parts of an action that hold expressions, in the order in which they are evaluated.
std::vector<std::pair<std::string, Value>> expression_parts(const definition::Action& action) {
  std::vector<std::pair<std::string, Value>> parts;
  for (const std::string_view name : {"inputs", "foreach", "expression"}) {
    if (const Value* part = action.definition.find(name)) parts.emplace_back(std::string(name), *part);
  }
  return parts;
}

std::optional<ExpressionFinding> expression_of(const definition::Action& action, const Failure& failure) {
  // What the engine recorded, when it did.
  if (const Value* source = failure.fault_details.find("source"); source != nullptr && source->is_string()) {
    const Value& details = failure.fault_details;
    const auto number = [&](std::string_view name) -> std::size_t {
      const Value* value = details.find(name);
      return value != nullptr && value->is_integer() && value->as_integer() > 0
                 ? static_cast<std::size_t>(value->as_integer())
                 : 0;
    };
    ExpressionFinding finding;
    finding.source = source->as_string();
    finding.begin = std::min(number("begin"), finding.source.size());
    finding.end = std::clamp(number("end"), finding.begin, finding.source.size());
    finding.subexpression = finding.source.substr(finding.begin, finding.end - finding.begin);
    finding.message = details.text_of("message", failure.fault_message);
    const std::string_view pointer = details.text_of("pointer");
    finding.pointer = pointer.starts_with("/actions/") ? std::string(pointer) : action.pointer + std::string(pointer);
    for (const auto& [name, part] : expression_parts(action)) {
      auto again = find_failing_expression(part, action.pointer + "/" + name, failure.context);
      if (!again || again->source != finding.source) continue;
      return again;
    }
    return finding;
  }
  for (const auto& [name, part] : expression_parts(action)) {
    // A Query's `where` and a Select's `select` are evaluated per item: only what fails at large is found here.
    if (auto finding = find_failing_expression(part, action.pointer + "/" + name, failure.context)) return finding;
  }
  return std::nullopt;
}

/// Where the value came from that the failed expression missed: its null part, else the culprit itself, else any other
/// part of it that was missing.
std::optional<Origin> origin_of(const definition::Flow& flow, const Failure& failure,
                                const ExpressionFinding& finding) {
  std::vector<std::string_view> texts;
  for (const ExpressionFinding::Part& part : finding.values) {
    const bool missing = part.value && (part.value->is_null() || *part.value == Value(""));
    if (!part.culprit && missing && finding.subexpression.find(part.text) != std::string::npos)
      texts.push_back(part.text);
  }
  // The longest says most: `body('A')?['b']?['c']` before `body('A')?['b']`.
  std::stable_sort(texts.begin(), texts.end(), [](auto a, auto b) { return a.size() > b.size(); });
  texts.push_back(finding.subexpression);
  for (const std::string_view text : texts) {
    if (auto origin = find_origin(flow, failure, text)) return origin;
  }
  return std::nullopt;
}

}  // namespace

std::string Facts::step() const {
  std::string name = action != nullptr ? action->name : std::string("the run");
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string Facts::connection_name() const {
  if (connection && !connection->display_name.empty()) return connection->display_name;
  return connection_key ? connection_key->name : std::string();
}

std::string Facts::host() const {
  for (auto attempt = failure->attempts.rbegin(); attempt != failure->attempts.rend(); ++attempt) {
    if (std::string found = connector::host_of(attempt->request.text_of("uri")); !found.empty()) return found;
  }
  return connector::host_of(failure->inputs.text_of("uri"));
}

Facts gather_facts(const definition::Flow& flow, const Failure& failure, const connector::Connections* connections) {
  Facts facts;
  facts.flow = &flow;
  facts.failure = &failure;
  facts.family = family_of(failure);
  facts.status = failure.status_code();
  if (!failure.has_step) return facts;
  facts.action = &flow.actions[failure.action];
  const Value* body = failure.outputs.find("body");
  if (facts.status >= 400 && body != nullptr) facts.said = connector::read_service_message(*body);

  using definition::ActionType;
  if (facts.action->type == ActionType::open_api_connection || facts.action->type == ActionType::api_connection ||
      facts.action->type == ActionType::open_api_connection_webhook ||
      facts.action->type == ActionType::api_connection_webhook) {
    const Value* inputs =
        failure.inputs.find("host") != nullptr ? &failure.inputs : facts.action->definition.find("inputs");
    const Value* host = inputs == nullptr ? nullptr : inputs->find("host");
    const auto reference = connector::resolve_reference(host == nullptr ? Value() : *host, flow.connection_references);
    if (reference) {
      facts.connection_key = connector::ConnectionKey{reference->api, reference->name};
      if (facts.connection_key->api.empty() && connections != nullptr) {
        if (const auto key = connections->find_by_name(reference->name)) facts.connection_key = key;
      }
      if (connections != nullptr) facts.connection = connections->find(*facts.connection_key);
    }
  }
  const bool secured = facts.action->settings.secure_inputs;
  if (facts.family == Family::expression && !secured) facts.expression = expression_of(*facts.action, failure);
  if (facts.family == Family::action_configuration && facts.status >= 400 && !secured) {
    facts.blamed = find_blamed_input(*facts.action, failure.inputs, facts.said.message);
  }
  if (facts.expression) facts.origin = origin_of(flow, failure, *facts.expression);
  if (facts.family == Family::action_configuration && facts.status >= 400 && !secured) {
    // What the service speaks of is what matters; other inputs may be empty on purpose.
    const std::string blamed = facts.blamed ? facts.blamed->pointer : std::string();
    auto missing = find_missing_input(flow, failure, blamed);
    if (missing && is_at_or_below(missing->pointer, blamed)) {
      facts.origin = std::move(missing->origin);
      facts.origin_field = std::move(missing->field);
    } else if (facts.blamed && !facts.blamed->expression.empty()) {
      facts.origin = find_source(flow, failure, facts.blamed->expression);
    }
  }
  if (!failure.fault_code.empty() && facts.status == 0 && failure.fault_details.is_object()) {
    // The sender says itself which input it could not use.
    const std::string_view where = failure.fault_details.text_of("where");
    if (where.starts_with("/inputs")) {
      BlamedInput blamed;
      blamed.pointer = facts.action->pointer + std::string(where);
      blamed.field = std::string(where.substr(where.rfind('/') + 1));
      if (!secured) {
        const Value* value = failure.inputs.find("parameters");
        if (value != nullptr) value = value->find(blamed.field);
        if (value == nullptr) value = failure.inputs.find(blamed.field);
        if (value != nullptr) blamed.value = *value;
        auto missing = find_missing_input(flow, failure, blamed.pointer);
        if (missing && is_at_or_below(missing->pointer, blamed.pointer)) facts.origin = std::move(missing->origin);
      }
      facts.blamed = std::move(blamed);
    }
  }
  return facts;
}

}  // namespace flowmend::repair
