#include "connector/native/tls_name.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "http/address.h"

namespace flowmend::connector {
namespace {

struct Expected {
  std::string host;
  TlsFailed failed;
};

/// Where a context keeps what it expects; freed with it.
int expected_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* expected, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Expected*>(expected); });
  return index;
}

void watch_handshake(const SSL* connection, int where, int value) {
  const auto* expected =
      static_cast<const Expected*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), expected_index()));
  if (expected == nullptr) return;
  if ((where & SSL_CB_HANDSHAKE_START) != 0) {
    // The library has set the address as the name; an address is no name for SNI, so then none is sent. (What the macro
    // SSL_set_tlsext_host_name does.)
    char* name = http::is_numeric_address(expected->host) ? nullptr : const_cast<char*>(expected->host.c_str());
    SSL_ctrl(const_cast<SSL*>(connection), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
    return;
  }
  constexpr int fatal = SSL3_AL_FATAL << 8;
  if ((where & SSL_CB_ALERT) == 0 || (value & 0xFF00) != fatal || !expected->failed) return;
  const long verified = SSL_get_verify_result(connection);
  expected->failed(verified == X509_V_OK ? SSL_alert_desc_string_long(value) : X509_verify_cert_error_string(verified));
}

}  // namespace

void FreeTlsContext::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

bool expect_host(SSL_CTX& context, const std::string& host, TlsFailed failed) {
  auto expected = std::make_unique<Expected>(Expected{host, std::move(failed)});
  std::string& name = expected->host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  X509_VERIFY_PARAM* wanted = SSL_CTX_get0_param(&context);
  const int named = http::is_numeric_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str())
                                                   : X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size());
  if (named != 1) return false;
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  delete static_cast<Expected*>(SSL_CTX_get_ex_data(&context, expected_index()));
  if (SSL_CTX_set_ex_data(&context, expected_index(), expected.get()) != 1) return false;
  static_cast<void>(expected.release());
  SSL_CTX_set_info_callback(&context, watch_handshake);
  return true;
}

TlsContext make_tls_context(const std::string& host, const std::string& authorities_file, TlsFailed failed) {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  const int read = authorities_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                            : SSL_CTX_load_verify_file(context.get(), authorities_file.c_str());
  if (read != 1 || !expect_host(*context, host, std::move(failed))) return nullptr;
  return context;
}

}  // namespace flowmend::connector
