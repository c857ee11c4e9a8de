#include "repair/search/search.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <thread>

#include "base/thread_name.h"
#include "connector/text.h"
#include "repair/search/filter.h"
#include "repair/search/tokens.h"
#include "runtime/runtime.h"

namespace flowmend::repair::search {
namespace {

using store::RunNumber;
using Clock = std::chrono::steady_clock;

constexpr std::size_t page_ranges = 256;  ///< parts of the index read at a time
constexpr Clock::duration idle_wait = std::chrono::seconds(2);
constexpr double busy_runs_per_second = 200;
constexpr int busy_rest = 9;                  ///< times as long as a range took, while the server is busy
constexpr std::size_t rechecked_ranges = 20;  ///< with open runs, in each pass
constexpr std::size_t value_bytes_max = 1000;
constexpr RunNumber number_max = 99'999'999'999'999;

/// Parts of the index are documents: of kind `search-07`, by a key that sorts the newest range first.
std::string kind_of(int part) { return "search-" + std::string(part < 10 ? "0" : "") + std::to_string(part); }

std::string key_of(RunNumber range) {
  std::string digits = std::to_string(number_max - range);
  return std::string(14 - digits.size(), '0') + digits;
}

RunNumber range_of_key(const std::string& key) {
  RunNumber number = 0;
  std::from_chars(key.data(), key.data() + key.size(), number);
  return number_max - number;
}

struct Part {
  RunNumber first = 0;
  std::string filter;
};

/// One part of ranges that begin below `below`, newest first.
std::vector<Part> read_parts(const store::Store& store, int part, RunNumber below, std::size_t limit) {
  const auto documents = store.documents({kind_of(part), "", key_of(below), limit});
  std::vector<Part> out;
  if (!documents) return out;
  for (const store::Document& document : *documents) {
    auto filter = document.value.is_string() ? connector::base64_decode(document.value.as_string()) : std::nullopt;
    if (filter) out.push_back({range_of_key(document.key), std::move(*filter)});
  }
  return out;
}

/// Reads one part of the index downwards, a page at a time.
class Cursor {
 public:
  Cursor(const store::Store& store, std::uint32_t hash) : store_(store), hash_(hash) {}

  /// False: no run of the range holds the word. A range that can't be read may hold it.
  bool may_hold(RunNumber range) {
    if (!read_ || (!done_ && (parts_.empty() || parts_.back().first > range))) read_from(range);
    while (next_ < parts_.size() && parts_[next_].first > range) ++next_;
    if (next_ >= parts_.size() || parts_[next_].first != range) return true;
    return holds(parts_[next_].filter, hash_);
  }

 private:
  void read_from(RunNumber range) {
    parts_ = read_parts(store_, part_of(hash_), range + 1, page_ranges);
    done_ = parts_.size() < page_ranges;
    read_ = true;
    next_ = 0;
  }

  const store::Store& store_;
  std::uint32_t hash_;
  std::vector<Part> parts_;
  std::size_t next_ = 0;
  bool read_ = false;
  bool done_ = false;
};

}  // namespace

class RunSearch::Worker {
 public:
  explicit Worker(Parts parts) : parts_(parts) {
    load();
    thread_ = std::thread([this] { work(); });
  }

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  Result<Page> find(const Request& request) const {
    const Query query(std::string_view(request.value).substr(0, value_bytes_max));
    if (query.empty())
      return make_error("InvalidSearchValue", "There is no letter and no digit to look for.", {},
                        "Give a value that a run recorded, such as an order number.");
    const auto last = parts_.store.last_run();
    if (!last) return last.error();
    Page page;
    if (!*last) return page;
    RunNumber below = (*last)->number + 1;
    if (request.below > 0) below = std::min(below, request.below);
    // Before the index is read: a run that is indexed meanwhile may be missing in what was read, never in both.
    const auto indexed = [this] {
      const std::lock_guard lock(mutex_);
      return ranges_;
    }();
    const auto lowest = lowest_range();
    if (!lowest) return lowest.error();
    std::vector<Cursor> cursors;
    for (const std::uint32_t hash : query.hashes()) cursors.emplace_back(parts_.store, hash);
    const auto end = Clock::now() + std::chrono::milliseconds(request.time_max.to_milliseconds());
    for (RunNumber range = range_of(below - 1); range >= *lowest; range -= range_runs) {
      const auto known = indexed.find(range);
      const std::vector<RunNumber>* open = known == indexed.end() ? nullptr : &known->second;
      const bool whole =
          open == nullptr || std::all_of(cursors.begin(), cursors.end(), [&](Cursor& c) { return c.may_hold(range); });
      if (!whole && open->empty()) continue;
      for (RunNumber number = std::min(range + range_runs, below) - 1; number >= range; --number) {
        if (!whole && !std::binary_search(open->begin(), open->end(), number)) continue;
        const auto row = parts_.store.run(number);
        if (!row) return row.error();
        if (!*row) continue;
        if (!request.flow.empty() && (*row)->flow != request.flow) continue;
        if (request.status && (*row)->status != *request.status) continue;
        auto hit = look_into(**row, query);
        if (hit) page.hits.push_back(std::move(*hit));
        if (page.hits.size() >= request.limit || Clock::now() >= end) {
          page.next = number;
          return page;
        }
      }
      if (Clock::now() >= end && range > *lowest) {
        page.next = range;
        return page;
      }
    }
    return page;
  }

  Progress progress() const {
    Progress out;
    const auto last = parts_.store.last_run();
    const std::lock_guard lock(mutex_);
    out.indexed_ranges = ranges_.size();
    if (last && *last) {
      const auto ranges = static_cast<std::size_t>((*last)->number / range_runs + 1);
      const auto gone = ranges_.empty() ? 0 : static_cast<std::size_t>(ranges_.begin()->first / range_runs);
      out.waiting_ranges = ranges - std::min(ranges, gone + ranges_.size());
    }
    return out;
  }

  /// Gives whether there may be more to do at once.
  bool index_some() {
    const std::lock_guard working(work_mutex_);
    forget_removed();
    const auto last = parts_.store.last_run();
    if (!last || !*last) return false;
    // The newest runs may not have been committed in the order of their numbers: one whole range is left between.
    const RunNumber end = range_of((*last)->number) - range_runs;
    const auto lowest = lowest_range();
    if (!lowest) return false;
    for (RunNumber range = std::max(next_, *lowest); range < end; range += range_runs) {
      next_ = range;
      if (!is_indexed(range)) return index(range);
    }
    next_ = std::max<RunNumber>(next_, 0);
    return recheck();
  }

 private:
  void load() {
    for (RunNumber below = number_max;;) {
      const auto marks = read_parts(parts_.store, open_part, below, page_ranges);
      for (const Part& mark : marks) ranges_[mark.first] = unpack_numbers(mark.filter, mark.first);
      if (marks.size() < page_ranges) return;
      below = marks.back().first;
    }
  }

  /// Where a walk to older runs ends. A run that is not over and older than all others is in an indexed range, or there
  /// is none.
  Result<RunNumber> lowest_range() const {
    const auto first = parts_.store.ended_runs(0, Timestamp{Timestamp::max_ticks}, 1);
    if (!first) return first.error();
    const std::lock_guard lock(mutex_);
    if (first->empty() || ranges_.empty()) return RunNumber{0};
    return std::min(range_of(first->front()), ranges_.begin()->first);
  }

  bool is_indexed(RunNumber range) const {
    const std::lock_guard lock(mutex_);
    return ranges_.contains(range);
  }

  std::optional<Hit> look_into(const store::RunRow& row, const Query& query) const {
    const auto flow = parts_.flows.version(row.flow, row.version, row.trigger);
    const auto events = runtime::read_events(parts_.store, parts_.sealer, row.number);
    // Without its definition nobody knows what of the run is hidden.
    if (!flow || !events) return std::nullopt;
    std::optional<Hit> hit;
    for_each_text(**flow, *events, [&](std::string_view text, const Source& source) {
      if (!hit && query.is_in(text)) hit = Hit{row, source.action, std::string(source.side)};
    });
    return hit;
  }

  bool index(RunNumber range) {
    std::vector<std::uint32_t> hashes;
    std::vector<RunNumber> open;
    bool any = false;
    for (RunNumber number = range; number < range + range_runs; ++number) {
      if (stopping()) return false;
      const auto stored = parts_.store.run(number);
      if (!stored) return false;
      if (!*stored) continue;
      any = true;
      const store::RunRow& row = **stored;
      if (!store::is_over(row.status)) {
        open.push_back(row.number);
        continue;
      }
      const auto flow = parts_.flows.version(row.flow, row.version, row.trigger);
      const auto events = runtime::read_events(parts_.store, parts_.sealer, row.number);
      if (!flow || !events) continue;
      for_each_text(**flow, *events, [&](std::string_view text, const Source&) {
        for_each_word(text, [&](std::string_view word) { hashes.push_back(hash_of(word)); });
      });
      if (hashes.size() > 1'000'000) shrink(hashes);
    }
    if (!any) {  // removed by retention, or given to nobody
      next_ = range + range_runs;
      return true;
    }
    shrink(hashes);
    const auto filters = make_filters(hashes);
    const auto written = parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
      const auto put = [&](int part, const std::string& bytes) -> Result<void> {
        auto done = transaction.put_document(kind_of(part), key_of(range), Value(connector::base64_encode(bytes)));
        if (!done) return done.error();
        return {};
      };
      for (int part = 0; part < filter_parts; ++part) {
        if (auto done = put(part, filters[static_cast<std::size_t>(part)]); !done) return done;
      }
      if (auto done = put(open_part, pack_numbers(open, range)); !done) return done;
      return {};
    });
    if (!written) return false;
    const std::lock_guard lock(mutex_);
    ranges_[range] = std::move(open);
    return true;
  }

  static void shrink(std::vector<std::uint32_t>& hashes) {
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  }

  /// Ranges with runs that were open: indexed again once one of them is over.
  bool recheck() {
    std::vector<std::pair<RunNumber, std::vector<RunNumber>>> some;
    {
      const std::lock_guard lock(mutex_);
      auto at = ranges_.upper_bound(rechecked_);
      for (std::size_t seen = 0; seen < ranges_.size() && some.size() < rechecked_ranges; ++seen, ++at) {
        if (at == ranges_.end()) at = ranges_.begin();
        if (!at->second.empty()) some.emplace_back(at->first, at->second);
      }
    }
    for (const auto& [range, open] : some) {
      rechecked_ = range;
      for (const RunNumber number : open) {
        const auto run = parts_.store.run(number);
        if (!run || (*run && !store::is_over((*run)->status))) continue;
        if (!index(range)) return false;
        break;
      }
    }
    return false;
  }

  /// Drops ranges whose runs retention removed, from the oldest on.
  void forget_removed() {
    for (int i = 0; i < 100; ++i) {
      RunNumber oldest = 0;
      {
        const std::lock_guard lock(mutex_);
        if (ranges_.empty()) return;
        oldest = ranges_.begin()->first;
      }
      // Runs that are over and were started before this range's end are still there.
      const auto first = parts_.store.ended_runs(0, Timestamp{Timestamp::max_ticks}, 1);
      if (!first || first->empty() || first->front() < oldest + range_runs) return;
      for (RunNumber number = oldest; number < oldest + range_runs; ++number) {
        const auto run = parts_.store.run(number);
        if (!run || *run) return;
      }
      const auto written = parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
        for (int part = 0; part <= open_part; ++part) {
          if (auto erased = transaction.erase_document(kind_of(part), key_of(oldest)); !erased) return erased.error();
        }
        return {};
      });
      if (!written) return;
      const std::lock_guard lock(mutex_);
      ranges_.erase(oldest);
    }
  }

  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  /// Whether many runs were started since this was asked last: they want the store, whatever this thread's priority.
  bool is_busy() {
    const auto now = Clock::now();
    const auto last = parts_.store.last_run();
    const RunNumber number = last && *last ? (*last)->number : 0;
    const std::chrono::duration<double> passed = now - asked_at_;
    const double rate = static_cast<double>(number - asked_number_) / std::max(passed.count(), 0.001);
    const bool first = asked_number_ == 0;
    asked_at_ = now;
    asked_number_ = number;
    return !first && rate > busy_runs_per_second;
  }

  void work() {
    name_thread("fm-search");
    // Runs come first: this thread gets what nobody else wants.
    const sched_param none{};
    static_cast<void>(sched_setscheduler(0, SCHED_IDLE, &none));
    while (!stopping()) {
      const auto begin = Clock::now();
      const auto rest = index_some() ? (is_busy() ? busy_rest * (Clock::now() - begin) : Clock::duration{}) : idle_wait;
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, rest, [this] { return stopping_; });
    }
  }

  Parts parts_;
  std::mutex work_mutex_;       ///< one indexes at a time
  RunNumber next_ = 0;          ///< all ranges before it are indexed; with `work_mutex_` held
  RunNumber asked_number_ = 0;  ///< by the thread alone, as the next
  Clock::time_point asked_at_{};
  RunNumber rechecked_ = 0;  ///< with `work_mutex_` held
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<RunNumber, std::vector<RunNumber>> ranges_;  ///< indexed ranges and the runs that they leave out
  bool stopping_ = false;
  std::thread thread_;
};

RunSearch::RunSearch(Parts parts) : worker_(std::make_unique<Worker>(parts)) {}
RunSearch::~RunSearch() = default;
Result<RunSearch::Page> RunSearch::find(const Request& request) const { return worker_->find(request); }
RunSearch::Progress RunSearch::progress() const { return worker_->progress(); }
void RunSearch::index_now() {
  while (worker_->index_some()) {
  }
}

}  // namespace flowmend::repair::search
