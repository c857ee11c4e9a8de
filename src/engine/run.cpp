#include "engine/run.h"

#include "engine/actions/list.h"
#include "engine/apply.h"
#include "engine/decide.h"
#include "engine/state.h"

namespace flowmend::engine {

Run::Run(std::shared_ptr<const definition::Flow> flow, const Limits& limits) : state_(std::make_unique<RunState>()) {
  state_->flow = std::move(flow);
  state_->limits = limits;
}
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

namespace {

void append(Decision& to, Decision&& more) {
  std::move(more.events.begin(), more.events.end(), std::back_inserter(to.events));
  std::move(more.commands.begin(), more.commands.end(), std::back_inserter(to.commands));
}

}  // namespace

Decision Run::advance(const Input& input, const Facts& facts, const Slice& slice) {
  Decision all;
  Random random(facts.seed);
  std::size_t steps = 0;
  auto take = [&](Decision decision) {
    for (const Event& event : decision.events) {
      apply(*state_, event);
      if (std::holds_alternative<ActionEnded>(event) || std::holds_alternative<IterationEnded>(event)) ++steps;
    }
    const Events& applied = decision.events;
    std::optional<Decision> ending = state_->broken.empty() ? decide_ending(*state_, applied, facts) : std::nullopt;
    append(all, std::move(decision));
    if (ending) {
      for (const Event& event : ending->events) apply(*state_, event);
      append(all, std::move(*ending));
    }
  };
  take(decide(*state_, input, facts, random));
  while (!state_->is_over() && !state_->work.empty()) {
    if (steps >= slice.steps_max) {
      all.more = true;
      break;
    }
    const std::size_t before = all.events.size();
    take(decide_next(*state_, facts, random));
    if (all.events.size() == before && state_->broken.empty()) {
      state_->broken = "A step was ready and nothing followed from it.";
    }
  }
  if (!state_->is_over() && !all.more) {
    if (const std::optional<Event> timer = decide_duration_timer(*state_)) {
      apply(*state_, *timer);
      all.events.push_back(*timer);
    }
  }
  if (!state_->broken.empty() && state_->ended.ticks == 0) {
    // An invariant broke: this run stops here with a report, others go on.
    RunQuarantined event{state_->broken, facts.now};
    apply(*state_, event);
    all.events.emplace_back(std::move(event));
    all.commands.clear();
    all.more = false;
    answer_unanswered(*state_, all);
  }
  return all;
}

void Run::replay(const Events& events) {
  for (const Event& event : events) apply(*state_, event);
}

Commands Run::outstanding() const {
  Commands commands;
  const RunState& state = *state_;
  if (state.is_over() || state.calls_in_flight == 0) return commands;
  for (FrameId frame = 0; frame < state.frames.size(); ++frame) {
    for (const auto& action : state.flow->actions) {
      if (action.loop != state.frames[frame].loop.action) continue;
      const Slot& slot = state.frames[frame].slots[action.slot];
      if (slot.status != Status::running || !slot.detail || !slot.detail->pending || !slot.detail->pending->in_flight)
        continue;
      commands.emplace_back(make_call(state, {action.id, frame}, slot.detail->pending->attempt, slot.inputs,
                                      slot.detail->pending->sealed));
    }
  }
  return commands;
}

bool Run::sleeps() const { return !state_->is_over() && state_->calls_in_flight == 0 && state_->work.empty(); }

bool Run::ended() const { return state_->is_over(); }

std::optional<Respond> Run::response() const {
  if (state_->responded == 0) return std::nullopt;
  for (const auto& action : state_->flow->actions) {
    // A Response never stands in a loop, and only the one that answered succeeded.
    if (action.type != definition::ActionType::response) continue;
    const Slot* slot = state_->find({action.id, 0});
    if (slot != nullptr && slot->status == Status::succeeded) return respond_of(slot->inputs, state_->responded);
  }
  return std::nullopt;
}

}  // namespace flowmend::engine
