#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connector/document.h"
#include "connector/text.h"

namespace flowmend::connector {

/// What a connection of this connector asks a person for.
enum class ConnectionKind { none, api_key, basic, bearer };

/// `none`, `apiKey`, `basic`, `bearer`: as the API says it.
std::string_view kind_name(ConnectionKind kind);
ConnectionKind kind_of(const Connector& connector);

/// A credential as it goes into a request.
struct PlacedCredential {
  Pairs headers;
  Pairs query;
  std::vector<std::string> secrets;  ///< texts that no record may show
};

/// Puts a connection's values (`{"username": ..., "password": ...}`, in clear) where the operation's security
/// definition wants them. Values that hold a line break are left out: they could smuggle headers. `fields` may lack
/// anything: the service then says what it misses.
PlacedCredential place_credential(const Connector& connector, const Operation& operation, const Value& fields);

/// The texts of all secret fields.
std::vector<std::string> secrets_of(const Connector& connector, const Value& fields);
bool is_secret(const ConnectionParameter& parameter);
/// The values of the fields that are no secret.
Value clear_fields_of(const Connector& connector, const Value& fields);

}  // namespace flowmend::connector
