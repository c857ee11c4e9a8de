#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/routes.h"

namespace flowmend::api {

/// The values of a pattern's `{x}` segments by x.
std::map<std::string_view, std::string> named_parameters(std::string_view pattern,
                                                         const std::vector<std::string>& values);

/// Why the caller may not do to the flow, run, connection, incident or job in the address what the route does; nothing
/// when they may. What is not shared with the caller at all looks as if it did not exist. Called for every route that
/// needs a caller, before it runs: a route names what it is about in its pattern (`{flow}`, `{run}`, `{api}` with
/// `{name}`, `{incident}`, `{job}`), and so can't forget it.
std::optional<Error> refuse(const RouteEntry& entry, const Parts& parts, const Call& call);

/// `AuthorizationFailed` when `has` is less than `needs`.
std::optional<Error> lacks(Level has, Level needs, std::string_view what);

}  // namespace flowmend::api
