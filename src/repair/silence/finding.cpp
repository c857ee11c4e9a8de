#include "repair/silence/finding.h"

#include <algorithm>

namespace flowmend::repair::silence {
namespace {

constexpr std::string_view mark = "silence|";
constexpr std::string_view family = "silence";
constexpr std::size_t text_bytes_max = 500;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::off: return "off";
    case Kind::schedule: return "schedule";
    case Kind::checks: return "checks";
    case Kind::volume: return "volume";
    case Kind::stuck: return "stuck";
  }
  return "off";
}

std::string_view rule_of(Kind kind) {
  switch (kind) {
    case Kind::off: return "Same flow, can't start: ";
    case Kind::schedule: return "Same flow, its schedule did not fire: ";
    case Kind::checks: return "Same flow, its trigger keeps failing: ";
    case Kind::volume: return "Same flow, far fewer runs than usual: ";
    case Kind::stuck: return "Same flow, a run takes far too long: ";
  }
  return "";
}

std::string counted(std::int64_t count, std::string_view unit) {
  return std::to_string(count) + " " + std::string(unit) + (count == 1 ? "" : "s");
}

}  // namespace

std::string fingerprint_of(Kind kind, std::string_view flow) {
  return std::string(mark) + std::string(name_of(kind)) + "|" + std::string(flow);
}

bool is_silence(std::string_view fingerprint) { return fingerprint.starts_with(mark); }

std::string_view flow_of(std::string_view fingerprint) { return fingerprint.substr(fingerprint.rfind('|') + 1); }

bool fold(Incident& incident, Kind kind, std::string_view flow, std::string_view flow_display_name,
          const Silence& silence, Timestamp now) {
  const std::string fingerprint = fingerprint_of(kind, flow);
  const auto known = std::find_if(incident.parts.begin(), incident.parts.end(),
                                  [&](const IncidentPart& part) { return part.fingerprint == fingerprint; });
  const bool is_new = known == incident.parts.end();
  bool tells = is_new;
  if (incident.state == IncidentState::muted && incident.muted_until.is_set() && now >= incident.muted_until) {
    incident.state = incident.assignee.empty() ? IncidentState::fresh : IncidentState::assigned;
    incident.muted_until = {};
    tells = true;
  }
  if (incident.state == IncidentState::fixed) {
    if (!is_new && !known->fixes.empty() && silence.evidence <= known->fixes.back().time) return false;
    incident.state = IncidentState::back;
    tells = true;
  }
  IncidentPart& part = is_new ? incident.parts.emplace_back() : *known;
  part.fingerprint = fingerprint;
  part.rule = std::string(rule_of(kind)) + std::string(flow_display_name);
  part.title = silence.title;
  part.message = silence.message;
  part.how_to_fix = silence.how_to_fix;
  part.action = silence.action;
  part.family = family;
  part.last_flow = flow;
  part.last_run = silence.run;
  // No run failed: the flow is named, and counted not once.
  part.flows[std::string(flow)].display_name = flow_display_name;
  if (!part.first.is_set()) part.first = silence.since;
  part.last = std::max(part.last, std::max(silence.since, silence.evidence));
  if (incident.state == IncidentState::muted || !tells) return false;
  incident.told = now;
  incident.read = false;
  return true;
}

bool end(Incident& incident, Timestamp now) {
  if (incident.parts.size() != 1 || !incident.is_open()) return false;
  note_fix(incident, {now, "", "", "", ""});
  return true;
}

std::string length_words(Duration length) {
  const std::int64_t minutes = length.to_milliseconds() / 60'000;
  if (minutes < 1) return counted(std::max<std::int64_t>(length.to_milliseconds() / 1000, 1), "second");
  if (minutes < 120) return counted(minutes, "minute");
  if (minutes < 2880) return counted(minutes / 60, "hour");
  return counted(minutes / 1440, "day");
}

std::string time_words(Timestamp time) {
  std::string text = to_string(time).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

std::string shortened(const std::string& text) {
  if (text.size() <= text_bytes_max) return text;
  std::size_t end = text_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + " ...";
}

}  // namespace flowmend::repair::silence
