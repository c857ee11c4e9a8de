#include "repair/silence/uptime.h"

#include <algorithm>

namespace flowmend::repair::silence {
namespace {

constexpr std::size_t gaps_max = 300;

Timestamp time_of(const json::Value& value, std::string_view name) {
  return parse_timestamp(value.text_of(name)).value_or(Timestamp());
}

}  // namespace

Uptime Uptime::from_document(const json::Value& document) {
  Uptime uptime;
  if (!document.is_object()) return uptime;
  uptime.first_ = time_of(document, "first");
  uptime.since_ = time_of(document, "since");
  uptime.seen_ = time_of(document, "seen");
  if (!uptime.first_.is_set() || !uptime.since_.is_set() || !uptime.seen_.is_set()) return {};
  if (const json::Value* gaps = document.find("gaps"); gaps != nullptr && gaps->is_array()) {
    for (const json::Value& gap : gaps->as_array()) {
      const Gap read{time_of(gap, "from"), time_of(gap, "until")};
      if (read.from.is_set() && read.until >= read.from && uptime.gaps_.size() < gaps_max) uptime.gaps_.push_back(read);
    }
  }
  return uptime;
}

json::Value Uptime::to_document() const {
  json::ArrayBuilder gaps;
  for (const Gap& gap : gaps_)
    gaps.push(json::Value::object(
        {{"from", json::Value(to_string(gap.from))}, {"until", json::Value(to_string(gap.until))}}));
  return json::Value::object({{"first", json::Value(to_string(first_))},
                              {"since", json::Value(to_string(since_))},
                              {"seen", json::Value(to_string(seen_))},
                              {"gaps", gaps.finish()}});
}

void Uptime::note(Timestamp now, Duration beat, bool process_started) {
  if (!first_.is_set() || now < seen_) {  // set back: what was noted is of another time
    first_ = since_ = seen_ = now;
    gaps_.clear();
    return;
  }
  if (process_started || now - seen_ > Duration{beat.ticks * 3}) {
    gaps_.push_back({seen_, now});
    if (gaps_.size() > gaps_max) {
      first_ = gaps_.front().until;
      gaps_.erase(gaps_.begin());
    }
    since_ = now;
  }
  seen_ = now;
}

Timestamp Uptime::down_since() const { return gaps_.empty() ? Timestamp() : gaps_.back().from; }

bool Uptime::covers(Timestamp from, Timestamp until) const {
  if (!first_.is_set() || from < first_ || until > seen_) return false;
  std::int64_t missing = 0;
  for (const Gap& gap : gaps_)
    missing += std::max<std::int64_t>(std::min(gap.until, until).ticks - std::max(gap.from, from).ticks, 0);
  return missing * 20 <= until.ticks - from.ticks;
}

}  // namespace flowmend::repair::silence
