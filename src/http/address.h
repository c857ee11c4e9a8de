#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/client.h"

namespace flowmend::http {

/// The addresses of a host that the policy lets a connection reach, in numbers (`127.0.0.1`, `2001:db8::1`), in the
/// order in which they should be tried; at least one. For those that open connections themselves: they look a name up
/// once, here, and connect to what comes back, so that a name which changes its address afterwards gains nothing.
///
/// `host`: a name, or an address with or without brackets. Blocks until the name is resolved. Any thread.
///
/// Errors: `UnresolvableHostName`, `AddressNotAllowed` (all of its addresses are refused).
Result<std::vector<std::string>> allowed_addresses(std::string_view host, const OutgoingPolicy& policy);

/// True for an address in numbers, without brackets.
bool is_numeric_address(const std::string& host);

}  // namespace flowmend::http
