// Who uses the server, and what befalls it.

#include "world.h"

#include "json/parse.h"
#include "store/sqlite/reads.h"

namespace flowmend::simulation {

void World::make_flows() {
  std::vector<Trigger> triggers{Trigger::child, Trigger::request};
  if (!options_.crash_at) {
    const std::vector<Trigger> all{Trigger::request, Trigger::request, Trigger::split, Trigger::recurrence,
                                   Trigger::window,  Trigger::feed,    Trigger::hook};
    for (auto i = dice_.between(0, 3); i > 0; --i) triggers.push_back(dice_.one_of(all));
  } else {
    triggers.push_back(
        dice_.one_of(std::vector<Trigger>{Trigger::split, Trigger::window, Trigger::feed, Trigger::hook}));
  }
  // In some lives the flows send messages to a batch. Which, is no matter of the dice: other lives stay as they were.
  if (options_.seed % 5 == 3) {
    batch_ = "f" + std::to_string(triggers.size());
    triggers.push_back(Trigger::batch);
  }
  for (std::size_t i = 0; i < triggers.size(); ++i) {
    Flow flow;
    flow.name = "f" + std::to_string(i);
    flow.made = make_flow(dice_, triggers[i], flow.name + "v1", i == 0 ? "" : "f0", batch_, has_others());
    flows_.push_back(std::move(flow));
  }
  for (std::size_t i = 0; i < flows_.size();) {
    if (witness_.violation()) return;
    if (!process_) {
      step(true);
      continue;
    }
    act([&] {
      auto& flow = flows_[i];
      runtime::FlowDraft draft;
      draft.display_name = flow.name;
      draft.definition = json::parse(flow.made.definition).value();
      const auto saved = process_->runtime->flows().create(draft, "ann");
      if (!saved) return;  // the disk refuses: again
      if (!saved->flow) {
        witness_.fail("a made flow compiles", saved->diagnostics.at(0).message + " in " + flow.made.definition);
        return;
      }
      flow.id = saved->flow->id;
      note("saved flow " + flow.name + ": " + flow.made.definition);
    });
    if (!flows_[i].id.empty()) ++i;
    // A process that died in the middle may have saved it, unheard: such a double has no callers.
  }
}

void World::plan_callers() {
  const auto count = options_.crash_at ? 4 : dice_.between(5, 40);
  const auto span = options_.crash_at ? 30'000 : dice_.once_in(2) ? 20'000 : 300'000;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = clock_.steady + Duration::milliseconds(dice_.between(0, span));
    const auto kind = options_.crash_at ? 0 : dice_.below(12);
    callers_.emplace(at, [this, kind] {
      if (!faults_) return;  // callers have gone home
      switch (kind) {
        case 0: return cancel_some();
        case 1:
        case 2: return resubmit_some();
        case 3: return switch_some();
        case 4: return save_some();
        default: return call(flows_[dice_.below(flows_.size())]);
      }
    });
    if (options_.crash_at) callers_.emplace(at, [this] { call(flows_[dice_.below(flows_.size())]); });
  }
}

void World::plan_faults() {
  if (options_.crash_at) return;
  const auto soon = [&] { return Duration::seconds(dice_.between(0, 240)); };
  const auto lasts = [&] { return Duration::seconds(dice_.between(1, 40)); };
  if (dice_.once_in(3)) disk_.flush_lasts = Duration::milliseconds(dice_.between(1, 3000));
  if (dice_.once_in(3)) {
    const auto at = soon();
    after(at, [this] { note("the disk is full"), disk_.full = faults_, ++outcome_.disk_faults; });
    after(Duration{at.ticks + lasts().ticks}, [this] { note("the disk has room"), disk_.full = false; });
  }
  if (dice_.once_in(4)) {
    const auto at = soon();
    after(at, [this] { note("the disk fails to read"), disk_.broken = faults_, ++outcome_.disk_faults; });
    after(Duration{at.ticks + lasts().ticks}, [this] { note("the disk reads"), disk_.broken = false; });
  }
  for (auto jumps = dice_.once_in(2) ? dice_.between(1, 3) : 0; jumps > 0; --jumps) {
    after(soon(), [this] {
      if (!faults_) return;
      const Duration by =
          dice_.once_in(4) ? Duration::hours(dice_.between(-3, 3)) : Duration::seconds(dice_.between(-90, 90));
      clock_.offset = Duration{clock_.offset.ticks + by.ticks};
      ++outcome_.clock_jumps;
      note("the clock is set by " + std::to_string(by.ticks / 10'000'000) + " s");
    });
  }
}

void World::call_url(const std::string& url, const std::string& body,
                     std::function<void(const runtime::Answer&)> answered) {
  trigger::CallbackRequest request;
  request.method = "POST";
  const auto path = url.find('/', 8);
  const auto query = url.find('?');
  if (path == std::string::npos || query == std::string::npos) return;
  request.path = url.substr(path, query - path);
  request.query = url.substr(query + 1);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  auto told = std::make_shared<bool>(false);
  process_->runtime->invoke(
      std::move(request), [this, life = life_, told, answered = std::move(answered)](const runtime::Answer& answer) {
        if (life != life_) return;  // the process died: nobody hears it
        if (std::exchange(*told, true))
          return witness_.fail("a caller is answered once", "status " + std::to_string(answer.status_code));
        answered(answer);
      });
}

void World::call(Flow& flow) {
  const auto trigger = flow.made.trigger;
  if (flow.id.empty() || (trigger != Trigger::request && trigger != Trigger::child && trigger != Trigger::split))
    return;
  const char* name = flow.made.has_other && dice_.once_in(2) ? other_trigger_name : trigger_name;
  const auto address = process_->runtime->callback_address(flow.id, name, runtime::KeyType::primary, {});
  if (!address) return;
  const std::string id = "call-" + std::to_string(++calls_);
  std::vector<std::string> ids{id};
  std::string body = "{\"id\":\"" + id + "\"}";
  if (trigger == Trigger::split) {
    ids.clear();
    std::string items;
    for (auto i = dice_.between(1, 4); i > 0; --i) {
      ids.push_back(id + "-" + std::to_string(i));
      items += std::string(items.empty() ? "" : ",") + "{\"id\":\"" + ids.back() + "\"}";
    }
    body = "{\"items\":[" + items + "]}";
  }
  note("call " + id + " of " + flow.name);
  const bool responds = flow.made.has_response;
  call_url(address->value, body, [this, ids, id, responds](const runtime::Answer& answer) {
    note("answer to " + id + ": " + std::to_string(answer.status_code));
    if (answer.status_code == 504) return;  // waited too long: nothing is promised
    const bool refused = answer.status_code == 503 || answer.status_code == 429 ||
                         (answer.status_code >= 400 && answer.status_code < 500);
    for (const auto& each : ids) refused ? witness_.refuse_runs(each) : witness_.expect_runs(each);
    if (!refused) witness_.see_accepted(answer, responds);
  });
}

void World::notify(const std::string& url, const std::string& body, std::function<void(int)> heard) {
  callers_.emplace(clock_.steady, [this, url, body, heard] {
    const bool is_action = url.find("/runs/") != std::string::npos;
    const std::string run =
        is_action ? url.substr(url.find("/runs/") + 6, url.find('/', url.find("/runs/") + 6) - url.find("/runs/") - 6)
                  : "";
    const auto at = body.find("note-");
    const std::string payload = at == std::string::npos ? "" : body.substr(at, body.find('"', at) - at);
    note("notify " + run + " " + body);
    auto answered = std::make_shared<bool>(false);
    call_url(url, body, [this, heard, answered, run, payload, body, is_action](const runtime::Answer& answer) {
      note("notified " + body + ": " + std::to_string(answer.status_code));
      *answered = true;
      const bool good = answer.status_code >= 200 && answer.status_code < 300;
      if (is_action && good) witness_.see_acknowledged(run, payload);
      const bool unknown = answer.status_code == 504;  // the disk was silent for too long: nothing is promised
      if (!is_action && !unknown && body.find("\"id\"") != std::string::npos) {
        const auto from = body.find("event-");
        const auto id = body.substr(from, body.find('"', from) - from);
        good ? witness_.expect_runs(id) : witness_.refuse_runs(id);
      }
      heard(answer.status_code);
    });
    // No answer, because the process died: the service tries again.
    after(Duration::minutes(3), [answered, heard] {
      if (!*answered) *answered = true, heard(0);
    });
  });
  if (!process_) return;
}

void World::cancel_some() {
  const auto open = witness_.rows(store::RunStatus::running);
  const auto waiting = witness_.rows(store::RunStatus::waiting);
  const auto& from = !waiting.empty() && dice_.once_in(2) ? waiting : open;
  if (from.empty()) return;
  const auto name = dice_.one_of(from).name;
  note("cancel " + name);
  const auto done = process_->runtime->cancel(name, "ann");
  note("cancelled " + name + ": " + (done ? "yes" : done.error().code));
  if (done) witness_.see_cancelled(name);
}

void World::resubmit_some() {
  auto all = witness_.rows();
  std::erase_if(all, [](const auto& row) { return !store::is_over(row.status); });
  if (all.empty()) return;
  const auto name = dice_.one_of(all).name;
  const bool keep = dice_.once_in(2);
  const auto definition = dice_.once_in(2) ? runtime::DefinitionChoice::original : runtime::DefinitionChoice::latest;
  note("resubmit " + name + (keep ? " keeping what is done" : ""));
  const auto started = process_->runtime->resubmit(name, {definition, keep}, "ann");
  note("resubmitted: " + (started ? started->run : started.error().code));
  if (started) witness_.see_resubmitted(started->run);
}

void World::switch_some() {
  auto& flow = flows_[dice_.below(flows_.size())];
  if (flow.id.empty() || flow.made.trigger == Trigger::window) return;  // windows are counted without a gap
  note("switch " + flow.name + (flow.on ? " off" : " on"));
  if (process_->runtime->flows().set_state(flow.id, flow.on ? store::FlowState::stopped : store::FlowState::started))
    flow.on = !flow.on;
}

void World::save_some() {
  auto& flow = flows_[dice_.below(flows_.size())];
  if (flow.id.empty() || (flow.made.trigger != Trigger::request && flow.made.trigger != Trigger::split &&
                          flow.made.trigger != Trigger::batch))
    return;
  const auto made =
      make_flow(dice_, flow.made.trigger, flow.name + "v" + std::to_string(++flow.version), "f0", batch_, has_others());
  runtime::FlowDraft draft;
  draft.display_name = flow.name;
  draft.definition = json::parse(made.definition).value();
  note("save " + flow.name + ": " + made.definition);
  const auto saved = process_->runtime->flows().update(flow.id, draft, "ann");
  if (saved && saved->flow) flow.made = made;
  if (saved) flow.on = true;
}

}  // namespace flowmend::simulation
