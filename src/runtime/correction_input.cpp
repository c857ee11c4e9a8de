#include "runtime/correction_input.h"

#include <algorithm>
#include <cstdint>

#include "definition/secure.h"
#include "definition/words.h"
#include "engine/context.h"

namespace flowmend::runtime {

namespace {

using definition::same_word;

constexpr std::size_t depth_max = 64;

/// The flow's names without its variables.
class StableNames final : public expression::Names {
 public:
  explicit StableNames(const definition::Flow& flow) : flow_(flow) {}
  std::int32_t action(std::string_view name) const override {
    const auto* found = flow_.find_action(name);
    return found == nullptr ? -1 : static_cast<std::int32_t>(found->id);
  }
  std::int32_t variable(std::string_view) const override { return -1; }
  std::int32_t parameter(std::string_view name) const override {
    for (std::size_t i = 0; i < flow_.parameters.size(); ++i) {
      if (same_word(flow_.parameters[i].name, name)) return static_cast<std::int32_t>(i);
    }
    return -1;
  }

 private:
  const definition::Flow& flow_;
};

std::vector<std::string> tokens_of(std::string_view pointer) {
  std::vector<std::string> tokens;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const auto end = std::min(pointer.find('/'), pointer.size());
    std::string token;
    for (std::size_t i = 0; i < end; ++i) {
      if (pointer[i] == '~' && i + 1 < end) {
        token += pointer[++i] == '1' ? '/' : '~';
      } else {
        token += pointer[i];
      }
    }
    tokens.push_back(std::move(token));
    pointer.remove_prefix(end);
  }
  return tokens;
}

Value with_value(const Value& value, const std::vector<std::string>& path, std::size_t at, const Value& wanted) {
  if (at == path.size()) return wanted;
  if (value.is_array()) {
    json::ArrayBuilder out;
    std::size_t index = 0;
    for (const Value& item : value.as_array())
      out.push(std::to_string(index++) == path[at] ? with_value(item, path, at + 1, wanted) : item);
    return out.finish();
  }
  json::ObjectBuilder out(value.is_object() ? value : Value::empty_object());
  const Value* present = value.is_object() ? value.find(path[at]) : nullptr;
  out.set(path[at], with_value(present == nullptr ? Value() : *present, path, at + 1, wanted));
  return out.finish();
}

/// The same in every build and on every machine (FNV-1a): after an upgrade the same request is sent again.
std::uint64_t seed_of(std::string_view text) {
  std::uint64_t seed = 14695981039346656037ULL;
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return seed;
}

Error invalid(std::string message, std::string where, std::string cure) {
  return make_error("InvalidCorrection", std::move(message), std::move(where), std::move(cure));
}

}  // namespace

Result<expression::Template> compile_correction(const StepCorrection& step, const definition::Flow& flow,
                                                const std::string& where) {
  for (const json::Member& one : step.value.as_object()) {
    const std::string pointer(one.name());
    if (!pointer.starts_with('/') || static_cast<std::size_t>(std::ranges::count(pointer, '/')) > depth_max)
      return invalid("'" + pointer + "' is no place in the inputs of step '" + step.action + "'.", where,
                     "Write a JSON pointer into the inputs as the run shows them: /parameters/body~1Email, /uri.");
  }
  Diagnostics findings;
  const StableNames names(flow);
  auto compiled = expression::Template::compile(step.value, names, "", findings);
  if (!findings.empty()) {
    const Diagnostic& first = findings.front();
    return invalid(first.message, where + first.pointer,
                   first.cure.empty() ? "Correct the expression." : first.cure + " Variables can't be used here.");
  }
  for (const auto& mention : compiled.mentions()) {
    if (definition::shows_secured(flow, mention))
      return invalid("The expression at '" + mention.pointer + "' reads " + mention.function + "('" + mention.name +
                         "'), which the flow keeps secure: the request that it makes would stand in the record.",
                     where + mention.pointer, "Correct the definition, where the step's input is secured too.");
  }
  return compiled;
}

CorrectedInputs corrected_inputs(const StepCorrection& step, const engine::RunState& state, engine::Place place,
                                 const Value& inputs) {
  CorrectedInputs out;
  const auto compiled = compile_correction(step, *state.flow, "");
  if (!compiled) {
    out.fault = {"InvalidTemplate", compiled.error().message, Value::object({{"kind", "inputs"}})};
    return out;
  }
  engine::Facts facts;
  facts.now = state.start.time;
  Random random(seed_of(state.start.run));
  engine::RunContext context(state, place, facts, random);
  const auto value = compiled->evaluate(context);
  if (!value) {
    out.fault = {"InvalidTemplate", expression::framed_message(value.error(), step.action),
                 Value::object({{"kind", "inputs"}})};
    return out;
  }
  out.inputs = inputs;
  for (const json::Member& one : value->as_object())
    out.inputs = with_value(out.inputs, tokens_of(one.name()), 0, one.value);
  return out;
}

}  // namespace flowmend::runtime
