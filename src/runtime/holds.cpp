#include "runtime/holds.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "engine/state.h"

namespace flowmend::runtime {

namespace {

constexpr std::string_view step_kind = "held_step";
constexpr std::string_view choice_kind = "hold_choice";

std::int64_t integer_of(const Value& object, std::string_view name) {
  const Value* value = object.find(name);
  return value != nullptr && value->is_integer() ? value->as_integer() : 0;
}

Duration wait_before_try(std::string_view cause, unsigned failures) {
  const bool refused = cause == "Unauthorized";
  const Duration first = refused ? Duration::minutes(5) : Duration::seconds(30);
  const Duration most = refused ? Duration::hours(1) : Duration::minutes(15);
  return std::min(most, Duration{first.ticks << std::min(failures, 8U)});
}

Result<void> check(const HoldChoice& choice) {
  if (choice.limit < Duration::minutes(1) || choice.limit > Duration::days(30))
    return make_error("InvalidHoldChoice", "The limit of a wait must be from one minute to 30 days.", "/limitMinutes",
                      "Give it as minutes, 1 to 43200.");
  if (choice.steps_max < 1 || choice.steps_max > 100'000)
    return make_error("InvalidHoldChoice", "The number of runs that may wait must be from 1 to 100000.", "/runsMax",
                      "Give a number from 1 to 100000.");
  return {};
}

}  // namespace

Holds::Holds(Parts parts) : parts_(std::move(parts)), self_(std::make_shared<Holds*>(this)) {}
Holds::~Holds() { *self_ = nullptr; }

Holds::Key Holds::key_of(store::RunNumber number, engine::Place place) {
  return {number, engine::RunState::key(place)};
}

store::Document Holds::document_of(const HeldStep& step, bool erase) {
  store::Document document;
  document.kind = step_kind;
  document.key = step.target + "|" + std::to_string(step.number) + "|" + std::to_string(step.place.action) + "." +
                 std::to_string(step.place.frame);
  if (erase) return document;
  document.value = Value::object({{"target", Value(step.target)},
                                  {"number", Value(step.number)},
                                  {"actionId", Value(static_cast<std::int64_t>(step.place.action))},
                                  {"frame", Value(static_cast<std::int64_t>(step.place.frame))},
                                  {"run", Value(step.run)},
                                  {"flow", Value(step.flow)},
                                  {"action", Value(step.action)},
                                  {"cause", Value(step.cause)},
                                  {"message", Value(step.message)},
                                  {"since", Value(to_string(step.since))}});
  return document;
}

Result<void> Holds::recover() {
  store::DocumentQuery query;
  query.kind = choice_kind;
  while (true) {
    const auto page = parts_.store.documents(query);
    if (!page) return page.error();
    for (const auto& document : *page) {
      HoldChoice choice;
      const auto kind = document.value.text_of("onOutage");
      choice.kind = kind == "hold"   ? HoldChoice::Kind::hold
                    : kind == "fail" ? HoldChoice::Kind::fail
                                     : HoldChoice::Kind::as_the_flow_says;
      choice.limit = Duration::minutes(integer_of(document.value, "limitMinutes"));
      choice.steps_max = static_cast<std::size_t>(std::max<std::int64_t>(1, integer_of(document.value, "runsMax")));
      if (check(choice)) choices_[document.key] = choice;
    }
    if (page->size() < query.limit) break;
    query.after = page->back().key;
  }
  query = {};
  query.kind = step_kind;
  while (true) {
    const auto page = parts_.store.documents(query);
    if (!page) return page.error();
    for (const auto& document : *page) {
      const Value& value = document.value;
      HeldStep step;
      step.target = value.text_of("target");
      step.number = integer_of(value, "number");
      step.place = {static_cast<engine::ActionId>(integer_of(value, "actionId")),
                    static_cast<engine::FrameId>(integer_of(value, "frame"))};
      step.run = value.text_of("run");
      step.flow = value.text_of("flow");
      step.action = value.text_of("action");
      step.cause = value.text_of("cause");
      step.message = value.text_of("message");
      step.since = parse_timestamp(value.text_of("since")).value_or(Timestamp());
      if (!step.target.empty()) add(step);
    }
    if (page->size() < query.limit) return {};
    query.after = page->back().key;
  }
}

HoldChoice Holds::choice(const std::string& target) const {
  const auto found = choices_.find(target);
  return found == choices_.end() ? HoldChoice{} : found->second;
}

void Holds::choose(const std::string& target, HoldChoice choice) { choices_[target] = choice; }

Result<void> Holds::store_choice(store::Store& store, std::string_view target, const HoldChoice& choice) {
  if (auto checked = check(choice); !checked) return checked;
  const char* kind = choice.kind == HoldChoice::Kind::hold   ? "hold"
                     : choice.kind == HoldChoice::Kind::fail ? "fail"
                                                             : "flow";
  const auto put =
      store.put_document(choice_kind, target,
                         Value::object({{"onOutage", Value(kind)},
                                        {"limitMinutes", Value(choice.limit.ticks / Duration::minutes(1).ticks)},
                                        {"runsMax", Value(static_cast<std::int64_t>(choice.steps_max))}}));
  if (!put) return put.error();
  return {};
}

std::optional<engine::HoldOffer> Holds::offer(const std::string& target, bool flow_holds) const {
  const HoldChoice chosen = choice(target);
  const bool holds =
      chosen.kind == HoldChoice::Kind::as_the_flow_says ? flow_holds : chosen.kind == HoldChoice::Kind::hold;
  if (!holds) return std::nullopt;
  const auto found = targets_.find(target);
  if (found != targets_.end() && found->second.steps.size() >= chosen.steps_max) return std::nullopt;
  engine::HoldOffer offer;
  // Credentials of an HTTP action stand in the definition: nobody can mend them while the run waits.
  offer.authentication = target.find("://") == std::string::npos;
  offer.limit = chosen.limit;
  return offer;
}

void Holds::add(const HeldStep& step) {
  Target& target = targets_[step.target];
  const Key key = key_of(step.number, step.place);
  target.steps[key] = step;
  const bool tried = target.flying.erase(key) > 0;
  if (target.flowing || (tried && target.flying.empty())) {
    // It was sent again, or came while the others were, and failed: the service does not work yet.
    target.flowing = false;
    ++target.failures;
    plan_try(step.target, target);
  } else if (!target.next_try.is_set()) {
    plan_try(step.target, target);
  }
}

void Holds::remove(const HeldStep& step) {
  const auto found = targets_.find(step.target);
  if (found == targets_.end()) return;
  found->second.steps.erase(key_of(step.number, step.place));
  drop_if_empty(step.target);
}

void Holds::drop_if_empty(const std::string& name) {
  const auto found = targets_.find(name);
  if (found != targets_.end() && found->second.steps.empty() && found->second.flying.empty()) targets_.erase(found);
}

void Holds::answered(const std::string& name, store::RunNumber number, engine::Place place, bool well) {
  const auto found = targets_.find(name);
  if (found == targets_.end()) return;
  Target& target = found->second;
  const bool mine = target.flying.contains(key_of(number, place));
  if (!well) return;  // the step comes back with `add`
  if (mine) target.flying.erase(key_of(number, place));
  // Live traffic that goes well says that the service works; right after a try that went wrong it says nothing about
  // the steps that wait.
  if (!mine && (target.failures > 0 && parts_.executor->now() < target.next_try)) return;
  target.failures = 0;
  if (target.steps.empty()) return drop_if_empty(name);
  target.flowing = true;
  tick(name);
}

void Holds::plan_try(const std::string& name, Target& target) {
  if (target.steps.empty()) return;
  const std::string cause = target.steps.rbegin()->second.cause;
  target.next_try = parts_.executor->now() + wait_before_try(cause, target.failures);
  parts_.executor->post_at(target.next_try, [self = self_, name, turn = ++target.turn] {
    if (*self == nullptr) return;
    auto& holds = **self;
    const auto found = holds.targets_.find(name);
    if (found == holds.targets_.end() || found->second.turn != turn) return;
    found->second.by = "probe";
    holds.try_one(name, found->second);
  });
}

void Holds::try_one(const std::string& name, Target& target) {
  // When what was tried never comes to an end (a service that does not answer), the next try takes another one.
  target.flying.clear();
  target.next_try = {};
  plan_try(name, target);
  send_next(target);
}

void Holds::send_next(Target& target) {
  if (target.steps.empty()) return;
  const auto next = target.steps.begin();
  const HeldStep step = next->second;
  target.flying.insert(next->first);
  target.steps.erase(next);
  parts_.end(step.number, step.place, target.by, true);
}

void Holds::tick(const std::string& name) {
  const auto found = targets_.find(name);
  if (found == targets_.end() || found->second.ticking) return;
  Target& target = found->second;
  if (!target.flowing || target.steps.empty()) return;
  if (target.flying.size() < at_once) send_next(target);
  target.ticking = true;
  parts_.executor->post_at(parts_.executor->now() + Duration::milliseconds(1000 / rate), [self = self_, name] {
    if (*self == nullptr) return;
    const auto later = (*self)->targets_.find(name);
    if (later == (*self)->targets_.end()) return;
    later->second.ticking = false;
    (*self)->tick(name);
  });
}

std::size_t Holds::release(const std::string& name, const std::string& by) {
  const auto found = targets_.find(name);
  if (found == targets_.end()) return 0;
  Target& target = found->second;
  const std::size_t waiting = target.steps.size();
  target.by = by;
  target.failures = 0;
  if (!target.flowing && target.flying.empty()) try_one(name, target);  // else one is being tried already
  return waiting;
}

std::size_t Holds::fail(const std::string& name, const std::string& by) {
  const auto found = targets_.find(name);
  if (found == targets_.end()) return 0;
  std::vector<HeldStep> steps;
  for (const auto& [key, step] : found->second.steps) steps.push_back(step);
  found->second.steps.clear();
  for (const HeldStep& step : steps) parts_.end(step.number, step.place, by, false);
  drop_if_empty(name);
  return steps.size();
}

std::vector<HeldTarget> Holds::list() const {
  std::vector<HeldTarget> out;
  for (const auto& [name, target] : targets_) {
    if (target.steps.empty()) continue;
    HeldTarget one;
    one.target = name;
    std::set<store::RunNumber> runs;
    std::set<std::string> flows;
    const HeldStep* first = nullptr;
    const HeldStep* last = nullptr;
    for (const auto& [key, step] : target.steps) {
      runs.insert(step.number);
      flows.insert(step.flow);
      if (first == nullptr || step.since < first->since) first = &step;
      if (last == nullptr || step.since >= last->since) last = &step;
    }
    one.cause = last->cause;
    one.message = last->message;
    one.steps = target.steps.size();
    one.runs = runs.size();
    one.flows.assign(flows.begin(), flows.end());
    one.since = first->since;
    one.first_run = first->run;
    one.first_flow = first->flow;
    one.releasing = target.flowing;
    if (!target.flowing) one.next_try = target.next_try;
    out.push_back(std::move(one));
  }
  std::ranges::sort(out, {}, [](const HeldTarget& one) { return one.since.ticks; });
  return out;
}

}  // namespace flowmend::runtime
