#include "repair/capsule/capsule.h"

#include "engine/recorded.h"
#include "json/write.h"
#include "repair/capsule/pseudonyms.h"
#include "repair/capsule/replay.h"

namespace flowmend::repair::capsule {
namespace {

constexpr std::string_view format = "flowmend-capsule-1";

Error invalid(std::string message) {
  return make_error("InvalidCapsule", std::move(message), {}, "Export it again with 'flowmend capsule export RUN'.");
}

std::string_view dialect_name(definition::Dialect dialect) { return dialect == definition::Dialect::la ? "la" : "pa"; }

definition::Compiled compile(const Value& flow) {
  definition::CompileOptions options;
  options.id = "00000000-0000-0000-0000-000000000000";
  options.display_name = flow.text_of("displayName");
  options.dialect = flow.text_of("dialect") == "la" ? definition::Dialect::la : definition::Dialect::pa;
  if (const Value* references = flow.find("connectionReferences")) options.connection_references = *references;
  if (const Value* parameters = flow.find("parameters")) options.parameter_values = *parameters;
  const Value* definition = flow.find("definition");
  return definition::compile(definition == nullptr ? Value() : *definition, options);
}

Result<std::shared_ptr<const definition::Flow>> compiled(const Value& flow) {
  auto made = compile(flow);
  if (made.flow) return made.flow;
  for (const auto& finding : made.diagnostics) {
    if (finding.severity == Severity::error)
      return make_error("InvalidDefinition", finding.message, finding.pointer, finding.cure);
  }
  return make_error("InvalidDefinition", "The capsule's definition does not compile.");
}

/// Values of parameters, without those of secure types and of secret names.
Value masked_parameters(const definition::Flow& flow, const Value& values, Pseudonyms& pseudonyms) {
  if (!values.is_object()) return Value();
  json::ObjectBuilder out;
  for (const json::Member& member : values.as_object()) {
    const auto index = flow.find_parameter(member.name());
    const bool secure = index >= 0 && flow.parameters[static_cast<std::size_t>(index)].secure;
    if (!secure && !is_secret_name(member.name())) {
      out.add(member.key, pseudonyms.mask_definition(member.value));
      continue;
    }
    const Value* value = member.value.find("value");
    const Value shown = value != nullptr && value->is_object() ? Value::empty_object() : Value("*sanitized*");
    out.add(member.key, value == nullptr ? shown : Value::object({{"value", shown}}));
  }
  return out.finish();
}

/// Names of connections are the owner's business; which connector each stands for is kept.
Value masked_references(const Value& references) {
  if (!references.is_object()) return references;
  json::ObjectBuilder out;
  for (const json::Member& member : references.as_object()) {
    if (!member.value.is_object()) continue;
    json::ObjectBuilder one;
    for (const json::Member& part : member.value.as_object()) {
      const bool names_one =
          part.name() == "connectionName" || part.name() == "connection" || part.name() == "displayName";
      one.add(part.key, names_one && part.value.is_string() ? Value("connection") : part.value);
    }
    out.add(member.key, one.finish());
  }
  return out.finish();
}

Value fault_value(const engine::Fault& fault) {
  return Value::object({{"code", Value(fault.code)}, {"message", Value(fault.message)}});
}

/// The steps that were asked outside, or that a reply may be needed of.
Value steps_value(const engine::RecordedSteps& record, Pseudonyms& pseudonyms) {
  json::ArrayBuilder out;
  for (const auto& [key, step] : record) {
    json::ObjectBuilder one;
    one.add("action", Value(step.action));
    if (!step.repetition.empty()) one.add("repetition", Value(step.repetition));
    one.add("status", Value(engine::status_name(step.status)));
    if (!step.outputs.is_null()) one.add("outputs", pseudonyms.mask(step.outputs));
    if (!step.fault.code.empty()) {
      engine::Fault fault = step.fault;
      fault.message = pseudonyms.mask_message(fault.message);
      one.add("error", fault_value(fault));
    }
    out.push(one.finish());
  }
  return out.finish();
}

Result<engine::RecordedSteps> steps_of(const Value& list) {
  if (!list.is_array()) return invalid("'steps' is no list.");
  engine::RecordedSteps out;
  for (const Value& one : list.as_array()) {
    engine::RecordedStep step;
    step.action = one.text_of("action");
    step.repetition = one.text_of("repetition");
    for (const auto status :
         {engine::Status::waiting, engine::Status::running, engine::Status::succeeded, engine::Status::failed,
          engine::Status::skipped, engine::Status::timed_out, engine::Status::cancelled, engine::Status::aborted}) {
      if (one.text_of("status") == engine::status_name(status)) step.status = status;
    }
    if (step.action.empty() || step.status == engine::Status::none) return invalid("A step has no name or no status.");
    if (const Value* outputs = one.find("outputs")) step.outputs = *outputs;
    if (const Value* error = one.find("error")) {
      step.fault.code = error->text_of("code");
      step.fault.message = error->text_of("message");
    }
    std::string lower = step.action;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    out[{lower, step.repetition}] = std::move(step);
  }
  return out;
}

engine::RunStarted start_of(const Value& document) {
  engine::RunStarted start;
  start.run = "08584000000000000000000000000CU00";
  start.flow = "00000000-0000-0000-0000-000000000000";
  start.version = "capsule";
  start.time = parse_timestamp(document.text_of("time")).value_or(Timestamp{Timestamp::unix_epoch_ticks});
  if (const Value* trigger = document.find("trigger")) start.trigger = *trigger;
  start.client_tracking_id = start.run;
  start.seed = 1;
  return start;
}

}  // namespace

Result<Value> make_capsule(const Source& source) {
  const auto* start = source.events->empty() ? nullptr : std::get_if<engine::RunStarted>(&source.events->front());
  if (start == nullptr) return make_error("JournalDamaged", "The run's record does not begin with its trigger.");
  const engine::RecordedSteps record = engine::recorded_steps(source.flow, *source.events);
  const Replayed before = replay(source.flow, *start, record);
  const engine::RunEnded* ended = nullptr;
  for (const engine::Event& event : *source.events) {
    if (const auto* one = std::get_if<engine::RunEnded>(&event)) ended = one;
  }
  if (ended == nullptr || ended->status == engine::Status::succeeded)
    return make_error("RunHasNotFailed", "The run has not failed: there is nothing to reproduce.", {},
                      "Choose a failed run.");

  Value document;
  for (const bool keep_numbers : {false, true}) {
    Pseudonyms pseudonyms;
    pseudonyms.keep_words_of(source.definition);
    if (keep_numbers) pseudonyms.keep_numbers();
    json::ObjectBuilder flow;
    flow.add("displayName", Value(source.flow->display_name));
    flow.add("dialect", Value(dialect_name(source.flow->dialect)));
    flow.add("definition", pseudonyms.mask_definition(source.definition));
    flow.add("connectionReferences", masked_references(source.connection_references));
    flow.add_if_set("parameters", masked_parameters(*source.flow, source.parameter_values, pseudonyms));
    json::ObjectBuilder trigger;
    for (const char* name : {"name", "status", "code", "startTime", "endTime"}) {
      if (const Value* part = start->trigger.find(name)) trigger.add(name, *part);
    }
    if (const Value* outputs = start->trigger.find("outputs")) trigger.add("outputs", pseudonyms.mask(*outputs));
    json::ObjectBuilder out;
    out.add("format", Value(format));
    out.add("flowmend", Value(source.version));
    out.add("flow", flow.finish());
    out.add("time", Value(to_string(start->time)));
    out.add("trigger", trigger.finish());
    out.add("steps", steps_value(record, pseudonyms));
    json::ObjectBuilder failure;
    failure.add("status", Value(engine::status_name(before.status)));
    failure.add("action", Value(before.action));
    if (!before.repetition.empty()) failure.add("repetition", Value(before.repetition));
    failure.add("code", Value(before.code));
    failure.add("message", Value(pseudonyms.mask_message(before.message)));
    out.add("failure", failure.finish());
    out.add("masking",
            Value::object({{"values", Value("pseudonyms")}, {"numbers", Value(keep_numbers ? "kept" : "pseudonyms")}}));
    document = out.finish();
    const auto opened = open_capsule(document);
    if (!opened) return opened.error();
    json::ObjectBuilder whole(document);
    whole.add("reproduces", Value(opened->same));
    document = whole.finish();
    if (opened->same) break;
  }
  return document;
}

Result<Opened> open_capsule(const Value& document) {
  if (document.text_of("format") != format)
    return invalid("The file is no capsule that this version reads: its 'format' is not '" + std::string(format) +
                   "'.");
  const Value* flow_value = document.find("flow");
  const Value* steps = document.find("steps");
  const Value* failure = document.find("failure");
  if (flow_value == nullptr || steps == nullptr || failure == nullptr)
    return invalid("'flow', 'steps' or 'failure' is missing.");
  const auto flow = compiled(*flow_value);
  if (!flow) return flow.error();
  const auto record = steps_of(*steps);
  if (!record) return record.error();
  const Replayed replayed = replay(*flow, start_of(document), *record);
  Opened out;
  out.flow_display_name = flow_value->text_of("displayName");
  out.expected_action = failure->text_of("action");
  out.expected_repetition = failure->text_of("repetition");
  out.expected_code = failure->text_of("code");
  out.action = replayed.action;
  out.repetition = replayed.repetition;
  out.code = replayed.code;
  out.message = replayed.message;
  if (replayed.status != engine::Status::none) out.status = engine::status_name(replayed.status);
  out.same = out.status == failure->text_of("status") && out.action == out.expected_action &&
             out.repetition == out.expected_repetition && out.code == out.expected_code;
  json::ArrayBuilder list;
  for (const auto& [key, step] : replayed.steps) {
    json::ObjectBuilder one;
    one.add("action", Value(step.action));
    if (!step.repetition.empty()) one.add("repetition", Value(step.repetition));
    one.add("status", Value(engine::status_name(step.status)));
    if (!step.fault.code.empty()) one.add("code", Value(step.fault.code));
    list.push(one.finish());
  }
  out.steps = list.finish();
  return out;
}

}  // namespace flowmend::repair::capsule
