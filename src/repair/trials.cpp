#include "repair/trials.h"

#include <algorithm>
#include <map>

namespace flowmend::repair {

namespace {

constexpr std::size_t listed_max = 100;
constexpr std::string_view hidden = "*sanitized*";

bool went_well(const store::RunRow& run) { return run.status == store::RunStatus::succeeded; }

struct Count {
  std::int64_t tried = 0;
  std::int64_t passes = 0;
  std::int64_t changes = 0;
  std::int64_t fails = 0;
  std::int64_t unknown = 0;

  void add(TrialRun::Verdict verdict) {
    ++tried;
    switch (verdict) {
      case TrialRun::Verdict::passes: ++passes; break;
      case TrialRun::Verdict::changes: ++changes; break;
      case TrialRun::Verdict::fails: ++fails; break;
      case TrialRun::Verdict::unknown: ++unknown; break;
    }
  }
};

std::string number(std::int64_t count) { return std::to_string(count); }

/// "46 of 50 failed runs would pass, 3 fail, 1 is unknown; no good run changes."
std::string sentence(const Count& failed, const Count& good) {
  std::string text;
  if (failed.tried > 0) {
    text = number(failed.passes) + " of " + number(failed.tried) +
           (failed.tried == 1 ? " failed run" : " failed runs") + " would pass the step that failed";
    if (failed.fails > 0) text += ", " + number(failed.fails) + (failed.fails == 1 ? " fails" : " fail");
    if (failed.unknown > 0)
      text += ", " + number(failed.unknown) + (failed.unknown == 1 ? " is unknown" : " are unknown");
  }
  if (good.tried > 0) {
    if (!text.empty()) text += "; ";
    const std::int64_t other = good.changes + good.fails + good.unknown;
    if (other == 0) {
      text += "none of " + number(good.tried) + " good runs changes";
    } else {
      text += "of " + number(good.tried) + " good runs ";
      std::string parts;
      const auto say = [&](std::int64_t count, std::string_view what) {
        if (count > 0) parts += (parts.empty() ? "" : ", ") + number(count) + std::string(what);
      };
      say(good.changes, good.changes == 1 ? " changes" : " change");
      say(good.fails, good.fails == 1 ? " fails" : " fail");
      say(good.unknown, good.unknown == 1 ? " is unknown" : " are unknown");
      text += parts;
    }
  }
  return text + ".";
}

/// Values that the flow keeps secret are not shown.
Value differences_view(const TrialRun& run, const definition::Flow& original, const definition::Flow& edited) {
  json::ArrayBuilder list;
  for (const Difference& one : run.differences) {
    const auto secret = [&](const definition::Flow& flow) {
      const auto* action = flow.find_action(one.action);
      return action != nullptr && (action->settings.secure_inputs || action->settings.secure_outputs);
    };
    const bool hide = secret(original) || secret(edited);
    json::ObjectBuilder out;
    out.add("action", Value(one.action));
    if (!one.repetition.empty()) out.add("repetition", Value(one.repetition));
    out.add("pointer", Value(one.pointer));
    out.add("before", hide && !one.before.is_null() ? Value(hidden) : one.before);
    out.add("after", hide && !one.after.is_null() ? Value(hidden) : one.after);
    list.push(out.finish());
  }
  return list.finish();
}

Value count_view(const Count& count, bool good) {
  json::ObjectBuilder out;
  out.add("tried", Value(count.tried));
  out.add(good ? "same" : "passes", Value(count.passes));
  if (good) out.add("changes", Value(count.changes));
  out.add("fails", Value(count.fails));
  out.add("unknown", Value(count.unknown));
  return out.finish();
}

}  // namespace

Result<std::vector<store::RunRow>> Trials::chosen(const Request& request) const {
  std::vector<store::RunRow> rows;
  if (!request.runs.empty()) {
    for (const std::string& name : request.runs) {
      if (rows.size() >= runs_max) break;
      auto row = parts_.store.run(name);
      if (!row) return row.error();
      if (*row && (*row)->flow == request.flow && store::is_over((*row)->status)) rows.push_back(std::move(**row));
    }
    return rows;
  }
  if (!request.incident.empty()) {
    const auto incident = parts_.incidents.find(request.incident);
    if (!incident) return make_error("IncidentNotFound", "There is no incident '" + request.incident + "'.");
    auto broken = parts_.incidents.broken_runs(*incident, runs_max);
    if (!broken) return broken.error();
    for (auto& row : *broken) {
      if (row.flow == request.flow && rows.size() < request.failed_max) rows.push_back(std::move(row));
    }
  } else if (request.failed_max > 0) {
    store::RunQuery failed;
    failed.flow = request.flow;
    failed.status = store::RunStatus::failed;
    failed.limit = std::min(request.failed_max, runs_max);
    auto found = parts_.store.runs(failed);
    if (!found) return found.error();
    rows = std::move(*found);
  }
  if (request.good_max == 0) return rows;
  store::RunQuery good;
  good.flow = request.flow;
  good.status = store::RunStatus::succeeded;
  good.limit = std::min(request.good_max, runs_max);
  const auto found = parts_.store.runs(good);
  if (!found) return found.error();
  rows.insert(rows.end(), found->begin(), found->end());
  return rows;
}

Result<Value> Trials::run(const Request& request) const {
  auto compiled = parts_.flows.compile_draft(request.flow, request.definition, request.connection_references);
  if (!compiled) return compiled.error();
  if (!compiled->flow) {
    for (const Diagnostic& finding : compiled->diagnostics) {
      if (finding.severity == Severity::error)
        return make_error("InvalidDefinition", finding.message, finding.pointer, finding.cure);
    }
  }
  const auto rows = chosen(request);
  if (!rows) return rows.error();
  if (rows->empty()) {
    return make_error("InvalidTrial", "The flow has no recorded run to try the definition on.", {},
                      "Run the flow once, or save the definition without a trial.");
  }
  Count failed;
  Count good;
  std::map<std::tuple<std::string, std::string, std::string>, std::int64_t> reasons;
  std::vector<std::pair<bool, Value>> listed;  // says something, view
  for (const store::RunRow& row : *rows) {
    const auto original = parts_.flows.version(row.flow, row.version, row.trigger);
    const auto events = runtime::read_events(parts_.store, parts_.sealer, row.number);
    TrialRun tried;
    tried.run = row.name;
    if (!original || !events) {
      tried.verdict = TrialRun::Verdict::unknown;
      tried.message = !original ? original.error().message : events.error().message;
    } else {
      tried = try_run(**original, definition::with_trigger_or_first(compiled->flow, row.trigger), *events,
                      &parts_.registry);
    }
    (went_well(row) ? good : failed).add(tried.verdict);
    if (tried.verdict != TrialRun::Verdict::passes) {
      constexpr std::size_t message_bytes_max = 300;
      ++reasons[{verdict_name(tried.verdict), tried.action, tried.message.substr(0, message_bytes_max)}];
    }
    json::ObjectBuilder out;
    out.add("run", Value(row.name));
    out.add("was", Value(store::run_status_name(row.status)));
    out.add("verdict", Value(verdict_name(tried.verdict)));
    if (!tried.action.empty()) out.add("action", Value(tried.action));
    if (!tried.repetition.empty()) out.add("repetition", Value(tried.repetition));
    if (!tried.message.empty()) out.add("message", Value(tried.message));
    out.add("differences", original ? differences_view(tried, **original, *compiled->flow) : Value::empty_array());
    listed.emplace_back(tried.verdict != TrialRun::Verdict::passes, out.finish());
  }
  std::stable_sort(listed.begin(), listed.end(), [](const auto& a, const auto& b) { return a.first && !b.first; });
  json::ArrayBuilder runs;
  for (std::size_t i = 0; i < listed.size() && i < listed_max; ++i) runs.push(listed[i].second);
  json::ArrayBuilder why;
  for (const auto& [reason, count] : reasons) {
    why.push(Value::object({{"verdict", Value(std::get<0>(reason))},
                            {"action", Value(std::get<1>(reason))},
                            {"message", Value(std::get<2>(reason))},
                            {"count", Value(count)}}));
  }
  return Value::object({{"text", Value(sentence(failed, good))},
                        {"failed", count_view(failed, false)},
                        {"good", count_view(good, true)},
                        {"reasons", why.finish()},
                        {"runs", runs.finish()}});
}

}  // namespace flowmend::repair
