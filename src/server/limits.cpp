#include "server/limits.h"

#include <charconv>
#include <optional>

namespace flowmend::server {
namespace {

/// A limit is a length of time or a number; both are bounded.
struct Entry {
  std::string_view name;
  bool is_duration;
  std::int64_t least;  ///< milliseconds of a length of time
  std::int64_t most;
  std::string_view usual;
  std::string_view meaning;
  void (*set)(ServerLimits&, std::int64_t);
};

constexpr std::int64_t second = 1'000;
constexpr std::int64_t day = 86'400 * second;
constexpr std::int64_t mebibyte = 1 << 20;

constexpr Entry entries[] = {
    {"run-duration", true, second, 366 * day, "P30D (pa), P90D (la)", "of a run, from its start to its end",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.run_duration = Duration::milliseconds(n); }},
    {"outbound-request", true, second, 3'600 * second, "PT2M", "of one request of an action",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.call_timeout = Duration::milliseconds(n); }},
    {"inbound-request", true, second, 3'600 * second, "PT2M", "that a caller waits for a Response, then 504",
     [](ServerLimits& l, std::int64_t n) { l.runtime.caller_wait_max = Duration::milliseconds(n); }},
    {"async-poll-interval", true, second, 3'600 * second, "PT10S",
     "between two questions after a 202 that names no Retry-After",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.poll_interval = Duration::milliseconds(n); }},
    {"foreach-items", false, 1, 1'000'000, "100000", "items of a Foreach",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.foreach_items_max = static_cast<std::size_t>(n); }},
    {"until-count", false, 1, 1'000'000, "5000", "iterations of an Until whose count is an expression",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.until_count_max = static_cast<std::uint32_t>(n); }},
    {"pagination-pages", false, 1, 1'000'000, "10000", "pages of one paginated call",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.pages_max = static_cast<std::size_t>(n); }},
    {"tracked-properties", false, 1, 1'000'000, "16000", "characters of an action's tracked properties",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.tracked_properties_max = static_cast<std::size_t>(n); }},
    {"variable-bytes", false, 1'024, 1'024 * mebibyte, "104857600", "of a text variable that grows by appending",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.variable_bytes_max = static_cast<std::size_t>(n); }},
    {"message-bytes", false, 1'024, 1'024 * mebibyte, "104857600", "of a request or reply without chunking",
     [](ServerLimits& l, std::int64_t n) { l.messages.message_bytes_max = static_cast<std::size_t>(n); }},
    {"chunked-message-bytes", false, 1'024, 4'096 * mebibyte, "1073741824", "of a request or reply in chunks",
     [](ServerLimits& l, std::int64_t n) { l.messages.chunked_bytes_max = static_cast<std::size_t>(n); }},
    {"script-characters", false, 1, 1'000'000, "102400", "of the code of a JavaScriptCode action",
     [](ServerLimits& l, std::int64_t n) { l.runtime.limits.script_code_max = static_cast<std::size_t>(n); }},
    {"script-time", true, 100, 300 * second, "PT5S", "of a JavaScriptCode action",
     [](ServerLimits& l, std::int64_t n) { l.sandbox.script.time = Duration::milliseconds(n); }},
    {"script-memory-bytes", false, 32 * mebibyte, 4'096 * mebibyte, "268435456", "of a JavaScriptCode action",
     [](ServerLimits& l, std::int64_t n) { l.sandbox.script.memory_bytes = static_cast<std::size_t>(n); }},
    {"transform-time", true, 100, 600 * second, "PT30S", "of an Xslt or XmlValidation action",
     [](ServerLimits& l, std::int64_t n) { l.sandbox.transform.time = Duration::milliseconds(n); }},
    {"transform-memory-bytes", false, 32 * mebibyte, 4'096 * mebibyte, "536870912", "of the same",
     [](ServerLimits& l, std::int64_t n) { l.sandbox.transform.memory_bytes = static_cast<std::size_t>(n); }},
    {"definition-actions", false, 1, 100'000, "500", "actions of a definition that is saved",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.actions = n; }},
    {"definition-nesting", false, 1, 100, "8", "levels that its actions may lie deep",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.nesting = n; }},
    {"definition-triggers", false, 1, 100, "10", "its triggers",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.triggers = n; }},
    {"definition-parameters", false, 1, 10'000, "50", "its parameters",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.parameters = n; }},
    {"definition-outputs", false, 1, 10'000, "10", "its outputs",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.outputs = n; }},
    {"definition-switch-cases", false, 1, 10'000, "25", "cases of a Switch",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.switch_cases = n; }},
    {"definition-variables", false, 1, 100'000, "250", "variables that it initializes",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.variables = n; }},
    {"definition-name-characters", false, 1, 1'000, "80", "characters of a name in it",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.name_characters = n; }},
    {"definition-description-characters", false, 1, 100'000, "256", "characters of an action's description",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.description_characters = n; }},
    {"definition-expression-characters", false, 1, 1'000'000, "8192", "characters of an expression",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.expression_characters = n; }},
    {"definition-until-count", false, 1, 1'000'000, "5000", "the count of an Until that is written as a number",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.until_count = n; }},
    {"definition-foreach-concurrency", false, 1, 1'000, "50", "items of a Foreach at a time",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.foreach_concurrency = n; }},
    {"definition-trigger-concurrency", false, 1, 10'000, "100", "runs of a trigger at a time",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.trigger_concurrency = n; }},
    {"definition-pagination-items", false, 1, 10'000'000, "100000", "the threshold of a pagination",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.pagination_items = n; }},
    {"definition-retries", false, 1, 1'000, "90", "the count of a retry policy",
     [](ServerLimits& l, std::int64_t n) { l.runtime.definitions.retries = n; }},
    {"split-on-items", false, 1, 1'000'000, "100000", "runs that splitOn makes of one trigger",
     [](ServerLimits& l, std::int64_t n) { l.runtime.split.items = static_cast<std::size_t>(n); }},
    {"split-on-items-with-concurrency", false, 1, 1'000'000, "100", "the same when the trigger has a concurrency",
     [](ServerLimits& l, std::int64_t n) { l.runtime.split.items_with_concurrency = static_cast<std::size_t>(n); }},
    {"request-url", false, 256, mebibyte, "16384", "bytes of the address of an HTTP action",
     [](ServerLimits& l, std::int64_t n) { l.messages.url_bytes_max = static_cast<std::size_t>(n); }},
    {"silence-watch", true, second, 3'600 * second, "PT1M", "between two looks for flows that are silent",
     [](ServerLimits& l, std::int64_t n) { l.silence.every = Duration::milliseconds(n); }},
    {"silence-checks-failing", true, second, day, "PT5M",
     "that a trigger's checks fail, three in a row at least, before an incident opens",
     [](ServerLimits& l, std::int64_t n) { l.silence.patience.length = Duration::milliseconds(n); }},
};

std::string range_of(const Entry& entry) {
  const auto text = [&](std::int64_t n) {
    return entry.is_duration ? to_string(Duration::milliseconds(n)) : std::to_string(n);
  };
  return text(entry.least) + " to " + text(entry.most);
}

std::optional<std::int64_t> read_value(const Entry& entry, std::string_view text) {
  if (entry.is_duration) {
    const auto length = parse_duration(text);
    if (!length) return std::nullopt;
    return length->to_milliseconds();
  }
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string describe_limits() {
  std::string out;
  for (const Entry& entry : entries) {
    out += std::string(entry.name) + "  default " + std::string(entry.usual) + ", " + range_of(entry) + ": " +
           std::string(entry.meaning) + "\n";
  }
  return out;
}

Result<void> set_limits(const std::vector<std::string>& settings, ServerLimits& limits) {
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    const auto name = std::string_view(setting).substr(0, equals);
    const Entry* found = nullptr;
    for (const Entry& entry : entries) {
      if (entry.name == name) found = &entry;
    }
    if (found == nullptr) {
      return make_error("LimitUnknown", "There is no limit '" + std::string(name) + "'.", {},
                        "`flowmend limits` lists them.");
    }
    const auto text = equals == std::string::npos ? std::string_view() : std::string_view(setting).substr(equals + 1);
    const auto value = read_value(*found, text);
    if (!value || *value < found->least || *value > found->most) {
      return make_error("LimitInvalid",
                        "The limit '" + std::string(name) + "' can't be '" + std::string(text) + "': it is " +
                            (found->is_duration ? "an ISO 8601 duration" : "a whole number") + " from " +
                            range_of(*found) + ".",
                        {}, "Correct it.");
    }
    found->set(limits, *value);
  }
  return {};
}

}  // namespace flowmend::server
