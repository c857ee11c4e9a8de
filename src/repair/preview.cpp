#include "repair/preview.h"

#include <algorithm>

#include "definition/words.h"
#include "engine/run.h"
#include "runtime/correction_input.h"

namespace flowmend::repair {

namespace {

using Kind = runtime::StepCorrection::Kind;

constexpr float shown_bytes_max = 64 * 1024;
constexpr std::size_t good_shown_max = 3;
constexpr std::size_t bad_shown_max = 10;

Value unknown(const char* why) { return Value::object({{"unknown", Value(why)}}); }

Value shown(const Value& inputs) {
  if (inputs.text_bytes() > shown_bytes_max) return unknown("The input is too large to be shown here.");
  return Value::object({{"inputs", inputs}});
}

Value preview_of(const runtime::StepCorrection& decided, const engine::RunState& state, const definition::Flow& now,
                 const engine::ActionStarted& started) {
  if (decided.kind == Kind::input) return shown(decided.value);
  const auto& before = state.flow->actions[started.place.action];
  const auto* action = now.find_action(before.name);
  if (action == nullptr || action->definition != before.definition)
    return unknown("The step was edited since: its input is known when it runs.");
  const auto corrected = runtime::corrected_inputs(decided, state, started.place, started.inputs);
  if (corrected.fault.code.empty()) return shown(corrected.inputs);
  return Value::object(
      {{"error", Value::object({{"code", Value(corrected.fault.code)}, {"message", Value(corrected.fault.message)}})}});
}

}  // namespace

Previews preview(const runtime::Correction& correction, const std::shared_ptr<const definition::Flow>& before,
                 const definition::Flow& now, const engine::Events& events) {
  Previews out;
  const bool wanted = std::ranges::any_of(
      correction.steps, [](const auto& step) { return step.kind == Kind::input || step.kind == Kind::expressions; });
  if (!wanted) return out;
  engine::Run run(before);
  for (const engine::Event& event : events) {
    run.replay({event});
    const auto* started = std::get_if<engine::ActionStarted>(&event);
    if (started == nullptr || started->place.action >= before->actions.size()) continue;
    const auto key = engine::recorded_key(run.state(), started->place);
    const auto* decided = runtime::find_correction(correction, key.first, key.second);
    if (decided == nullptr || (decided->kind != Kind::input && decided->kind != Kind::expressions)) continue;
    out[key] = {before->actions[started->place.action].name, started->inputs,
                preview_of(*decided, run.state(), now, *started)};
  }
  return out;
}

void PreviewSummary::add(const std::string& run, const std::string& flow, const Previews& previews) {
  ++runs_;
  for (const auto& [key, preview] : previews) {
    const bool evaluated = preview.would_send.find("inputs") != nullptr;
    const bool failing = preview.would_send.find("error") != nullptr;
    ++(evaluated ? evaluated_ : failing ? failing_ : unknown_);
    auto& list = evaluated ? good_ : bad_;
    if (list.size() >= (evaluated ? good_shown_max : bad_shown_max)) continue;
    json::ObjectBuilder one;
    one.add("run", Value(run));
    one.add("flow", Value(flow));
    one.add("action", Value(preview.action));
    if (!key.second.empty()) one.add("repetition", Value(key.second));
    if (preview.before.text_bytes() <= shown_bytes_max) one.add("before", preview.before);
    one.add("wouldSend", preview.would_send);
    list.push_back(one.finish());
  }
}

Value PreviewSummary::value() const {
  json::ArrayBuilder samples;
  for (const auto* list : {&bad_, &good_}) {
    for (const Value& one : *list) samples.push(one);
  }
  const auto number = [](std::size_t count) { return Value(static_cast<std::int64_t>(count)); };
  return Value::object({{"runs", number(runs_)},
                        {"evaluated", number(evaluated_)},
                        {"failing", number(failing_)},
                        {"unknown", number(unknown_)},
                        {"samples", samples.finish()}});
}

}  // namespace flowmend::repair
