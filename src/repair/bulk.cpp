#include "repair/bulk.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <spdlog/spdlog.h>

#include "base/digits.h"
#include "base/ids.h"
#include "base/thread_name.h"
#include "repair/plan.h"
#include "repair/preview.h"
#include "repair/repair_job.h"
#include "runtime/child_repair.h"

namespace flowmend::repair {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view job_kind = "repair_job";
constexpr std::string_view runs_kind = "repair_job_runs";
constexpr std::size_t runs_per_document = 5000;
constexpr std::size_t jobs_kept = 200;
constexpr std::size_t plan_looked_at_max = 500;
constexpr std::size_t refusals_kept = 20;
constexpr std::size_t together_max = 8;  // few beside the callers of live traffic, which share the commits
constexpr auto saved_every = std::chrono::milliseconds(500);
constexpr auto verdict_waited_for = std::chrono::seconds(2);
constexpr auto looked_again_after = std::chrono::seconds(2);

Error conflict(std::string_view job, std::string_view state, std::string_view wish) {
  return make_error("RepairJobStateConflict", "Job '" + std::string(job) + "' is " + std::string(state) +
                                                  ": it can't be " + std::string(wish) + ".");
}

/// Six digits: keys of one job sort in the order of its runs.
std::string chunk_key(const std::string& job, std::size_t chunk) {
  std::string digits(6, '0');
  write_decimal(digits.data(), chunk, digits.size());
  return job + "/" + digits;
}

}  // namespace

class Bulk::Worker {
 public:
  explicit Worker(Parts parts) : parts_(std::move(parts)) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> start() {
    store::DocumentQuery query;
    query.kind = job_kind;
    const auto documents = parts_.store.documents(query);
    if (!documents) return documents.error();
    for (const store::Document& document : *documents) {
      auto job = std::make_unique<RepairJob>(RepairJob::of(document.key, document.value));
      if (job->state == "planned" || job->is_active()) {
        if (const auto loaded = load_runs(*job); !loaded) return loaded.error();
      }
      if (job->is_active()) {
        if (const auto counted = recount(*job); !counted) return counted.error();
      }
      const std::lock_guard lock(mutex_);
      jobs_[document.key] = std::move(job);
    }
    thread_ = std::thread([this] { work(); });
    return {};
  }

  void run_ended(const store::RunRow& run) {
    if (!run.started_by.starts_with(RepairJob::tag_prefix)) return;
    const std::string_view rest = std::string_view(run.started_by).substr(RepairJob::tag_prefix.size());
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(std::string(rest.substr(0, rest.find(':'))));
    if (found == jobs_.end()) return;
    RepairJob& job = *found->second;
    const bool well = run.status == store::RunStatus::succeeded;
    if (job.pending.erase(run.name) > 0) {
      ++(well ? job.succeeded : job.failed);
    } else {
      job.ended_early.emplace(run.name, well);
    }
    if (job.pending.empty()) wake_.notify_all();
  }

  Result<Value> plan(const Selection& selection, const Options& options, std::string_view by) {
    if (options.rate_per_second < 1 || options.rate_per_second > 10'000)
      return make_error("InvalidRequestContent", "'ratePerSecond' must be 1 to 10000.");
    if (options.stop_percent < 0 || options.stop_percent > 100)
      return make_error("InvalidRequestContent", "'stopPercent' must be 0 to 100.");
    auto rows = select(selection);
    if (!rows) return rows.error();
    if (rows->empty() && selection.filter)
      return make_error("NothingToRepair", "No failed run matches the filter that was not repeated already.", {},
                        "Look at the runs with the same filter, and choose another one.");
    if (rows->empty())
      return make_error("NothingToRepair",
                        "No failed run is left to be repeated: all were repeated and went well, or "
                        "are running again, or were removed.");
    if (rows->size() > runs_max)
      return make_error("RepairTooLarge", "More than 100000 runs would be repeated.", {},
                        "Choose fewer runs at a time.");
    std::sort(rows->begin(), rows->end(),
              [](const store::RunRow& a, const store::RunRow& b) { return a.number < b.number; });
    auto job = std::make_unique<RepairJob>();
    Random random(static_cast<std::uint64_t>(now_from_system_clock().ticks) ^
                  static_cast<std::uint64_t>(rows->front().number) << 20);
    job->id = make_guid(random);
    job->by = by;
    job->incident = selection.incident;
    job->options = options;
    job->created = now_from_system_clock();
    if (options.with_parents) {
      if (!options.correction.is_empty())
        return make_error("InvalidRequestContent",
                          "A correction is of the runs themselves: the runs that called them can't go on with it.",
                          "/withParents", "Leave 'withParents' away, or repeat one run with its corrections.");
      job->options.keep_done = true;
      if (auto taken = take_parents(*job, *rows); !taken) return taken.error();
    }
    if (auto known = leave_out_deleted(*job, *rows); !known) return known.error();
    job->total = rows->size();
    for (const store::RunRow& row : *rows) job->runs.push_back(row.number);
    if (auto checked = check_correction(*job); !checked) return checked.error();
    job->version = version_of(*job);
    json::ArrayBuilder steps;
    for (const PlannedStep& step :
         plan_steps(*rows, parts_.store, parts_.sealer, parts_.runtime.flows(), parts_.registry, plan_looked_at_max)) {
      steps.push(Value::object({{"flow", Value(step.flow)},
                                {"flowDisplayName", Value(step.flow_display_name)},
                                {"action", Value(step.action)},
                                {"type", Value(step.type)},
                                {"writes", Value(step.writes)},
                                {"doneBefore", Value(step.done)},
                                {"notDoneBefore", Value(step.again)}}));
    }
    job->steps = steps.finish();
    if (const auto stored = save_whole(*job); !stored) return stored.error();
    json::ObjectBuilder view(job->view(true));
    // Not kept with the job: it holds recorded values, which go when their runs do.
    if (const auto preview = preview_of(*job, *rows); !preview.is_null()) view.add("correctionPreview", preview);
    const std::lock_guard lock(mutex_);
    jobs_[job->id] = std::move(job);
    return view.finish();
  }

  Result<Value> execute(std::string_view id, std::string_view version, std::string_view by) {
    return with_job(id, [&](RepairJob& job) -> Result<void> {
      if (job.state != "planned") return conflict(id, job.state, "carried out again");
      std::map<std::string, std::string> now;
      for (const auto& [flow, planned] : job.flows) {
        const auto row = parts_.store.flow(flow);
        if (!row) return row.error();
        now[flow] = *row ? (*row)->version : std::string();
      }
      if (version != job.version || now != job.flows)
        return make_error("RepairPlanStale", "A flow was changed since this plan was made.", {},
                          "Make the plan again and look at what it would do now.");
      job.state = "running";
      job.executed_by = by;
      job.started_at = now_from_system_clock();
      return {};
    });
  }

  Result<Value> set_state(std::string_view id, std::string_view from, std::string_view to, std::string_view wish) {
    return with_job(id, [&](RepairJob& job) -> Result<void> {
      const bool fits = from == "active" ? job.is_active() || job.state == "planned" : job.state == from;
      if (!fits) return conflict(id, job.state, wish);
      job.state = to;
      if (to == "cancelled") job.ended_at = now_from_system_clock();
      return {};
    });
  }

  Result<Value> find(std::string_view id) const {
    Value view;
    {
      const std::lock_guard lock(mutex_);
      const auto found = jobs_.find(std::string(id));
      if (found == jobs_.end()) return not_found(id);
      view = found->second->view(true);
    }
    return with_verdict(std::move(view));
  }

  Value list(std::string_view incident) const {
    std::vector<std::pair<Timestamp, Value>> found;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, job] : jobs_) {
        if (incident.empty() || job->incident == incident) found.emplace_back(job->created, job->view(false));
      }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return b.first < a.first; });
    json::ArrayBuilder out;
    for (auto& [time, view] : found) out.push(with_verdict(std::move(view)));
    return out.finish();
  }

 private:
  /// Whether the incident that the job was for is fixed, once the job is over. Without `mutex_`: incidents have their
  /// own.
  Value with_verdict(Value view) const {
    const auto state = view.text_of("state");
    const auto incident = view.text_of("incident");
    if (incident.empty() || (state != "done" && state != "stopped" && state != "cancelled")) return view;
    const auto found = parts_.incidents.find(incident);
    if (!found) return view;  // merged into another one
    json::ObjectBuilder out(view);
    out.add("verdict", Value(found->state == IncidentState::fixed ? "fixed" : "notFixed"));
    return out.finish();
  }

  static Error not_found(std::string_view id) {
    return make_error("RepairJobNotFound", "There is no repair job '" + std::string(id) + "'.");
  }

  /// The runs, the flows and their versions: what a plan was made for.
  static std::string version_of(const RepairJob& job) {
    std::string text;
    for (const auto run : job.runs) text += std::to_string(run) + ",";
    for (const auto& [flow, version] : job.flows) text += flow + "=" + version + ";";
    return incident_id(text);
  }

  /// Notes the version of each flow. Runs of a flow that was deleted can't be repeated: they are taken out and told.
  Result<void> leave_out_deleted(RepairJob& job, std::vector<store::RunRow>& rows) const {
    std::map<std::string, std::size_t> deleted;
    for (const store::RunRow& row : rows) {
      if (job.flows.contains(row.flow) || deleted.contains(row.flow)) continue;
      const auto flow = parts_.store.flow(row.flow);
      if (!flow) return flow.error();
      if (*flow) {
        job.flows[row.flow] = (*flow)->version;
      } else {
        deleted[row.flow] = 0;
      }
    }
    std::erase_if(rows, [&](const store::RunRow& row) {
      const auto gone = deleted.find(row.flow);
      if (gone != deleted.end()) ++gone->second;
      return gone != deleted.end();
    });
    if (rows.empty())
      return make_error("FlowNotFound", "The flow of these runs was deleted: they can't be repeated.", {},
                        "Make the flow again and start it anew, or mark the incident as fixed.");
    for (const auto& [flow, count] : deleted) {
      job.left_out += count;
      if (job.refusals.size() < refusals_kept)
        job.refusals.push_back(std::to_string(count) + " runs of flow '" + flow + "', which was deleted");
    }
    return {};
  }

  /// Puts the runs that had called them in their place; several of one stand for it once.
  Result<void> take_parents(RepairJob& job, std::vector<store::RunRow>& rows) const {
    std::map<store::RunNumber, store::RunRow> out;
    for (const store::RunRow& row : rows) {
      if (!runtime::may_have_parent(row)) {
        out.emplace(row.number, row);
        continue;
      }
      const auto above = runtime::with_parents({parts_.store, parts_.sealer, parts_.runtime.flows()}, row.name, {});
      if (!above && (above.error().code == "NoParentRun" || above.error().code == "WorkflowRunNotFound")) {
        out.emplace(row.number, row);
        continue;
      }
      if (!above && above.error().code == "WorkflowTriggerHistoryCannotBeResubmitted") {
        ++job.left_out;
        if (job.refusals.size() < refusals_kept) job.refusals.push_back(above.error().message);
        continue;
      }
      if (!above) return above.error();
      const auto parent = parts_.store.run(above->run);
      if (!parent) return parent.error();
      if (*parent && out.emplace((*parent)->number, **parent).second) ++job.parents;
    }
    rows.clear();
    for (auto& [number, row] : out) rows.push_back(std::move(row));
    if (rows.empty())
      return make_error("NothingToRepair", "The runs that called these are not over yet.", {},
                        "Wait for their end, or repeat the called runs alone.");
    return {};
  }

  /// A correction that one of the flows can't take is refused before anything is started.
  Result<void> check_correction(const RepairJob& job) const {
    if (job.options.correction.is_empty()) return {};
    for (const auto& [id, flow_version] : job.flows) {
      const auto live = parts_.runtime.flows().find(id);
      if (!live) return live.error();
      if (!(*live)->flow) continue;  // refused run by run, with the reason
      if (auto fits = runtime::check_correction(job.options.correction, *(*live)->flow); !fits) return fits.error();
    }
    return {};
  }

  /// What corrected steps would be done with in the first of the runs; null when no input is corrected.
  Value preview_of(const RepairJob& job, const std::vector<store::RunRow>& rows) const {
    using Kind = runtime::StepCorrection::Kind;
    const auto& correction = job.options.correction;
    if (std::ranges::none_of(correction.steps, [](const auto& step) {
          return step.kind == Kind::input || step.kind == Kind::expressions;
        }))
      return {};
    PreviewSummary summary;
    for (std::size_t i = 0; i < std::min(rows.size(), plan_looked_at_max); ++i) {
      const store::RunRow& row = rows[i];
      const auto before = parts_.runtime.flows().version(row.flow, row.version, row.trigger);
      const auto live = parts_.runtime.flows().find(row.flow);
      const auto events = runtime::read_events(parts_.store, parts_.sealer, row.number);
      if (!before || !live || !events || !(*live)->flow) {
        summary.add_unreadable();
        continue;
      }
      const bool latest = job.options.definition == runtime::DefinitionChoice::latest;
      const auto& now = latest ? *(*live)->flow : **before;
      summary.add(row.name, row.flow, preview(correction, *before, now, *events));
    }
    return summary.value();
  }

  Result<std::vector<store::RunRow>> select(const Selection& selection) const {
    const int said =
        (selection.incident.empty() ? 0 : 1) + (selection.runs.empty() ? 0 : 1) + (selection.filter ? 1 : 0);
    if (said != 1)
      return make_error("InvalidRequestContent", "Which runs are to be repeated is not said, or said twice.", {},
                        "Give one of 'incident', 'runs' (a list that is not empty) and 'filter'.");
    if (selection.filter) return failed_runs(parts_.store, parts_.search, *selection.filter, runs_max);
    if (!selection.incident.empty()) {
      const auto incident = parts_.incidents.find(selection.incident);
      if (!incident) return make_error("IncidentNotFound", "There is no incident '" + selection.incident + "'.");
      return parts_.incidents.broken_runs(*incident, runs_max + 1);
    }
    if (selection.runs.size() > runs_max) return make_error("RepairTooLarge", "More than 100000 runs were named.");
    std::vector<store::RunRow> rows;
    std::set<store::RunNumber> seen;
    for (const std::string& name : selection.runs) {
      const auto row = parts_.store.run(name);
      if (!row) return row.error();
      if (!*row)
        return make_error("WorkflowRunNotFound", "There is no run '" + name + "'.", {},
                          "Check the run's name; it may have been removed by retention.");
      if (!store::is_over((*row)->status))
        return make_error("WorkflowRunNotCompleted", "Run '" + name + "' is still running.", {},
                          "Wait for its end, or cancel it.");
      if (seen.insert((*row)->number).second) rows.push_back(**row);
    }
    return rows;
  }

  template <class Change>
  Result<Value> with_job(std::string_view id, Change change) {
    std::unique_lock lock(mutex_);
    const auto found = jobs_.find(std::string(id));
    if (found == jobs_.end()) return not_found(id);
    RepairJob& job = *found->second;
    const RepairJob before_state = state_only(job);
    if (const auto changed = change(job); !changed) return changed.error();
    const Value document = job.document();
    const Value view = job.view(true);
    lock.unlock();
    if (const auto stored = parts_.store.put_document(job_kind, id, document); !stored) {
      lock.lock();
      job.state = before_state.state;
      return stored.error();
    }
    wake_.notify_all();
    tell(std::string(id));
    return view;
  }

  static RepairJob state_only(const RepairJob& job) {
    RepairJob copy;
    copy.state = job.state;
    return copy;
  }

  void tell(const std::string& id) {
    if (parts_.on_change) parts_.on_change(id);
  }

  Result<void> save_whole(const RepairJob& job) {
    std::vector<std::string> dropped;
    {
      const std::lock_guard lock(mutex_);
      std::vector<std::pair<Timestamp, std::string>> idle;
      for (const auto& [id, other] : jobs_) {
        if (!other->is_active()) idle.emplace_back(other->created, id);
      }
      std::sort(idle.begin(), idle.end());
      for (std::size_t i = 0; jobs_.size() - dropped.size() >= jobs_kept && i < idle.size(); ++i)
        dropped.push_back(idle[i].second);
      for (const std::string& id : dropped) jobs_.erase(id);
    }
    return parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
      for (const std::string& id : dropped) {
        store::DocumentQuery old;
        old.kind = runs_kind;
        old.prefix = id + "/";
        for (const store::Document& document : transaction.documents(old)) {
          if (auto erased = transaction.erase_document(runs_kind, document.key); !erased) return erased.error();
        }
        if (auto erased = transaction.erase_document(job_kind, id); !erased) return erased.error();
      }
      for (std::size_t at = 0; at < job.runs.size(); at += runs_per_document) {
        json::ArrayBuilder numbers;
        for (std::size_t i = at; i < std::min(job.runs.size(), at + runs_per_document); ++i)
          numbers.push(Value(job.runs[i]));
        const auto put =
            transaction.put_document(runs_kind, chunk_key(job.id, at / runs_per_document), numbers.finish());
        if (!put) return put.error();
      }
      const auto put = transaction.put_document(job_kind, job.id, job.document());
      if (!put) return put.error();
      return {};
    });
  }

  Result<void> load_runs(RepairJob& job) {
    store::DocumentQuery query;
    query.kind = runs_kind;
    query.prefix = job.id + "/";
    const auto documents = parts_.store.documents(query);
    if (!documents) return documents.error();
    for (const store::Document& document : *documents) {
      if (!document.value.is_array()) continue;
      for (const Value& number : document.value.as_array()) {
        if (number.is_integer()) job.runs.push_back(number.as_integer());
      }
    }
    job.total = job.runs.size();
    job.cursor = std::min(job.cursor, job.total);
    return {};
  }

  /// What the runs before the cursor came to, read from the new runs: the stored figures may be half a second old.
  Result<void> recount(RepairJob& job) {
    job.started = job.succeeded = job.failed = 0;
    for (std::size_t i = 0; i < job.cursor; ++i) {
      const auto row = parts_.store.run(job.runs[i]);
      if (!row) return row.error();
      if (!*row) continue;
      const auto mine = repetition_of(job.tag(), (*row)->name);
      if (!mine) return mine.error();
      if (*mine) note_started(job, **mine);
    }
    return {};
  }

  /// The repetition that this job started, when there is one.
  Result<std::optional<store::RunRow>> repetition_of(const std::string& tag, const std::string& run) const {
    const auto repeats = parts_.store.resubmits_of(run);
    if (!repeats) return repeats.error();
    for (const store::RunRow& repeat : *repeats) {
      if (repeat.started_by == tag) return std::optional<store::RunRow>(repeat);
    }
    return std::optional<store::RunRow>();
  }

  static void note_started(RepairJob& job, const store::RunRow& repeat) {
    ++job.started;
    if (!store::is_over(repeat.status)) {
      if (const auto early = job.ended_early.find(repeat.name); early != job.ended_early.end()) {
        ++(early->second ? job.succeeded : job.failed);
        job.ended_early.erase(early);
      } else {
        job.pending.insert(repeat.name);
      }
      return;
    }
    job.ended_early.erase(repeat.name);
    ++(repeat.status == store::RunStatus::succeeded ? job.succeeded : job.failed);
  }

  struct Outcome {
    std::optional<store::RunRow> repeat;
    std::string refusal;
    bool again = false;  ///< the store or the runtime can't just now
  };

  /// Repeats these runs together, each unless it is settled. One outcome for each, in order.
  std::vector<Outcome> resubmit(const std::string& tag, const runtime::Resubmission& how,
                                const std::vector<store::RunNumber>& numbers) {
    std::vector<Outcome> outcomes(numbers.size());
    std::vector<std::string> names;
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto name = to_repeat(tag, numbers[i], outcomes[i]);
      if (!name) continue;
      names.push_back(*name);
      at.push_back(i);
    }
    const auto all_started = parts_.runtime.resubmit_together(names, how, tag);
    for (std::size_t i = 0; i < all_started.size(); ++i) {
      const auto& started = all_started[i];
      Outcome& outcome = outcomes[at[i]];
      if (!started) {
        const std::string& code = started.error().code;
        // One whose outcome is not known is found by its tag once the disk works again.
        outcome.again = code == "StorageUnavailable" || code == "StorageOutcomeUnknown" || code == "ServerStopping";
        if (!outcome.again) outcome.refusal = names[i] + ": " + started.error().message;
        continue;
      }
      outcome.repeat.emplace();
      outcome.repeat->name = started->run;
      outcome.repeat->status = store::RunStatus::running;
    }
    return outcomes;
  }

  /// The run's name, when it is to be repeated; otherwise `outcome` says why not.
  std::optional<std::string> to_repeat(const std::string& tag, store::RunNumber number, Outcome& outcome) const {
    const auto row = parts_.store.run(number);
    if (row && !*row) {
      outcome.refusal = "a run was removed by retention";
      return std::nullopt;
    }
    const auto repeats =
        row ? parts_.store.resubmits_of((*row)->name) : Result<std::vector<store::RunRow>>(row.error());
    if (!repeats) {
      outcome.again = true;
      return std::nullopt;
    }
    for (const store::RunRow& repeat : *repeats) {
      if (repeat.started_by != tag) continue;
      outcome.repeat = repeat;  // started before a crash
      return std::nullopt;
    }
    if (!repeats->empty()) {
      const auto settled = is_settled((*row)->name, 0);
      if (!settled) outcome.again = true;
      if (!settled || *settled) return std::nullopt;
    }
    return (*row)->name;
  }

  /// True when a repetition of the run, or one of that, went well or is under way.
  Result<bool> is_settled(const std::string& run, int depth) const {
    constexpr int depth_max = 20;  // people who repeat a repetition that often are asked to look
    if (depth >= depth_max) return false;
    const auto repeats = parts_.store.resubmits_of(run);
    if (!repeats) return repeats.error();
    for (const store::RunRow& repeat : *repeats) {
      if (repeat.status == store::RunStatus::succeeded || !store::is_over(repeat.status)) return true;
      const auto further = is_settled(repeat.name, depth + 1);
      if (!further || *further) return further;
    }
    return false;
  }

  RepairJob* next_running() {
    RepairJob* oldest = nullptr;
    for (auto& [id, job] : jobs_) {
      if (job->state == "running" && (oldest == nullptr || job->started_at < oldest->started_at)) oldest = job.get();
    }
    return oldest;
  }

  void work() {
    name_thread("fm-repair");
    std::unique_lock lock(mutex_);
    auto next_start = Clock::now();
    auto saved = Clock::now();
    while (!stopping_) {
      RepairJob* job = next_running();
      if (job == nullptr) {
        wake_.wait(lock, [&] { return stopping_ || next_running() != nullptr; });
        continue;
      }
      if (job->cursor < job->stage_end()) {
        if (Clock::now() < next_start) {
          wake_.wait_until(lock, next_start);
          continue;
        }
        const auto between = std::chrono::nanoseconds(1'000'000'000 / job->options.rate_per_second);
        // As many together as are due. Where a commit takes longer than that, they share it.
        const std::size_t left = std::min(together_max, job->stage_end() - job->cursor);
        std::size_t due = 1;
        while (due < left && next_start + due * between <= Clock::now()) ++due;
        next_start = std::max(next_start, Clock::now() - std::chrono::milliseconds(100)) + due * between;
        const auto first = job->runs.begin() + static_cast<std::ptrdiff_t>(job->cursor);
        const std::vector<store::RunNumber> numbers(first, first + static_cast<std::ptrdiff_t>(due));
        const auto tag = job->tag();
        runtime::Resubmission how(job->options.definition, job->options.keep_done);
        how.correction = job->options.correction;
        how.signer = job->executed_by;
        lock.unlock();
        const auto outcomes = resubmit(tag, how, numbers);
        lock.lock();
        bool again = false;
        for (const Outcome& outcome : outcomes) {
          // What was started behind one that could not be is found by its tag when its turn comes.
          again = outcome.again;
          if (again) break;
          ++job->cursor;
          if (outcome.repeat) {
            note_started(*job, *outcome.repeat);
            continue;
          }
          ++job->left_out;
          if (!outcome.refusal.empty() && job->refusals.size() < refusals_kept)
            job->refusals.push_back(outcome.refusal);
        }
        if (again) {
          wake_.wait_for(lock, std::chrono::seconds(1));
          continue;
        }
      } else if (!job->pending.empty()) {
        if (wake_.wait_for(lock, looked_again_after) == std::cv_status::timeout) look_again(lock, job->id);
      } else {
        if (job->cursor >= job->total && !job->incident.empty()) {
          // Whoever sees that the job is over sees the incident's verdict too.
          lock.unlock();
          parts_.incidents.drain(verdict_waited_for);
          lock.lock();
          if (stopping_ || job->state != "running") continue;
        }
        judge(*job);
        save(lock, *job);
        saved = Clock::now();
        continue;
      }
      if (Clock::now() - saved >= saved_every) {
        save(lock, *job);
        saved = Clock::now();
      }
    }
  }

  /// Runs whose end was not heard of (told while this job was being read from the store).
  void look_again(std::unique_lock<std::mutex>& lock, const std::string& id) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;
    std::vector<std::string> names(found->second->pending.begin(), found->second->pending.end());
    if (names.size() > 1000) names.resize(1000);
    lock.unlock();
    std::vector<std::pair<std::string, bool>> ended;
    for (const std::string& name : names) {
      const auto row = parts_.store.run(name);
      if (row && *row && store::is_over((*row)->status))
        ended.emplace_back(name, (*row)->status == store::RunStatus::succeeded);
    }
    lock.lock();
    const auto still = jobs_.find(id);
    if (still == jobs_.end()) return;
    for (const auto& [name, well] : ended) {
      if (still->second->pending.erase(name) > 0) ++(well ? still->second->succeeded : still->second->failed);
    }
  }

  /// A stage is over: go on, stop, or be done.
  static void judge(RepairJob& job) {
    job.judged(job.stage_end());
    const auto over = job.succeeded + job.failed;
    if (over > 0 && job.failed * 100 > over * job.options.stop_percent) {
      job.state = "stopped";
      job.reason = std::to_string(job.failed) + " of " + std::to_string(over) +
                   " repeated runs failed again. The rest was not started.";
      if (job.cursor >= job.total)
        job.reason = std::to_string(job.failed) + " of " + std::to_string(over) + " repeated runs failed again.";
      job.ended_at = now_from_system_clock();
    } else if (job.cursor >= job.total) {
      job.state = "done";
      job.ended_at = now_from_system_clock();
    }
  }

  void save(std::unique_lock<std::mutex>& lock, const RepairJob& job) {
    const std::string id = job.id;
    std::string state;
    // Somebody may pause or cancel the job while its figures are written: what is stored last must say so, or a crash
    // would let it go on.
    while (state != job.state) {
      state = job.state;
      const Value document = job.document();
      lock.unlock();
      // A store that refuses is told by the store; the figures are recounted from the runs after a crash.
      static_cast<void>(parts_.store.put_document(job_kind, id, document));
      lock.lock();
    }
    lock.unlock();
    tell(id);
    lock.lock();
  }

  Parts parts_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable wake_;
  std::map<std::string, std::unique_ptr<RepairJob>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

Bulk::Bulk(Parts parts) : worker_(std::make_unique<Worker>(std::move(parts))) {}
Bulk::~Bulk() = default;
Result<void> Bulk::start() { return worker_->start(); }
void Bulk::run_ended(const store::RunRow& run) { worker_->run_ended(run); }
Result<Value> Bulk::plan(const Selection& selection, const Options& options, std::string_view by) {
  return worker_->plan(selection, options, by);
}
Result<Value> Bulk::execute(std::string_view job, std::string_view version, std::string_view by) {
  return worker_->execute(job, version, by);
}
Result<Value> Bulk::pause(std::string_view job) { return worker_->set_state(job, "running", "paused", "paused"); }
Result<Value> Bulk::resume(std::string_view job) { return worker_->set_state(job, "paused", "running", "resumed"); }
Result<Value> Bulk::cancel(std::string_view job) { return worker_->set_state(job, "active", "cancelled", "cancelled"); }
Result<Value> Bulk::find(std::string_view job) const { return worker_->find(job); }
Value Bulk::list(std::string_view incident) const { return worker_->list(incident); }

}  // namespace flowmend::repair
