#pragma once

#include <string>
#include <string_view>

#include "connector/connections.h"
#include "connector/document.h"
#include "json/value.h"

namespace flowmend::connector {

// What the files of Connections share: how a connection is written down, and what of its connector says that people
// sign in with it. For them alone.

inline constexpr std::string_view connection_kind = "connection";  ///< of the documents
/// Among the sealed values: what renews the sign-in. No field of a connector is called so.
inline constexpr std::string_view refresh_field = "$refresh";
inline constexpr std::string_view sign_in_needed = "Nobody has signed in with this connection yet.";

std::string connection_document_key(const ConnectionKey& key);

/// Not set for what is no time.
Timestamp time_of(const Value& value, std::string_view name);
/// Adds nothing for a time that is not set.
void add_time(json::ObjectBuilder& builder, std::string_view name, Timestamp time);

Value failure_value(const FailedCall& call);
FailedCall read_failure(const Value& value);
Value signed_in_value(const SignedIn& signed_in);
SignedIn read_signed_in(const Value& value);

/// The field that holds the access token; null when nobody signs in with such connections.
const ConnectionParameter* sign_in_field(const Connector& connector);
/// True when the connector wants a token and there is none yet.
bool lacks_token(const Connector& connector, const Value& fields);

}  // namespace flowmend::connector
