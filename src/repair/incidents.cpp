#include "repair/incidents.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <variant>

#include "base/thread_name.h"
#include "repair/explanation.h"
#include "repair/verdict.h"

namespace flowmend::repair {
namespace {

constexpr std::string_view document_kind = "incident";
constexpr std::size_t listed_max = 50;
constexpr std::size_t catch_up_page = 500;
constexpr std::size_t catch_up_max = 100'000;
constexpr std::size_t queue_max = 20'000;
constexpr std::size_t batch_max = 200;
constexpr auto gathered_for = std::chrono::milliseconds(100);

bool is_failure(const store::RunRow& run) {
  return run.status == store::RunStatus::failed || run.status == store::RunStatus::timed_out;
}

Error not_found(std::string_view id) {
  return make_error("IncidentNotFound", "There is no incident '" + std::string(id) + "'.", {},
                    "List the incidents: it may have been merged into another one.");
}

Error bad_change(std::string message, std::string cure = {}) {
  return make_error("InvalidIncidentChange", std::move(message), {}, std::move(cure));
}

}  // namespace

class Incidents::Worker {
 public:
  explicit Worker(Parts parts) : parts_(std::move(parts)), thread_([this] { work(); }) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  Result<void> start() {
    store::DocumentQuery query;
    query.kind = document_kind;
    query.limit = kept_max;
    const auto stored = parts_.store.documents(query);
    if (!stored) return stored.error();
    {
      const std::lock_guard lock(mutex_);
      for (const store::Document& document : *stored) {
        auto incident = from_document(document.value);
        if (!incident) continue;
        incident->id = document.key;
        take(std::move(*incident));
      }
    }
    return catch_up();
  }

  using Task = std::variant<store::RunRow, connector::ConnectionView, silence::Note>;

  void push(Task task) {
    {
      const std::lock_guard lock(mutex_);
      // Failing faster than we can look: the rows keep no family and are caught up once there is time.
      if (tasks_.size() >= queue_max) {
        behind_ = true;
        return;
      }
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

  std::vector<Incident> list(const Filter& filter) const {
    std::vector<Incident> out;
    {
      const Timestamp now = parts_.clock();
      const std::lock_guard lock(mutex_);
      for (const auto& [id, kept] : incidents_) {
        Incident incident = kept;
        end_mute(incident, now);
        if (filter.state && incident.state != *filter.state) continue;
        if (filter.open_only && !incident.is_open()) continue;
        const auto touches = [&](const IncidentPart& part) { return part.flows.contains(filter.flow); };
        if (!filter.flow.empty() && std::none_of(incident.parts.begin(), incident.parts.end(), touches)) continue;
        out.push_back(std::move(incident));
      }
    }
    std::sort(out.begin(), out.end(), [](const Incident& a, const Incident& b) { return b.last() < a.last(); });
    return out;
  }

  std::optional<Incident> find(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    const auto found = incidents_.find(std::string(id));
    if (found == incidents_.end()) return std::nullopt;
    std::optional<Incident> incident = found->second;
    end_mute(*incident, parts_.clock());
    return incident;
  }

  std::string incident_of(std::string_view fingerprint) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_fingerprint_.find(std::string(fingerprint));
    return found == by_fingerprint_.end() ? std::string() : found->second;
  }

  Result<Incident> change(std::string_view id, const Change& change, std::string_view by) {
    const std::lock_guard writing(write_mutex_);
    auto incident = find(id);
    if (!incident) return not_found(id);
    if (change.assignee) {
      incident->assignee = *change.assignee;
      if (!change.state && incident->state == IncidentState::fresh && !change.assignee->empty())
        incident->state = IncidentState::assigned;
      if (!change.state && incident->state == IncidentState::assigned && change.assignee->empty())
        incident->state = IncidentState::fresh;
    }
    Fix fix{parts_.clock(), std::string(by), "", "", ""};
    if (!change.fixed_in_version.empty()) {
      if (change.state != IncidentState::fixed)
        return bad_change("A version is said of what is fixed.", "Set 'state' to 'fixed', or leave out 'version'.");
      if (auto named = name_version(*incident, change, fix); !named) return named.error();
    }
    if (change.state) {
      switch (*change.state) {
        case IncidentState::back:
          return bad_change("An incident is 'back' when it happens again; nobody can set it.",
                            "Set it to 'new', 'assigned', 'muted' or 'fixed'.");
        case IncidentState::assigned:
          if (incident->assignee.empty())
            return bad_change("To whom the incident is assigned is not said.", "Send 'assignee'.");
          break;
        case IncidentState::muted:
          if (change.muted_until.is_set() && change.muted_until <= parts_.clock())
            return bad_change("'mutedUntil' is in the past.", "Choose a later time, or leave it out.");
          incident->muted_until = change.muted_until;
          break;
        case IncidentState::fixed: note_fix(*incident, fix); break;
        case IncidentState::fresh: break;
      }
      incident->state = *change.state;
      if (*change.state != IncidentState::muted) incident->muted_until = {};
      if (*change.state == IncidentState::muted || *change.state == IncidentState::fixed) incident->read = true;
    }
    if (const auto stored = store({*incident}, {}, {}); !stored) return stored.error();
    return *incident;
  }

  Result<Incident> merge(std::string_view id, std::string_view other) {
    const std::lock_guard writing(write_mutex_);
    if (id == other) return bad_change("An incident can't be merged into itself.", "Name another one in 'with'.");
    auto incident = find(id);
    if (!incident) return not_found(id);
    const auto joining = find(other);
    if (!joining) return not_found(other);
    merge_into(*incident, *joining);
    if (const auto stored = store({*incident}, {std::string(other)}, {}); !stored) return stored.error();
    return *incident;
  }

  Result<Incident> split(std::string_view id, std::string_view fingerprint) {
    const std::lock_guard writing(write_mutex_);
    auto incident = find(id);
    if (!incident) return not_found(id);
    const std::size_t parts = incident->parts.size();
    const auto apart = split_off(*incident, fingerprint);
    if (!apart && parts == 1) return bad_change("The incident holds one cause only: there is nothing to split.");
    if (!apart)
      return bad_change("The incident has no failures of '" + std::string(fingerprint) + "'.",
                        "Choose one of its 'parts'.");
    if (const auto stored = store({*incident, *apart}, {}, {}); !stored) return stored.error();
    return *apart;
  }

  Result<std::vector<store::RunRow>> broken_runs(const Incident& incident, std::size_t limit) const {
    std::vector<store::RunRow> broken;
    for (const IncidentPart& part : incident.parts) {
      store::RunQuery query;
      query.fingerprint = part.fingerprint;
      while (broken.size() < limit) {
        query.limit = std::min<std::size_t>(1000, limit);
        const auto rows = parts_.store.runs(query);
        if (!rows) return rows.error();
        for (const store::RunRow& row : *rows) {
          if (broken.size() >= limit) break;
          if (!store::is_over(row.status)) continue;  // it waits for its service, and goes on by itself
          const auto settled = is_settled(row);
          if (!settled) return settled.error();
          if (!*settled) broken.push_back(row);
        }
        if (rows->size() < query.limit) break;
        query.after = rows->back().name;
      }
    }
    std::sort(broken.begin(), broken.end(),
              [](const store::RunRow& a, const store::RunRow& b) { return a.number > b.number; });
    return broken;
  }

  Value notifications() const {
    std::vector<Incident> told;
    std::size_t unread_count = 0;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, incident] : incidents_) {
        if (!incident.told.is_set()) continue;
        told.push_back(incident);
      }
      unread_count = count_unread();
    }
    std::sort(told.begin(), told.end(), [](const Incident& a, const Incident& b) { return b.told < a.told; });
    if (told.size() > listed_max) told.resize(listed_max);
    json::ArrayBuilder out;
    for (const Incident& incident : told) out.push(notification(incident));
    return Value::object({{"unread", Value(static_cast<std::int64_t>(unread_count))}, {"value", out.finish()}});
  }

  std::size_t unread() const {
    const std::lock_guard lock(mutex_);
    return count_unread();
  }

  Result<std::size_t> mark_read(const std::vector<std::string>* ids) {
    const std::lock_guard writing(write_mutex_);
    std::vector<Incident> changed;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, incident] : incidents_) {
        if (ids != nullptr && std::find(ids->begin(), ids->end(), id) == ids->end()) continue;
        if (!is_unread(incident)) continue;
        changed.push_back(incident);
        changed.back().read = true;
      }
    }
    if (!changed.empty()) {
      if (const auto stored = store(changed, {}, {}); !stored) return stored.error();
    }
    return unread();
  }

  void drain(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    ++draining_;
    wake_.notify_all();
    idle_.wait_for(lock, most, [&] { return tasks_.empty() && !busy_ && !behind_; });
    --draining_;
  }

 private:
  static bool is_unread(const Incident& incident) { return incident.told.is_set() && !incident.read; }

  /// The version in which a user says that the cause is gone.
  Result<void> name_version(const Incident& incident, const Change& change, Fix& fix) const {
    std::string flow = change.fixed_in_flow;
    std::set<std::string> touched;
    for (const IncidentPart& part : incident.parts) {
      for (const auto& [id, count] : part.flows) touched.insert(id);
    }
    if (flow.empty() && touched.size() == 1) flow = *touched.begin();
    if (flow.empty())
      return bad_change("The incident touches " + std::to_string(touched.size()) +
                            " flows: of which one the version is, is not said.",
                        "Send 'flow' too.");
    if (!touched.contains(flow))
      return bad_change("The incident has no failures of flow '" + flow + "'.", "Choose one of its 'flows'.");
    std::string version = change.fixed_in_version;
    if (version == "latest") {
      const auto live = parts_.flows.find(flow);
      if (!live) return live.error();
      version = (*live)->row.version;
    }
    const auto stored = parts_.store.flow_version(flow, version);
    if (!stored) return stored.error();
    if (!*stored)
      return bad_change("Flow '" + flow + "' has no version '" + version + "'.",
                        "Send 'latest', or one of its versions.");
    fix.flow = flow;
    fix.version = version;
    return {};
  }

  static Value notification(const Incident& incident) {
    const IncidentPart& face = incident.face();
    std::set<std::string> names;
    for (const IncidentPart& part : incident.parts) {
      for (const auto& [id, flow] : part.flows) names.insert(flow.display_name);
    }
    json::ObjectBuilder note;
    note.add("id", Value(incident.id));
    note.add("incident", Value(incident.id));
    note.add("time", Value(to_string(incident.last())));
    const bool is_silence = silence::is_silence(face.fingerprint);
    note.add("kind", is_silence ? "silence" : face.count == 0 ? "connectionBroken" : "runFailed");
    std::string title = face.title;
    if (names.size() == 1) title = *names.begin() + ": " + title;
    if (names.size() > 1) title = std::to_string(names.size()) + " flows: " + title;
    note.add("title", Value(title));
    note.add("message", Value(face.message));
    if (!face.last_flow.empty()) {
      note.add("flow", Value(face.last_flow));
      const auto flow = face.flows.find(face.last_flow);
      if (flow != face.flows.end()) note.add("flowDisplayName", Value(flow->second.display_name));
      if (!face.last_run.empty()) note.add("run", Value(face.last_run));
    }
    if (!face.action.empty()) note.add("action", Value(face.action));
    if (face.connection) {
      note.add("connection", Value::object({{"api", Value(face.connection->api)},
                                            {"name", Value(face.connection->name)},
                                            {"displayName", Value(face.connection_name)}}));
    }
    note.add("family", Value(face.family));
    note.add("state", Value(state_name(incident.state)));
    note.add("count", Value(incident.count()));
    note.add("read", Value(incident.read));
    return note.finish();
  }

  std::size_t count_unread() const {
    return static_cast<std::size_t>(
        std::count_if(incidents_.begin(), incidents_.end(), [](const auto& entry) { return is_unread(entry.second); }));
  }

  /// Holds an incident in memory. With `mutex_` held.
  void take(Incident incident) {
    for (const IncidentPart& part : incident.parts) by_fingerprint_[part.fingerprint] = incident.id;
    incidents_[incident.id] = std::move(incident);
  }

  /// True when the run was repeated: what became of it is the repetition's matter, which is in the list itself when it
  /// failed. One that was cancelled leaves the run as it was.
  Result<bool> is_settled(const store::RunRow& run) const {
    const auto repeats = parts_.store.resubmits_of(run.name);
    if (!repeats) return repeats.error();
    return std::any_of(repeats->begin(), repeats->end(),
                       [](const store::RunRow& repeat) { return repeat.status != store::RunStatus::cancelled; });
  }

  /// Failed runs that nobody looked at, oldest first, until one that was.
  Result<void> catch_up() {
    std::vector<store::RunRow> missed;
    for (const store::RunStatus status : {store::RunStatus::failed, store::RunStatus::timed_out}) {
      store::RunQuery query;
      query.status = status;
      query.limit = catch_up_page;
      bool all_known = false;
      while (!all_known && missed.size() < catch_up_max) {
        const auto rows = parts_.store.runs(query);
        if (!rows) return rows.error();
        // Runs end in another order than they start: a page without a gap ends the search, not a single run.
        all_known = true;
        for (const store::RunRow& row : *rows) {
          if (!row.cause.family.empty()) continue;
          all_known = false;
          missed.push_back(row);
        }
        if (rows->size() < query.limit) break;
        query.after = rows->back().name;
      }
    }
    std::sort(missed.begin(), missed.end(),
              [](const store::RunRow& a, const store::RunRow& b) { return a.number < b.number; });
    {
      const std::lock_guard lock(mutex_);
      for (auto& run : missed) tasks_.emplace_back(std::move(run));
    }
    wake_.notify_one();
    return {};
  }

  void work() {
    name_thread("fm-incidents");
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty() || behind_; });
      if (stopping_) return;
      busy_ = true;
      std::vector<Task> batch;
      while (!tasks_.empty() && batch.size() < batch_max) {
        batch.push_back(std::move(tasks_.front()));
        tasks_.pop_front();
      }
      const bool caught_up = batch.empty() && std::exchange(behind_, false);
      lock.unlock();
      if (caught_up) static_cast<void>(catch_up());
      look_at(batch);
      lock.lock();
      busy_ = false;
      idle_.notify_all();
      // Runs that end one by one, as those of a job, would each cost a transaction that live traffic waits behind.
      wake_.wait_for(lock, gathered_for, [&] { return stopping_ || draining_ > 0 || tasks_.size() >= batch_max; });
    }
  }

  void look_at(const std::vector<Task>& batch) {
    std::vector<Finding> findings;
    const std::lock_guard writing(write_mutex_);
    std::map<std::string, Incident> changed;
    std::set<std::string> told;
    for (const Task& task : batch) {
      if (const auto* connection = std::get_if<connector::ConnectionView>(&task)) {
        if (connection->status == connector::ConnectionStatus::error || is_running_out(*connection)) {
          note_broken(*connection, changed, told);
        } else {
          note_mended(*connection, changed);
        }
        continue;
      }
      if (const auto* note = std::get_if<silence::Note>(&task)) {
        note_silence(*note, changed, told);
        continue;
      }
      const auto& run = std::get<store::RunRow>(task);
      if (is_failure(run)) {
        // A run that stands in the queue twice (heard of, and caught up) counts once.
        const auto now_stored = parts_.store.run(run.number);
        if (!now_stored || !*now_stored || !(*now_stored)->cause.family.empty()) continue;
        if (std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.number == run.number; }))
          continue;
        findings.push_back(find_out(run));
        Incident& incident = incident_for(findings.back().fingerprint.key, changed);
        if (fold(incident, findings.back(), parts_.clock())) told.insert(incident.id);
        note_repetition(run, changed);
      } else if (!store::is_over(run.status)) {
        note_waiting(run, changed, told);
      } else {
        note_repetition(run, changed);
      }
    }
    if (findings.empty() && changed.empty()) return;
    std::vector<Incident> incidents;
    for (auto& [id, incident] : changed) incidents.push_back(std::move(incident));
    static_cast<void>(store(incidents, {}, findings, told));
  }

  /// The incident for a fingerprint, to be changed: the one of this batch, the stored one, or a new one.
  Incident& incident_for(const std::string& fingerprint, std::map<std::string, Incident>& changed) {
    std::string id = incident_of(fingerprint);
    if (id.empty()) id = incident_id(fingerprint);
    const auto known = changed.find(id);
    if (known != changed.end()) return known->second;
    auto incident = find(id);
    if (!incident) {
      incident.emplace();
      incident->id = id;
    }
    return changed.emplace(id, std::move(*incident)).first->second;
  }

  /// `401 Unauthorized`, `InvalidTemplate`
  static std::string code_of(const Failure& failure) {
    const int status = failure.status_code();
    std::string code = failure.has_step ? failure.code : failure.run_code;
    if (status == 0) return code;
    return std::to_string(status) + (code.empty() ? "" : " " + code);
  }

  Finding find_out(const store::RunRow& run) {
    Finding finding;
    finding.number = run.number;
    finding.run = run.name;
    finding.flow = run.flow;
    finding.flow_display_name = run.flow;
    finding.version = run.version;
    finding.started = run.started;
    finding.ended = run.ended;
    finding.title = "A run failed";  // of the incident; the run itself keeps its own message
    finding.message = run.error_message;
    finding.action = run.failed_action;
    finding.family = "unknown";
    finding.fingerprint = {"unknown|" + run.flow + "|" + run.error_code, "Same flow and code: " + run.error_code};
    if (const auto row = parts_.store.flow(run.flow); row && row->has_value())
      finding.flow_display_name = (*row)->display_name;
    const auto flow = parts_.flows.version(run.flow, run.version, run.trigger);
    const auto events = runtime::read_events(parts_.store, parts_.sealer, run.number);
    if (!flow || !events) return finding;
    const auto failure = find_failure(**flow, *events);
    if (!failure) return finding;
    const Facts facts = gather_facts(**flow, *failure, &parts_.connections);
    const Value explanation = explain(facts);
    finding.title = explanation.text_of("title");
    finding.message = explanation.text_of("whatHappened");
    if (const Value* advice = explanation.find("howToFix"); advice != nullptr && advice->is_array()) {
      for (const Value& one : advice->as_array()) {
        if (!finding.how_to_fix.empty()) finding.how_to_fix += '\n';
        finding.how_to_fix += one.text_of("text");
      }
    }
    finding.run_title = finding.title;
    finding.family = family_name(facts.family);
    finding.code = code_of(*failure);
    finding.fingerprint = fingerprint_of(facts);
    if (facts.action != nullptr) finding.action = facts.action->name;
    finding.connection = facts.connection_key;
    finding.connection_name = facts.connection_name();
    return finding;
  }

  /// A repetition proves that the cause is gone when the step that had failed went well in it, and it began after the
  /// cause was last seen. That the run went well is not enough: it may have gone another way. That it failed later, of
  /// something else, takes nothing from the proof.
  void note_repetition(const store::RunRow& run, std::map<std::string, Incident>& changed) {
    const bool went_well = run.status == store::RunStatus::succeeded;
    if ((!went_well && !is_failure(run)) || run.resubmit_of.empty()) return;
    const auto first = parts_.store.run(run.resubmit_of);
    if (!first || !*first || (*first)->cause.fingerprint.empty()) return;
    const std::string& fingerprint = (*first)->cause.fingerprint;
    if (incident_of(fingerprint).empty()) return;
    Incident& incident = incident_for(fingerprint, changed);
    if (incident.parts.empty()) {
      changed.erase(incident.id);
      return;
    }
    const auto part = std::find_if(incident.parts.begin(), incident.parts.end(),
                                   [&](const IncidentPart& one) { return one.fingerprint == fingerprint; });
    if (went_well && part != incident.parts.end()) ++part->repaired;
    if (incident.state == IncidentState::fixed || run.started < incident.last()) return;
    if (!passed_where_it_failed(parts_.store, parts_.sealer, parts_.flows, **first, run)) return;
    note_fix(incident, {run.ended, "", run.name, run.flow, run.version});
  }

  /// Runs that wait for a service that does not work are one incident, fixed when none waits any more. Refused
  /// credentials are told by their connection (note_broken).
  void note_waiting(const store::RunRow& run, std::map<std::string, Incident>& changed, std::set<std::string>& told) {
    constexpr std::string_view mark = "held|";
    if (!run.is_held()) {
      for (const Incident& known : list({{}, true, {}})) {
        const auto& fingerprint = known.parts.empty() ? std::string() : known.parts.front().fingerprint;
        if (!fingerprint.starts_with(mark)) continue;
        store::DocumentQuery query;
        query.kind = "held_step";
        query.prefix = fingerprint.substr(mark.size()) + "|";
        query.limit = 1;
        const auto left = parts_.store.documents(query);
        if (!left || !left->empty()) continue;
        Incident& incident = incident_for(fingerprint, changed);
        if (incident.state == IncidentState::fixed) continue;
        note_fix(incident, {parts_.clock(), "", run.name, run.flow, run.version});
      }
      return;
    }
    if (!run.cause.fingerprint.starts_with(mark)) return;
    const std::string target = run.cause.fingerprint.substr(mark.size());
    Incident& incident = incident_for(run.cause.fingerprint, changed);
    if (!incident.parts.empty() && incident.is_open()) {
      incident.parts.front().last = parts_.clock();
      return;
    }
    const Timestamp now = parts_.clock();
    std::string name = target;
    if (const auto slash = target.find('/'); target.find("://") == std::string::npos && slash != std::string::npos) {
      const auto view = parts_.connections.find({target.substr(0, slash), target.substr(slash + 1)});
      if (view) name = view->display_name;
    }
    const bool known = !incident.parts.empty();
    IncidentPart& part = known ? incident.parts.front() : incident.parts.emplace_back();
    part.fingerprint = run.cause.fingerprint;
    part.rule = "Waiting for the same service: " + name;
    part.title = "Runs wait for " + name;
    part.message =
        "The service does not work just now, so runs wait at the step that needs it and go on by themselves "
        "when it does. " +
        run.error_message;
    part.how_to_fix =
        "Wait: the runs go on by themselves. Or mend the service, and choose Try now on a run that waits.";
    part.family = "transient";
    part.action = run.failed_action;
    if (!part.first.is_set()) part.first = now;
    part.last = now;
    part.last_flow = run.flow;
    part.last_run = run.name;
    if (incident.state == IncidentState::fixed) incident.state = IncidentState::back;
    if (!incident.told.is_set() || now - incident.told >= Duration::hours(1)) {
      incident.told = now;
      incident.read = false;
      told.insert(incident.id);
    }
  }

  void note_silence(const silence::Note& note, std::map<std::string, Incident>& changed, std::set<std::string>& told) {
    const std::string fingerprint = silence::fingerprint_of(note.kind, note.flow);
    const bool in_batch = changed.contains(incident_of(fingerprint));
    Incident& incident = incident_for(fingerprint, changed);
    const Value before = incident.parts.empty() ? Value() : to_document(incident);
    if (note.verdict.state == silence::Verdict::State::silent) {
      if (silence::fold(incident, note.kind, note.flow, note.flow_display_name, note.verdict.silence, parts_.clock()))
        told.insert(incident.id);
    } else if (!incident.parts.empty()) {
      silence::end(incident, parts_.clock());
    }
    // The watch says what lasts again and again: what is known already is not written anew.
    if (!in_batch && (incident.parts.empty() || to_document(incident) == before))
      changed.erase(std::string(incident.id));
  }

  /// A connection that stopped working is told even before a run fails of it; the runs then fold into the same
  /// incident.
  void note_broken(const connector::ConnectionView& connection, std::map<std::string, Incident>& changed,
                   std::set<std::string>& told) {
    const std::string fingerprint = "auth|" + connection.key.api + "/" + connection.key.name;
    Incident& incident = incident_for(fingerprint, changed);
    const bool open = !incident.parts.empty() && incident.is_open();
    if (open) {
      return;  // people know, or learn it with the run
    }
    const Timestamp now = parts_.clock();
    const auto known = std::find_if(incident.parts.begin(), incident.parts.end(),
                                    [&](const IncidentPart& part) { return part.fingerprint == fingerprint; });
    IncidentPart& part = known != incident.parts.end() ? *known : incident.parts.emplace_back();
    part.fingerprint = fingerprint;
    part.rule = "Same connection, not authenticated: " + connection.display_name;
    if (is_running_out(connection)) {
      const std::string until = silence::time_words(connection.signed_in->expires);
      part.title = "The sign-in of connection " + connection.display_name + " ends at " + until;
      part.message = connection.signed_in->refusal + " Until " + until +
                     " calls go on as before; after that, flows that use it fail or wait.";
      part.how_to_fix = "Sign in again before then, and no run notices it.";
    } else {
      part.title = "The connection " + connection.display_name + " isn't authenticated";
      part.message =
          connection.error_message + " Enter the right credentials: until then, flows that use it fail or wait.";
      part.how_to_fix = "Verify the connection's password: the new one is tried before it is stored.";
    }
    part.family = "authentication";
    part.connection = connection.key;
    part.connection_name = connection.display_name;
    if (!part.first.is_set()) part.first = now;
    part.last = now;
    // The run that met it: one click leads there, though its end is not known yet.
    if (const auto& met = connection.last_failure; met && !met->run.empty()) {
      part.last_flow = met->flow;
      part.last_run = met->run;
    }
    if (incident.state == IncidentState::fixed) incident.state = IncidentState::back;
    incident.told = now;
    incident.read = false;
    told.insert(incident.id);
  }

  /// One that was mended before any run met it needs nobody any more.
  void note_mended(const connector::ConnectionView& connection, std::map<std::string, Incident>& changed) {
    const std::string fingerprint = "auth|" + connection.key.api + "/" + connection.key.name;
    if (incident_of(fingerprint).empty()) return;
    Incident& incident = incident_for(fingerprint, changed);
    const bool no_run = incident.count() == 0 && incident.parts.size() == 1 && incident.parts.front().flows.empty();
    if (no_run && silence::end(incident, parts_.clock())) return;
    if (incident.parts.empty()) changed.erase(incident.id);
  }

  /// Writes changed incidents, drops `gone` ones and notes on the runs of `findings` where they belong. With
  /// `write_mutex_` held.
  Result<void> store(const std::vector<Incident>& changed, std::vector<std::string> gone,
                     const std::vector<Finding>& findings, const std::set<std::string>& told = {}) {
    for (const std::string& old : surplus(changed)) gone.push_back(old);
    const auto written = parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
      for (const std::string& id : gone) {
        if (auto erased = transaction.erase_document(document_kind, id); !erased) return erased.error();
      }
      for (const Incident& incident : changed) {
        if (auto put = transaction.put_document(document_kind, incident.id, to_document(incident)); !put)
          return put.error();
        if (!parts_.on_tell || !told.contains(incident.id)) continue;
        if (auto kept = parts_.on_tell(transaction, incident); !kept) return kept.error();
      }
      for (const Finding& finding : findings)
        transaction.set_cause(finding.number,
                              {finding.family, finding.fingerprint.key, finding.code, finding.run_title});
      return {};
    });
    // A store that refuses now says so to everybody; the runs have no family yet and are looked at again later.
    if (!written) return written.error();
    std::size_t before = 0;
    std::size_t after = 0;
    {
      const std::lock_guard lock(mutex_);
      before = count_unread();
      for (const std::string& id : gone) {
        incidents_.erase(id);
        std::erase_if(by_fingerprint_, [&](const auto& entry) { return entry.second == id; });
      }
      for (const Incident& incident : changed) take(incident);
      after = count_unread();
    }
    if (parts_.on_change) {
      for (const Incident& incident : changed) parts_.on_change(incident.id);
      for (const std::string& id : gone) parts_.on_change(id);
    }
    if (parts_.on_notify && (before != after || !findings.empty())) parts_.on_notify(after);
    return {};
  }

  /// Ids of the oldest incidents above `kept_max`, fixed ones first.
  std::vector<std::string> surplus(const std::vector<Incident>& changed) const {
    std::vector<std::string> out;
    const std::lock_guard lock(mutex_);
    std::size_t size = incidents_.size();
    for (const Incident& incident : changed) size += incidents_.contains(incident.id) ? 0 : 1;
    if (size <= kept_max) return out;
    std::vector<std::pair<std::pair<bool, Timestamp>, std::string>> order;
    for (const auto& [id, incident] : incidents_) order.push_back({{incident.is_open(), incident.last()}, id});
    std::sort(order.begin(), order.end());
    for (const auto& [age, id] : order) {
      if (size <= kept_max) break;
      if (std::any_of(changed.begin(), changed.end(), [&id = id](const Incident& one) { return one.id == id; }))
        continue;
      out.push_back(id);
      --size;
    }
    return out;
  }

  Parts parts_;
  std::mutex write_mutex_;    ///< one change at a time, from reading an incident to storing it; taken before `mutex_`
  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::map<std::string, Incident> incidents_;          ///< by id
  std::map<std::string, std::string> by_fingerprint_;  ///< fingerprint -> id
  std::deque<Task> tasks_;
  bool behind_ = false;
  bool busy_ = false;
  int draining_ = 0;  ///< callers that wait in `drain`
  bool stopping_ = false;
  std::thread thread_;
};

Incidents::Incidents(Parts parts) : worker_(std::make_unique<Worker>(std::move(parts))) {}
Incidents::~Incidents() = default;

Result<void> Incidents::start() { return worker_->start(); }
void Incidents::run_started(const store::RunRow&) {}

void Incidents::run_ended(const store::RunRow& run) {
  if (is_failure(run) || !run.resubmit_of.empty()) worker_->push(run);
}

void Incidents::run_held(const store::RunRow& run) { worker_->push(run); }

void Incidents::connection_changed(const connector::ConnectionView& connection) { worker_->push(connection); }

void Incidents::silence_judged(silence::Note note) { worker_->push(std::move(note)); }

std::vector<Incident> Incidents::list(const Filter& filter) const { return worker_->list(filter); }
std::optional<Incident> Incidents::find(std::string_view id) const { return worker_->find(id); }
std::string Incidents::incident_of(std::string_view fingerprint) const { return worker_->incident_of(fingerprint); }
Result<Incident> Incidents::change(std::string_view id, const Change& change, std::string_view by) {
  return worker_->change(id, change, by);
}
Result<Incident> Incidents::merge(std::string_view id, std::string_view other) { return worker_->merge(id, other); }
Result<Incident> Incidents::split(std::string_view id, std::string_view fingerprint) {
  return worker_->split(id, fingerprint);
}
Result<std::vector<store::RunRow>> Incidents::broken_runs(const Incident& incident, std::size_t limit) const {
  return worker_->broken_runs(incident, limit);
}
Value Incidents::notifications() const { return worker_->notifications(); }
std::size_t Incidents::unread() const { return worker_->unread(); }
Result<std::size_t> Incidents::mark_read(const std::vector<std::string>* ids) { return worker_->mark_read(ids); }
void Incidents::drain(std::chrono::milliseconds most) const { worker_->drain(most); }

}  // namespace flowmend::repair
