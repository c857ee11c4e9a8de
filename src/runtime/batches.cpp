#include "runtime/batches.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include <spdlog/spdlog.h>

#include "json/write.h"
#include "runtime/trigger_key.h"
#include "trigger/inputs.h"

namespace flowmend::runtime {

namespace {

constexpr std::string_view message_kind = "batchMessage";
constexpr std::string_view times_kind = "batchTimes";
constexpr std::size_t waiting_max = 100'000;
constexpr Duration again_after = Duration::seconds(60);

std::uint64_t number_of(std::string_view key) {
  const auto digits = trigger_of(key);
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

/// The batches of a trigger as its expressions give them now.
Result<std::vector<definition::BatchConfiguration>> batches_of(const definition::Flow& flow, Timestamp now,
                                                               std::uint64_t seed) {
  const auto inputs = trigger::evaluate_inputs(flow, Value(), now, seed);
  if (!inputs) return inputs.error();
  Diagnostics findings;
  auto batches = definition::read_batches(*inputs, "/inputs", findings);
  for (const Diagnostic& finding : findings) {
    if (finding.severity == Severity::error)
      return make_error(finding.code, finding.message, finding.pointer, finding.cure);
  }
  return batches;
}

}  // namespace

Batches::Batches(Parts parts) : parts_(std::move(parts)), self_(std::make_shared<Batches*>(this)) {}

Batches::~Batches() { *self_ = nullptr; }

std::string Batches::next_key(std::string_view flow) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%020llu", static_cast<unsigned long long>(++last_number_));
  return trigger_key(flow, digits);
}

Result<void> Batches::recover() {
  const auto messages = read_documents(parts_.store, message_kind);
  if (!messages) return messages.error();
  for (const auto& document : *messages) {
    last_number_ = std::max(last_number_, number_of(document.key));
    const Value& value = document.value;
    const Value* bytes = value.find("bytes");
    const GroupName name{std::string(value.text_of("batch")), std::string(value.text_of("partition"))};
    auto& group = entries_[trigger_key(flow_of(document.key), value.text_of("trigger"))].groups[name];
    group.messages.push_back({document.key, bytes != nullptr && bytes->is_integer() ? bytes->as_integer() : 0});
    group.bytes += group.messages.back().bytes;
  }
  const auto flows = parts_.store.flows();
  if (!flows) return flows.error();
  for (const auto& row : *flows) flow_changed(row.id);
  std::vector<std::string> gone;
  for (const auto& entry : entries_) {
    const auto id = flow_of(entry.first);
    const bool known = std::ranges::any_of(*flows, [&](const auto& row) { return row.id == id; });
    if (!known) gone.emplace_back(id);
  }
  for (const auto& id : gone) forget_flow(id);
  return {};
}

void Batches::flow_changed(const std::string& id) {
  const auto live = parts_.flows.find(id);
  if (!live && live.error().code == "FlowNotFound") return forget_flow(id);
  if (!live) {
    // Without the store nothing can be released either; look again when it may be back.
    parts_.executor->post_at(parts_.executor->now() + Duration::seconds(5), [self = self_, id] {
      if (*self != nullptr) (*self)->flow_changed(id);
    });
    return;
  }
  const auto prefix = trigger_keys_of(id);
  for (auto entry = entries_.lower_bound(prefix); entry != entries_.end() && entry->first.starts_with(prefix); ++entry)
    entry->second.on = false;
  const bool on = (*live)->row.state == store::FlowState::started;
  for (const auto& flow : definition::by_trigger((*live)->flow)) {
    if (flow->trigger.source == definition::TriggerSource::batch) plan(trigger_key(id, flow->trigger.name), *flow, on);
  }
}

void Batches::forget_flow(const std::string& id) {
  const auto prefix = trigger_keys_of(id);
  bool known = false;
  for (auto entry = entries_.lower_bound(prefix); entry != entries_.end() && entry->first.starts_with(prefix);) {
    entry = entries_.erase(entry);
    known = true;
  }
  if (!known) return;
  store::Batch batch;
  for (const auto kind : {message_kind, times_kind}) {
    const auto documents = read_documents(parts_.store, kind, prefix);
    if (!documents) continue;  // left for the next start
    for (const auto& document : *documents) batch.documents.push_back({document.kind, document.key, Value(), 0, {}});
  }
  if (!batch.documents.empty()) parts_.store.commit(std::move(batch), {});
}

void Batches::plan(const std::string& key, const definition::Flow& flow, bool on) {
  Entry& entry = entries_[key];
  entry.on = on;
  entry.batches.clear();
  const auto batches = batches_of(flow, parts_.executor->now(), parts_.executor->random());
  if (!batches) {
    spdlog::error("the batches of trigger {} can't be used: {}", key, batches.error().message);
  } else {
    for (const auto& batch : *batches) entry.batches.emplace(batch.name, batch);
  }
  std::erase_if(entry.timings, [&](const auto& timing) {
    const auto batch = entry.batches.find(timing.first);
    return !on || batch == entry.batches.end() || batch->second.recurrence != timing.second.source;
  });
  if (!on) return;
  for (const auto& [name, batch] : entry.batches) {
    if (!batch.recurrence.is_null() && !entry.timings.contains(name)) plan_times(key, entry, batch);
  }
  // The criteria may have become easier, or the flow was off when they were met.
  for (const auto& group : entry.groups) check_later(key, group.first, {});
}

void Batches::plan_times(const std::string& key, Entry& entry, const definition::BatchConfiguration& batch) {
  const auto recurrence = trigger::read_recurrence(batch.recurrence);
  if (!recurrence) {
    spdlog::error("the recurrence of batch {} of trigger {} can't be used: {}", batch.name, key,
                  recurrence.error().message);
    return;
  }
  const Timestamp now = parts_.executor->now();
  Timing timing;
  timing.source = batch.recurrence;
  timing.recurrence = *recurrence;
  timing.saved = timing.last = now;
  timing.turn = ++turns_;
  const auto stored = parts_.store.document(times_kind, key + "/" + batch.name);
  const Value* source = stored && *stored ? (*stored)->value.find("recurrence") : nullptr;
  if (source != nullptr && *source == batch.recurrence) {
    const Value& value = (*stored)->value;
    timing.saved = parse_timestamp(value.text_of("saved")).value_or(now);
    timing.last = parse_timestamp(value.text_of("last")).value_or(now);
  } else {
    keep_times(key, batch.name, timing);
  }
  // A time that was missed is made up for at once.
  timing.next = trigger::next_fire(timing.recurrence, timing.saved, timing.last, timing.last).value_or(Timestamp{});
  entry.timings[batch.name] = std::move(timing);
  wake(key, batch.name);
}

void Batches::keep_times(const std::string& key, const std::string& batch, const Timing& timing) {
  store::Batch change;
  change.documents.push_back({std::string(times_kind),
                              key + "/" + batch,
                              Value::object({{"recurrence", timing.source},
                                             {"saved", Value(to_string(timing.saved))},
                                             {"last", Value(to_string(timing.last))}}),
                              0,
                              {}});
  parts_.store.commit(std::move(change), {});
}

void Batches::wake(const std::string& key, const std::string& batch) {
  const Timing& timing = entries_.at(key).timings.at(batch);
  if (!timing.next.is_set()) return;
  parts_.executor->post_at(timing.next, [self = self_, key, batch, turn = timing.turn] {
    if (*self == nullptr) return;
    const auto entry = (*self)->entries_.find(key);
    if (entry == (*self)->entries_.end()) return;
    const auto found = entry->second.timings.find(batch);
    if (found != entry->second.timings.end() && found->second.turn == turn) (*self)->time_has_come(key, batch);
  });
}

void Batches::time_has_come(const std::string& key, const std::string& batch) {
  Entry& entry = entries_.at(key);
  Timing& timing = entry.timings.at(batch);
  const Timestamp now = parts_.executor->now();
  if (now < timing.next) return wake(key, batch);  // the clock was set back in the meantime
  timing.last = timing.next;
  timing.next = trigger::next_fire(timing.recurrence, timing.saved, timing.last, now).value_or(Timestamp{});
  timing.turn = ++turns_;
  std::vector<GroupName> due;
  for (auto& [name, group] : entry.groups) {
    if (name.first != batch || group.messages.empty()) continue;
    group.due = group.messages.size();
    due.push_back(name);
  }
  // Without messages nothing is to be remembered: when they come, the times are counted on from the same point.
  if (!due.empty()) keep_times(key, batch, timing);
  wake(key, batch);
  for (const auto& name : due) check(key, name);
}

void Batches::take(const std::shared_ptr<const definition::Flow>& flow, BatchMessage message,
                   std::vector<store::Document> also, std::function<void(Result<void>)> done) {
  const auto key = trigger_key(flow->id, flow->trigger.name);
  const auto batches = batches_of(*flow, parts_.executor->now(), parts_.executor->random());
  if (!batches) return done(batches.error());
  if (std::ranges::none_of(*batches, [&](const auto& batch) { return batch.name == message.batch; })) {
    return done(make_error("BatchNotFound",
                           "The trigger '" + flow->trigger.name + "' of flow '" + flow->display_name +
                               "' has no batch '" + message.batch + "'.",
                           "/inputs/batchName", "Name one of its 'configurations'."));
  }
  const auto bytes = static_cast<std::int64_t>(json::write(message.content).size());
  if (bytes > definition::batch_bytes_max) {
    return done(make_error("BatchMessageTooLarge",
                           "The message has " + std::to_string(bytes) + " bytes; at most " +
                               std::to_string(definition::batch_bytes_max) + " are possible.",
                           "/inputs/content", "Send it in parts, or send a reference to it."));
  }
  if (waiting(key) >= waiting_max) {
    return done(make_error("BatchMessagesLimitExceeded",
                           std::to_string(waiting_max) + " messages wait for the trigger '" + flow->trigger.name +
                               "' of flow '" + flow->display_name + "' already.",
                           "/inputs", "Make its release criteria easier to meet."));
  }
  const auto document = next_key(flow->id);
  store::Batch change;
  change.documents = std::move(also);
  change.documents.push_back({std::string(message_kind),
                              document,
                              Value::object({{"trigger", Value(flow->trigger.name)},
                                             {"batch", Value(message.batch)},
                                             {"partition", Value(message.partition)},
                                             {"messageId", Value(message.id)},
                                             {"bytes", Value(bytes)},
                                             {"content", message.content}}),
                              0,
                              {}});
  parts_.store.commit(std::move(change), [self = self_, executor = parts_.executor, key, document, bytes,
                                          done = std::move(done), name = GroupName{message.batch, message.partition}] {
    executor->post([self, key, document, bytes, name, done] {
      if (*self == nullptr) return;
      Group& group = (*self)->entries_[key].groups[name];
      group.messages.push_back({document, bytes});
      group.bytes += bytes;
      done({});
      (*self)->check(key, name);
    });
  });
}

void Batches::check(const std::string& key, const GroupName& name) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.on) return;
  const auto batch = found->second.batches.find(name.first);
  const auto at = found->second.groups.find(name);
  if (batch == found->second.batches.end() || at == found->second.groups.end()) return;
  Group& group = at->second;
  if (group.releasing) return;  // looked at again when that is over
  if (group.messages.empty()) {
    if (auto done = std::move(group.done)) done(make_error("BatchEmpty", "No message waits."));
    found->second.groups.erase(at);
    return;
  }
  const auto& criteria = batch->second;
  const auto by_count = criteria.message_count.value_or(definition::batch_messages_max);
  const auto by_bytes = criteria.bytes.value_or(definition::batch_bytes_max);
  // The oldest messages up to the criterion that they meet first; all of them, within the same bounds, by time.
  std::size_t count = 0;
  std::int64_t bytes = 0;
  bool met = group.due > 0;
  for (const auto& message : group.messages) {
    if (bytes + message.bytes > definition::batch_bytes_max) {  // never the first: no message is larger
      met = true;
      break;
    }
    bytes += message.bytes;
    ++count;
    if (static_cast<std::int64_t>(count) >= by_count || bytes >= by_bytes || count == group.due) {
      met = true;
      break;
    }
  }
  if (met) release(key, name, count);
}

void Batches::check_later(const std::string& key, const GroupName& name, Duration wait) {
  parts_.executor->post_at(parts_.executor->now() + wait, [self = self_, key, name] {
    if (*self != nullptr) (*self)->check(key, name);
  });
}

void Batches::release(const std::string& key, const GroupName& name, std::size_t count) {
  Entry& entry = entries_.at(key);
  Group& group = entry.groups.at(name);
  const auto live = parts_.flows.find(flow_of(key));
  const auto flow = live ? definition::with_trigger((*live)->flow, trigger_of(key)) : nullptr;
  if (!flow) return check_later(key, name, again_after);
  json::ArrayBuilder items;
  std::vector<store::Document> erased;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& document = group.messages[i].document;
    const auto message = parts_.store.document(message_kind, document);
    if (!message) return check_later(key, name, Duration::seconds(1));
    if (*message) {
      const Value* content = (*message)->value.find("content");
      items.push(Value::object({{"content", content == nullptr ? Value() : *content},
                                {"messageId", Value((*message)->value.text_of("messageId"))}}));
    }
    erased.push_back({std::string(message_kind), document, Value(), 0, {}});
  }
  const Value outputs = Value::object({{"body", Value::object({{"batchName", Value(name.first)},
                                                               {"partitionName", Value(name.second)},
                                                               {"items", items.finish()}})}});
  group.releasing = true;
  parts_.fire(flow, outputs, std::move(erased),
              [self = self_, executor = parts_.executor, key, name, count](const Result<StartedRun>& started) {
                executor->post([self, key, name, count, started] {
                  if (*self != nullptr) (*self)->released(key, name, count, started);
                });
              });
}

void Batches::released(const std::string& key, const GroupName& name, std::size_t count,
                       const Result<StartedRun>& started) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return;
  const auto found = entry->second.groups.find(name);
  if (found == entry->second.groups.end()) return;
  Group& group = found->second;
  group.releasing = false;
  if (auto done = std::move(group.done)) done(started);
  group.done = nullptr;
  // A condition that says no has dropped them: the trigger's history says so.
  const bool dropped =
      !started && (started.error().code == "TriggerConditionNotMet" || started.error().code == "SplitOnEmpty");
  if (!started && !dropped) return check_later(key, name, again_after);
  for (std::size_t i = 0; i < count; ++i) {
    group.bytes -= group.messages.front().bytes;
    group.messages.pop_front();
  }
  group.due -= std::min(group.due, count);
  if (group.messages.empty()) {
    entry->second.groups.erase(found);
    return;
  }
  check(key, name);
}

void Batches::release_now(const std::string& key, std::function<void(Result<StartedRun>)> done) {
  const auto entry = entries_.find(key);
  std::vector<GroupName> names;
  if (entry != entries_.end()) {
    for (auto& [name, group] : entry->second.groups) {
      if (!group.messages.empty() && !group.releasing && entry->second.batches.contains(name.first))
        names.push_back(name);
    }
  }
  if (names.empty()) return done(make_error("BatchEmpty", "No message waits to be released."));
  entry->second.groups.at(names.front()).done = std::move(done);
  for (const auto& name : names) {
    auto& group = entry->second.groups.at(name);
    group.due = group.messages.size();
  }
  for (const auto& name : names) check(key, name);
}

std::size_t Batches::waiting(const std::string& key) const {
  std::size_t count = 0;
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return count;
  for (const auto& group : entry->second.groups) count += group.second.messages.size();
  return count;
}

}  // namespace flowmend::runtime
