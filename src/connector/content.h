#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::connector {

using json::Value;

// Values and message bodies. Rules: engine.md 3.2 and connectors.md 5.2, 5.5 of the specification: JSON is parsed, text
// is a string, anything else is `{"$content-type": ..., "$content": <base64>}`.

struct Encoded {
  std::string content_type;  ///< empty when there is no body
  std::string bytes;
};

/// A value as the body of a request. `content_type` is what the flow or the operation asks for; empty = by the value:
/// text is `text/plain`, a content object has its own type, other values are JSON. A text is sent as it is under any
/// type. `$multipart` objects become multipart bodies.
///
/// Error: `ContentConversionFailed`, an object or array for a type that it can't be written as.
Result<Encoded> encode_body(const Value& value, std::string_view content_type);

/// An object with `$content`: what binary bodies look like inside a flow.
bool is_content_object(const Value& value);
/// The bytes of a content object; nothing unless its `$content` is a base64 text.
std::optional<std::string> content_bytes(const Value& value);
Value make_content(std::string_view bytes, std::string_view content_type);

struct Decoded {
  Value body;
  bool has_body = false;
  bool invalid_json = false;  ///< the type says JSON, the text is none: `body` is the text
};

enum class Keep { by_content_type, bytes };

/// A reply's body as a value. An empty body is none. `Keep::bytes`: always a content object, unless it is JSON.
Decoded decode_body(std::string_view bytes, std::string_view content_type, Keep keep = Keep::by_content_type);

bool is_json_type(std::string_view content_type);
bool is_text_type(std::string_view content_type);
bool is_utf8(std::string_view text);
/// Latin-1 and Windows-1252 bytes as UTF-8.
std::string utf8_of_windows_1252(std::string_view bytes);

}  // namespace flowmend::connector
