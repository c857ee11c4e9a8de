#include "definition/limits.h"

#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "definition/settings.h"
#include "definition/words.h"
#include "expression/unicode.h"
#include "json/pointer.h"

namespace flowmend::definition {
namespace {

class Checker {
 public:
  Checker(const Limits& limits, Diagnostics& diagnostics) : limits_(limits), diagnostics_(diagnostics) {}

  void check(const Value& definition) {
    const Value& triggers = member_at(definition, {"triggers"});
    check_count(triggers, limits_.triggers, "/triggers", "TriggersLimitExceeded", "triggers");
    check_names(triggers, "/triggers", "trigger");
    if (triggers.is_object()) {
      for (const auto& member : triggers.as_object())
        check_description(member_at(member.value, {"description"}),
                          json::join("/triggers", member.name()) + "/description");
    }
    check_description(member_at(definition, {"description"}), "/description");
    check_texts(triggers, "/triggers");
    const Value& parameters = member_at(definition, {"parameters"});
    check_count(parameters, limits_.parameters, "/parameters", "ParametersLimitExceeded", "parameters");
    const Value& outputs = member_at(definition, {"outputs"});
    check_count(outputs, limits_.outputs, "/outputs", "OutputsLimitExceeded", "outputs");
    check_texts(outputs, "/outputs");
    check_branch(member_at(definition, {"actions"}), "/actions", 1);
    if (actions_ > limits_.actions)
      too_many(actions_, limits_.actions, "/actions", "ActionsLimitExceeded", "actions",
               "Move a part into a child flow");
    const auto variables = static_cast<std::int64_t>(variables_.size());
    if (variables > limits_.variables)
      too_many(variables, limits_.variables, "/actions", "VariablesLimitExceeded", "variables", "Use fewer");
  }

 private:
  void report(const std::string& pointer, const char* code, std::string message, std::string cure) {
    diagnostics_.push_back({pointer, Severity::error, code, std::move(message), std::move(cure), 0, 0});
  }

  void too_many(std::int64_t count, std::int64_t most, const std::string& pointer, const char* code,
                const std::string& what, const std::string& cure) {
    report(pointer, code,
           "There are " + std::to_string(count) + " " + what + "; at most " + std::to_string(most) + " are allowed.",
           cure + ", or have the server's limit raised (`flowmend limits`).");
  }

  void check_count(const Value& members, std::int64_t most, const std::string& pointer, const char* code,
                   const std::string& what) {
    if (!members.is_object()) return;
    const auto count = static_cast<std::int64_t>(members.size());
    if (count > most) too_many(count, most, pointer, code, what, "Use fewer");
  }

  void check_name(std::string_view name, const std::string& pointer, const std::string& what) {
    const auto length = static_cast<std::int64_t>(expression::utf16_length(name));
    if (length <= limits_.name_characters) return;
    report(pointer, "NameLimitExceeded",
           "The name of this " + what + " has " + std::to_string(length) + " characters; at most " +
               std::to_string(limits_.name_characters) + " are allowed.",
           "Shorten it, or have the server's limit raised (`flowmend limits`).");
  }

  void check_names(const Value& members, const std::string& pointer, const std::string& what) {
    if (!members.is_object()) return;
    for (const auto& member : members.as_object()) check_name(member.name(), json::join(pointer, member.name()), what);
  }

  void check_branch(const Value& actions, const std::string& pointer, std::int64_t depth) {
    if (!actions.is_object()) return;
    actions_ += static_cast<std::int64_t>(actions.size());
    check_names(actions, pointer, "action");
    for (const auto& member : actions.as_object()) {
      const std::string at = json::join(pointer, member.name());
      if (depth == limits_.nesting + 2) {
        report(at, "NestingLimitExceeded",
               "The action '" + std::string(member.name()) + "' lies inside more than " +
                   std::to_string(limits_.nesting) + " others.",
               "Move a part into a child flow, or have the server's limit raised (`flowmend limits`).");
      }
      check_action(member.value, at, depth);
    }
  }

  void check_action(const Value& action, const std::string& pointer, std::int64_t depth) {
    if (!action.is_object()) return;
    for (const auto& member : action.as_object()) {
      const std::string at = json::join(pointer, member.name());
      if (same_word(member.name(), "actions")) {
        check_branch(member.value, at, depth + 1);
      } else if (same_word(member.name(), "else") || same_word(member.name(), "default")) {
        check_branch(member_at(member.value, {"actions"}), at + "/actions", depth + 1);
      } else if (same_word(member.name(), "cases")) {
        check_count(member.value, limits_.switch_cases, at, "SwitchCasesLimitExceeded", "cases");
        if (!member.value.is_object()) continue;
        for (const auto& one : member.value.as_object())
          check_branch(member_at(one.value, {"actions"}), json::join(at, one.name()) + "/actions", depth + 1);
      } else if (same_word(member.name(), "description")) {
        check_description(member.value, at);
      } else {
        check_texts(member.value, at);
      }
    }
    const Value& variables = member_at(action, {"inputs", "variables"});
    if (!variables.is_array() || !same_word(action.text_of("type"), "InitializeVariable")) return;
    for (const Value& variable : variables.as_array()) {
      variables_.insert(variable.text_of("name"));
    }
  }

  void check_description(const Value& description, const std::string& pointer) {
    if (!description.is_string()) return;
    const auto length = static_cast<std::int64_t>(expression::utf16_length(description.as_string()));
    if (length <= limits_.description_characters) return;
    report(pointer, "DescriptionLimitExceeded",
           "The description has " + std::to_string(length) + " characters; at most " +
               std::to_string(limits_.description_characters) + " are allowed.",
           "Shorten it, or have the server's limit raised (`flowmend limits`).");
  }

  /// The way to a value; written out only when something is found there.
  struct Step {
    const Step* before = nullptr;
    std::string_view key;
    std::size_t index = 0;

    std::string pointer(const std::string& root) const {
      if (before == nullptr) return root;
      const std::string so_far = before->pointer(root);
      return key.data() == nullptr ? json::join(so_far, index) : json::join(so_far, key);
    }
  };

  void check_texts(const Value& value, const std::string& root) { check_texts(value, root, Step{}); }

  /// Of texts that are one expression; those that only hold some are as long as a mail may be.
  void check_texts(const Value& value, const std::string& root, const Step& step) {
    if (value.is_object()) {
      for (const auto& member : value.as_object()) check_texts(member.value, root, {&step, member.name()});
    } else if (value.is_array()) {
      std::size_t index = 0;
      for (const Value& item : value.as_array()) check_texts(item, root, {&step, {}, index++});
    } else if (value.is_string()) {
      const std::string_view text = value.as_string();
      if (!text.starts_with('@') || text.starts_with("@@") || text.starts_with("@{")) return;
      // A text of so many bytes has no more characters.
      if (static_cast<std::int64_t>(text.size()) <= limits_.expression_characters) return;
      const auto length = static_cast<std::int64_t>(expression::utf16_length(text));
      if (length <= limits_.expression_characters) return;
      report(step.pointer(root), "ExpressionLimitExceeded",
             "The expression has " + std::to_string(length) + " characters; at most " +
                 std::to_string(limits_.expression_characters) + " are allowed.",
             "Split it over Compose actions, or have the server's limit raised (`flowmend limits`).");
    }
  }

  const Limits& limits_;
  Diagnostics& diagnostics_;
  std::int64_t actions_ = 0;
  std::set<std::string_view> variables_;
};

}  // namespace

Limits Limits::none() {
  constexpr auto any = std::numeric_limits<std::uint32_t>::max();
  return {any, any, any, any, any, any, any, any, any, any, any, any, any, any, any};
}

void check_limits(const Value& definition, const Limits& limits, Diagnostics& diagnostics) {
  Checker(limits, diagnostics).check(definition);
}

}  // namespace flowmend::definition
