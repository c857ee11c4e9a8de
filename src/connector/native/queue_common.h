#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "connector/native/inbox.h"
#include "connector/native/native.h"

namespace flowmend::connector {

// What the connectors of message brokers share.

/// A message's content as a flow sees it: text, or a content object when it is no UTF-8.
Value message_value(std::string_view bytes, std::string_view content_type);
/// The bytes of what a flow sends, and whether they are text, JSON or bytes.
struct MessageBytes {
  std::string bytes;
  std::string content_type;
};
MessageBytes message_bytes(const Value& value);

/// A port from a connection's field; 0 for anything but 1..65535.
int port_of(const Value& fields, std::string_view name, int usual);
/// `true`, `1`, `yes` in any case.
bool flag_of(const Value& fields, std::string_view name);

/// `taken:17`: up to which message runs were started. 0 for an empty or another text.
std::int64_t taken_of(std::string_view state);
std::string taken_state(std::int64_t sequence);

/// Takes messages from the broker into the inbox, up to `limit`, with sequences above `after`; the answer when that
/// fails. A message that is in the inbox may be acknowledged.
using TakeMessages = std::function<std::optional<http::Reply>(std::size_t limit, std::int64_t after)>;

/// One check of a polling trigger over an inbox: forgets what runs stand for (the call's state says it), gives what
/// waits from before, and only when there is nothing takes more. Answers 200 with the messages or 202 with none; the
/// state of both says what was given. The operation's parameter `maximum` bounds a check (1 to 1000, usually 100).
http::Reply check_inbox(Inbox& inbox, const NativeCall& call, const TakeMessages& take);

}  // namespace flowmend::connector
