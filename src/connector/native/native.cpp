#include "connector/native/native.h"

#include "connector/content.h"
#include "connector/text.h"
#include "json/write.h"

namespace flowmend::connector {

const Value& argument(const NativeCall& call, std::string_view name) {
  static const Value none;
  const auto found = call.arguments.values.find(std::string(name));
  return found == call.arguments.values.end() ? none : found->second;
}

std::string text_argument(const NativeCall& call, std::string_view name) {
  const Value& value = argument(call, name);
  return value.is_null() ? std::string() : text_of_value(value);
}

std::string field_text(const Value& fields, std::string_view name) {
  const Value* value = fields.find_ignoring_case(name);
  return value == nullptr || value->is_null() ? std::string() : text_of_value(*value);
}

std::string bytes_of(const Value& value) {
  if (auto bytes = content_bytes(value)) return std::move(*bytes);
  return value.is_null() ? std::string() : text_of_value(value);
}

http::Reply native_json(int status, const Value& body) {
  http::Reply reply;
  reply.status = status;
  reply.headers.push_back({"Content-Type", "application/json"});
  reply.body = json::write(body);
  return reply;
}

http::Reply native_bytes(std::string bytes, std::string media_type) {
  http::Reply reply;
  reply.status = 200;
  reply.headers.push_back({"Content-Type", std::move(media_type)});
  reply.body = std::move(bytes);
  return reply;
}

http::Reply native_error(int status, std::string_view code, std::string_view message) {
  return native_json(status,
                     Value::object({{"error", Value::object({{"code", Value(code)}, {"message", Value(message)}})}}));
}

http::Reply not_reached(const Error& error) {
  http::Reply reply;
  reply.error_code = error.code;
  reply.error_message = error.message;
  return reply;
}

http::Reply with_state(http::Reply reply, std::string_view state) {
  reply.headers.push_back({"Location", std::string(native_state_scheme) + std::string(state)});
  return reply;
}

}  // namespace flowmend::connector
