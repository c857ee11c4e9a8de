#include "repair/notify/outbox.h"

#include <algorithm>

namespace flowmend::repair::notify {
namespace {

Timestamp time_of(const Value& value, std::string_view name) {
  return parse_timestamp(value.text_of(name)).value_or(Timestamp{});
}

void add_text(json::ObjectBuilder& out, const char* name, const std::string& text) {
  if (!text.empty()) out.add(name, Value(text));
}

}  // namespace

std::string_view channel_name(Channel channel) {
  switch (channel) {
    case Channel::email: return "email";
    case Channel::webhook: return "webhook";
    case Channel::push: return "push";
  }
  return "email";
}

Value to_document(const Entry& entry) {
  json::ObjectBuilder out;
  out.add("channel", Value(channel_name(entry.channel)));
  add_text(out, "user", entry.user);
  add_text(out, "address", entry.address);
  add_text(out, "subscription", entry.subscription);
  json::ArrayBuilder about;
  for (const Entry::About& one : entry.about)
    about.push(Value::object({{"incident", Value(one.incident)}, {"told", Value(to_string(one.told))}}));
  out.add("about", about.finish());
  out.add("created", Value(to_string(entry.created)));
  out.add("due", Value(to_string(entry.due)));
  out.add("attempts", Value(entry.attempts));
  add_text(out, "lastError", entry.last_error);
  out.add("failed", Value(entry.failed));
  return out.finish();
}

std::optional<Entry> entry_of(const store::Document& document) {
  const Value& value = document.value;
  Entry entry;
  entry.key = document.key;
  bool known = false;
  for (const Channel channel : {Channel::email, Channel::webhook, Channel::push}) {
    if (value.text_of("channel") != channel_name(channel)) continue;
    entry.channel = channel;
    known = true;
  }
  const Value* about = value.find("about");
  if (!known || about == nullptr || !about->is_array()) return std::nullopt;
  for (const Value& one : about->as_array())
    entry.about.push_back({std::string(one.text_of("incident")), time_of(one, "told")});
  entry.user = value.text_of("user");
  entry.address = value.text_of("address");
  entry.subscription = value.text_of("subscription");
  entry.created = time_of(value, "created");
  entry.due = time_of(value, "due");
  if (const Value* attempts = value.find("attempts"); attempts != nullptr && attempts->is_integer())
    entry.attempts = static_cast<int>(attempts->as_integer());
  entry.last_error = value.text_of("lastError");
  const Value* failed = value.find("failed");
  entry.failed = failed != nullptr && *failed == Value(true);
  return entry;
}

Value entry_view(const Entry& entry) {
  json::ObjectBuilder out;
  out.add("id", Value(entry.key));
  out.add("channel", Value(channel_name(entry.channel)));
  add_text(out, "user", entry.user);
  add_text(out, "address", entry.address);
  json::ArrayBuilder incidents;
  for (const Entry::About& one : entry.about) incidents.push(Value(one.incident));
  out.add("incidents", incidents.finish());
  out.add("createdTime", Value(to_string(entry.created)));
  out.add("state", Value(entry.failed ? "failed" : entry.attempts > 0 ? "retrying" : "waiting"));
  if (!entry.failed) out.add("nextTryTime", Value(to_string(entry.due)));
  out.add("attempts", Value(entry.attempts));
  add_text(out, "lastError", entry.last_error);
  return out.finish();
}

Duration wait_after(int attempts) {
  Duration wait = first_wait;
  for (int i = 1; i < attempts && wait < longest_wait; ++i) wait.ticks *= 2;
  return std::min(wait, longest_wait);
}

Result<void> add(store::Transaction& transaction, const Entry& entry) {
  Entry merged = entry;
  if (const auto stored = transaction.document("notify-outbox", entry.key)) {
    if (auto waiting = entry_of(*stored); waiting && !waiting->failed) {
      merged = std::move(*waiting);
      for (const Entry::About& one : entry.about) {
        const auto same = std::find_if(merged.about.begin(), merged.about.end(),
                                       [&](const Entry::About& old) { return old.incident == one.incident; });
        if (same == merged.about.end()) {
          merged.about.push_back(one);
        } else {
          same->told = one.told;
        }
      }
    }
  }
  if (auto put = transaction.put_document("notify-outbox", merged.key, to_document(merged)); !put) return put.error();
  return {};
}

std::string sent_key(const Entry& entry, std::string_view incident) {
  std::string receiver = entry.user;
  if (entry.channel == Channel::push) receiver = entry.subscription;
  if (receiver.empty()) receiver = entry.address;
  return std::string(channel_name(entry.channel)) + ":" + receiver + ":" + std::string(incident);
}

}  // namespace flowmend::repair::notify
