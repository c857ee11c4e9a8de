#include "repair/incident.h"

#include <algorithm>
#include <array>

#include "base/digits.h"

namespace flowmend::repair {
namespace {

constexpr std::int64_t hours_kept = 7 * 24;
constexpr Duration told_again_after = Duration::hours(1);

constexpr std::array<std::pair<IncidentState, std::string_view>, 5> states{{{IncidentState::fresh, "new"},
                                                                            {IncidentState::assigned, "assigned"},
                                                                            {IncidentState::muted, "muted"},
                                                                            {IncidentState::fixed, "fixed"},
                                                                            {IncidentState::back, "back"}}};

std::int64_t hour_of(Timestamp time) { return time.to_unix_milliseconds() / 3'600'000; }

Value connection_value(const IncidentPart& part) {
  if (!part.connection) return {};
  return Value::object({{"api", Value(part.connection->api)},
                        {"name", Value(part.connection->name)},
                        {"displayName", Value(part.connection_name)}});
}

void add_text(json::ObjectBuilder& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.add(name, Value(text));
}

void add_time(json::ObjectBuilder& out, std::string_view name, Timestamp time) {
  if (time.is_set()) out.add(name, Value(to_string(time)));
}

std::int64_t integer_of(const Value& object, std::string_view name) {
  const Value* value = object.find(name);
  return value != nullptr && value->is_integer() ? value->as_integer() : 0;
}

Timestamp time_of(const Value& object, std::string_view name) {
  return parse_timestamp(object.text_of(name)).value_or(Timestamp());
}

Value flows_value(const std::map<std::string, IncidentPart::FlowCount>& flows) {
  json::ArrayBuilder out;
  for (const auto& [id, flow] : flows) {
    out.push(
        Value::object({{"flow", Value(id)}, {"displayName", Value(flow.display_name)}, {"count", Value(flow.count)}}));
  }
  return out.finish();
}

Value hours_value(const std::map<std::int64_t, std::int64_t>& hours) {
  json::ArrayBuilder out;
  for (const auto& [hour, count] : hours) {
    out.push(Value::object(
        {{"time", Value(to_string(Timestamp::from_unix_milliseconds(hour * 3'600'000)))}, {"count", Value(count)}}));
  }
  return out.finish();
}

Value fixes_value(const std::vector<Fix>& fixes) {
  json::ArrayBuilder out;
  for (const Fix& fix : fixes) {
    json::ObjectBuilder one;
    add_time(one, "time", fix.time);
    add_text(one, "by", fix.by);
    add_text(one, "run", fix.run);
    add_text(one, "flow", fix.flow);
    add_text(one, "version", fix.version);
    out.push(one.finish());
  }
  return out.finish();
}

std::vector<Fix> fixes_of(const Value& holder) {
  std::vector<Fix> out;
  const Value* fixes = holder.find("fixes");
  if (fixes == nullptr || !fixes->is_array()) return out;
  for (const Value& fix : fixes->as_array()) {
    out.push_back({time_of(fix, "time"), std::string(fix.text_of("by")), std::string(fix.text_of("run")),
                   std::string(fix.text_of("flow")), std::string(fix.text_of("version"))});
  }
  return out;
}

void add_standing(json::ObjectBuilder& out, const Standing& standing) {
  out.add("state", Value(state_name(standing.state)));
  add_text(out, "assignee", standing.assignee);
  add_time(out, "mutedUntil", standing.muted_until);
  out.add("read", Value(standing.read));
  add_time(out, "told", standing.told);
}

std::optional<Standing> standing_of(const Value& value) {
  const auto state = parse_state(value.text_of("state"));
  if (!state) return std::nullopt;
  const Value* read = value.find("read");
  return Standing{*state, std::string(value.text_of("assignee")), time_of(value, "mutedUntil"),
                  read != nullptr && *read == Value(true), time_of(value, "told")};
}

Value part_value(const IncidentPart& part) {
  json::ObjectBuilder out;
  out.add("fingerprint", Value(part.fingerprint));
  out.add("rule", Value(part.rule));
  out.add("title", Value(part.title));
  out.add("message", Value(part.message));
  add_text(out, "howToFix", part.how_to_fix);
  add_text(out, "action", part.action);
  out.add("family", Value(part.family));
  if (part.connection) out.add("connection", connection_value(part));
  add_text(out, "lastRun", part.last_run);
  add_text(out, "lastFlow", part.last_flow);
  add_time(out, "firstSeen", part.first);
  add_time(out, "lastSeen", part.last);
  out.add("count", Value(part.count));
  out.add("flows", flows_value(part.flows));
  out.add("hours", hours_value(part.hours));
  if (part.repaired > 0) out.add("repaired", Value(part.repaired));
  if (!part.fixes.empty()) out.add("fixes", fixes_value(part.fixes));
  if (part.before_merge) {
    json::ObjectBuilder before;
    add_standing(before, *part.before_merge);
    out.add("beforeMerge", before.finish());
  }
  return out.finish();
}

IncidentPart part_of(const Value& value) {
  IncidentPart part;
  part.fingerprint = value.text_of("fingerprint");
  part.rule = value.text_of("rule");
  part.title = value.text_of("title");
  part.message = value.text_of("message");
  part.how_to_fix = value.text_of("howToFix");
  part.action = value.text_of("action");
  part.family = value.text_of("family");
  part.last_run = value.text_of("lastRun");
  part.last_flow = value.text_of("lastFlow");
  part.first = time_of(value, "firstSeen");
  part.last = time_of(value, "lastSeen");
  part.count = integer_of(value, "count");
  if (const Value* connection = value.find("connection")) {
    part.connection =
        connector::ConnectionKey{std::string(connection->text_of("api")), std::string(connection->text_of("name"))};
    part.connection_name = connection->text_of("displayName");
  }
  if (const Value* flows = value.find("flows"); flows != nullptr && flows->is_array()) {
    for (const Value& flow : flows->as_array())
      part.flows[std::string(flow.text_of("flow"))] = {std::string(flow.text_of("displayName")),
                                                       integer_of(flow, "count")};
  }
  if (const Value* hours = value.find("hours"); hours != nullptr && hours->is_array()) {
    for (const Value& hour : hours->as_array()) part.hours[hour_of(time_of(hour, "time"))] = integer_of(hour, "count");
  }
  part.repaired = integer_of(value, "repaired");
  part.fixes = fixes_of(value);
  if (const Value* before = value.find("beforeMerge")) part.before_merge = standing_of(*before);
  return part;
}

void add_fix(IncidentPart& part, const Fix& fix) {
  part.fixes.push_back(fix);
  if (part.fixes.size() > fixes_max) part.fixes.erase(part.fixes.begin());
}

/// A run that began before the fix says nothing about it, nor does one of a version before the one that is said to be
/// mended. Names of versions of one flow sort the newest first.
bool is_news_after(const Fix& fix, const Finding& finding) {
  if (finding.started <= fix.time) return false;
  const bool of_an_older_version =
      !fix.version.empty() && !fix.by.empty() && finding.flow == fix.flow && finding.version > fix.version;
  return !of_an_older_version;
}

}  // namespace

std::string_view state_name(IncidentState state) {
  for (const auto& [value, name] : states) {
    if (value == state) return name;
  }
  return "new";
}

std::optional<IncidentState> parse_state(std::string_view name) {
  for (const auto& [value, known] : states) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string incident_id(std::string_view fingerprint) {
  // FNV-1a: stable over versions and machines.
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : fingerprint) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  std::string id(16, '0');
  write_hex(id.data(), hash, id.size());
  return id;
}

std::int64_t Incident::count() const {
  std::int64_t sum = 0;
  for (const IncidentPart& part : parts) sum += part.count;
  return sum;
}

std::int64_t Incident::repaired() const {
  std::int64_t sum = 0;
  for (const IncidentPart& part : parts) sum += part.repaired;
  return sum;
}

std::vector<Fix> Incident::fixes() const {
  std::vector<Fix> all;
  for (const IncidentPart& part : parts) {
    for (const Fix& fix : part.fixes) {
      // Since a merge, a fix stands in each part.
      if (std::find(all.begin(), all.end(), fix) == all.end()) all.push_back(fix);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Fix& a, const Fix& b) { return a.time < b.time; });
  return all;
}

Timestamp Incident::first() const {
  Timestamp earliest = parts.front().first;
  for (const IncidentPart& part : parts) earliest = std::min(earliest, part.first);
  return earliest;
}

Timestamp Incident::last() const { return face().last; }

const IncidentPart& Incident::face() const {
  return *std::max_element(parts.begin(), parts.end(),
                           [](const IncidentPart& a, const IncidentPart& b) { return a.last < b.last; });
}

bool fold(Incident& incident, const Finding& finding, Timestamp now) {
  const auto found = std::find_if(incident.parts.begin(), incident.parts.end(), [&](const IncidentPart& part) {
    return part.fingerprint == finding.fingerprint.key;
  });
  IncidentPart& part = found != incident.parts.end() ? *found : incident.parts.emplace_back();
  part.fingerprint = finding.fingerprint.key;
  part.rule = finding.fingerprint.rule;
  if (!part.first.is_set() || finding.ended < part.first) part.first = finding.ended;
  // A connection may be told as broken (a part without runs) a moment after the run ended that met it.
  if (finding.ended >= part.last || part.count == 0) {
    part.last = std::max(part.last, finding.ended);
    part.title = finding.title;
    part.message = finding.message;
    part.how_to_fix = finding.how_to_fix;
    part.action = finding.action;
    part.family = finding.family;
    part.connection = finding.connection;
    part.connection_name = finding.connection_name;
    part.last_run = finding.run;
    part.last_flow = finding.flow;
  }
  ++part.count;
  if (const auto flow = part.flows.find(finding.flow); flow != part.flows.end() || part.flows.size() < flows_max) {
    auto& counted = part.flows[finding.flow];
    counted.display_name = finding.flow_display_name;
    ++counted.count;
  }
  ++part.hours[hour_of(finding.ended)];
  while (!part.hours.empty() && part.hours.begin()->first <= hour_of(part.last) - hours_kept)
    part.hours.erase(part.hours.begin());

  end_mute(incident, now);
  const bool came_back =
      incident.state == IncidentState::fixed && (part.fixes.empty() || is_news_after(part.fixes.back(), finding));
  if (came_back) incident.state = IncidentState::back;
  if (incident.state == IncidentState::muted || incident.state == IncidentState::fixed) return false;
  if (!came_back && incident.told.is_set() && now - incident.told < told_again_after) return false;
  incident.told = now;
  incident.read = false;
  return true;
}

void end_mute(Incident& incident, Timestamp now) {
  if (incident.state != IncidentState::muted || !incident.muted_until.is_set() || now < incident.muted_until) return;
  incident.state = incident.assignee.empty() ? IncidentState::fresh : IncidentState::assigned;
  incident.muted_until = {};
}

void note_fix(Incident& incident, const Fix& fix) {
  for (IncidentPart& part : incident.parts) add_fix(part, fix);
  incident.state = IncidentState::fixed;
  incident.muted_until = {};
  incident.read = true;
}

void merge_into(Incident& incident, const Incident& other) {
  for (const IncidentPart& part : other.parts) {
    IncidentPart& joined = incident.parts.emplace_back(part);
    joined.before_merge = other;
  }
  incident.read = incident.read && other.read;
  incident.told = std::max(incident.told, other.told);
  if (incident.state == IncidentState::fixed && other.is_open()) {
    incident.state = other.state;
    incident.muted_until = other.muted_until;
    if (incident.assignee.empty()) incident.assignee = other.assignee;
  }
}

std::optional<Incident> split_off(Incident& incident, std::string_view fingerprint) {
  const auto part = std::find_if(incident.parts.begin(), incident.parts.end(),
                                 [&](const IncidentPart& one) { return one.fingerprint == fingerprint; });
  if (part == incident.parts.end() || incident.parts.size() == 1) return std::nullopt;
  Incident apart;
  static_cast<Standing&>(apart) = incident;
  apart.id = incident_id(fingerprint);
  apart.parts.push_back(std::move(*part));
  incident.parts.erase(part);
  if (apart.id == incident.id) {
    // What leaves is what the incident was named after: what stays gets the name of its first part.
    incident.id = incident_id(incident.parts.front().fingerprint);
  }
  for (Incident* side : {&incident, &apart}) {
    IncidentPart& first = side->parts.front();
    // What stays stands as before the merge only when all of it came with one.
    if (!first.before_merge) continue;
    const Timestamp told = side->told;
    if (side->is_open()) static_cast<Standing&>(*side) = *first.before_merge;
    const bool failed_since = !first.fixes.empty() && first.last > first.fixes.back().time;
    if (side->state == IncidentState::fixed && failed_since) side->state = IncidentState::back;
    // People were told of it under the other's name: once an hour holds over merge and split.
    side->told = std::max(side->told, told);
    first.before_merge.reset();
  }
  return apart;
}

Value to_document(const Incident& incident) {
  json::ObjectBuilder out;
  add_standing(out, incident);
  json::ArrayBuilder parts;
  for (const IncidentPart& part : incident.parts) parts.push(part_value(part));
  out.add("parts", parts.finish());
  return out.finish();
}

std::optional<Incident> from_document(const Value& document) {
  Incident incident;
  const auto standing = standing_of(document);
  const Value* parts = document.find("parts");
  if (!standing || parts == nullptr || !parts->is_array() || parts->size() == 0) return std::nullopt;
  static_cast<Standing&>(incident) = *standing;
  for (const Value& part : parts->as_array()) incident.parts.push_back(part_of(part));
  // Stored by a version that kept these for the incident as a whole.
  for (const Fix& fix : fixes_of(document)) {
    for (IncidentPart& part : incident.parts) add_fix(part, fix);
  }
  incident.parts.front().repaired += integer_of(document, "repaired");
  return incident;
}

Value incident_view(const Incident& incident) {
  const IncidentPart& face = incident.face();
  std::map<std::string, IncidentPart::FlowCount> flows;
  std::map<std::int64_t, std::int64_t> hours;
  json::ArrayBuilder parts;
  for (const IncidentPart& part : incident.parts) {
    for (const auto& [id, flow] : part.flows) {
      flows[id].display_name = flow.display_name;
      flows[id].count += flow.count;
    }
    for (const auto& [hour, count] : part.hours) hours[hour] += count;
    parts.push(Value::object({{"fingerprint", Value(part.fingerprint)},
                              {"rule", Value(part.rule)},
                              {"title", Value(part.title)},
                              {"count", Value(part.count)}}));
  }
  json::ObjectBuilder out;
  out.add("id", Value(incident.id));
  out.add("state", Value(state_name(incident.state)));
  out.add("title", Value(face.title));
  out.add("message", Value(face.message));
  add_text(out, "howToFix", face.how_to_fix);
  out.add("rule", Value(face.rule));
  out.add("family", Value(face.family));
  add_text(out, "action", face.action);
  out.add("count", Value(incident.count()));
  out.add("repaired", Value(incident.repaired()));
  add_time(out, "firstSeen", incident.first());
  add_time(out, "lastSeen", incident.last());
  out.add("flows", flows_value(flows));
  out.add("hours", hours_value(hours));
  if (face.connection) out.add("connection", connection_value(face));
  if (!face.last_run.empty()) {
    out.add("lastRun", Value::object({{"flow", Value(face.last_flow)}, {"run", Value(face.last_run)}}));
  }
  add_text(out, "assignee", incident.assignee);
  add_time(out, "mutedUntil", incident.muted_until);
  out.add("fixes", fixes_value(incident.fixes()));
  out.add("parts", parts.finish());
  return out.finish();
}

}  // namespace flowmend::repair
