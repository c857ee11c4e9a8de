#include "repair/notify/notifier.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/thread_name.h"
#include "connector/text.h"
#include "json/write.h"
#include "repair/notify/message.h"
#include "repair/notify/outbox.h"
#include "repair/notify/signature.h"

namespace flowmend::repair::notify {
namespace {

constexpr std::string_view outbox_kind = "notify-outbox";
constexpr std::string_view sent_kind = "notify-sent";
constexpr std::size_t entries_max = 10'000;
constexpr Duration idle_wait = Duration::minutes(1);
constexpr Duration request_timeout = Duration::seconds(20);

/// What became of a delivery.
struct Outcome {
  enum class Kind : std::uint8_t { taken, again, refused, pointless } kind = Kind::taken;
  std::string reason;
  Timestamp not_before = {};  ///< of `again`: the receiver asked for it
};

Outcome outcome_of(const Result<void>& sent) {
  if (sent) return {};
  return {sent.error().code == "MailRefused" ? Outcome::Kind::refused : Outcome::Kind::again, sent.error().message};
}

std::string reason_of(const http::Reply& reply) {
  if (reply.status == 0) return reply.error_message.empty() ? reply.error_code : reply.error_message;
  return "It answered with status " + std::to_string(reply.status) + ".";
}

Outcome outcome_of(const http::Reply& reply) {
  if (reply.status >= 200 && reply.status < 300) return {};
  const bool later =
      reply.status == 0 || reply.status == 408 || reply.status == 425 || reply.status == 429 || reply.status >= 500;
  // A receiver that moved or lost its key is mended by a person: the message waits for that.
  return {later ? Outcome::Kind::again : Outcome::Kind::refused, reason_of(reply)};
}

/// The incident's flows and their share; an incident of a connection alone has none.
std::set<std::string> flows_of(const Incident& incident) {
  std::set<std::string> out;
  for (const IncidentPart& part : incident.parts) {
    for (const auto& [id, flow] : part.flows) out.insert(id);
  }
  return out;
}

std::string stable_id(const Entry& entry) {
  std::string text = entry.key;
  for (const Entry::About& one : entry.about) text += "|" + one.incident + "|" + std::to_string(one.told.ticks);
  return incident_id(text);
}

}  // namespace

class Notifier::Worker {
 public:
  explicit Worker(Parts parts)
      : parts_(std::move(parts)), choices_(parts_.store, parts_.sealer), thread_([this] { work(); }) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  Result<void> tell(store::Transaction& transaction, const Incident& incident) {
    const Timestamp now = parts_.clock();
    const std::set<std::string> flows = flows_of(incident);
    std::set<std::string> addresses;
    bool anyone = flows.empty();
    for (const std::string& flow : flows) {
      const auto stored = transaction.document("notify-flow", flow);
      const auto preferences = stored ? read_flow_preferences(stored->value) : FlowPreferences{};
      if (!preferences || preferences->tell) anyone = true;
      if (!preferences || !preferences->tell) continue;
      addresses.insert(preferences->recipients.begin(), preferences->recipients.end());
    }
    if (!anyone) return {};
    Entry entry;
    entry.about = {{incident.id, incident.told}};
    entry.created = now;
    entry.due = now;

    if (const auto hook = transaction.document("notify-server", "webhook");
        hook && !hook->value.text_of("sealedUrl").empty()) {
      entry.channel = Channel::webhook;
      entry.key = "webhook:" + incident.id;
      if (auto added = add(transaction, entry); !added) return added;
    }
    const auto smtp = transaction.document("notify-server", "smtp");
    const bool has_mail = smtp && !smtp->value.text_of("host").empty();
    const auto users = transaction.documents({"user", "", "", 1000});
    for (const store::Document& user : users) {
      if (parts_.may_hear && !parts_.may_hear(transaction, user, incident)) continue;
      const auto stored = transaction.document("notify-user", user.key);
      const auto read = stored ? read_user_preferences(stored->value) : UserPreferences{};
      const UserPreferences preferences = read ? *read : UserPreferences{};
      entry.user = user.key;
      const Timestamp due = email_due(preferences, now);
      if (has_mail && !preferences.email.empty() && due.is_set()) {
        addresses.erase(preferences.email);
        entry.channel = Channel::email;
        entry.due = due;
        entry.key =
            preferences.email_pace == Pace::immediate ? "email:" + user.key + ":" + incident.id : "digest:" + user.key;
        if (auto added = add(transaction, entry); !added) return added;
      }
      if (!preferences.push) continue;
      entry.channel = Channel::push;
      entry.due = after_quiet_hours(preferences, now);
      for (const store::Document& device : transaction.documents({"notify-push", "", "", entries_max})) {
        if (device.value.text_of("user") != user.key) continue;
        entry.subscription = device.key;
        entry.key = "push:" + device.key + ":" + incident.id;
        if (auto added = add(transaction, entry); !added) return added;
      }
      entry.subscription.clear();
    }
    entry.user.clear();
    entry.channel = Channel::email;
    entry.due = now;
    if (!has_mail) return {};
    for (const std::string& address : addresses) {
      entry.address = address;
      entry.key = "address:" + address + ":" + incident.id;
      if (auto added = add(transaction, entry); !added) return added;
    }
    return {};
  }

  void wake() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    wake_.notify_one();
  }

  Choices& choices() { return choices_; }

  Result<void> test_mail(const std::string& address) {
    if (address.empty())
      return make_error("NoAddress", "There is no address to send to.", {}, "Enter your e-mail address and save it.");
    if (!is_mail_address(address))
      return make_error("InvalidNotificationSettings", "'" + address + "' is no e-mail address.");
    const auto settings = choices_.smtp();
    if (!settings) return settings.error();
    const Message message = test_message(parts_.public_url);
    const Timestamp now = parts_.clock();
    return send_mail(*settings,
                     {address, message.subject, message.text, message.html, "test-" + std::to_string(now.ticks), now});
  }

  Result<void> test_webhook() {
    const auto settings = choices_.webhook();
    if (!settings) return settings.error();
    if (settings->url.empty())
      return make_error("WebhookNotSetUp", "There is no webhook to send to.", {}, "Enter its address and save it.");
    const Timestamp now = parts_.clock();
    const auto reply = post(*settings, "test-" + std::to_string(now.ticks), test_webhook_body(now));
    if (reply.status >= 200 && reply.status < 300) return {};
    return make_error("WebhookFailed", "The webhook did not take the message: " + reason_of(reply), {},
                      "Check the address, and that the receiver answers with a status from 200 to 299.");
  }

  Result<void> test_push(std::string_view user) {
    const auto devices = choices_.devices(user);
    if (!devices) return devices.error();
    if (devices->empty())
      return make_error("NoDevices", "No device of yours gets messages yet.", {},
                        "Open this page on the device and turn on 'Messages on this device'.");
    for (const Choices::Device& device : *devices) {
      const Outcome outcome = push(device, test_push_payload(), "test");
      if (outcome.kind == Outcome::Kind::taken) continue;
      return make_error("PushFailed",
                        "The push service of '" + device.name + "' did not take the message: " + outcome.reason, {},
                        "Turn messages off and on again on that device.");
    }
    return {};
  }

  Result<Value> outbox() const {
    const auto entries = all();
    if (!entries) return entries.error();
    json::ArrayBuilder out;
    for (const Entry& entry : *entries) out.push(entry_view(entry));
    return out.finish();
  }

  Result<std::size_t> retry(std::string_view key) {
    const Timestamp now = parts_.clock();
    std::size_t count = 0;
    const auto written = parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
      for (const store::Document& document : transaction.documents({std::string(outbox_kind), "", "", entries_max})) {
        if (!key.empty() && document.key != key) continue;
        auto entry = entry_of(document);
        // All that were tried; one by name also when it only waits for its time.
        if (!entry || (key.empty() && !entry->failed && entry->attempts == 0)) continue;
        if (entry->failed) entry->created = now;
        entry->failed = false;
        entry->due = now;
        ++count;
        if (auto put = transaction.put_document(outbox_kind, document.key, to_document(*entry)); !put)
          return put.error();
      }
      return {};
    });
    if (!written) return written.error();
    if (!key.empty() && count == 0)
      return make_error("MessageNotFound", "No such message waits.", {}, "List the outbox: it may have been sent.");
    wake();
    return count;
  }

  Result<bool> discard(std::string_view key) { return parts_.store.erase_document(outbox_kind, key); }

 private:
  Result<std::vector<Entry>> all() const {
    const auto documents = parts_.store.documents({std::string(outbox_kind), "", "", entries_max});
    if (!documents) return documents.error();
    std::vector<Entry> out;
    for (const store::Document& document : *documents) {
      if (auto entry = entry_of(document)) out.push_back(std::move(*entry));
    }
    std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.created < b.created; });
    return out;
  }

  void work() {
    name_thread("fm-notify");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      woken_ = false;
      lock.unlock();
      const Duration pause = send_due();
      lock.lock();
      wake_.wait_for(lock, std::chrono::milliseconds(pause.to_milliseconds() + 1), [&] { return stopping_ || woken_; });
    }
  }

  bool stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  /// Sends what is due; gives how long to rest.
  Duration send_due() {
    const auto entries = all();
    if (!entries) return idle_wait;
    Duration rest = idle_wait;
    for (const Entry& entry : *entries) {
      if (entry.failed) continue;
      const Timestamp now = parts_.clock();
      if (entry.due > now) {
        rest = std::min(rest, entry.due - now);
        continue;
      }
      if (stopping()) return {};
      rest = std::min(rest, handle(entry, now));
    }
    forget_sent();
    return rest;
  }

  /// Sends one entry and notes what became of it; gives how long this one waits.
  Duration handle(const Entry& entry, Timestamp now) {
    std::vector<Incident> incidents;
    std::vector<Entry::About> done;  // sent, or without a point any more
    Timestamp next;
    // What is tried in time counts as sent at its time: an hourly digest must not drift.
    const Timestamp moment = entry.attempts == 0 ? entry.due : now;
    for (const Entry::About& one : entry.about) {
      const auto stored = parts_.store.document("incident", one.incident);
      if (!stored) return idle_wait;
      auto incident = *stored ? from_document((*stored)->value) : std::nullopt;
      if (!incident || incident->state == IncidentState::muted) {
        done.push_back(one);
        continue;
      }
      const auto sent = parts_.store.document(sent_kind, sent_key(entry, one.incident));
      if (!sent) return idle_wait;
      const Timestamp free =
          *sent ? parse_timestamp((*sent)->value.text_of("time")).value_or(Timestamp{}) + hold_between_messages
                : Timestamp{};
      if (*sent && free > moment && free > now) {
        if (!next.is_set() || free < next) next = free;
        continue;
      }
      incident->id = one.incident;
      incidents.push_back(std::move(*incident));
      done.push_back(one);
    }
    Outcome outcome;
    if (!incidents.empty()) {
      std::sort(incidents.begin(), incidents.end(),
                [](const Incident& a, const Incident& b) { return b.last() < a.last(); });
      outcome = deliver(entry, incidents);
    }
    return note(entry, done, incidents, outcome, moment, next);
  }

  Duration note(const Entry& sent, const std::vector<Entry::About>& done, const std::vector<Incident>& incidents,
                const Outcome& outcome, Timestamp moment, Timestamp next) {
    const Timestamp now = parts_.clock();
    Duration wait = idle_wait;
    const auto written = parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
      const auto stored = transaction.document(outbox_kind, sent.key);
      auto entry = stored ? entry_of(*stored) : std::nullopt;
      if (!entry) return {};  // a person removed it meanwhile
      if (outcome.kind == Outcome::Kind::again || outcome.kind == Outcome::Kind::refused) {
        ++entry->attempts;
        entry->last_error = outcome.reason.substr(0, 500);
        entry->failed = outcome.kind == Outcome::Kind::refused || now - entry->created > given_up_after;
        entry->due = std::max(now + wait_after(entry->attempts), outcome.not_before);
      } else {
        // What was told anew while this was under way stays for the next message.
        std::erase_if(entry->about, [&](const Entry::About& one) {
          return std::any_of(done.begin(), done.end(), [&](const Entry::About& gone) {
            return gone.incident == one.incident && gone.told == one.told;
          });
        });
        for (const Incident& incident : incidents) {
          if (outcome.kind != Outcome::Kind::taken) break;
          if (auto put = transaction.put_document(sent_kind, sent_key(sent, incident.id),
                                                  Value::object({{"time", Value(to_string(moment))}}));
              !put)
            return put.error();
        }
        if (entry->about.empty()) {
          if (auto erased = transaction.erase_document(outbox_kind, sent.key); !erased) return erased.error();
          return {};
        }
        entry->attempts = 0;
        entry->last_error.clear();
        entry->due = next.is_set() ? next : now;
      }
      if (!entry->failed) wait = std::max(entry->due - now, Duration{});
      if (auto put = transaction.put_document(outbox_kind, sent.key, to_document(*entry)); !put) return put.error();
      return {};
    });
    if (outcome.kind == Outcome::Kind::again || outcome.kind == Outcome::Kind::refused)
      spdlog::warn("notification not delivered ({}): {}", channel_name(sent.channel), outcome.reason);
    return written ? wait : idle_wait;
  }

  Outcome deliver(const Entry& entry, const std::vector<Incident>& incidents) {
    switch (entry.channel) {
      case Channel::email: return mail(entry, incidents);
      case Channel::webhook: {
        const auto settings = choices_.webhook();
        if (!settings) return {Outcome::Kind::again, settings.error().message};
        if (settings->url.empty()) return {Outcome::Kind::pointless, {}};
        return outcome_of(
            post(*settings, stable_id(entry), webhook_body(incidents.front(), parts_.public_url, parts_.clock())));
      }
      case Channel::push: {
        const auto device = choices_.device(entry.subscription);
        if (!device) return {Outcome::Kind::again, device.error().message};
        if (!*device) return {Outcome::Kind::pointless, {}};
        return push(**device, push_payload(incidents.front()), incidents.front().id);
      }
    }
    return {Outcome::Kind::pointless, {}};
  }

  Outcome mail(const Entry& entry, const std::vector<Incident>& incidents) {
    std::string address = entry.address;
    if (!entry.user.empty()) {
      const auto preferences = choices_.user(entry.user);
      if (!preferences) return {Outcome::Kind::again, preferences.error().message};
      if (preferences->email_pace == Pace::off) return {Outcome::Kind::pointless, {}};
      address = preferences->email;
    }
    if (address.empty()) return {Outcome::Kind::pointless, {}};
    const auto settings = choices_.smtp();
    if (!settings) return {Outcome::Kind::again, settings.error().message};
    const Message message = message_for(incidents, parts_.public_url);
    return outcome_of(
        send_mail(*settings, {address, message.subject, message.text, message.html, stable_id(entry), parts_.clock()}));
  }

  http::Reply post(const WebhookSettings& settings, const std::string& id, const Value& body) {
    http::Request request;
    request.method = "POST";
    request.url = settings.url;
    request.body = json::write(body);
    request.timeout = request_timeout;
    request.reply_bytes_max = 64 * 1024;
    const std::int64_t timestamp = parts_.clock().to_unix_milliseconds() / 1000;
    request.headers = {
        {"Content-Type", "application/json"},
        {"User-Agent", "Flowmend"},
        {"webhook-id", id},
        {"webhook-timestamp", std::to_string(timestamp)},
        {"webhook-signature", sign(signing_key(settings.secret).value_or(""), id, timestamp, request.body)}};
    return http::send_and_wait(parts_.client, std::move(request));
  }

  Outcome push(const Choices::Device& device, const Value& payload, const std::string& topic) {
    const auto identity = choices_.push_identity();
    if (!identity) return {Outcome::Kind::again, identity.error().message};
    auto body = encrypt(json::write(payload), device.subscription);
    if (!body) return {Outcome::Kind::refused, body.error().message};
    const auto settings = choices_.smtp();
    // Whom a push service may ask when messages of this server trouble it.
    const std::string contact = settings && !settings->from.empty() ? "mailto:" + settings->from : parts_.public_url;
    http::Request request;
    request.method = "POST";
    request.url = device.subscription.endpoint;
    request.body = std::move(*body);
    request.timeout = request_timeout;
    request.reply_bytes_max = 64 * 1024;
    request.headers = {
        {"Content-Type", "application/octet-stream"},
        {"Content-Encoding", "aes128gcm"},
        {"TTL", "86400"},
        {"Urgency", "high"},
        {"Topic", topic},
        {"Authorization", authorization(*identity, device.subscription.endpoint, contact, parts_.clock())}};
    const http::Reply reply = http::send_and_wait(parts_.client, std::move(request));
    if (reply.status == 404 || reply.status == 410) {
      // The browser took its subscription back: RFC 8030, 7.3.
      static_cast<void>(choices_.unsubscribe(device.id, {}));
      return {Outcome::Kind::pointless, "The device no longer wants messages."};
    }
    return outcome_of(reply);
  }

  /// Drops notes of messages that hold nothing back any more. Seldom: they are small.
  void forget_sent() {
    const Timestamp now = parts_.clock();
    if (now - forgotten_ < Duration::minutes(10)) return;
    forgotten_ = now;
    const auto notes = parts_.store.documents({std::string(sent_kind), "", "", entries_max});
    if (!notes || notes->empty()) return;
    static_cast<void>(parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
      for (const store::Document& note : *notes) {
        const auto time = parse_timestamp(note.value.text_of("time"));
        if (time && now - *time < hold_between_messages) continue;
        if (auto erased = transaction.erase_document(sent_kind, note.key, note.version);
            !erased && erased.error().code != "VersionConflict")
          return erased.error();
      }
      return {};
    }));
  }

  Parts parts_;
  Choices choices_;
  Timestamp forgotten_;
  std::mutex mutex_;  ///< guards what follows
  std::condition_variable wake_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

Notifier::Notifier(Parts parts) : worker_(std::make_unique<Worker>(std::move(parts))) {}
Notifier::~Notifier() = default;
Result<void> Notifier::tell(store::Transaction& transaction, const Incident& incident) {
  return worker_->tell(transaction, incident);
}
void Notifier::wake() { worker_->wake(); }
Choices& Notifier::choices() { return worker_->choices(); }
Result<void> Notifier::test_mail(const std::string& address) { return worker_->test_mail(address); }
Result<void> Notifier::test_webhook() { return worker_->test_webhook(); }
Result<void> Notifier::test_push(std::string_view user) { return worker_->test_push(user); }
Result<Value> Notifier::outbox() const { return worker_->outbox(); }
Result<std::size_t> Notifier::retry(std::string_view key) { return worker_->retry(key); }
Result<bool> Notifier::discard(std::string_view key) { return worker_->discard(key); }

}  // namespace flowmend::repair::notify
