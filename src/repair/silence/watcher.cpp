#include "repair/silence/watcher.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <spdlog/spdlog.h>

#include "base/thread_name.h"
#include "connector/reference.h"
#include "repair/notify/settings.h"
#include "repair/silence/gather.h"

namespace flowmend::repair::silence {
namespace {

constexpr Kind kinds[] = {Kind::off, Kind::schedule, Kind::checks, Kind::volume, Kind::stuck};
constexpr std::string_view document_kind = "silence";
constexpr std::string_view document_key = "watch";
constexpr std::size_t choices_read = 10'000;
/// A silence that lasts is written into its incident again so often, though nothing new shows it.
constexpr Duration said_again_after = Duration::minutes(10);
/// After a full hour, until runs of its last second are in the store.
constexpr Duration hour_settles = Duration::minutes(1);

Timestamp full_hour(Timestamp time) { return {time.ticks - time.ticks % Duration::hours(1).ticks}; }

}  // namespace

class Watcher::Worker {
 public:
  Worker(Parts parts, WatchSettings settings)
      : parts_(std::move(parts)), settings_(settings), gatherer_(parts_.store, parts_.sealer, parts_.flows) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void start() {
    thread_ = std::thread([this] {
      name_thread("silence");
      std::unique_lock lock(mutex_);
      while (!stopping_) {
        lock.unlock();
        look();
        lock.lock();
        wake_.wait_for(lock, std::chrono::milliseconds(settings_.every.to_milliseconds()), [&] { return stopping_; });
      }
    });
  }

  void look() {
    const auto looked = try_look();
    // A store that refuses says so everywhere; the next look comes soon.
    if (!looked && looked.error().code != "StorageUnavailable")
      spdlog::warn("the watch for silence was given up until its next look: {}", looked.error().message);
  }

 private:
  Result<void> try_look() {
    const Timestamp now = parts_.clock();
    if (const auto noted = note_uptime(now); !noted) return noted.error();
    auto flows = parts_.store.flows();
    if (!flows) return flows.error();
    std::sort(flows->begin(), flows->end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    std::set<std::string, std::less<>> ids;
    for (const store::FlowRow& row : *flows) ids.insert(row.id);

    open_.clear();
    for (const Incident& incident : parts_.incidents.list({{}, true, {}})) {
      for (const IncidentPart& part : incident.parts) {
        if (!is_silence(part.fingerprint)) continue;
        open_.insert(part.fingerprint);
        if (!ids.contains(flow_of(part.fingerprint))) end_all(std::string(flow_of(part.fingerprint)));
      }
    }
    std::erase_if(judged_hours_, [&](const auto& entry) { return !ids.contains(entry.first); });
    std::erase_if(said_, [&](const auto& entry) { return !open_.contains(entry.first); });

    const auto unwatched = read_unwatched();
    if (!unwatched) return unwatched.error();
    auto at = std::upper_bound(flows->begin(), flows->end(), last_,
                               [](const std::string& id, const store::FlowRow& row) { return id < row.id; });
    if (at == flows->end()) at = flows->begin();
    for (std::size_t count = std::min(settings_.flows_a_look, flows->size()); count > 0; --count) {
      if (unwatched->contains(at->id)) {
        end_all(at->id);
      } else if (const auto looked = look_at(*at, now); !looked) {
        if (looked.error().code == "StorageUnavailable") return looked.error();
        // What is wrong with one flow must not hide the others.
        spdlog::warn("the watch for silence left out flow {}: {}", at->id, looked.error().message);
      }
      last_ = at->id;
      if (++at == flows->end()) at = flows->begin();
    }
    return {};
  }

  Result<void> note_uptime(Timestamp now) {
    if (!began_) {
      const auto stored = parts_.store.document(document_kind, document_key);
      if (!stored) return stored.error();
      uptime_ = Uptime::from_document(*stored ? (*stored)->value : Value());
    }
    uptime_.note(now, settings_.every, !began_);
    began_ = true;
    const auto kept = parts_.store.put_document(document_kind, document_key, uptime_.to_document());
    return kept ? Result<void>() : Result<void>(kept.error());
  }

  Result<std::set<std::string>> read_unwatched() const {
    store::DocumentQuery query;
    query.kind = "notify-flow";
    query.limit = choices_read;
    const auto stored = parts_.store.documents(query);
    if (!stored) return stored.error();
    std::set<std::string> out;
    for (const store::Document& document : *stored) {
      const auto chosen = notify::read_flow_preferences(document.value);
      if (chosen && !chosen->watch_silence) out.insert(document.key);
    }
    return out;
  }

  Result<void> look_at(const store::FlowRow& row, Timestamp now) {
    const auto live = parts_.flows.find(row.id);
    if (!live) {
      if (live.error().code == "FlowNotFound") return {};  // deleted just now
      return live.error();
    }
    const auto off = gatherer_.off(row, **live);
    if (!off) return off.error();
    say(row, Kind::off, judge_off(*off, now), now);
    const auto stuck = gatherer_.stuck(row.id, now);
    if (!stuck) return stuck.error();
    say(row, Kind::stuck, judge_stuck(*stuck, now), now);
    if (row.state != store::FlowState::started || !(*live)->flow) {
      for (const Kind kind : {Kind::schedule, Kind::checks, Kind::volume}) say(row, kind, Verdict::well(), now);
      return {};
    }
    return look_at_triggers(row, (*live)->flow, now);
  }

  /// Of several triggers the one that is silent speaks for the flow; it is well when all are.
  static void join(Verdict& all, Verdict one) {
    if (all.state == Verdict::State::silent || one.state == Verdict::State::well) return;
    all = std::move(one);
  }

  Result<void> look_at_triggers(const store::FlowRow& row, const std::shared_ptr<const definition::Flow>& flow,
                                Timestamp now) {
    Verdict fires = Verdict::well();
    Verdict checked = Verdict::well();
    bool fails = false;
    for (const auto& one : definition::by_trigger(flow)) {
      const auto schedule = gatherer_.schedule(*one, uptime_);
      if (!schedule) return schedule.error();
      if (*schedule) join(fires, judge_schedule(**schedule, now));
      const auto checks = gatherer_.checks(*one);
      if (!checks) return checks.error();
      Verdict verdict = judge_checks(*checks, settings_.patience, now);
      if (verdict.state == Verdict::State::silent) {
        fails = true;
        // Its connection is told of already, with the button that mends it: one cause, one message.
        if (connection_is_broken(*one)) verdict = Verdict::unknown();
      }
      join(checked, std::move(verdict));
    }
    say(row, Kind::schedule, fires, now);
    say(row, Kind::checks, checked, now);

    const Timestamp hour = full_hour(now - hour_settles);
    if (judged_hours_[row.id] == hour) return {};
    if (fails || fires.state == Verdict::State::silent) return {};  // that is why
    const auto volumes = gatherer_.volumes(row, *flow, uptime_, hour);
    if (!volumes) return volumes.error();
    judged_hours_[row.id] = hour;
    Verdict volume;
    for (const VolumeFacts& facts : *volumes) {
      Verdict one = judge_volume(facts);
      if (one.state > volume.state) volume = std::move(one);
    }
    if (volume.state == Verdict::State::unknown) {
      const auto gap = gatherer_.gap(row, *flow, hour);
      if (!gap) return gap.error();
      if (*gap) volume = judge_gap(**gap, hour);
    }
    say(row, Kind::volume, volume, now);
    return {};
  }

  bool connection_is_broken(const definition::Flow& flow) const {
    const Value* host = flow.trigger.inputs.source().is_object() ? flow.trigger.inputs.source().find("host") : nullptr;
    if (host == nullptr) return false;
    const auto reference = connector::resolve_reference(*host, flow.connection_references);
    if (!reference) return false;
    const auto key = reference->api.empty() ? parts_.connections.find_by_name(reference->name)
                                            : std::optional(connector::ConnectionKey{reference->api, reference->name});
    const auto view = key ? parts_.connections.find(*key) : std::nullopt;
    return view && view->status == connector::ConnectionStatus::error;
  }

  void say(const store::FlowRow& row, Kind kind, Verdict verdict, Timestamp now) {
    const std::string fingerprint = fingerprint_of(kind, row.id);
    const bool open = open_.contains(fingerprint);
    if (verdict.state == Verdict::State::unknown || (verdict.state == Verdict::State::well && !open)) return;
    if (verdict.state == Verdict::State::silent && open) {
      Said& said = said_[fingerprint];
      if (said.evidence == verdict.silence.evidence && now - said.time < said_again_after) return;
      said = {verdict.silence.evidence, now};
    }
    parts_.incidents.silence_judged({kind, row.id, row.display_name, std::move(verdict)});
  }

  void end_all(const std::string& flow) {
    for (const Kind kind : kinds) {
      if (open_.contains(fingerprint_of(kind, flow)))
        parts_.incidents.silence_judged({kind, flow, {}, Verdict::well()});
    }
  }

  struct Said {
    Timestamp evidence, time;
  };

  Parts parts_;
  WatchSettings settings_;
  Gatherer gatherer_;
  Uptime uptime_;
  bool began_ = false;
  std::string last_;                               ///< id of the flow looked at last
  std::set<std::string, std::less<>> open_;        ///< fingerprints of open incidents, at this look
  std::map<std::string, Said> said_;               ///< by fingerprint
  std::map<std::string, Timestamp> judged_hours_;  ///< by flow: the full hour up to which its volume was judged

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  ///< guarded by `mutex_`
  std::thread thread_;
};

Watcher::Watcher(Parts parts, WatchSettings settings) : worker_(std::make_unique<Worker>(std::move(parts), settings)) {}
Watcher::~Watcher() = default;
void Watcher::start() { worker_->start(); }
void Watcher::look() { worker_->look(); }

}  // namespace flowmend::repair::silence
