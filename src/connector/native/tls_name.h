#pragma once

#include <openssl/types.h>

#include <functional>
#include <memory>
#include <string>

namespace flowmend::connector {

// Libraries that connect by a host's name check the server's certificate against that name. They are given the checked
// address in its stead (http/address.h), so the name is told to OpenSSL itself.

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const;
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

/// Hears why a handshake failed (`self-signed certificate`, `IP address mismatch`), on the thread that makes it.
using TlsFailed = std::function<void(const std::string& why)>;

/// Makes every connection of the context name `host` in its handshake (SNI) and refuse a server whose certificate is
/// not one for it. False when OpenSSL can't.
bool expect_host(SSL_CTX& context, const std::string& host, TlsFailed failed = {});

/// A client's context: TLS 1.2 or later, the server's certificate checked for `host` under the authorities of that
/// file (PEM; empty = the system's). Null when OpenSSL can't, or the file can't be read.
TlsContext make_tls_context(const std::string& host, const std::string& authorities_file, TlsFailed failed = {});

}  // namespace flowmend::connector
