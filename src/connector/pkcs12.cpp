#include "connector/pkcs12.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/owned.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;

struct Parts {
  Key key;
  Certificate certificate;
};

Error invalid(std::string message, std::string cure) {
  ERR_clear_error();
  return make_error("InvalidHttpInputs", std::move(message), "/inputs/authentication/pfx", std::move(cure));
}

Result<Parts> parts_of(const Pkcs12& file) {
  const auto* begin = reinterpret_cast<const unsigned char*>(file.bytes.data());
  const Owned<PKCS12, PKCS12_free> opened(
      d2i_PKCS12(nullptr, &begin, static_cast<long>(file.bytes.size())));
  if (!opened) return invalid("The certificate is no PKCS #12 file.", "Give the base64 of a .pfx or .p12 file.");
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  if (PKCS12_parse(opened.get(), file.password.c_str(), &key, &certificate, nullptr) != 1) {
    return invalid("The certificate's file can't be opened: its password is another, or its encryption is too old.",
                   "Correct the password, or write the file anew with AES (openssl pkcs12 -legacy, then -export).");
  }
  Parts parts{Key(key), Certificate(certificate)};
  if (!parts.key || !parts.certificate)
    return invalid("The certificate's file lacks the certificate or its private key.", "Export both together.");
  return parts;
}

/// Base64 as URLs want it (RFC 4648, 5), without padding.
std::string url_base64(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

}  // namespace

Result<Pkcs12> open_pkcs12(std::string_view base64, std::string password) {
  auto bytes = base64_decode(base64);
  if (!bytes || bytes->empty())
    return invalid("The certificate is no base64 text.", "Give the base64 of a .pfx or .p12 file.");
  Pkcs12 file{std::move(*bytes), std::move(password)};
  if (auto parts = parts_of(file); !parts) return parts.error();
  return file;
}

Result<std::string> signed_token(const Pkcs12& certificate, std::string_view claims) {
  const auto parts = parts_of(certificate);
  if (!parts) return parts.error();
  if (EVP_PKEY_base_id(parts->key.get()) != EVP_PKEY_RSA)
    return invalid("The certificate's key is none of RSA, which the sign-in needs.", "Use an RSA certificate.");
  unsigned char print[EVP_MAX_MD_SIZE];
  unsigned int print_size = 0;
  X509_digest(parts->certificate.get(), EVP_sha1(), print, &print_size);
  const std::string thumbprint = url_base64({reinterpret_cast<const char*>(print), print_size});
  const std::string text =
      url_base64(R"({"alg":"RS256","typ":"JWT","x5t":")" + thumbprint + "\"}") + "." + url_base64(claims);
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const auto* message = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, parts->key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, message, text.size()) != 1)
    return invalid("The certificate's key can't sign.", "Use another certificate.");
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, message, text.size()) !=
      1)
    return invalid("The certificate's key can't sign.", "Use another certificate.");
  signature.resize(size);
  return Result<std::string>(boost::system::in_place_value, text + "." + url_base64(signature));
}

}  // namespace flowmend::connector
