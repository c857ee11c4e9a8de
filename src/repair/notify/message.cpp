#include "repair/notify/message.h"

#include <set>

#include "http/message.h"
#include "repair/silence/finding.h"

namespace flowmend::repair::notify {
namespace {

constexpr std::size_t text_bytes_max = 2000;  ///< of one incident's words
constexpr std::size_t names_max = 5;

/// At most `bytes_max`, not cut inside a character.
std::string shortened(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::vector<std::string> flow_names(const Incident& incident) {
  std::set<std::string> names;
  for (const IncidentPart& part : incident.parts) {
    for (const auto& [id, flow] : part.flows) names.insert(flow.display_name);
  }
  return {names.begin(), names.end()};
}

std::string title_of(const Incident& incident) {
  const auto names = flow_names(incident);
  const std::string& title = incident.face().title;
  if (names.size() == 1) return names.front() + ": " + title;
  if (names.size() > 1) return std::to_string(names.size()) + " flows: " + title;
  return title;
}

std::string state_word(const Incident& incident) {
  if (incident.state == IncidentState::fixed) return "Fixed meanwhile: ";
  if (incident.state == IncidentState::back) return "Back again: ";
  return {};
}

std::string count_line(const Incident& incident) {
  const std::int64_t count = incident.count();
  if (silence::is_silence(incident.face().fingerprint)) return "No run failed: what should have happened did not.";
  if (count == 0) return "No run has failed of it yet.";
  std::string line = count == 1 ? "One failed run" : std::to_string(count) + " failed runs";
  const auto names = flow_names(incident);
  if (!names.empty()) {
    line += " of ";
    for (std::size_t i = 0; i < names.size() && i < names_max; ++i) line += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > names_max) line += " and " + std::to_string(names.size() - names_max) + " more";
  }
  // `2026-11-25T04:30`: seconds help nobody here.
  const auto moment = [](Timestamp time) {
    std::string text = to_string(time).substr(0, 16);
    text[10] = ' ';
    return text + " UTC";
  };
  line += ", first " + moment(incident.first());
  if (count > 1) line += ", last " + moment(incident.last());
  return line + ".";
}

struct Link {
  std::string label;
  std::string path;
};

std::vector<Link> links_of(const Incident& incident) {
  std::vector<Link> links{{"Open the incident", "/incidents/" + incident.id}};
  const IncidentPart& face = incident.face();
  const bool is_silence = silence::is_silence(face.fingerprint);
  if (!face.last_run.empty())
    links.push_back({is_silence ? "Open the run" : "Open the latest run at the step that failed",
                     "/flows/" + face.last_flow + "/runs/" + face.last_run});
  if (is_silence) links.push_back({"Open the flow", "/flows/" + face.last_flow});
  if (face.connection) links.push_back({"Verify the connection", "/connections"});
  return links;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void add(Message& message, const Incident& incident, const std::string& public_url) {
  const IncidentPart& face = incident.face();
  const std::string title = state_word(incident) + shortened(title_of(incident), 300);
  const std::string happened = shortened(face.message, text_bytes_max);
  const std::string count = count_line(incident);
  message.text += title + "\n\n" + happened + "\n" + count + "\n";
  message.html += "<h2 style=\"font-size:18px\">" + http::html_escape(title) + "</h2><p>" +
                  http::html_escape(happened) + "</p><p>" + http::html_escape(count) + "</p>";
  const auto advice = lines_of(shortened(face.how_to_fix, text_bytes_max));
  if (!advice.empty()) {
    message.text += "\nHow to fix:\n";
    message.html += "<p><strong>How to fix</strong></p><ul>";
    for (const std::string& line : advice) {
      message.text += "- " + line + "\n";
      message.html += "<li>" + http::html_escape(line) + "</li>";
    }
    message.html += "</ul>";
  }
  message.text += "\n";
  message.html += "<p>";
  for (const Link& link : links_of(incident)) {
    message.text += link.label + ": " + public_url + link.path + "\n";
    message.html +=
        "<a href=\"" + http::html_escape(public_url + link.path) + "\">" + http::html_escape(link.label) + "</a><br>";
  }
  message.text += "\n";
  message.html += "</p>";
}

void finish(Message& message, const std::string& public_url) {
  message.text += "--\nWhat is sent, and when: " + public_url + "/settings/notifications\n";
  message.html = "<!doctype html><html><body style=\"font-family:sans-serif;max-width:640px\">" + message.html +
                 "<hr><p style=\"color:#616161;font-size:13px\"><a href=\"" + http::html_escape(public_url) +
                 "/settings/notifications\">What is sent, and when</a></p></body></html>";
}

std::string_view event_type(const Incident& incident) {
  if (incident.state == IncidentState::fixed) return "incident.fixed";
  if (incident.state == IncidentState::back) return "incident.back";
  return incident.count() > 1 ? "incident.continues" : "incident.opened";
}

}  // namespace

Message message_for(const std::vector<Incident>& incidents, const std::string& public_url) {
  Message message;
  std::int64_t runs = 0;
  for (const Incident& incident : incidents) {
    runs += incident.count();
    add(message, incident, public_url);
  }
  const Incident& first = incidents.front();
  if (incidents.size() == 1) {
    message.subject = state_word(first) + shortened(title_of(first), 200);
    if (first.count() > 1) message.subject += " (" + std::to_string(first.count()) + " runs)";
  } else {
    message.subject =
        "Flowmend: " + std::to_string(incidents.size()) + " causes, " + std::to_string(runs) + " failed runs";
  }
  finish(message, public_url);
  return message;
}

Message test_message(const std::string& public_url) {
  Message message;
  message.subject = "Flowmend: messages arrive";
  message.text = "This is the test message that you asked for. E-mail from Flowmend reaches this address.\n\n";
  message.html = "<p>This is the test message that you asked for. E-mail from Flowmend reaches this address.</p>";
  finish(message, public_url);
  return message;
}

Value webhook_body(const Incident& incident, const std::string& public_url, Timestamp now) {
  json::ArrayBuilder links;
  for (const Link& link : links_of(incident))
    links.push(Value::object({{"label", Value(link.label)}, {"url", Value(public_url + link.path)}}));
  return Value::object({{"type", Value(event_type(incident))},
                        {"timestamp", Value(to_string(now))},
                        {"data", Value::object({{"incident", incident_view(incident)}, {"links", links.finish()}})}});
}

Value test_webhook_body(Timestamp now) {
  return Value::object(
      {{"type", Value("test")}, {"timestamp", Value(to_string(now))}, {"data", Value::empty_object()}});
}

Value push_payload(const Incident& incident) {
  std::string body = shortened(incident.face().message, 400);
  if (incident.count() > 1) body = std::to_string(incident.count()) + " runs. " + body;
  return Value::object({{"title", Value(state_word(incident) + shortened(title_of(incident), 150))},
                        {"body", Value(body)},
                        {"url", Value("/incidents/" + incident.id)},
                        {"tag", Value(incident.id)}});
}

Value test_push_payload() {
  return Value::object({{"title", Value("Flowmend: messages arrive")},
                        {"body", Value("This is the test message that you asked for.")},
                        {"url", Value("/settings/notifications")},
                        {"tag", Value("test")}});
}

}  // namespace flowmend::repair::notify
