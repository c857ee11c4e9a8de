#include "repair/fingerprint.h"

#include <algorithm>

#include "connector/reference.h"
#include "connector/text.h"

namespace flowmend::repair {
namespace {

constexpr std::size_t message_bytes_max = 160;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0;
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string status_or_code(const Facts& facts) {
  if (facts.status != 0) return std::to_string(facts.status);
  const Failure& failure = *facts.failure;
  if (!failure.has_step) return failure.run_code;
  return failure.fault_code.empty() ? failure.code : failure.fault_code;
}

/// `api/operation` of a connector step, `METHOD host` of an Http one; empty for other steps.
std::string target_of(const Facts& facts) {
  if (facts.action == nullptr) return {};
  if (facts.connection_key) {
    const Value* inputs = facts.action->definition.find("inputs");
    const Value* host = inputs == nullptr ? nullptr : inputs->find("host");
    std::string operation = host == nullptr ? std::string() : std::string(host->text_of("operationId"));
    if (operation.empty() && inputs != nullptr)  // ApiConnection names a method and a path
      operation = std::string(inputs->text_of("method")) + " " + std::string(inputs->text_of("path"));
    return facts.connection_key->api + "/" + operation;
  }
  const std::string host = facts.host();
  if (host.empty()) return {};
  return std::string(facts.failure->inputs.text_of("method", "GET")) + " " + host;
}

/// The service that is asked: the connector, or the host.
std::string service_of(const Facts& facts) { return facts.connection_key ? facts.connection_key->api : facts.host(); }

std::string step_of(const Facts& facts) {
  return facts.flow->id + "|" + (facts.action == nullptr ? std::string() : facts.action->pointer);
}

}  // namespace

std::string normalised_message(std::string_view message) {
  std::string out;
  for (std::size_t i = 0; i < message.size() && out.size() < message_bytes_max;) {
    const char c = message[i];
    if (c == '\'' || c == '"' || c == '`') {
      // A quoted word, when it is one: an apostrophe within a word quotes nothing.
      const bool opens = i == 0 || !is_word(message[i - 1]);
      const auto end = opens ? message.find(c, i + 1) : std::string_view::npos;
      if (end != std::string_view::npos) {
        out += '#';
        i = end + 1;
        continue;
      }
    }
    if (is_word(c)) {
      std::size_t end = i;
      bool digits = false;
      while (end < message.size() &&
             (is_word(message[end]) || (digits && (message[end] == '-' || message[end] == ':' || message[end] == '.') &&
                                        end + 1 < message.size() && is_word(message[end + 1])))) {
        digits = digits || is_digit(message[end]);
        ++end;
      }
      if (digits) {
        out += '#';
      } else {
        for (std::size_t at = i; at < end; ++at) out += lower(message[at]);
      }
      i = end;
      continue;
    }
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c;
    }
    ++i;
  }
  if (out.size() > message_bytes_max) {
    std::size_t end = message_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
    out.resize(end);
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

Fingerprint fingerprint_of(const Facts& facts) {
  const std::string family(family_name(facts.family));
  const std::string code = status_or_code(facts);
  const std::string target = target_of(facts);
  const std::string service = service_of(facts);
  if (facts.family == Family::authentication && facts.connection_key) {
    // A 403 is a matter of rights for one operation; a 401 is the credentials, whatever was asked.
    const std::string key = facts.connection_key->api + "/" + facts.connection_key->name;
    if (facts.status == 403)
      return {"auth403|" + key + "|" + target, "Same connection and operation, access refused (403): " + target};
    return {"auth|" + key, "Same connection, not authenticated: " + facts.connection_name()};
  }
  if (facts.family == Family::authentication && !service.empty())
    return {"auth|" + service + "|" + code, "Same service, access refused (" + code + "): " + service};
  if (facts.family == Family::expression && facts.expression) {
    return {"expression|" + step_of(facts) + "|" + facts.expression->subexpression,
            "Same step and sub-expression: " + facts.step() + ", " + facts.expression->subexpression};
  }
  if ((facts.family == Family::transient || facts.family == Family::timeout) && !service.empty())
    return {family + "|" + service + "|" + code, "Same service, same answer (" + code + "): " + service};
  if (facts.status >= 400 && !target.empty()) {
    const std::string said = facts.said.message.empty() ? facts.failure->fault_message : facts.said.message;
    return {"refused|" + target + "|" + code + "|" + normalised_message(said),
            "Same request and same answer (" + code + "): " + target};
  }
  return {family + "|" + step_of(facts) + "|" + code, "Same step and code: " + facts.step() + ", " + code};
}

}  // namespace flowmend::repair
