#pragma once

#include "base/error.h"
#include "base/time.h"
#include "connector/request.h"

namespace flowmend::connector {

/// The question for the token of an Http action with the authentication ActiveDirectoryOAuth: `{tenant, audience,
/// clientId, secret}` or `{..., credentialType: "Certificate", pfx, password}`, and `authority`, which is
/// `https://login.microsoftonline.com` unless another is written. It is the client's own sign-in of OAuth 2.0 at
/// `<authority>/<tenant>/oauth2/token` for the resource `audience`, as Logic Apps does it; any server that answers with
/// `access_token` and `expires_in` will do.
///
/// Errors: `InvalidHttpInputs` naming the member that is missing or wrong.
Result<OutgoingRequest> token_request(const Value& authentication, Timestamp now);

/// What the token of such an authentication is kept as: the same for sign-ins that may use one token, and no secret.
std::string token_key(const Value& authentication);

/// How long the token of this answer may be used, a minute less than it holds; zero when it does not say.
Duration token_lifetime(std::string_view body);

/// The server's own words of a refused sign-in: `invalid_client: AADSTS7000215: Invalid client secret provided.`; its
/// beginning when it says nothing that is known.
std::string token_refusal(std::string_view body);

}  // namespace flowmend::connector
