#include "simulated_run.h"

#include <algorithm>
#include <set>

#include "engine/journal.h"
#include "json/write.h"

namespace flowmend::flows {

namespace {

using engine::Input;

/// Secrets are turned over, so that a test sees when one is written unsealed.
class TurningSealer final : public engine::Sealer {
 public:
  std::string seal(std::string_view plain) const override { return std::string(plain.rbegin(), plain.rend()); }
  Result<std::string> open(std::string_view sealed) const override {
    return Result<std::string>(boost::system::in_place_value, seal(sealed));
  }
};

std::string last_segment(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string key_of(const engine::Call& call) {
  if (call.get_poll) return "GET " + call.poll_uri;
  if (call.kind == engine::Call::Kind::http)
    return std::string(call.inputs.text_of("method")) + " " + std::string(call.inputs.text_of("uri"));
  if (call.kind == engine::Call::Kind::sandbox) return "sandbox " + call.job;
  const Value* host = call.inputs.find("host");
  if (host == nullptr) return "?";
  if (!host->text_of("operationId").empty())
    return last_segment(host->text_of("apiId")) + "/" + std::string(host->text_of("operationId"));
  return std::string(call.inputs.text_of("method")) + " " + std::string(call.inputs.text_of("path"));
}

class World {
 public:
  World(std::shared_ptr<const definition::Flow> flow, const Value& test, Condition condition)
      : flow_(std::move(flow)), test_(test), condition_(condition), run_(flow_) {}

  Outcome live() {
    plan("cancel_at", engine::CancelRun{"a person"});
    plan("caller_gone_at", engine::CallerGone{});
    give(start());
    for (int turn = 0; outcome_.trouble.empty() && !run_.ended(); ++turn) {
      if (turn > 1'000'000) return fail("The run goes on for ever.");
      step();
    }
    outcome_.ended = run_.ended();
    return std::move(outcome_);
  }

 private:
  Outcome fail(std::string trouble) {
    outcome_.trouble = std::move(trouble);
    return std::move(outcome_);
  }

  void plan(const char* member, Input input) {
    const Value* at = test_.find(member);
    if (at != nullptr) inputs_.emplace(began_ + *parse_duration(at->as_string()), std::move(input));
  }

  engine::RunStarted start() const {
    const Value* trigger = test_.find("trigger");
    engine::RunStarted started;
    started.run = "08584000000000000000000000000CU00";
    started.flow = flow_->id;
    started.version = flow_->version;
    started.time = began_;
    json::ObjectBuilder record;
    record.add("name", Value(flow_->trigger.name));
    const Value* outputs = trigger == nullptr ? nullptr : trigger->find("outputs");
    record.add("outputs", outputs == nullptr ? Value::empty_object() : *outputs);
    record.add("startTime", Value(to_string(began_)));
    record.add("endTime", Value(to_string(began_)));
    record.add("status", "Succeeded");
    started.trigger = record.finish();
    started.client_tracking_id = started.run;
    const Value* waits = trigger == nullptr ? nullptr : trigger->find("caller_waits");
    started.caller_waits = waits != nullptr && waits->as_boolean();
    started.seed = 42;
    return started;
  }

  /// The next thing that happens: more of a slice, an input from outside, or a timer, whichever comes first.
  void step() {
    if (more_) return give(engine::Continue{});
    const engine::TimerSet* timer = nullptr;
    for (const auto& [key, wanted] : run_.state().timers) {
      if (timer == nullptr || wanted.due < timer->due) timer = &wanted;
    }
    if (inputs_.empty() && timer == nullptr) {
      outcome_.trouble = "Nothing can happen any more and the run has not ended.";
      return;
    }
    if (timer != nullptr && (inputs_.empty() || timer->due < inputs_.begin()->first)) {
      now_ = std::max(now_, timer->due);
      return give(engine::TimerFired{timer->place, timer->kind});
    }
    now_ = std::max(now_, inputs_.begin()->first);
    Input input = std::move(inputs_.begin()->second);
    inputs_.erase(inputs_.begin());
    give(input);
  }

  void give(const Input& input) {
    engine::Slice slice;
    if (const Value* steps = test_.find("slice")) slice.steps_max = static_cast<std::size_t>(steps->as_integer());
    auto decision = run_.advance(input, {now_, ++seed_}, slice);
    more_ = decision.more;
    records_.push_back(engine::encode(decision.events, sealer_));
    if (records_.back().find(secret) != std::string::npos) outcome_.trouble = "A secret stands in the journal.";
    for (engine::Event& event : decision.events) outcome_.events.push_back(std::move(event));
    for (const engine::Command& command : decision.commands) carry_out(command);
    if (condition_ == Condition::crashed_after_every_input) crash();
  }

  void carry_out(const engine::Command& command) {
    if (const auto* call = std::get_if<engine::Call>(&command)) return send(*call);
    if (const auto* respond = std::get_if<engine::Respond>(&command)) {
      if (outcome_.response) outcome_.trouble = "The caller was answered twice.";
      outcome_.response = *respond;
      return;
    }
    if (const auto* cancelled = std::get_if<engine::CancelCall>(&command)) {
      if (open_.erase({engine::RunState::key(cancelled->place), cancelled->attempt}) == 0)
        outcome_.trouble = "A call was cancelled that is not under way.";
    }
  }

  void send(const engine::Call& call) {
    const std::string key = key_of(call);
    outcome_.requests.push_back({key, now_ - began_, call});
    if (call.idempotency_key.empty()) outcome_.trouble = "A request has no idempotency key.";
    const Value* all = test_.find("replies");
    const Value* mine = all == nullptr ? nullptr : all->find(key);
    const std::size_t turn = sent_[key]++;
    if (mine == nullptr || !mine->is_array() || turn >= mine->size()) {
      outcome_.trouble = "The test has no reply left for '" + key + "'.";
      return;
    }
    open_[{engine::RunState::key(call.place), call.attempt}] = call;
    const Value& reply = mine->as_array()[turn];
    if (reply.is_string() && reply.as_string() == "never") return;
    engine::AttemptFinished finished;
    finished.place = call.place;
    finished.attempt = call.attempt;
    finished.started = now_;
    const auto after = parse_duration(reply.text_of("after", "PT0S"));
    finished.ended = now_ + after.value_or(Duration{});
    finished.request =
        Value::object({{"method", call.get_poll ? "GET" : call.inputs.text_of("method")},
                       {"uri", call.get_poll ? Value(call.poll_uri) : Value(call.inputs.text_of("uri"))}});
    if (reply.is_integer()) finished.status_code = static_cast<std::int32_t>(reply.as_integer());
    if (const Value* status = reply.find("status"))
      finished.status_code = static_cast<std::int32_t>(status->as_integer());
    if (const Value* fault = reply.find("fault"))
      finished.fault = {std::string(fault->text_of("code")), std::string(fault->text_of("message")), {}};
    // `kind` says what a fault is about: "inputs" is not tried again.
    if (const auto kind = reply.text_of("kind"); !kind.empty())
      finished.fault.details = Value::object({{"kind", Value(kind)}});
    if (const Value* headers = reply.find("headers")) finished.headers = *headers;
    if (const Value* body = reply.find("body")) {
      finished.body = *body;
      finished.has_body = true;
    }
    inputs_.emplace(finished.ended, std::move(finished));
  }

  /// The process dies and comes back: the run is what its journal says, nothing else.
  void crash() {
    engine::Run again(flow_);
    for (const std::string& record : records_) {
      const auto events = engine::decode(record, sealer_);
      if (!events) {
        outcome_.trouble = "A record can't be read back: " + events.error().message;
        return;
      }
      if (engine::encode(*events, sealer_) != record) outcome_.trouble = "A record reads back differently.";
      again.replay(*events);
    }
    const std::string before = describe(run_.state());
    const std::string after = describe(again.state());
    if (before != after) {
      outcome_.trouble = "The replayed state differs.\n" + before + "\n---\n" + after;
      return;
    }
    run_ = std::move(again);
    std::set<std::pair<std::uint64_t, std::uint32_t>> resent;
    for (const engine::Command& command : run_.outstanding()) {
      const auto* call = std::get_if<engine::Call>(&command);
      if (call == nullptr) continue;
      const auto key = std::pair(engine::RunState::key(call->place), call->attempt);
      resent.insert(key);
      const auto found = open_.find(key);
      if (found == open_.end()) {
        outcome_.trouble = "A call is sent again that was never sent.";
      } else if (found->second.idempotency_key != call->idempotency_key || found->second.inputs != call->inputs ||
                 found->second.sealed != call->sealed || found->second.poll_uri != call->poll_uri ||
                 found->second.tracking_id != call->tracking_id) {
        outcome_.trouble = "A call that is sent again differs from the first.";
      }
    }
    for (auto open = open_.begin(); open != open_.end();) {
      const auto* slot = run_.state().find(open->second.place);
      const bool waits = slot->status == engine::Status::running && slot->detail && slot->detail->pending &&
                         slot->detail->pending->in_flight && slot->detail->pending->attempt == open->first.second;
      if (waits && !resent.contains(open->first)) outcome_.trouble = "An open call was forgotten.";
      open = waits ? std::next(open) : open_.erase(open);
    }
  }

  static constexpr const char* secret = "the-secret-of-the-test";

  std::shared_ptr<const definition::Flow> flow_;
  const Value& test_;
  Condition condition_;
  engine::Run run_;
  Timestamp began_ = *parse_timestamp("2026-01-05T08:00:00Z");
  Timestamp now_ = began_;
  std::uint64_t seed_ = 1000;
  bool more_ = false;
  std::multimap<Timestamp, Input> inputs_;
  std::map<std::string, std::size_t> sent_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, engine::Call> open_;
  std::vector<std::string> records_;
  TurningSealer sealer_;
  Outcome outcome_;
};

void put(std::string& out, std::string_view name, const Value& value) {
  out += std::string(" ") + std::string(name) + "=" + json::write(value);
}

void put(std::string& out, const engine::Fault& fault) {
  if (!fault.code.empty()) out += " fault=" + fault.code + ":" + fault.message + json::write(fault.details);
}

}  // namespace

std::string describe(const engine::RunState& state) {
  std::string out = std::string(engine::status_name(state.status)) + " ended=" + to_string(state.ended) +
                    " calls=" + std::to_string(state.calls_in_flight) +
                    " root_open=" + std::to_string(state.root_open) + " responded=" + std::to_string(state.responded) +
                    " broken=" + state.broken + "\n";
  if (state.ending) out += "ending " + state.ending->code + "\n";
  for (std::size_t i = 0; i < state.variables.size(); ++i)
    out += "variable " + std::to_string(state.variables[i].is_initialized()) + json::write(state.variables[i].value()) +
           "\n";
  for (std::size_t f = 0; f < state.frames.size(); ++f) {
    const auto& frame = state.frames[f];
    out += "frame " + std::to_string(f) + " of " + std::to_string(engine::RunState::key(frame.loop)) + " index " +
           std::to_string(frame.index) + " open " + std::to_string(frame.open) + " " +
           engine::status_name(frame.status) + " " + json::write(frame.code) + to_string(frame.ended) + "\n";
    for (std::uint32_t i = 0; i < frame.slot_count; ++i) {
      const auto& slot = frame.slots[i];
      out += std::string("  ") + engine::status_name(slot.status) + " " + std::string(slot.code_text()) + " queued " +
             std::to_string(slot.queued) + " branch " + std::to_string(slot.branch) + " before " +
             std::to_string(slot.ended_before) + " open " + std::to_string(slot.open) + to_string(slot.started) +
             to_string(slot.ended);
      put(out, "in", slot.inputs);
      put(out, "out", slot.outputs);
      if (slot.detail) {
        put(out, slot.detail->fault);
        put(out, "tracked", slot.detail->tracked_properties);
        if (const auto& pending = slot.detail->pending) {
          out += " attempt " + std::to_string(pending->attempt) + " retries " + std::to_string(pending->retries) +
                 (pending->in_flight ? " under way " : " waits ") + pending->poll_uri;
          put(out, "sealed", pending->sealed);
          for (const Value& page : pending->pages) put(out, "page", page);
        }
      }
      out += "\n";
    }
  }
  std::map<std::uint64_t, const engine::Loop*> loops;
  for (const auto& [place, loop] : state.loops) loops[engine::RunState::key(place)] = &loop;
  for (const auto& [key, loop] : loops) {
    out += "loop " + std::to_string(key) + " next " + std::to_string(loop->next) + " running " +
           std::to_string(loop->running) + " queued " + std::to_string(loop->queued) + " frames " +
           std::to_string(loop->frames.size()) + (loop->any_failed ? " failed" : "") +
           (loop->any_timed_out ? " timed out" : "") + "\n";
  }
  for (const auto& work : state.work) {
    out += "work " + std::to_string(static_cast<int>(work.kind)) + " " +
           std::to_string(engine::RunState::key(work.place)) + " " + std::to_string(work.frame) + "\n";
  }
  for (const auto& [key, timer] : state.timers)
    out += "timer " + std::to_string(key.first) + " " + std::to_string(static_cast<int>(timer.kind)) + " " +
           to_string(timer.due) + "\n";
  return out;
}

Outcome simulate(const std::shared_ptr<const definition::Flow>& flow, const Value& test, Condition condition) {
  return World(flow, test, condition).live();
}

}  // namespace flowmend::flows
