#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace flowmend::trigger {

/// HMAC-SHA256 in base64url over `workflow id LF sp LF sv LF se`. Never changes: callers keep addresses for years.
std::string signature(std::string_view key, std::string_view workflow_id, std::string_view sp, std::string_view sv,
                      std::string_view se);
/// What a signed address carries in its query, decoded; and the caller's own pairs, in order.
struct SignedQuery {
  std::string api_version, sp, sv, sig, se;
  std::vector<std::pair<std::string, std::string>> others;
};
/// `InvalidQuery` for a query that is no percent-encoded UTF-8.
Result<SignedQuery> read_signed_query(std::string_view query);

/// In constant time; two empty ones are not the same.
bool same_signature(std::string_view a, std::string_view b);

/// Whether `sig` is what one of the two keys gives for these parts. Both are computed whatever the first says: how long
/// this takes tells nothing about the keys.
bool is_signed_by_either(std::string_view sig, std::string_view primary, std::string_view secondary,
                         std::string_view workflow_id, std::string_view sp, std::string_view sv,
                         std::string_view se = {});

}  // namespace flowmend::trigger
