#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"
#include "runtime/flows.h"

namespace flowmend::api {

/// Signed links to recorded contents (rest-api.md 5.3): readable without a token for some hours, and nothing else is.
///
/// `path` begins behind `/workflows/{id}`: `/runs/{run}/actions/{a}/contents/ActionInputs`. The signature covers the
/// workflow id, the path and the expiry, under the flow's access key.
std::string content_link(const std::string& base, const runtime::LiveFlow& flow, const std::string& path,
                         Timestamp now);

/// Success when `sig` belongs to that path and `se` lies ahead. `AuthorizationFailed`.
Result<void> check_content_link(const runtime::LiveFlow& flow, std::string_view path, std::string_view se,
                                std::string_view sig, Timestamp now);

/// A content link object (engine.md 6.5) for a recorded value; a secured one has no address.
Value content_object(const std::string& uri, const Value& value, bool secured, std::string_view which);

}  // namespace flowmend::api
