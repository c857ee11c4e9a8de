#include "definition/settings.h"

#include <algorithm>
#include <charconv>

#include "definition/words.h"
#include "json/pointer.h"

namespace flowmend::definition {

namespace {

bool is_expression(const Value& value) {
  return value.is_string() && value.as_string().find('@') != std::string_view::npos;
}

void report(Diagnostics& diagnostics, std::string pointer, std::string code, std::string message, std::string cure) {
  diagnostics.push_back(
      {std::move(pointer), Severity::error, std::move(code), std::move(message), std::move(cure), 0, 0});
}

std::optional<Duration> duration_of(const Value& value) {
  return value.is_string() ? parse_duration(value.as_string()) : std::nullopt;
}

}  // namespace

const Value& member_at(const Value& value, std::initializer_list<std::string_view> path) {
  static const Value nothing;
  const Value* at = &value;
  for (const std::string_view name : path) {
    at = at->find_ignoring_case(name);
    if (at == nullptr) return nothing;
  }
  return *at;
}

std::optional<std::int64_t> whole_number(const Value& value) {
  if (value.is_integer()) return value.as_integer();
  if (!value.is_string()) return {};
  const std::string_view text = value.as_string();
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

bool has_option(const Value& operation, std::string_view option) {
  const Value& options = member_at(operation, {"operationOptions"});
  if (!options.is_string()) return false;
  std::string_view rest = options.as_string();
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view word = rest.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (same_word(word, option)) return true;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return false;
}

bool is_secured(const Value& operation, std::string_view side) {
  const Value& properties = member_at(operation, {"runtimeConfiguration", "secureData", "properties"});
  if (!properties.is_array()) return false;
  for (const Value& property : properties.as_array()) {
    if (property.is_string() && same_word(property.as_string(), side)) return true;
  }
  return false;
}

void check_retry_policy(const Value& policy, const std::string& pointer, const Limits& limits,
                        Diagnostics& diagnostics) {
  const auto bad = [&](std::string_view member, std::string message, std::string cure) {
    report(diagnostics, member.empty() ? pointer : json::join(pointer, member), "InvalidRetryPolicy",
           std::move(message), std::move(cure));
  };
  if (policy.is_null() || is_expression(policy)) return;
  if (!policy.is_object())
    return bad("", "The retry policy must be an object.", "Write {\"type\": \"none\"} or leave it out.");
  const Value& type = member_at(policy, {"type"});
  if (is_expression(type)) return;
  const std::string name = type.is_string() ? lower_case(type.as_string()) : "";
  if (name == "none" || name == "default" || type.is_null()) return;
  if (name != "fixed" && name != "exponential") {
    return bad("type", "The retry policy type must be 'none', 'fixed', 'exponential' or 'default'.",
               "Choose one of these types.");
  }
  const Value& count = member_at(policy, {"count"});
  if (!is_expression(count)) {
    const auto number = whole_number(count);
    if (!number || *number < 1 || *number > limits.retries) {
      const std::string range = "from 1 to " + std::to_string(limits.retries) + ".";
      bad("count", "The retry count must be a whole number " + range, "Give 'count' a value " + range);
    }
  }
  for (const std::string_view member : {"interval", "minimumInterval", "maximumInterval"}) {
    const Value& interval = member_at(policy, {member});
    if (is_expression(interval) || (interval.is_null() && member != "interval")) continue;
    const auto length = duration_of(interval);
    if (!length || *length < Duration::seconds(5) || *length > Duration::days(1)) {
      bad(member, "The retry '" + std::string(member) + "' must be a duration from PT5S to P1D.",
          "Write it as PT20S or PT1H.");
    }
  }
}

namespace {

void read_content_transfer(const Value& action, ActionSettings& settings, const std::string& pointer,
                           Diagnostics& diagnostics) {
  const Value& transfer = member_at(action, {"runtimeConfiguration", "contentTransfer"});
  if (transfer.is_null()) return;
  const std::string at = pointer + "/runtimeConfiguration/contentTransfer";
  const auto mode = transfer.text_of("transferMode");
  settings.chunked = same_word(mode, "Chunked");
  if (!settings.chunked && !mode.empty() && !same_word(mode, "None")) {
    report(diagnostics, at + "/transferMode", "InvalidContentTransferConfiguration",
           "The transfer mode '" + std::string(mode) + "' is not known.", "Write \"Chunked\", or remove it.");
  }
  constexpr std::int64_t mebibytes_max = 1024;
  constexpr std::uint32_t mebibyte = 1u << 20;
  for (const auto& [name, target] : {std::pair{"uploadChunkSizeInMB", &settings.upload_chunk_bytes},
                                     std::pair{"downloadChunkSizeInMB", &settings.download_chunk_bytes}}) {
    const Value& size = member_at(transfer, {name});
    if (size.is_null()) continue;
    const auto number = whole_number(size);
    if (!number || *number < 1 || *number > mebibytes_max) {
      report(diagnostics, at + "/" + name, "InvalidContentTransferConfiguration",
             "'" + std::string(name) + "' must be a whole number of megabytes from 1 to 1024.", "Correct the size.");
    } else {
      *target = static_cast<std::uint32_t>(*number) * mebibyte;
    }
  }
}

}  // namespace

ActionSettings read_settings(const Value& action, ActionType type, const std::string& pointer, const Limits& limits,
                             Diagnostics& diagnostics) {
  ActionSettings settings;
  const bool loops_until = type == ActionType::until;
  const Value& timeout = member_at(action, {"limit", "timeout"});
  if (!timeout.is_null()) {
    settings.timeout = duration_of(timeout);
    if (!settings.timeout && !is_expression(timeout)) {
      report(diagnostics, pointer + "/limit/timeout",
             loops_until ? "WorkflowRunActionUntilLimitInvalid" : "WorkflowRunActionTimeoutLimitInvalid",
             "The timeout must be an ISO 8601 duration.", "Write it as PT1H or P1D.");
    }
  }
  const Value& count = member_at(action, {"limit", "count"});
  if (loops_until && !count.is_null() && !is_expression(count)) {
    const auto number = whole_number(count);
    if (!number || *number < 1 || *number > limits.until_count) {
      report(diagnostics, pointer + "/limit/count", "WorkflowRunActionUntilLimitInvalid",
             "The count of an Until must be a whole number from 1 to " + std::to_string(limits.until_count) + ".",
             "Lower 'count', or raise it to at least 1.");
    } else {
      settings.until_count = static_cast<std::uint32_t>(*number);
    }
  }
  settings.sequential = has_option(action, "Sequential");
  const Value& repetitions = member_at(action, {"runtimeConfiguration", "concurrency", "repetitions"});
  if (type == ActionType::foreach_ && !repetitions.is_null() && !is_expression(repetitions)) {
    const std::string at = pointer + "/runtimeConfiguration/concurrency/repetitions";
    const auto number = whole_number(repetitions);
    if (!number || *number < 1 || *number > limits.foreach_concurrency) {
      const std::string range = "from 1 to " + std::to_string(limits.foreach_concurrency) + ".";
      report(diagnostics, at, "InvalidConcurrencyConfiguration", "The concurrency of a Foreach must be " + range,
             "Give 'repetitions' a value " + range);
    } else if (settings.sequential && *number != 1) {
      report(diagnostics, at, "InvalidConcurrencyConfiguration",
             "A Foreach can't have both the option 'Sequential' and a concurrency.", "Remove one of the two.");
    } else {
      settings.concurrency = static_cast<std::uint32_t>(*number);
    }
  }
  settings.disable_async_pattern = has_option(action, "DisableAsyncPattern");
  settings.asynchronous_response = has_option(action, "Asynchronous");
  settings.fail_when_limits_reached = has_option(action, "FailWhenLimitsReached");
  settings.suppress_workflow_headers = has_option(action, "SuppressWorkflowHeaders");
  settings.keep_compressed = has_option(action, "DisableAutomaticDecompression");
  read_content_transfer(action, settings, pointer, diagnostics);
  settings.secure_inputs = is_secured(action, "inputs");
  settings.secure_outputs = is_secured(action, "outputs");
  const Value& minimum = member_at(action, {"runtimeConfiguration", "paginationPolicy", "minimumItemCount"});
  if (!minimum.is_null()) {
    const auto number = whole_number(minimum);
    if (!number || *number < 1 || *number > limits.pagination_items) {
      const std::string range = "from 1 to " + std::to_string(limits.pagination_items);
      report(diagnostics, pointer + "/runtimeConfiguration/paginationPolicy/minimumItemCount",
             "InvalidPaginationPolicy", "The pagination threshold must be a whole number " + range + ".",
             "Give 'minimumItemCount' a value " + range + ", or switch pagination off.");
    } else {
      settings.pagination_minimum = static_cast<std::uint32_t>(*number);
    }
  }
  const Value& mock = member_at(action, {"runtimeConfiguration", "staticResult"});
  if (same_word(mock.text_of("staticResultOptions"), "Enabled"))
    settings.static_result = std::string(mock.text_of("name"));
  return settings;
}

void check_recurrence(const Value& recurrence, const std::string& at, Diagnostics& diagnostics) {
  struct Bound {
    std::string_view frequency;
    std::int64_t interval_max;
  };
  static constexpr Bound bounds[] = {{"second", 9'999'999}, {"minute", 72'000}, {"hour", 12'000}, {"day", 500},
                                     {"week", 71},          {"month", 16},      {"year", 1}};
  if (!recurrence.is_object()) {
    return report(diagnostics, at, "InvalidWorkflowTriggerRecurrence", "The trigger needs a recurrence.",
                  "Write {\"frequency\": \"Hour\", \"interval\": 1}.");
  }
  const Value& frequency = member_at(recurrence, {"frequency"});
  const Value& interval = member_at(recurrence, {"interval"});
  const auto open = [](const Value& v) {
    return v.is_string() && v.as_string().find_first_of("@[#") != std::string_view::npos;
  };
  if (open(frequency)) return;
  const std::string word = frequency.is_string() ? lower_case(frequency.as_string()) : "";
  const auto* bound = std::ranges::find(bounds, word, &Bound::frequency);
  if (bound == std::end(bounds)) {
    return report(diagnostics, at + "/frequency", "InvalidWorkflowTriggerRecurrence",
                  "The frequency must be Second, Minute, Hour, Day, Week, Month or Year.", "Choose one of these.");
  }
  if (open(interval)) return;
  const auto number = whole_number(interval);
  if (!number || *number < 1 || *number > bound->interval_max) {
    report(diagnostics, at + "/interval", "InvalidWorkflowTriggerRecurrence",
           "The interval must be from 1 to " + std::to_string(bound->interval_max) + " for this frequency.",
           "Correct 'interval'.");
  }
}

}  // namespace flowmend::definition
