#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "connector/document.h"
#include "http/client.h"

namespace flowmend::connector {

// OAuth 2.0 as connectors describe it (connectors.md 4.1): what is sent to an authorization server and how its answers
// are read. Pure; sign_in.h sends. Standards: RFC 6749 (codes, client credentials, refreshing), RFC 7636 (PKCE),
// RFC 8628 (devices).

/// How connections of a connector sign in: its own document, and what the administrator entered over it.
struct OAuthSettings {
  std::string parameter;  ///< the connection field that holds the access token
  std::string provider;   ///< lower case: `oauth2`, `oauth2generic`, `aad` ...
  std::string client_id;  ///< empty: the file has none but a placeholder, and the administrator entered none
  std::string client_secret;
  std::string scopes;
  std::string authorization_url;  ///< these may hold `{Name}` of connection fields
  std::string token_url;
  std::string refresh_url;
  std::string device_url;
  std::string authorization_query;  ///< templates of `oauth2generic`; empty = the usual ones
  std::string token_query;
  std::string token_body;
  std::string refresh_query;
  std::string refresh_body;
  bool proof_key = true;      ///< PKCE S256
  bool basic_client = false;  ///< the client's id and secret go into an Authorization header instead of the body

  /// What has to be entered before anybody can sign in; empty = nothing.
  std::string missing(std::string_view grant) const;
};

inline constexpr std::string_view grant_code = "authorizationCode";
inline constexpr std::string_view grant_client = "clientCredentials";
inline constexpr std::string_view grant_device = "deviceCode";

/// Nothing when the connector has no field of that kind. `entered`: the administrator's values by the names of the API
/// (`clientId`, `clientSecret`, `scopes`, `authorizationUrl`, `tokenUrl`, `refreshUrl`, `deviceUrl`, `proofKey`,
/// `basicClient`); null = none. Ids in files that are plainly placeholders (`{{ client id }}`, `XXXXX`) count as none.
std::optional<OAuthSettings> oauth_settings(const Connector& connector, const Value& entered);

/// What one sign-in knows.
struct OAuthExchange {
  std::string redirect_url;
  std::string state;
  std::string verifier;  ///< PKCE; 43 characters
  std::string code;
  std::string device_code;
  std::string refresh_token;
};

/// The address at which a person signs in. Errors: `SignInNotConfigured`, `SignInFieldMissing` for a `{Name}` that no
/// connection field fills, `InvalidUri`.
Result<std::string> authorization_address(const OAuthSettings& settings, const OAuthExchange& exchange,
                                          const Value& fields);

enum class TokenPurpose { code, refresh, client, device_start, device_poll };
/// The request to the authorization server. Errors as above.
Result<http::Request> token_request(const OAuthSettings& settings, TokenPurpose purpose, const OAuthExchange& exchange,
                                    const Value& fields);

/// The tokens of an answer.
struct TokenSet {
  std::string access_token;
  std::string refresh_token;  ///< empty: none, or the one that was used stays good
  Duration lifetime;          ///< an hour when the answer does not say
};

/// An answer that gives none: `code` is the server's own word (`invalid_grant` ...) or the transport's.
struct TokenRefusal {
  std::string code;
  std::string message;
  bool final = false;  ///< asking again with the same is useless: the sign-in is over
};

struct TokenAnswer {
  std::optional<TokenSet> tokens;
  TokenRefusal refusal;
};

/// JSON or form-encoded, as servers send it. The message never holds what was sent.
TokenAnswer read_token_answer(const http::Reply& reply, const std::vector<std::string>& secrets);

/// 32 random bytes as base64url: a state, a PKCE verifier, a browser's mark.
std::string random_token();
/// The S256 challenge of a PKCE verifier.
std::string proof_key_challenge(std::string_view verifier);

}  // namespace flowmend::connector
