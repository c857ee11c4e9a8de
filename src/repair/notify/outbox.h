#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "store/store.h"

namespace flowmend::repair::notify {

// What is to be sent and to whom: one document of kind `notify-outbox` for each receiver and cause (or digest). It is
// written in the transaction that stores the incident, and leaves when the receiver took it: nothing is lost over a
// crash, and a receiver that is down is tried again with growing waits.

enum class Channel : std::uint8_t { email, webhook, push };
std::string_view channel_name(Channel channel);

constexpr Duration hold_between_messages = Duration::hours(1);  ///< of one cause to one receiver
constexpr Duration first_wait = Duration::seconds(15);
constexpr Duration longest_wait = Duration::hours(1);
constexpr Duration given_up_after = Duration::days(3);

struct Entry {
  struct About {
    std::string incident;
    Timestamp told;  ///< of the incident when this was written: a later one is another message
  };
  std::string key;  ///< names receiver and cause
  Channel channel = Channel::email;
  std::string user;          ///< id; empty for a webhook and for a flow's own recipients
  std::string address;       ///< of a flow's own recipient; a user's is looked up when it is sent
  std::string subscription;  ///< of push
  std::vector<About> about;
  Timestamp created;
  Timestamp due;
  int attempts = 0;
  std::string last_error;
  bool failed = false;  ///< given up; waits for a person
};

Value to_document(const Entry& entry);
std::optional<Entry> entry_of(const store::Document& document);
/// As the API shows it; addresses are shown, subscriptions are not.
Value entry_view(const Entry& entry);

/// How long to wait after so many attempts that failed: 15 s, doubled each time, an hour at most.
Duration wait_after(int attempts);

/// Adds to the outbox; an entry of the same key that still waits is told of the incident once only.
Result<void> add(store::Transaction& transaction, const Entry& entry);

/// When the cause of a message last went to that receiver: documents of kind `notify-sent`.
std::string sent_key(const Entry& entry, std::string_view incident);

}  // namespace flowmend::repair::notify
