#include "repair/repair_job.h"

#include <algorithm>

namespace flowmend::repair {
namespace {

std::int64_t integer_of(const Value& object, std::string_view name) {
  const Value* value = object.find(name);
  return value != nullptr && value->is_integer() ? value->as_integer() : 0;
}

}  // namespace

std::size_t RepairJob::stage_end() const {
  if (!options.canary || total <= 1) return total;
  const std::size_t second = std::max<std::size_t>(5, total / 20);
  for (const std::size_t end : {std::size_t{1}, std::min(second, total), total}) {
    if (cursor < end || (cursor == end && !stages_judged.contains(end))) return end;
  }
  return total;
}

Value RepairJob::view(bool whole) const {
  json::ObjectBuilder out;
  out.add("id", Value(id));
  out.add("state", Value(state));
  out.add("version", Value(version));
  out.add("by", Value(by));
  out.add("createdTime", Value(to_string(created)));
  if (started_at.is_set()) out.add("startTime", Value(to_string(started_at)));
  if (ended_at.is_set()) out.add("endTime", Value(to_string(ended_at)));
  if (!incident.empty()) out.add("incident", Value(incident));
  if (!reason.empty()) out.add("reason", Value(reason));
  out.add("runs", Value(static_cast<std::int64_t>(total)));
  out.add("looked", Value(static_cast<std::int64_t>(cursor)));
  out.add("started", Value(started));
  out.add("succeeded", Value(succeeded));
  out.add("failed", Value(failed));
  out.add("leftOut", Value(static_cast<std::int64_t>(left_out)));
  if (parents > 0) out.add("parents", Value(static_cast<std::int64_t>(parents)));
  json::ArrayBuilder refused;
  for (const std::string& one : refusals) refused.push(Value(one));
  out.add("refusals", refused.finish());
  out.add(
      "options",
      Value::object({{"ratePerSecond", Value(options.rate_per_second)},
                     {"canary", Value(options.canary)},
                     {"stopPercent", Value(options.stop_percent)},
                     {"keepDone", Value(options.keep_done)},
                     {"withParents", Value(options.with_parents)},
                     {"definition", options.definition == runtime::DefinitionChoice::latest ? "latest" : "original"}}));
  if (!options.correction.is_empty())
    out.add("correction", runtime::correction_record(options.correction, executed_by.empty() ? by : executed_by));
  if (whole) out.add("steps", steps);
  if (whole) {
    json::ArrayBuilder ids;
    for (const auto& [flow, flow_version] : flows) ids.push(Value(flow));
    out.add("flowIds", ids.finish());
  }
  return out.finish();
}

Value RepairJob::document() const {
  json::ObjectBuilder out(view(true));
  out.add("executedBy", Value(executed_by));
  json::ObjectBuilder versions;
  for (const auto& [flow, flow_version] : flows) versions.add(flow, Value(flow_version));
  out.add("flows", versions.finish());
  json::ArrayBuilder stages;
  for (const std::size_t end : stages_judged) stages.push(Value(static_cast<std::int64_t>(end)));
  out.add("stagesJudged", stages.finish());
  return out.finish();
}

RepairJob RepairJob::of(const std::string& id, const Value& value) {
  RepairJob job;
  job.id = id;
  job.state = value.text_of("state");
  job.by = value.text_of("by");
  job.executed_by = value.text_of("executedBy");
  job.incident = value.text_of("incident");
  job.reason = value.text_of("reason");
  job.version = value.text_of("version");
  job.created = parse_timestamp(value.text_of("createdTime")).value_or(Timestamp());
  job.started_at = parse_timestamp(value.text_of("startTime")).value_or(Timestamp());
  job.ended_at = parse_timestamp(value.text_of("endTime")).value_or(Timestamp());
  job.total = static_cast<std::size_t>(integer_of(value, "runs"));
  job.cursor = static_cast<std::size_t>(integer_of(value, "looked"));
  job.started = integer_of(value, "started");
  job.succeeded = integer_of(value, "succeeded");
  job.failed = integer_of(value, "failed");
  job.left_out = static_cast<std::size_t>(integer_of(value, "leftOut"));
  job.parents = static_cast<std::size_t>(integer_of(value, "parents"));
  if (const Value* refused = value.find("refusals"); refused != nullptr && refused->is_array()) {
    for (const Value& one : refused->as_array()) job.refusals.emplace_back(one.is_string() ? one.as_string() : "");
  }
  if (const Value* options = value.find("options")) {
    job.options.rate_per_second = static_cast<int>(integer_of(*options, "ratePerSecond"));
    job.options.stop_percent = static_cast<int>(integer_of(*options, "stopPercent"));
    job.options.canary = options->find("canary") != nullptr && *options->find("canary") == Value(true);
    job.options.keep_done = options->find("keepDone") != nullptr && *options->find("keepDone") == Value(true);
    job.options.with_parents = options->find("withParents") != nullptr && *options->find("withParents") == Value(true);
    job.options.definition = options->text_of("definition") == "original" ? runtime::DefinitionChoice::original
                                                                          : runtime::DefinitionChoice::latest;
  }
  if (const Value* correction = value.find("correction")) {
    if (auto read = runtime::read_correction(*correction)) job.options.correction = std::move(*read);
  }
  if (const Value* steps = value.find("steps")) job.steps = *steps;
  if (const Value* flows = value.find("flows"); flows != nullptr && flows->is_object()) {
    for (const json::Member& flow : flows->as_object())
      job.flows[std::string(flow.name())] = flow.value.is_string() ? flow.value.as_string() : "";
  }
  if (const Value* stages = value.find("stagesJudged"); stages != nullptr && stages->is_array()) {
    for (const Value& end : stages->as_array()) {
      if (end.is_integer()) job.stages_judged.insert(static_cast<std::size_t>(end.as_integer()));
    }
  }
  return job;
}

}  // namespace flowmend::repair
