#include "connector/native/queue_common.h"

#include <algorithm>
#include <charconv>

#include "connector/content.h"
#include "connector/text.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view taken_mark = "taken:";

template <typename Number>
Number number_of(std::string_view text, Number otherwise) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : otherwise;
}

}  // namespace

Value message_value(std::string_view bytes, std::string_view content_type) {
  if (is_utf8(bytes)) return Value(bytes);
  return make_content(bytes, content_type.empty() ? "application/octet-stream" : content_type);
}

MessageBytes message_bytes(const Value& value) {
  if (is_content_object(value)) {
    if (auto bytes = content_bytes(value)) return {std::move(*bytes), std::string(value.text_of("$content-type"))};
  }
  if (value.is_string()) return {std::string(value.as_string()), "text/plain"};
  if (value.is_null()) return {{}, "text/plain"};
  return {json::write(value), "application/json"};
}

int port_of(const Value& fields, std::string_view name, int usual) {
  const std::string text = field_text(fields, name);
  if (text.empty()) return usual;
  const int port = number_of<int>(text, 0);
  return port >= 1 && port <= 65535 ? port : 0;
}

bool flag_of(const Value& fields, std::string_view name) {
  const std::string text = lower_case(field_text(fields, name));
  return text == "true" || text == "1" || text == "yes";
}

std::int64_t taken_of(std::string_view state) {
  if (!state.starts_with(taken_mark)) return 0;
  return number_of<std::int64_t>(state.substr(taken_mark.size()), 0);
}

std::string taken_state(std::int64_t sequence) { return std::string(taken_mark) + std::to_string(sequence); }

http::Reply check_inbox(Inbox& inbox, const NativeCall& call, const TakeMessages& take) {
  const Value& most = argument(call, "maximum");
  const auto limit =
      static_cast<std::size_t>(most.is_integer() ? std::clamp<std::int64_t>(most.as_integer(), 1, 1000) : 100);
  const auto unavailable = [](const Error& error) { return native_error(503, error.code, error.message); };
  const std::int64_t taken = taken_of(call.state);
  if (const auto forgotten = inbox.forget(taken); !forgotten) return unavailable(forgotten.error());
  auto waiting = inbox.list(taken, limit);
  if (!waiting) return unavailable(waiting.error());
  if (waiting->empty()) {
    if (auto refused = take(limit, taken)) return std::move(*refused);
    waiting = inbox.list(taken, limit);
    if (!waiting) return unavailable(waiting.error());
  }
  if (waiting->empty()) return with_state(native_json(202, Value::empty_array()), taken_state(taken));
  std::vector<Value> values;
  for (const Inbox::Message& message : *waiting) values.push_back(message.value);
  return with_state(native_json(200, Value::array(std::move(values))), taken_state(waiting->back().sequence));
}

}  // namespace flowmend::connector
