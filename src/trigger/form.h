#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::trigger {

/// The type of a Content-Type without its parameters, in lower case.
std::string media_type(std::string_view content_type);

/// `[{key, value}]` of a form: in order, empty pairs too, no de-duplication (engine.md 2.5). A part that is no valid
/// escape is taken as it stands.
Value read_form(std::string_view body);

/// `[{headers, body}]` of a multipart body: text parts as string, others as `{$content-type,$content}`.
/// `InvalidMultipartContent` without a usable boundary. At most 1,000 parts.
Result<Value> read_multipart(std::string_view content_type, std::string_view body);

}  // namespace flowmend::trigger
