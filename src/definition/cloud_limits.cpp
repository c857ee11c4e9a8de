#include "definition/cloud_limits.h"

#include <string>

#include "definition/settings.h"
#include "json/pointer.h"

namespace flowmend::definition {

namespace {

constexpr std::size_t name_characters_max = 80;
constexpr std::size_t description_characters_max = 256;
constexpr std::size_t parameters_max = 50;
constexpr std::size_t outputs_max = 10;
constexpr std::size_t variables_max = 250;

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) == 0x80 ? 0 : 1;
  return count;
}

class Checker {
 public:
  explicit Checker(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void count(std::size_t number, std::size_t most, const std::string& pointer, const char* code, const char* what) {
    if (number <= most) return;
    warn(pointer, code,
         "The definition has " + std::to_string(number) + " " + what + "; the cloud allows " + std::to_string(most) +
             ".");
  }

  void description(const Value& holder, const std::string& pointer, const char* code) {
    const Value& text = member_at(holder, {"description"});
    if (!text.is_string() || characters(text.as_string()) <= description_characters_max) return;
    warn(pointer + "/description", code,
         "The description has " + std::to_string(characters(text.as_string())) + " characters; the cloud allows " +
             std::to_string(description_characters_max) + ".");
  }

  void name(const std::string& name, const std::string& pointer, const char* code) {
    if (characters(name) <= name_characters_max) return;
    warn(pointer, code,
         "The name has " + std::to_string(characters(name)) + " characters; the cloud allows " +
             std::to_string(name_characters_max) + ".");
  }

 private:
  void warn(std::string pointer, const char* code, std::string message) {
    diagnostics_.push_back({std::move(pointer), Severity::warning, code, std::move(message),
                            "Shorten it if the definition has to go back there.", 0, 0});
  }

  Diagnostics& diagnostics_;
};

}  // namespace

void check_cloud_limits(const Flow& flow, Diagnostics& diagnostics) {
  Checker check(diagnostics);
  const Value& parameters = member_at(flow.definition, {"parameters"});
  const Value& outputs = member_at(flow.definition, {"outputs"});
  check.count(parameters.is_object() ? parameters.size() : 0, parameters_max, "/parameters", "ParametersLimitExceeded",
              "parameters");
  check.count(outputs.is_object() ? outputs.size() : 0, outputs_max, "/outputs", "OutputsLimitExceeded", "outputs");
  check.count(flow.variables.size(), variables_max, "/actions", "VariablesLimitExceeded", "variables");
  check.description(flow.definition, "", "WorkflowDescriptionTooLong");
  const Value& triggers = member_at(flow.definition, {"triggers"});
  for (const json::Member& trigger : triggers.is_object() ? triggers.as_object() : Value::empty_object().as_object()) {
    const std::string pointer = json::join("/triggers", trigger.name());
    check.name(std::string(trigger.name()), pointer, "TriggerNameTooLong");
    check.description(trigger.value, pointer, "TriggerDescriptionTooLong");
  }
  for (const Action& action : flow.actions) {
    check.name(action.name, action.pointer, "ActionNameTooLong");
    check.description(action.definition, action.pointer, "ActionDescriptionTooLong");
  }
}

}  // namespace flowmend::definition
