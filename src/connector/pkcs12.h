#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace flowmend::connector {

/// A certificate with its private key, as flows carry it: the base64 of a PKCS #12 file (`pfx`) and its password.
struct Pkcs12 {
  std::string bytes;  ///< of the file, for the TLS library
  std::string password;
};

/// Errors: `InvalidHttpInputs`, when the text is no base64, the password does not open it, or it lacks the certificate
/// or the key; the message never shows either.
Result<Pkcs12> open_pkcs12(std::string_view base64, std::string password);

/// A JSON Web Token (RFC 7519) with these claims, signed RS256, with the certificate's SHA-1 thumbprint as `x5t`: what
/// Microsoft Entra ID takes in place of a secret (RFC 7523). Errors: `InvalidHttpInputs`, when the key is none of RSA.
Result<std::string> signed_token(const Pkcs12& certificate, std::string_view claims);

}  // namespace flowmend::connector
