#include "repair/failed_runs.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <sstream>

#include "definition/words.h"

namespace flowmend::repair {

namespace {

constexpr std::chrono::seconds search_max{60};

/// A repetition that failed is in the list itself.
Result<bool> was_repeated(const store::Store& store, const store::RunRow& run) {
  const auto repeats = store.resubmits_of(run.name);
  if (!repeats) return repeats.error();
  return std::ranges::any_of(*repeats,
                             [](const store::RunRow& repeat) { return repeat.status != store::RunStatus::cancelled; });
}

using Take = std::function<Result<void>(const store::RunRow&)>;

Result<void> read_rows(const store::Store& store, const FailedRunFilter& filter, store::RunStatus status,
                       const std::vector<store::RunRow>& rows, std::size_t most, const Take& take) {
  store::RunQuery query;
  query.flow = filter.flow;
  query.status = status;
  query.from = filter.from;
  query.until = filter.until;
  query.failed_code = filter.code;
  query.limit = 1000;
  while (rows.size() <= most) {
    const auto page = store.runs(query);
    if (!page) return page.error();
    for (const store::RunRow& row : *page) {
      if (auto taken = take(row); !taken) return taken;
    }
    if (page->size() < query.limit) break;
    query.after = page->back().name;
  }
  return {};
}

Result<void> search_rows(const search::RunSearch& search, const FailedRunFilter& filter, store::RunStatus status,
                         const std::vector<store::RunRow>& rows, std::size_t most, const Take& take) {
  const auto late = std::chrono::steady_clock::now() + search_max;
  search::RunSearch::Request wanted;
  wanted.value = filter.value;
  wanted.flow = filter.flow;
  wanted.status = status;
  wanted.limit = 1000;
  do {
    if (std::chrono::steady_clock::now() > late)
      return make_error("SearchTookTooLong", "Looking for the runs with that value took longer than a minute.", {},
                        "Name the flow, or a value with more letters or digits; or let the index be made first.");
    const auto page = search.find(wanted);
    if (!page) return page.error();
    for (const auto& hit : page->hits) {
      const store::RunRow& row = hit.run;
      const bool in_time = (!filter.from.is_set() || row.started >= filter.from) &&
                           (!filter.until.is_set() || row.started < filter.until);
      if (!in_time || (!filter.code.empty() && !has_code(row, filter.code))) continue;
      if (auto taken = take(row); !taken) return taken;
    }
    wanted.below = page->next;
  } while (wanted.below > 0 && rows.size() <= most);
  return {};
}

}  // namespace

Result<std::vector<store::RunRow>> failed_runs(const store::Store& store, const search::RunSearch& search,
                                               const FailedRunFilter& filter, std::size_t most) {
  if (!filter.flow.empty()) {
    const auto flow = store.flow(filter.flow);
    if (!flow) return flow.error();
    if (!*flow)
      return make_error("FlowNotFound", "There is no flow '" + filter.flow + "'.", {},
                        "List the flows: it may have been deleted.");
  }
  std::vector<store::RunRow> rows;
  std::map<std::string, bool> binds;  // flow -> whether it binds the connection
  const Take take = [&](const store::RunRow& row) -> Result<void> {
    if (!filter.connection.empty()) {
      const auto [known, is_new] = binds.emplace(row.flow, false);
      if (is_new) known->second = uses_connection(store, row.flow, filter.connection);
      if (!known->second) return {};
    }
    const auto repeated = was_repeated(store, row);
    if (!repeated) return repeated.error();
    if (!*repeated) rows.push_back(row);
    return {};
  };
  for (const store::RunStatus status : filter.statuses) {
    auto read = filter.value.empty() ? read_rows(store, filter, status, rows, most, take)
                                     : search_rows(search, filter, status, rows, most, take);
    if (!read) return read.error();
  }
  return rows;
}

bool has_code(const store::RunRow& run, std::string_view code) {
  std::istringstream words(run.cause.code);
  for (std::string word; words >> word;) {
    if (definition::same_word(word, code)) return true;
  }
  return false;
}

bool uses_connection(const store::Store& store, const std::string& flow, std::string_view connection) {
  const auto row = store.flow(flow);
  if (!row || !*row) return false;
  const auto version = store.flow_version(flow, (*row)->version);
  if (!version || !*version || !(*version)->connection_references.is_object()) return false;
  return std::ranges::any_of((*version)->connection_references.as_object(), [&](const json::Member& reference) {
    return reference.value.text_of("connectionName") == connection;
  });
}

}  // namespace flowmend::repair
