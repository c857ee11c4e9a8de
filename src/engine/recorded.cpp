#include "engine/recorded.h"

#include <algorithm>
#include <array>

#include "definition/words.h"
#include "engine/run.h"
#include "json/write.h"

namespace flowmend::engine {

RecordedKey recorded_key(const RunState& state, Place place) {
  return {definition::lower_case(state.flow->actions[place.action].name), repetition_name(state, place.frame)};
}

void StepRecorder::note(const Event& event) {
  if (const auto* started = std::get_if<ActionStarted>(&event)) {
    RecordedStep& step = at(started->place);
    step.inputs = started->inputs;
    step.status = Status::running;
  } else if (const auto* attempt = std::get_if<AttemptEnded>(&event)) {
    at(attempt->place).request = attempt->request;
  } else if (const auto* ended = std::get_if<ActionEnded>(&event)) {
    RecordedStep& step = at(ended->place);
    step.status = ended->status;
    if (ended->has_inputs) step.inputs = ended->inputs;
    step.outputs = ended->outputs;
    step.fault = ended->fault;
    step.ended = ended->ended;
  }
}

RecordedStep& StepRecorder::at(Place place) {
  RecordedKey key = recorded_key(state_, place);
  RecordedStep& step = steps_[key];
  if (step.action.empty()) {
    step.action = state_.flow->actions[place.action].name;
    step.repetition = std::move(key.second);
  }
  return step;
}

RecordedSteps recorded_steps(const std::shared_ptr<const definition::Flow>& flow, const Events& events) {
  Run run(flow);
  StepRecorder recorder(run.state());
  for (const Event& event : events) {
    run.replay({event});
    recorder.note(event);
  }
  return recorder.steps();
}

AttemptFinished recorded_reply(const RecordedStep& step, const Call& call, Timestamp now) {
  AttemptFinished reply;
  reply.place = call.place;
  reply.attempt = call.attempt;
  reply.started = reply.ended = now;
  if (const Value* status = step.outputs.find("statusCode"); status != nullptr && status->is_integer())
    reply.status_code = static_cast<std::int32_t>(status->as_integer());
  if (const Value* headers = step.outputs.find("headers")) reply.headers = *headers;
  if (const Value* body = step.outputs.find("body")) {
    reply.body = *body;
    reply.has_body = true;
  }
  // Only what came without a usable answer has a fault of its own; the engine names the others by their status.
  if (reply.status_code == 0 || (reply.status_code < 400 && step.status == Status::failed)) reply.fault = step.fault;
  if (reply.status_code == 0 && step.status == Status::succeeded) reply.status_code = 200;
  return reply;
}

bool is_volatile(const Value& definition) {
  constexpr std::array<std::string_view, 6> names{"guid(",          "utcnow(",      "rand(",
                                                  "getfuturetime(", "getpasttime(", "listcallbackurl("};
  const std::string text = definition::lower_case(json::write(definition));
  return std::ranges::any_of(names, [&](std::string_view name) { return text.find(name) != std::string::npos; });
}

bool asks_the_same(const RecordedStep& step, const Value& inputs, const definition::Action* before,
                   const definition::Action& now) {
  if (step.inputs == inputs) return true;
  return before != nullptr && before->definition == now.definition && is_volatile(now.definition);
}

}  // namespace flowmend::engine
