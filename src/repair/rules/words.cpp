#include <algorithm>

#include "connector/text.h"
#include "repair/rules/list.h"

namespace flowmend::repair {

Advice resubmit_advice(std::string text) { return {std::move(text), {Button::Kind::resubmit, "Resubmit", {}}}; }

Advice edit_advice(std::string text, std::string label, std::string pointer) {
  return {std::move(text), {Button::Kind::edit_action, std::move(label), std::move(pointer)}};
}

Advice help_advice() {
  return {"If this does not help, ask for help: the report holds all that is known about the failure, without secrets.",
          {Button::Kind::ask_for_help, "Ask for help", {}}};
}

std::string place_in_loops(const Facts& facts) {
  std::string out;
  for (auto iteration = facts.failure->iterations.rbegin(); iteration != facts.failure->iterations.rend();
       ++iteration) {
    std::string loop = iteration->loop;
    std::replace(loop.begin(), loop.end(), '_', ' ');
    out += (out.empty() ? " in item " : " of item ") + std::to_string(iteration->index + 1) + " of '" + loop + "'";
  }
  return out;
}

std::string service_words(const Facts& facts) {
  return facts.said.message.empty() ? std::string()
                                    : " The service says: " + sentence("\u201c" + facts.said.message + "\u201d");
}

std::string quoted_value(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  std::string text = connector::text_of_value(value);
  if (text.size() > 120) {
    std::size_t end = 120;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + " ...";
  }
  return value.is_string() ? "'" + text + "'" : text;
}

std::string status_words(int status) {
  const std::string_view phrase = connector::reason_phrase(status);
  return (phrase.empty() ? std::string() : std::string(phrase) + ", ") + std::to_string(status);
}

std::string sentence(std::string text) {
  bool closed = false;
  for (const std::string_view end : {".", "!", "?", ".\u201d", "!\u201d", "?\u201d"})
    closed = closed || text.ends_with(end);
  return closed ? text : text + ".";
}

}  // namespace flowmend::repair
