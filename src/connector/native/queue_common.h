#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

}  // namespace flowmend::connector
