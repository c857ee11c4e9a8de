// The scheduler: what happens next, and how the process dies and comes back. What callers do: world_callers.cpp.

#include "world.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace flowmend::simulation {

namespace {
constexpr std::size_t trace_lines = 400;
constexpr std::size_t steps_max = 400'000;
/// A process that dies again and again while hundreds of runs are open takes up the same ones each time: minutes of
/// one life that show nothing which other seeds don't.
constexpr std::size_t crashes_max = 40;
}  // namespace

World::World(Options options)
    : options_(options),
      dice_(options.seed),
      disk_(clock_),
      witness_(disk_, clock_, sealer_),
      network_(clock_, dice_, witness_,
               {[this](Duration wait, std::function<void()> task) { after(wait, std::move(task)); },
                [this](int life) { return process_ && life == life_; },
                [this](const std::string& url, const std::string& body, std::function<void(int)> heard) {
                  notify(url, body, std::move(heard));
                },
                [this](const std::string& what) { note(what); }}) {}

World::~World() {
  if (process_) die();
}

void World::note(const std::string& what) {
  std::string line = std::to_string(outcome_.steps) + "  " + to_string(clock_.wall()).substr(11, 12) + "  " + what;
  for (const char c : line)
    outcome_.fingerprint = (outcome_.fingerprint ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  if (trace_.size() >= 2 * trace_lines) trace_.erase(trace_.begin(), trace_.begin() + trace_lines);
  trace_.push_back(std::move(line));
}

void World::after(Duration wait, std::function<void()> task) { events_.emplace(clock_.steady + wait, std::move(task)); }

void World::run_started(const store::RunRow& run) {
  note("told: run " + std::to_string(run.number) + " " + run.name + " started");
  witness_.see_run_started(run);
}

void World::run_ended(const store::RunRow& run) {
  note("told: run " + std::to_string(run.number) + " ended " + std::string(store::run_status_name(run.status)));
  witness_.see_run_ended(run);
}

bool World::dies_now() {
  if (options_.crash_at) return outcome_.steps == *options_.crash_at;
  return faults_ && crash_once_in_ != 0 && outcome_.crashes < crashes_max && dice_.once_in(crash_once_in_);
}

bool World::step(bool callers_too) {
  ++outcome_.steps;
  witness_.note_clock();
  if (process_ && dies_now()) {
    if (!callers_too) process_->executor->die();
    if (!callers_too) throw Died{};
    die();
    after(Duration::milliseconds(dice_.once_in(3) ? dice_.between(0, 120'000) : 0), [] {});
  }
  if (!process_ && callers_too) start();
  std::vector<int> able;
  const auto can = [&](int what, int weight) { able.insert(able.end(), static_cast<std::size_t>(weight), what); };
  if (process_ && process_->executor->has_work()) can(0, 4);
  if (process_ && process_->store->can_flush()) can(1, 2);
  if (process_ && process_->store->can_report()) can(2, 3);
  if (!events_.empty() && events_.begin()->first <= clock_.steady) can(3, 2);
  if (callers_too && process_ && !callers_.empty() && callers_.begin()->first <= clock_.steady) can(4, 1);
  if (able.empty()) return pass_time(callers_too);
  clock_.steady = clock_.steady + Duration{dice_.between(0, 3000)};
  switch (dice_.one_of(able)) {
    case 0: process_->executor->run_one(); break;
    case 1: process_->store->flush(); break;
    case 2: process_->store->report(); break;
    case 3: {
      const auto event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      event();
      break;
    }
    default: {
      const auto caller = std::move(callers_.begin()->second);
      callers_.erase(callers_.begin());
      act(caller);
    }
  }
  return true;
}

bool World::pass_time(bool callers_too) {
  std::optional<Timestamp> next;
  const auto consider = [&](std::optional<Timestamp> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  if (process_) {
    if (const auto due = process_->executor->next_due()) consider(clock_.steady_at(*due));
    consider(process_->store->next_flush());
  }
  if (!events_.empty()) consider(events_.begin()->first);
  if (callers_too && !callers_.empty()) consider(callers_.begin()->first);
  if (!next) return false;
  clock_.steady = std::max(clock_.steady + Duration{1}, *next);
  return true;
}

void World::work_until(const std::function<bool()>& ready) {
  while (!ready()) {
    if (outcome_.steps > steps_max || witness_.violation() || !step(false)) {
      // Nothing can answer any more: end this life, so that the caller does not wait for ever.
      if (!witness_.violation()) witness_.fail("a caller gets an answer", "a caller of the runtime waits for ever");
      process_->executor->die();
      throw Died{};
    }
  }
}

void World::act(const std::function<void()>& what) {
  if (!process_) return;
  try {
    what();
  } catch (const Died&) {
    if (process_) die();
  }
}

void World::die() {
  note("the process dies, " + std::to_string(process_->store->queued()) + " commits are lost");
  ++outcome_.crashes;
  ++life_;
  process_->executor->die();
  process_->runtime.reset();
  process_.reset();
  if (!witness_.violation()) witness_.check_durable();
}

void World::start() {
  note("the process starts");
  auto process = std::make_unique<Process>();
  auto work = [this](const std::function<bool()>& ready) { work_until(ready); };
  process->executor = std::make_shared<SimulatedExecutor>(clock_, dice_.next(), work);
  process->store = std::make_unique<SimulatedStore>(disk_, clock_, dice_, work);
  process->effects = std::make_unique<SimulatedEffects>(network_, life_);
  process_ = std::move(process);
  runtime::Settings settings;
  settings.near_window = Duration::seconds(dice_.between(20, 90));
  settings.near_timers_max = dice_.once_in(3) ? 3 : 20'000;
  settings.caller_wait_max = Duration::seconds(dice_.between(5, 120));
  settings.public_url = "http://flows.test";
  try {
    auto started =
        runtime::Runtime::start({*process_->store, *process_->effects, sealer_, process_->executor}, settings);
    if (!started) {
      note("it does not start: " + started.error().message);
      process_->executor->die();
      process_.reset();
      ++life_;
      clock_.steady = clock_.steady + Duration::seconds(1);
      return;
    }
    process_->runtime = std::move(*started);
    process_->runtime->add_listener(*this);
  } catch (const Died&) {
    die();
  }
}

bool World::stop_unknown_flows() {
  const auto stored = process_->store->flows();
  if (!stored) return false;
  for (const store::FlowRow& row : *stored) {
    const bool known = std::any_of(flows_.begin(), flows_.end(), [&](const Flow& flow) { return flow.id == row.id; });
    if (known || row.state != store::FlowState::started) continue;
    const auto live = process_->runtime->flows().find(row.id);
    if (!live) return false;
    if (!(*live)->flow || (*live)->flow->trigger.source == definition::TriggerSource::call) continue;
    if (!process_->runtime->flows().set_state(row.id, store::FlowState::stopped)) return false;
  }
  return true;
}

/// Faults end: whatever was begun must come to its end now.
void World::settle() {
  note("faults end");
  faults_ = network_.faults = false;
  options_.crash_at.reset();
  network_.be_quiet();
  disk_.full = disk_.broken = false;
  disk_.flush_lasts = {};
  const auto until = clock_.steady + Duration::hours(12);
  for (std::size_t next = 0; next < flows_.size();) {  // those that start by themselves are switched off
    if (witness_.violation() || outcome_.steps > steps_max) return;
    if (!process_ || disk_.full) {
      step(true);
      continue;
    }
    const auto trigger = flows_[next].made.trigger;
    bool done = trigger == Trigger::request || trigger == Trigger::child || trigger == Trigger::split ||
                flows_[next].id.empty();
    if (!done)
      act([&] {
        done = static_cast<bool>(process_->runtime->flows().set_state(flows_[next].id, store::FlowState::stopped));
      });
    if (done) ++next;
    if (!step(true)) break;
  }
  // So are those that were stored although the process died before it could say so.
  for (bool done = false; !done && !witness_.violation() && outcome_.steps < steps_max;) {
    if (process_) act([&] { done = stop_unknown_flows(); });
    if (!done && !step(true)) break;
  }
  bool over = false;
  for (std::size_t i = 0; !witness_.violation() && outcome_.steps < steps_max && clock_.steady < until; ++i) {
    if (!step(true)) break;
    if (i % 200 != 0 || !process_ || process_->store->queued() > 0 || process_->store->can_report()) continue;
    over = witness_.all_over();
    if (over && process_->runtime && events_.empty()) break;
  }
  if (witness_.violation()) return;
  if (!witness_.all_over()) {
    const auto open = witness_.rows(store::RunStatus::running);
    const auto waiting = witness_.rows(store::RunStatus::waiting);
    for (const auto& row : open) note("stuck: " + witness_.describe(row));
    return witness_.fail("every run ends",
                         std::to_string(open.size()) + " runs are stuck, " + std::to_string(waiting.size()) +
                             " wait; the first is " +
                             (open.empty() ? waiting.front().name
                                           : open.front().name + ", number " + std::to_string(open.front().number)));
  }
  witness_.check_end();
}

Outcome World::live() {
  try {
    crash_once_in_ =
        options_.crash_at || dice_.once_in(6) ? 0 : dice_.one_of(std::vector<std::size_t>{60, 200, 600, 2000});
    start();
    make_flows();
    plan_callers();
    plan_faults();
    const auto until = clock_.steady + Duration::minutes(options_.crash_at ? 2 : dice_.between(2, 12));
    while (!witness_.violation() && clock_.steady < until && outcome_.steps < steps_max / 2 && step(true)) {
    }
    if (!witness_.violation()) settle();
  } catch (const Died&) {
    // Only after a violation: the process ended while a caller waited.
  }
  if (outcome_.steps >= steps_max) witness_.fail("every run ends", "the simulation does not come to its end");
  outcome_.violation = witness_.violation();
  outcome_.runs = witness_.runs();
  outcome_.effects = witness_.effects();
  if (outcome_.violation) {
    const auto from = trace_.size() > trace_lines ? trace_.size() - trace_lines : 0;
    outcome_.trace.assign(trace_.begin() + static_cast<std::ptrdiff_t>(from), trace_.end());
  }
  return outcome_;
}

Outcome simulate(const Options& options) {
  World world(options);
  return world.live();
}

}  // namespace flowmend::simulation
