#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/journal.h"
#include "http/client.h"
#include "repair/incident.h"
#include "repair/notify/choices.h"
#include "store/store.h"

namespace flowmend::repair::notify {

/// Brings messages about incidents to people: by e-mail, to a signed webhook, by Web Push. What to send is written in
/// the transaction that stores the incident (`tell`), sent by a thread of this class, and tried again until the
/// receiver took it or three days are over. One cause sends a receiver at most one message an hour; what comes earlier
/// waits until the hour is over and then says the latest state. A message that was on its way in a crash is sent again,
/// with the same Message-ID, webhook-id and topic.
///
/// Threads: any. `store`, `sealer` and `client` must outlive it; the destructor waits for a message under way.
class Notifier {
 public:
  struct Parts {
    store::Store& store;
    const engine::Sealer& sealer;
    http::Client& client;
    std::string public_url;  ///< links begin with it; without a slash at its end
    std::function<Timestamp()> clock = now_from_system_clock;
    /// Whether the account `user` may hear of the incident. Called in the transaction of `tell`; empty = all may.
    std::function<bool(store::Transaction&, const store::Document& user, const Incident&)> may_hear;
  };
  explicit Notifier(Parts parts);
  ~Notifier();

  /// For Incidents::Parts::on_tell: only what is written into `transaction` counts. Never fails for a reader's choices.
  Result<void> tell(store::Transaction& transaction, const Incident& incident);
  /// After that transaction: looks for what is due.
  void wake();

  Choices& choices();

  /// Sends a test message now and waits for it. `MailNotSetUp`, `MailFailed`, `MailRefused`, `WebhookNotSetUp`,
  /// `WebhookFailed`, `PushFailed`, `NoDevices`, `NoAddress`.
  Result<void> test_mail(const std::string& address);
  Result<void> test_webhook();
  Result<void> test_push(std::string_view user);

  /// What waits, the oldest first.
  Result<Value> outbox() const;
  /// Tries one now, or all that wait or were given up when `key` is empty. Gives their number. `MessageNotFound`.
  Result<std::size_t> retry(std::string_view key);
  Result<bool> discard(std::string_view key);

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace flowmend::repair::notify
