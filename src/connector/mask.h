#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connector/credentials.h"
#include "json/value.h"

namespace flowmend::connector {

/// What stands in records where a secret was.
inline constexpr std::string_view masked_text = "*sanitized*";

/// True for the headers that usually carry a credential: Authorization, Cookie, X-Api-Key ...
bool is_secret_header(std::string_view name);
/// True for query parameters that usually do: sig, code, api_key, access_token ...
bool is_secret_query(std::string_view name);

/// `text` with every one of `secrets` (also in its percent-encoded form) replaced. Secrets under four bytes are left:
/// replacing them would tear up the text and hide nothing.
std::string mask_secrets(std::string_view text, const std::vector<std::string>& secrets);
/// A URL without secrets, without the values of secret query parameters and without user information.
std::string mask_url(std::string_view url, const std::vector<std::string>& secrets);
/// Strings anywhere inside a value, keys too.
Value mask_value(const Value& value, const std::vector<std::string>& secrets);

/// `{method, uri, headers}` of a request as records show it.
Value request_record(std::string_view method, std::string_view url, const Pairs& headers,
                     const std::vector<std::string>& secrets);

}  // namespace flowmend::connector
