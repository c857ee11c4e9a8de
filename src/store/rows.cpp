#include "store/rows.h"

#include <algorithm>
#include <array>

namespace flowmend::store {

namespace {

constexpr std::array<std::string_view, 8> run_statuses{"",       "Waiting",   "Running",  "Succeeded",
                                                       "Failed", "Cancelled", "TimedOut", "Aborted"};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view run_status_name(RunStatus status) {
  const auto index = static_cast<std::size_t>(status);
  return index < run_statuses.size() ? run_statuses[index] : std::string_view();
}

std::optional<RunStatus> parse_run_status(std::string_view name) {
  for (std::size_t i = 1; i < run_statuses.size(); ++i) {
    if (equal_ignoring_case(run_statuses[i], name)) return static_cast<RunStatus>(i);
  }
  return std::nullopt;
}

std::string_view flow_state_name(FlowState state) {
  switch (state) {
    case FlowState::started: return "Started";
    case FlowState::stopped: return "Stopped";
    case FlowState::suspended: return "Suspended";
  }
  return {};
}

}  // namespace flowmend::store
